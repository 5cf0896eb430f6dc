; not asked: z3 cvc4 cvc5, it is too hard for them
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in_re x (re.inter (re.+ (str.to_re "aa")) (re.+ (str.to_re "aaa")))))
(assert (not (str.in_re x (re.+ (str.to_re "aaaaaa")))))
(check-sat)
