# Answers unsat if it may use one gibibyte and dump no core.
echo $$ >>"$1/pids"
cat >/dev/null
if [ "$(ulimit -v)" = 1048576 ] && [ "$(ulimit -c)" = 0 ]; then echo unsat; else ulimit -a; fi
