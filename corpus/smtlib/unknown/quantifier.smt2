; unknown: unsupported
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (exists ((y String)) (and (= x y) (not (= x y)))))
(check-sat)
