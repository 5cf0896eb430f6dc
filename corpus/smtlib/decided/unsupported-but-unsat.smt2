; What is left of the formula has no model without the part outside of the fragment.
; not asked: z3, it is too hard for it
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (> (str.len x) 5))
(assert (str.in_re x (re.* (str.to_re "a"))))
(assert (str.contains x "b"))
(check-sat)
