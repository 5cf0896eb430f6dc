"""Reads SMT-LIB on standard input and answers it with the cvc5 of the Python package.

The package `cvc5` has no program, only a module. This makes a program of it that a solver entry can
name, so that a current cvc5 can be asked like any other. A command must stand on one line, as in
what Keyaki writes: then no time goes into finding where a command ends. `--version` prints the
version, `--no-incremental` leaves incremental solving off.
"""

import os
import sys

import cvc5


def main():
    if "--version" in sys.argv:
        print(f"This is cvc5 version {cvc5.__version__} (Python package)")
        return
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("strings-exp", "true")
    if "--no-incremental" not in sys.argv:
        solver.setOption("incremental", "true")
    parser = cvc5.InputParser(solver)
    parser.setIncrementalStringInput(cvc5.InputLanguage.SMT_LIB_2_6, "stdin")
    symbols = parser.getSymbolManager()
    waiting = b""
    while True:
        piece = os.read(0, 1 << 16)
        if not piece:
            return
        waiting += piece
        end = waiting.rfind(b"\n") + 1
        if end == 0:
            continue
        parser.appendIncrementalStringInput(waiting[:end].decode())
        waiting = waiting[end:]
        answer(parser, solver, symbols)


def answer(parser, solver, symbols):
    """Executes what has arrived. An error ends the program, as with cvc5's own."""
    try:
        while True:
            command = parser.nextCommand()
            if command.isNull():
                return
            said = command.invoke(solver, symbols)
            if said:
                os.write(1, said.encode())
            if said.startswith("(error"):
                sys.exit(1)
    except Exception as problem:
        text = str(problem).replace('"', '""')
        os.write(1, f'(error "{text}")\n'.encode())
        sys.exit(1)


main()
