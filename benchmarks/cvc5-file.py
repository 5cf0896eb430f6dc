"""Answers SMT-LIB with the cvc5 of the Python package, as its own program would.

The package `cvc5` has no program, only a module. A word that does not begin with `--` is the script; without one, commands
come on standard input and each is answered as soon as it has ended, so that a process can be kept and asked again. Any other
word, `--NAME=VALUE`, `--NAME` or `--no-NAME`, is an option of cvc5's own. `--version` prints the version, `--stats` writes
statistics to the error output at the end.

The module's own parser for input that comes in pieces (`appendIncrementalStringInput`) was not taken: in 1.4.2 it refuses the
second piece after what it has read has ended, whether by chance or because nobody has asked more yet.
"""

import os
import re
import sys

import cvc5

# What parentheses do not count in, and parentheses. What has begun and not ended reaches to the end.
TOKENS = re.compile(rb'"[^"]*("|\Z)|\|[^|]*(\||\Z)|;[^\n]*(\n|\Z)|[()]')


def main():
    if "--version" in sys.argv:
        print(f"This is cvc5 version {cvc5.__version__} (Python package)")
        return
    words = [word for word in sys.argv[1:] if word.startswith("--")]
    scripts = [word for word in sys.argv[1:] if not word.startswith("--")]
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("strings-exp", "true")
    if not scripts:
        solver.setOption("incremental", "true")
    for word in words:
        if word != "--stats":
            name, _, value = word.removeprefix("--").partition("=")
            if not value and name.startswith("no-"):
                name, value = name.removeprefix("no-"), "false"
            solver.setOption(name, value or "true")
    parser = cvc5.InputParser(solver)
    symbols = parser.getSymbolManager()
    if scripts:
        parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, scripts[-1])
        answer(parser, solver, symbols)
    else:
        for text in commands():
            parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "stdin")
            answer(parser, solver, symbols)
    if "--stats" in words:
        for name, data in solver.getStatistics().get(False, False).items():
            print(f"{name} = {data['value']}", file=sys.stderr)


def commands():
    """The commands of standard input, as many at a time as have arrived as a whole."""
    waiting = b""
    while piece := os.read(0, 1 << 16):
        waiting += piece
        end = end_of_last(waiting)
        if end > 0:
            yield waiting[:end].decode()
            waiting = waiting[end:]
    if waiting.strip():
        yield waiting.decode()


def end_of_last(text):
    """Where the last command ends that is there as a whole."""
    depth, end = 0, 0
    for token in TOKENS.finditer(text):
        if token[0] == b"(":
            depth += 1
        elif token[0] == b")":
            depth -= 1
            if depth <= 0:
                depth, end = 0, token.end()
    return end


def answer(parser, solver, symbols):
    """Executes what the parser has. An error ends the program, as with cvc5's own."""
    while True:
        try:
            command = parser.nextCommand()
            if command.isNull():
                return
            if command.getCommandName() == "exit":
                sys.exit(0)
            said = command.invoke(solver, symbols)
        except RuntimeError as problem:
            text = str(problem).replace('"', '""')
            said = f'(error "{text}")\n'
        if said:
            print(said, end="", flush=True)
        if said.startswith("(error"):
            sys.exit(1)


main()
