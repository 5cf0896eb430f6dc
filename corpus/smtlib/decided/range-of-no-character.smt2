; A range of something else than two characters, or turned around, is empty.
; not asked: cvc4 cvc5, they refuse it
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (or (str.in_re x (re.range "b" "a")) (str.in_re x (re.range "ab" "c")) (str.in_re x (re.range "" "c"))))
(check-sat)
