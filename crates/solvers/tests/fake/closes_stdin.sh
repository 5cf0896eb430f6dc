# Stops reading before the script is complete.
echo $$ >>"$1/pids"
exec <&-
echo unsat
