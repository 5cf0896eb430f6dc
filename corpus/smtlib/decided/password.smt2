; An intersection of complements, as passwords are made of.
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status sat)
(declare-const x String)
(assert (str.in_re x (re.inter ((_ re.loop 8 16) (re.range "!" "~")) (re.++ re.all (re.range "0" "9") re.all)
  (re.++ re.all (re.range "a" "z") re.all) (re.++ re.all (re.range "A" "Z") re.all)
  (re.comp (re.++ re.all (str.to_re "123") re.all)))))
(check-sat)
