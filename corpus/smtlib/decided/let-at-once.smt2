; The bindings of a let do not see each other.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(declare-fun y () String)
(assert (= x "a"))
(assert (let ((x "b") (y x)) (and (= y "a") (= x "c"))))
(check-sat)
