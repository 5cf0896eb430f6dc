; Lengths are numbers.
; unknown: unsupported
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (= (str.len x) 3))
(check-sat)
