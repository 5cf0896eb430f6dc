(set-logic ALL)
(declare-const bucket String)
(assert (str.prefixof "www." bucket))
(check-sat)
