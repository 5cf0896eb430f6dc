; The rest of the formula has no model.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(declare-fun y () String)
(assert (= x (str.++ "home/" y "/")))
(assert (not (str.prefixof "home/" x)))
(check-sat)
