; unknown: unsupported
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (= (str.replace x "a" "b") "bb"))
(check-sat)
