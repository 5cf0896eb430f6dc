# One line that never ends.
echo $$ >>"$1/pids"
exec tr '\0' 'x' </dev/zero
