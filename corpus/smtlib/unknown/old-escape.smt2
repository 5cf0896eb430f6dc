; SMT-LIB 2.5 reads one character, 2.6 four.
; unknown: unsupported
; not asked: cvc4 cvc5, they do not know the names
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in.re "\x41" (re.++ re.allchar re.allchar)))
(check-sat)
