; The complement of a language whose deterministic automaton has 2^61 states.
; not asked: z3 cvc4 cvc5, it is too hard for them
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (str.in_re x (re.+ (re.range "a" "b"))))
(assert (not (str.in_re x (re.++ (re.* (re.range "a" "b")) (str.to_re "a") ((_ re.^ 60) (re.range "a" "b"))))))
(assert (str.in_re x ((_ re.^ 61) re.allchar)))
(check-sat)
