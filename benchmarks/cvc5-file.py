"""Answers one SMT-LIB script with the cvc5 of the Python package, as its own program would.

The package `cvc5` has no program, only a module. The last argument is the script; any other, `--NAME=VALUE`,
`--NAME` or `--no-NAME`, is an option of cvc5's own. `--version` prints the version, `--stats` writes statistics to
the error output at the end. `cvc5-repl.py` beside this is for a process that answers more than one query.
"""

import sys

import cvc5


def main():
    if "--version" in sys.argv:
        print(f"This is cvc5 version {cvc5.__version__} (Python package)")
        return
    *words, script = sys.argv[1:]
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("strings-exp", "true")
    for word in words:
        if word != "--stats":
            name, _, value = word.removeprefix("--").partition("=")
            if not value and name.startswith("no-"):
                name, value = name.removeprefix("no-"), "false"
            solver.setOption(name, value or "true")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, script)
    symbols = parser.getSymbolManager()
    while True:
        command = parser.nextCommand()
        if command.isNull():
            break
        said = command.invoke(solver, symbols)
        if said:
            print(said, end="", flush=True)
        if said.startswith("(error"):
            sys.exit(1)
    if "--stats" in words:
        for name, data in solver.getStatistics().get(False, False).items():
            print(f"{name} = {data['value']}", file=sys.stderr)


main()
