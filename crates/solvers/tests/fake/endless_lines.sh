# Lines that never end.
echo $$ >>"$1/pids"
exec yes
