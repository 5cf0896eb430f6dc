; A prefix within a prefix: nothing is in the first that is not in the second.
(set-info :status unsat)
(declare-const resource String)
(assert (str.prefixof "arn:aws:s3:::logs/2026/" resource))
(assert (not (str.in_re resource (re.++ (str.to_re "arn:aws:s3:::logs") (re.opt (re.++ (str.to_re "/") re.all))))))
(check-sat)
