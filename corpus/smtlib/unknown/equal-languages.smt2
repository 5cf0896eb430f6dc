; unknown: unsupported
; not asked: cvc4 cvc5, they refuse it
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (= (re.* (str.to_re "a")) (re.+ (str.to_re "a"))))
(check-sat)
