(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert ; a ( comment " with | all
  (= x "a")) ; and another
(assert (not (= x "a")))
(check-sat)
