; Two rules for passwords: is what the new one lets in also let in by the old one?
(set-logic QF_S)
(define-fun has ((characters RegLan)) RegLan (re.++ re.all characters re.all))
(define-fun old () RegLan
  (re.inter ((_ re.loop 8 64) (re.range "!" "~")) (has (re.range "0" "9")) (has (re.range "A" "Z"))))
(define-fun new () RegLan
  (re.inter ((_ re.loop 12 64) (re.range "!" "~"))
            (re.comp (has (re.union (str.to_re "123") (str.to_re "abc"))))))
(declare-const password String)
(assert (str.in_re password new))
(assert (not (str.in_re password old)))
(check-sat)
