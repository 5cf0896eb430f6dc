; A surrogate is a character of SMT-LIB, though not of Unicode.
; not asked: cvc4, its ranges end at U+00FF
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (str.in_re x (re.+ (re.range "\u{d800}" "\u{dfff}"))))
(assert (not (str.prefixof "\ud800" x)))
(check-sat)
