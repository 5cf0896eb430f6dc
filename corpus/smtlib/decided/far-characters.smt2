; The last character of SMT-LIB is the only one in its range.
; not asked: cvc4, its ranges end at U+00FF
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (str.in_re x (re.+ (re.range "\u{2ffff}" "\u{2ffff}"))))
(check-sat)
