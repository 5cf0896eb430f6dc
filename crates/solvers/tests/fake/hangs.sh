# Never says a word. Neither does its child, nor the child of that one, which outlives its parent.
echo $$ >>"$1/pids"
sh -c 'sleep 1000 & echo $! >>"$0/pids"' "$1"
sleep 1000 &
echo $! >>"$1/pids"
echo ready >"$1/ready"
wait
