; What is between push and pop is forgotten.
; not asked: cvc4 cvc5, they want an option for it
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(push 1)
(declare-const z String)
(assert (= z "a" "b"))
(pop 1)
(assert (= x "a"))
(check-sat)
