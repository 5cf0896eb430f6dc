; Order.
; unknown: unsupported
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (str.< x "b"))
(check-sat)
