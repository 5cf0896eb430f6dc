; unknown: unsupported
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const i Int)
(assert (and (< i 3) (> i 3)))
(check-sat)
