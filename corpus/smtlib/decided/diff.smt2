; not asked: cvc4, it answers sat and is wrong
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in_re x (re.diff (re.* (re.range "a" "c")) (re.* (re.range "a" "b")) (re.++ re.all (str.to_re "c") re.all))))
(check-sat)
