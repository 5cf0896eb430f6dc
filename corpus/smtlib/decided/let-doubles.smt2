; Each let is twice the one before; the text is small and the expression is not.
; not asked: cvc4 cvc5, it is too hard for them
(set-info :smt-lib-version 2.6)
(set-logic ALL)
(set-info :status unsat)
(declare-const x String)
(assert (let ((a (re.++ (re.range "a" "b") (re.range "a" "b")))) (let ((b (re.++ a a))) (let ((c (re.++ b b))) (let ((d (re.++ c c)))
  (str.in_re x d)))))) 
(assert (not (str.in_re x ((_ re.^ 16) (re.union (str.to_re "a") (str.to_re "b"))))))
(check-sat)
