; Equality is a chain.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(declare-fun y () String)
(assert (= x y "a"))
(assert (not (= x "a")))
(check-sat)
