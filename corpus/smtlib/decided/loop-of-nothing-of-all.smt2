; No repetition is the empty word, also of what is a star (cvc5/cvc5#9784).
; not asked: cvc4 cvc5, they answer unsat and are wrong
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (not (str.in_re x ((_ re.loop 0 0) re.all))))
(assert (not (str.in_re x ((_ re.^ 0) re.all))))
(check-sat)
