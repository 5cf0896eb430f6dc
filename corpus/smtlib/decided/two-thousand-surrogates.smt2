; Three words that differ, of one character of a range that has two outside of the surrogates.
; not asked: cvc4, its ranges end at U+00FF
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(declare-fun y () String)
(declare-const z String)
(define-fun c ((s String)) Bool (str.in_re s (re.range "\u{d7ff}" "\u{e000}")))
(assert (and (c x) (c y) (c z)))
(assert (distinct x y z))
(check-sat)
