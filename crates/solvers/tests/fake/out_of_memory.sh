# As cvc5 ends when an allocation fails.
echo $$ >>"$1/pids"
cat >/dev/null
echo "terminate called after throwing an instance of 'std::bad_alloc'" >&2
kill -ABRT $$
