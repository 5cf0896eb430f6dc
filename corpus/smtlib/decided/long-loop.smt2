; A thousand to five thousand characters.
; not asked: z3 cvc4 cvc5, it is too hard for them
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (str.in_re x (re.++ (str.to_re "a") ((_ re.loop 1000 5000) (re.range "a" "z")) (str.to_re "b"))))
(check-sat)
