# Cannot be asked to stop.
trap '' TERM INT HUP QUIT PIPE
echo $$ >>"$1/pids"
while :; do sleep 1000; done
