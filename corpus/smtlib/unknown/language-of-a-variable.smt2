; unknown: unsupported
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(declare-fun y () String)
(assert (str.in_re x (re.++ (str.to_re y) re.allchar)))
(check-sat)
