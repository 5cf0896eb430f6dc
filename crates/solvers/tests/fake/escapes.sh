# Leaves a process that is in no process group of ours and holds every pipe.
echo $$ >>"$1/pids"
cat >/dev/null
setsid sh -c 'echo $$ >>"$0/escaped"; exec sleep 1000' "$1" <&0 &
while [ ! -s "$1/escaped" ]; do sleep 0.01; done
echo unsat
