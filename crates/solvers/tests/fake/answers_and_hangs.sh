# Prints its other arguments, one a line, and does not end.
echo $$ >>"$1/pids"
directory=$1
shift
cat >/dev/null
printf '%s\n' "$@"
sleep 1000 &
echo $! >>"$directory/pids"
wait
