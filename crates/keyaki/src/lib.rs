//! Questions about access-control policies, answered with a proof or a counterexample.
//!
//! A question takes three lines. Nothing but the caller's thread answers it:
//!
//! ```
//! use keyaki::{Engine, Question, Verdict, parse, public};
//!
//! let bucket = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*",
//!     "Action": "s3:GetObject", "Resource": "arn:aws:s3:::www.example.com/*"}}"#;
//!
//! let policy = parse(bucket, None)?;
//! let question = Question::no_public_access(policy, &public::S3);
//! let report = Engine::embedded().check(&question)?;
//!
//! let Verdict::Fails(witness) = report.verdict else { panic!("everybody may read it") };
//! assert_eq!(witness.request.action, "s3:GetObject");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Engine::embedded`] starts no process and no thread, and reads no file. [`Engine::with_installed_solvers`] asks Z3, CVC4 and
//! cvc5 as well where they are installed; it starts a process when the embedded solver does not know, and ends it before
//! it returns. An engine has no state that a question leaves behind, and serves many threads; there is no global state but counters of processes and tables
//! that are made once. A caller that wants to stop has [`Cancel`] and a timeout: see [`Engine::check_within`].
//!
//! # The questions
//!
//! The property is always the safe side: *holds* is good news, and *unknown* is not.
//!
//! Nobody outside a zone of trust gets in:
//!
//! ```
//! # use keyaki::{Engine, Question, Verdict, parse, zone::Zone};
//! # let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"},
//! #     "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:111122223333:q"}}"#;
//! let zone = Zone { accounts: ["111122223333".to_owned()].into(), ..Zone::default() };
//! let question = Question::NoExternalAccess { policy: vec![parse(text, None)?].into(), zone };
//! assert!(matches!(Engine::embedded().check(&question)?.verdict, Verdict::Holds(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A new policy allows nothing that an old one does not; both allow the same; they allow nothing in common:
//!
//! ```
//! # use keyaki::{Engine, Question, Verdict, parse};
//! # let text = |action: &str| format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow",
//! #     "Action": "{action}", "Resource": "arn:aws:s3:::b/*"}}}}"#);
//! # let (old, new) = (parse(&text("s3:GetObject"), None)?, parse(&text("s3:Get*"), None)?);
//! let (existing, new) = (vec![old].into(), vec![new].into());
//! let question = Question::NoNewAccess { existing, new };
//! let report = Engine::embedded().check(&question)?;
//! assert!(matches!(report.verdict, Verdict::Fails(_)));
//! # let Question::NoNewAccess { existing, new } = question else { unreachable!() };
//!
//! let question = Question::Equivalent { existing, new };
//! let report = Engine::embedded().check(&question)?;
//! assert!(matches!(report.relation, Some((keyaki::Relation::Wider, _))));
//! # let Question::Equivalent { existing, new } = question else { unreachable!() };
//!
//! let question = Question::Disjoint { existing, new };
//! assert!(matches!(Engine::embedded().check(&question)?.verdict, Verdict::Fails(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! None of some accesses is granted:
//!
//! ```
//! # use keyaki::{Engine, Question, Verdict, access, parse};
//! # let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#;
//! let access = access::from_texts(&["s3:PutObject".to_owned()], &["arn:aws:s3:::prod/*".to_owned()])?;
//! let question =
//!     Question::AccessNotGranted { policy: vec![parse(text, None)?].into(), accesses: vec![access] };
//! assert!(matches!(Engine::embedded().check(&question)?.verdict, Verdict::Holds(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No rule of one's own is broken, by policies of several kinds together ([`property`] has the language):
//!
//! ```
//! # use keyaki::{Engine, Question, Verdict, parse, policy::PolicySet, property, question::Subject};
//! # let everything = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
//! # let storage = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
//! let identity = vec![parse(everything, None)?];
//! let boundary = vec![parse(storage, Some(keyaki::PolicyType::Boundary))?];
//! let policy = Subject::Set(Box::new(PolicySet { identity, boundary, ..PolicySet::default() }));
//! let written = property::from_text("never: {may: 'iam:*'}", &Default::default())?;
//! let question = Question::Custom { policy, property: written.property };
//! assert!(matches!(Engine::embedded().check(&question)?.verdict, Verdict::Holds(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A ready property by its name, and what to change where it fails:
//!
//! ```
//! # use keyaki::{Engine, Question, Verdict, parse, property::library, remedy::remedy};
//! # let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"},
//! #     "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}"#;
//! let property = library::by_name("tls-only")?.with(&Default::default())?.property;
//! let question = Question::Custom { policy: vec![parse(text, None)?].into(), property };
//! let engine = Engine::embedded();
//! let report = engine.check(&question)?;
//! let Verdict::Fails(witness) = report.verdict else { panic!("nothing asks for TLS") };
//! let mut ask = |question: &Question| Some(engine.check(question).ok()?.verdict);
//! let found = remedy(&question, &witness, report.witness_under, &mut ask);
//! assert_eq!(found.expect("a condition more").changes.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The modules
//!
//! [`engine`] puts solvers together, [`job`] reads and runs the jobs of `keyaki batch`,
//! [`evaluation`] those about one request, [`findings`] those that list who breaks a property, [`who_can`] those that list who can do something, and [`wire`] is the one place where jobs, requests and
//! results become JSON. [`policies`] is how policies of several kinds are given, [`decisions`] how
//! readings of the language are, [`access`] how lists of accesses are, [`trust`] how zones of trust are. [`script`] is for formulas without
//! policies. [`audit`] believes nobody alone. [`validation`] needs neither solver nor request. [`mod@property`] is how properties of one's own are written, [`explanation`] why something fails.

pub mod access;
mod attached;
pub mod audit;
pub mod bucket;
pub mod decisions;
pub mod engine;
pub mod evaluation;
pub mod explanation;
pub mod findings;
mod given;
pub mod job;
pub mod policies;
pub mod property;
mod reader;
mod request;
pub mod script;
pub mod trust;
pub mod validation;
pub mod who_can;
pub mod wire;

pub use engine::{Engine, EngineError, EngineOptions};
pub use keyaki_analysis::encode::Opaque;
pub use keyaki_analysis::{
    Error, Evidence, Question, Relation, Report, Verdict, encode, explain, public, question,
    remedy, zone,
};
pub use keyaki_logic::{
    Attempt, Cancel, Limits, Reason, SolverError, smtlib, solver::AttemptResult,
};
pub use keyaki_policy as policy;
pub use keyaki_policy::{ParseError, Policy, PolicyType, Request, parse};
pub use keyaki_solvers as solvers;
