; One character in three ways, a quote, and what is no escape.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (= x "\u{41}\u0041\u{00041}""\n"))
(assert (not (= x (str.++ "AAA" """" "\u{5c}" "n"))))
(check-sat)
