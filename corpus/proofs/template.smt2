(set-logic ALL)
(declare-const |x| String)
(declare-const |y| String)
(declare-const |z| (_ BitVec 3))
; line 5
(assert (= |y| (str.++ "b/" |x| "/c")))
; line 6
(assert (or (str.in_re |y| (re.++ (str.to_re "c") re.all)) (and (= |z| #b101) (str.in_re |x| (re.++ re.all (str.to_re "k") re.all)))))
; line 7
(assert (not (and (= |z| #b101) (str.in_re |y| (re.++ re.all (str.to_re "k") re.all)))))
(check-sat)
