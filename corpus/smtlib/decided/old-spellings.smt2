; Names of before SMT-LIB 2.6.
; not asked: cvc4 cvc5, they do not know the names
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in.re x (re.++ (str.to.re "a") (re.* (re.range "0" "9")))))
(assert (not (str.in.re x (re.++ (str.to.re "a") (re.* re.allchar)))))
(check-sat)
