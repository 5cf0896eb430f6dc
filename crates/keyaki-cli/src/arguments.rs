//! What the user typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use keyaki::audit::formulas::RECHECK_EVERY;

/// Exit status of `check`, for the end of every help text.
const EXIT_STATUS: &str = "exit status: 0 holds, 1 fails, 2 error, 3 unknown (never safe)";

/// Most threads that answer jobs.
const MAX_WORKERS: i64 = 1_024;

#[derive(Parser)]
#[command(
    name = "keyaki",
    version,
    about = "Ask questions about access-control policies and get a proof or a counterexample",
    after_help = EXIT_STATUS,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Ask one question; the first line is the answer in words
    Check(Check),
    /// List who gets in from outside a zone of trust, or what a new policy allows, in rows that cover it all
    Findings(Findings),
    /// List which principals of an account can do something, by way of roles too
    WhoCan(WhoCan),
    /// Decide one request against the policies of a job; the first line is the decision
    Evaluate(Evaluate),
    /// Tell whether a bucket is public, by its ACL, its policy and Block Public Access together
    Bucket(Bucket),
    /// Answer jobs, one a line on standard input, with results, one a line, in the same order
    Batch(Batch),
    /// Answer jobs over HTTP until SIGTERM
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Print the SMT-LIB query behind a question
    Encode(Encode),
    /// Tell what is wrong with or odd in policies, with line and column
    Validate(Validate),
    /// Answer an SMT-LIB script that has one (check-sat)
    Solve(Solve),
    /// Tell which solvers there are, and try each
    Solvers(Solvers),
    /// List the properties that come with the program, or print one of them
    Properties(Properties),
    /// Print the JSON Schema of jobs and results
    Schema,
}

