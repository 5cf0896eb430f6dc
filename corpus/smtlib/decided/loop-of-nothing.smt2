; No repetition is the empty word, of whatever.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (str.in_re x ((_ re.loop 0 0) (re.+ re.allchar))))
(assert (not (= x "")))
(check-sat)
