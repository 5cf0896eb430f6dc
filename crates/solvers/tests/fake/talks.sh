# Keeps answering: to each `(check-sat)` the next of its other arguments, to `(get-value …)` a model,
# to `(echo "…")` the text. The arguments `crashes` and `hangs` are done instead of said, and after
# `chats` comes more than was asked.
echo $$ >>"$1/pids"
shift
while read -r line
do
    case $line in
    '(check-sat)')
        answer=${1:-unsat}
        [ $# = 0 ] || shift
        case $answer in
        crashes) kill -SEGV $$;;
        hangs) exec sleep 1000;;
        chats) printf 'unsat\nsat\n';;
        *) echo "$answer";;
        esac;;
    '(get-value'*) echo '((x "ab"))';;
    '(echo "'*) line=${line#'(echo "'}; echo "${line%'")'}";;
    esac
done
