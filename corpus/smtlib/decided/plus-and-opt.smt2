; not asked: z3, it is too hard for it
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in_re x (re.+ (re.opt (str.to_re "a")))))
(assert (not (str.in_re x (re.* (str.to_re "a")))))
(check-sat)
