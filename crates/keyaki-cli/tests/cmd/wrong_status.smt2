(set-info :status unsat)
(declare-const x String)
(assert (= x "a"))
(check-sat)
