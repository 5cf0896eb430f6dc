; A word of length one is not of length two.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in_re x re.allchar))
(assert (str.in_re x (re.++ re.allchar re.allchar)))
(check-sat)
