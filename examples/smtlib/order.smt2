(declare-const x String)
(assert (str.< x "b"))
(assert (str.contains x "a"))
(check-sat)
