; not asked: cvc4, it does not know the command
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(define-const word RegLan (re.+ (re.range "a" "z")))
(define-const a String "a")
(assert (not (str.in_re a word)))
(check-sat)
