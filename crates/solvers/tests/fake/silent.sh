# Ends without a word.
echo $$ >>"$1/pids"
exit 3
