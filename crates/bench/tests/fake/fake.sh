#!/bin/sh
# A solver as it must not be: the first argument says how. Its version is 1.0, and it sees its script as the second.
case "$1" in
--version) echo "fake version 1.0" ;;
sat) echo sat ;;
unsat) echo unsat ;;
both) echo sat; echo unsat ;;
unknown) echo unknown ;;
fails) echo sat; exit 3 ;;
crashes) kill -SEGV $$ ;;
hangs) trap '' TERM INT HUP; while :; do sleep 1000; done ;;
answers-and-hangs) echo sat; exec sleep 1000 ;;
forks) sleep 1000 > /dev/null 2>&1 & setsid sleep 1000 > /dev/null 2>&1 & echo sat ;;
bomb) i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i + 1)); done; wait ;;
spins) while :; do :; done ;;
spins-and-ends-well) trap 'echo timeout; exit 0' XCPU; while :; do :; done ;;
eats) head -c 2000000000 /dev/zero | tail ;;
shouts) exec yes sat ;;
fills) exec yes > "$TMPDIR/full" ;;
fills-many) i=0; while :; do head -c 100000 /dev/zero > "$TMPDIR/$i"; i=$((i + 1)); done ;;
# Tells by the script: `slow` in it takes longer than any limit, `contested` has the other answer.
old) echo sat ;;
new) if grep -q slow "$2"; then exec sleep 1000; elif grep -q contested "$2"; then echo unsat; else echo sat; fi ;;
# Solves a `shaky` script only when it is asked again.
shaky) if grep -q shaky "$2" && [ ! -e "$3" ]; then : > "$3"; exec sleep 1000; else echo sat; fi ;;
esac
