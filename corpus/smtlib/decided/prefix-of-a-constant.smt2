; A variable as the prefix of a constant.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.prefixof x "ab"))
(assert (distinct x "" "a" "ab"))
(check-sat)
