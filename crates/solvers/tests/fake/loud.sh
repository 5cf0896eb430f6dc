# Eight mebibytes to standard error before the answer.
echo $$ >>"$1/pids"
head -c 8388608 /dev/zero >&2
echo unsat
