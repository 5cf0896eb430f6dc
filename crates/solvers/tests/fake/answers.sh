# Reads the script and prints its other arguments, one a line.
echo $$ >>"$1/pids"
shift
cat >/dev/null
printf '%s\n' "$@"
