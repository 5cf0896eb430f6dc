; More at least than at most: no word.
; not asked: cvc4, it answers sat and is wrong
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in_re x ((_ re.loop 3 2) re.all)))
(check-sat)
