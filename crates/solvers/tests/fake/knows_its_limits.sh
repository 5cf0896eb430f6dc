# Answers unsat if it may use one gibibyte and a while, and dump no core.
echo $$ >>"$1/pids"
cat >/dev/null
if [ "$(ulimit -v)" = 1048576 ] && [ "$(ulimit -c)" = 0 ] && [ "$(ulimit -t)" -ge 120 ]
then echo unsat
else ulimit -a
fi
