; No template says it, so nobody guesses.
; unknown: unsupported
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (= (str.++ x "a") (str.++ "b" x)))
(check-sat)
