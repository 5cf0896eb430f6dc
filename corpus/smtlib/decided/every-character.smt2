; From the first to the last character is every character.
; not asked: cvc4, its ranges end at U+00FF
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in_re x re.allchar))
(assert (not (str.in_re x (re.range "\u{0}" "\u{2ffff}"))))
(check-sat)