#[derive(Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) asked: Asked,
    #[command(flatten)]
    pub(crate) solving: Solving,
    /// If the property fails, tell why, and what to change so that it would hold; if it holds, for each
    /// statement that might break it what excludes that
    #[arg(long)]
    pub(crate) explain: bool,
    /// If the property holds, write a certificate for `keyaki-verify` to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(
    after_help = "exit status: 0 no rows, 1 rows that cover everything, 2 error, 3 something was not found out"
)]
pub(crate) struct Findings {
    /// The policy of a resource; `-` is standard input
    #[arg(value_name = "POLICY")]
    pub(crate) policies: Vec<PathBuf>,
    /// A policy of reference, instead of a zone of trust; several are a union
    #[arg(long, value_name = "POLICY")]
    pub(crate) existing: Vec<PathBuf>,
    /// A policy of which the rows are what it allows beyond those of reference; several are a union
    #[arg(long, value_name = "POLICY")]
    pub(crate) new: Vec<PathBuf>,
    /// List every precise row, instead of the fewest that cover everything
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) trust: Trust,
    /// What the policies are attached to [default: resource if one has a Principal]
    #[arg(long, value_name = "TYPE")]
    pub(crate) policy_type: Option<PolicyTypeArgument>,
    /// CloudFormation name of the resource's type [default: AWS::S3::Bucket]
    #[arg(long, value_name = "TYPE")]
    pub(crate) resource_type: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) solving: Solving,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(
    after_help = "exit status: 0 nobody can, 1 somebody can, 2 error, 3 of somebody it was not found out"
)]
pub(crate) struct WhoCan {
    /// An object with `resource_account`, `principals` and `policies`; `-` is standard input
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: PathBuf,
    /// What somebody may do, such as s3:DeleteBucket; without any, all actions are meant
    #[arg(long, value_name = "ACTION", num_args = 1..)]
    pub(crate) action: Vec<String>,
    /// To what, such as arn:aws:s3:::prod; without any, all resources are meant
    #[arg(long, value_name = "RESOURCE", num_args = 1..)]
    pub(crate) resource: Vec<String>,
    #[command(flatten)]
    pub(crate) solving: Solving,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A question and its policies.
#[derive(Args)]
pub(crate) struct Asked {
    /// no-public-access POLICY: it grants nothing to the public;
    /// no-external-access POLICY --trust-account ID…: it grants nothing to anybody outside of these
    /// accounts, or the organisation;
    /// no-new-access OLD NEW: NEW allows nothing that OLD does not;
    /// equivalent OLD NEW: both allow the same;
    /// disjoint A B: they allow nothing in common;
    /// access-not-granted POLICY --action A… --resource R…: it allows none of the actions on any of the
    /// resources;
    /// custom POLICY --property FILE: it breaks no rule of the property in the file
    #[arg(value_name = "QUESTION", verbatim_doc_comment)]
    pub(crate) question: String,
    /// Policy files, or files of an object of policies of several kinds; `-` is standard input
    #[arg(value_name = "POLICY")]
    pub(crate) policies: Vec<PathBuf>,
    /// A policy of reference; several are a union
    #[arg(long, value_name = "POLICY")]
    pub(crate) existing: Vec<PathBuf>,
    /// A policy in question; several are a union
    #[arg(long, value_name = "POLICY")]
    pub(crate) new: Vec<PathBuf>,
    /// An action that should not be granted, such as s3:Put*; without any, all actions are meant
    #[arg(long, value_name = "ACTION", num_args = 1..)]
    pub(crate) action: Vec<String>,
    /// A resource to which no access should be granted, such as arn:aws:s3:::prod/*; without any, all
    /// resources are meant
    #[arg(long, value_name = "RESOURCE", num_args = 1..)]
    pub(crate) resource: Vec<String>,
    /// A property as YAML or JSON, or the name of one that `keyaki properties` lists
    #[arg(long, value_name = "FILE")]
    pub(crate) property: Option<PathBuf>,
    /// What a parameter of the property stands for; repeat for several values
    #[arg(long, value_name = "NAME=VALUE", requires = "property")]
    pub(crate) set: Vec<String>,
    #[command(flatten)]
    pub(crate) trust: Trust,
    /// What the policies are attached to [default: resource if one has a Principal]
    #[arg(long, value_name = "TYPE")]
    pub(crate) policy_type: Option<PolicyTypeArgument>,
    /// CloudFormation name of the resource's type, which says what is public [default: AWS::KMS::Key
    /// for a policy type of kms, AWS::IAM::AssumeRolePolicyDocument for trust, else AWS::S3::Bucket]
    #[arg(long, value_name = "TYPE")]
    pub(crate) resource_type: Option<String>,
    /// What is public: documented, semantic (fixed parts of values confine as well) or
    /// restrict-public-buckets (Allow statements alone) [default: documented]
    #[arg(long = "reading", value_name = "READING", value_parser = public_reading)]
    pub(crate) public_reading: Option<keyaki::public::Reading>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// Whom the owner of a resource trusts.
#[derive(Args, Clone)]
pub(crate) struct Trust {
    /// An account that the owner of the resource trusts; repeat for several
    #[arg(long, value_name = "ID")]
    pub(crate) trust_account: Vec<String>,
    /// An organisation that the owner of the resource trusts, such as o-a1b2c3d4e5
    #[arg(long, value_name = "ID")]
    pub(crate) trust_org: Option<String>,
    /// An account that is known to be of that organisation; repeat for several
    #[arg(long, value_name = "ID")]
    pub(crate) org_account: Vec<String>,
    /// The account that owns the resource, which is always trusted
    #[arg(long, value_name = "ID")]
    pub(crate) resource_account: Option<String>,
    /// What is made of AWS services from outside: ignore, or deputy [default: ignore]
    #[arg(long, value_name = "READING", value_parser = service_principals)]
    pub(crate) service_principals: Option<keyaki::zone::ServicePrincipals>,
}

/// Which reading of a rule is in force.
#[derive(Args, Clone)]
pub(crate) struct Reading {
    /// Read a rule of which AWS is not clear in this way only, such as D17=differs; repeat for
    /// several
    #[arg(long, value_name = "RULE=READING")]
    pub(crate) decision: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum PolicyTypeArgument {
    Identity,
    Resource,
    Trust,
    Kms,
    Scp,
    Rcp,
    Boundary,
    Session,
    Vpce,
}

#[derive(Args)]
#[command(after_help = "exit status: 0 decided, 2 error, 3 unknown")]
pub(crate) struct Evaluate {
    /// The job: an object with `request` and `policies`; `-` is standard input
    #[arg(value_name = "JOB")]
    pub(crate) job: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Bucket {
    /// The job: an object with `policy`, `acl` and `block_public_access`, each if there is one; `-` is
    /// standard input
    #[arg(value_name = "JOB")]
    pub(crate) job: PathBuf,
    #[command(flatten)]
    pub(crate) solving: Solving,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who answers, and within which limits.
#[derive(Args)]
pub(crate) struct Solving {
    /// Stop after this long
    #[arg(long, short, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Ask this solver; repeat to race several [default: all that are installed]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) solver: Vec<String>,
    /// Keep every script that a solver is sent in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) save_smt: Option<PathBuf>,
    /// Let every solver run to the end, have them agree, and hold the formulas to the policies
    #[arg(long)]
    pub(crate) audit: bool,
    /// Keep in a directory of this one all that is known of what disagrees in an audit
    #[arg(long, value_name = "DIR", default_value = "keyaki-incidents")]
    pub(crate) incidents: PathBuf,
    /// Solvers in TOML, merged over those known
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "exit status: 0, or 2 if a line was an error")]
pub(crate) struct Batch {
    #[command(flatten)]
    pub(crate) solving: Solving,
    /// Answer this many jobs at a time [default: as many as there are cores]
    #[arg(long, short, value_name = "N", value_parser = value_parser!(u16).range(1..=MAX_WORKERS))]
    pub(crate) workers: Option<u16>,
    /// Add to each result what every solver did
    #[arg(long)]
    pub(crate) attempts: bool,
    /// Certify whatever holds, and tell in the end what could not be; certificates themselves are in the results
    /// of those jobs only that ask for them
    #[arg(long)]
    pub(crate) certify: bool,
    /// Audit this share of the questions, from 0 to 1: which ones hangs on their policies
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub(crate) audit_share: f64,
    /// Put one in so many of the answers that the texts of the policies tell to the embedded solver as well, before they are
    /// told; 0 for none. Which ones hangs on their policies
    #[arg(long, value_name = "N", default_value_t = RECHECK_EVERY)]
    pub(crate) recheck_every: u32,
    /// Put others to it
    #[arg(long, value_name = "SEED", default_value = "0")]
    pub(crate) recheck_seed: u64,
}

#[cfg(feature = "serve")]
#[derive(Args)]
#[command(after_help = "exit status: 0 stopped by a signal, 2 error")]
pub(crate) struct Serve {
    /// Where to listen; other machines only with credentials [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// All settings in TOML, over which these arguments have their say; docs/service.md has the list
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// File of the accepted bearer tokens, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// Certificate for TLS, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Accept only clients whose certificate is of one of these authorities, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) client_authority: Option<PathBuf>,
    /// How long a request may take that does not say [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline: Option<Duration>,
    /// How long any request may take [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline_max: Option<Duration>,
    /// Answer this many jobs at a time [default: as many as there are cores]
    #[arg(long, short, value_name = "N", value_parser = value_parser!(u16).range(1..=MAX_WORKERS))]
    pub(crate) workers: Option<u16>,
    /// Audit this share of the answered jobs, from 0 to 1, when there is time [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) audit_share: Option<f64>,
    /// Put one in so many of the answers that the texts of the policies told to the embedded solver, when there is time; 0 for none
    /// [default: 256]
    #[arg(long, value_name = "N")]
    pub(crate) recheck_every: Option<u32>,
    /// Put others to it [default: 0]
    #[arg(long, value_name = "SEED")]
    pub(crate) recheck_seed: Option<u64>,
    /// Keep no outcomes of formulas from one request to the next
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// What is logged: off, error, warn, info or debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// Log lines of JSON
    #[arg(long)]
    pub(crate) log_json: bool,
    /// Keep in a directory of this one all that is known of what disagrees in an audit
    #[arg(long, value_name = "DIR", default_value = "keyaki-incidents")]
    pub(crate) incidents: PathBuf,
    /// Log the text of every job, with its policies
    #[arg(long)]
    pub(crate) log_jobs: bool,
    /// Add to each result what every solver did
    #[arg(long)]
    pub(crate) attempts: bool,
    /// Ask this solver; repeat to race several [default: all that are installed]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) solver: Vec<String>,
    /// Solvers in TOML, merged over those known
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Encode {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// The variant of SMT-LIB: smtlib-2.6 or cvc4
    #[arg(long, value_name = "NAME", default_value = "smtlib-2.6")]
    pub(crate) dialect: String,
    /// Of `equivalent`: ask only for what this side allows and the other does not [default: either]
    #[arg(long, value_name = "SIDE")]
    pub(crate) only: Option<SideArgument>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SideArgument {
    Existing,
    New,
}

#[derive(Args)]
#[command(after_help = "exit status: 0 sat or unsat, 2 error, 3 unknown")]
pub(crate) struct Solve {
    /// The script; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// After `sat`, print the model, if the solver that answered gives one
    #[arg(long)]
    pub(crate) model: bool,
    #[command(flatten)]
    pub(crate) solving: Solving,
}

#[derive(Args)]
#[command(after_help = "exit status: 0 if some solver works, else 2")]
pub(crate) struct Solvers {
    /// Solvers in TOML, merged over those known
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "exit status: 0 no finding is an error, 1 some is, 2 a file cannot be read")]
pub(crate) struct Validate {
    /// Policy files; `-` is standard input
    #[arg(value_name = "POLICY", required = true)]
    pub(crate) policies: Vec<PathBuf>,
    /// What the policies are attached to: identity, resource, trust, kms, scp, rcp, boundary, session
    /// or vpce [default: resource if one has a Principal, else identity]
    #[arg(long, value_name = "TYPE", value_parser = policy_type)]
    pub(crate) policy_type: Option<keyaki::PolicyType>,
    /// Print a result as JSON for each policy, one a line, whose `id` is the file
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(
    after_help = "a property is used as `keyaki check custom POLICY --property NAME`, with `--set` for each parameter"
)]
pub(crate) struct Properties {
    /// Print the text of this property, to begin one's own with
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

fn service_principals(name: &str) -> Result<keyaki::zone::ServicePrincipals, String> {
    keyaki::trust::services_by_name(name)
        .ok_or_else(|| "the readings are `ignore` and `deputy`".to_owned())
}

fn public_reading(name: &str) -> Result<keyaki::public::Reading, String> {
    keyaki::public::Reading::by_name(name).ok_or_else(|| {
        "the readings are `documented`, `semantic` and `restrict-public-buckets`".to_owned()
    })
}

fn policy_type(name: &str) -> Result<keyaki::PolicyType, String> {
    keyaki::PolicyType::by_name(name).ok_or_else(|| "there is no such type of policy".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if seconds <= 0.0 {
        return Err("not a positive number of seconds".to_owned());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a number of seconds that fits".to_owned())
}
