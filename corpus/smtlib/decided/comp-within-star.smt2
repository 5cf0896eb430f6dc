; Every word is made of characters that are not a word of two.
; not asked: cvc4 cvc5, it is too hard for them
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (not (str.in_re x (re.* (re.comp (re.++ re.allchar re.allchar))))))
(check-sat)
