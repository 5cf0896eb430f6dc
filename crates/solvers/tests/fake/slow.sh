# The right answer, late.
echo $$ >>"$1/pids"
cat >/dev/null
sleep 0.5
echo unsat
