//! How a service is set up: a file of TOML, over which the command line has its say.
//!
//! Every limit is here, with its unit in its name and its reason beside its default. Nothing is read from the environment, but for the variables of
//! OpenTelemetry.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyaki::audit::formulas::RECHECK_EVERY;
use keyaki::policy::json;
use rustls::ServerConfig;
use serde::Deserialize;

use crate::auth::Tokens;
use crate::aws::Keys;
use crate::tls;

/// The shortest token that is taken for one, in bytes: shorter ones can be guessed.
const TOKEN_BYTES_MIN: usize = 16;

/// How a service is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where to listen: an address of this machine alone, unless there are credentials.
    pub listen: SocketAddr,
    /// Jobs that use a processor at a time; as many as there are processors if absent.
    pub workers: Option<usize>,
    /// Further jobs, which take longer than others. Most of them wait for solvers in other processes.
    pub slow_workers: usize,
    /// Jobs that may wait.
    pub queue_jobs: usize,
    /// How long a request may take that does not say, in milliseconds.
    pub deadline_ms: u64,
    /// How long any request may take, whatever it says, in milliseconds.
    pub deadline_max_ms: u64,
    /// The largest body of one job, and the largest job of a batch, in bytes.
    pub body_bytes_max: usize,
    /// The largest body of a batch, in bytes.
    pub batch_bytes_max: u64,
    /// What is held of all bodies together, in bytes.
    pub bodies_bytes_max: usize,
    /// Batches at a time.
    pub batches_max: usize,
    /// Connections at a time. Each has one descriptor; the solvers need some too.
    pub connections_max: usize,
    /// How long the head of a request may take to come, and an idle connection is kept, in seconds.
    pub header_seconds: u64,
    /// How long a batch may stand still because the client neither sends nor reads, in seconds.
    pub stall_seconds: u64,
    /// How long what was accepted may take to end when the service is stopped, in seconds.
    pub drain_seconds: u64,
    /// What the cache of outcomes of formulas may hold, in bytes; without any there is none.
    pub cache_bytes: usize,
    /// The share of the jobs that are put to all solvers once more after they were answered, from 0 to 1.
    pub audit_share: f64,
    /// One in so many answers of `cover` is put to formulas after it was given; none if 0.
    pub recheck_every: u32,
    /// Which ones these are.
    pub recheck_seed: u64,
    /// Whether results tell what every solver did.
    pub attempts: bool,
    /// File of the accepted bearer tokens, one a line.
    pub tokens: Option<PathBuf>,
    /// Certificate and key, for TLS.
    pub tls: Option<tls::Files>,
    /// What clients of AWS are told.
    pub aws: AwsSettings,
    /// What is logged.
    pub log: LogSettings,
    /// Where traces are sent.
    pub telemetry: TelemetrySettings,
}

/// What clients of AWS are told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsSettings {
    /// File of the keys that requests are signed with, an access key id and its secret on each line. Without it signatures are not looked at.
    pub keys: Option<PathBuf>,
    /// The account of the caller: twelve digits.
    pub account: String,
}

/// Where traces are sent, and which. What is not said here may be said by variables of the environment that OpenTelemetry defines.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// The URL of a collector that takes OTLP over HTTP.
    pub endpoint: Option<String>,
    /// What the service is called in traces.
    pub service_name: Option<String>,
    /// The share of the traces that are kept, from 0 to 1, of those whose caller does not say whether they are.
    pub share: Option<f64>,
    /// File of the authorities for the certificate of the collector, in PEM.
    pub authority: Option<PathBuf>,
}

impl Default for AwsSettings {
    fn default() -> AwsSettings {
        // One of those that AWS keeps for documentation.
        AwsSettings { keys: None, account: "111122223333".to_owned() }
    }
}

/// What is logged, to standard error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug` or `off`.
    pub level: String,
    /// Whether lines are JSON.
    pub json: bool,
    /// Whether the text of every job is logged, with its policies.
    pub jobs: bool,
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings { level: "info".to_owned(), json: false, jobs: false }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: None,
            slow_workers: 16,
            // A second or so of work at 5,000 requests a second, on two processors.
            queue_jobs: 4_096,
            // Somebody is waiting: a third of what the command line gives.
            deadline_ms: 10_000,
            deadline_max_ms: 60_000,
            // The largest document that is read at all.
            body_bytes_max: json::MAX_SOURCE_BYTES,
            // A million jobs of a kilobyte.
            batch_bytes_max: 1 << 30,
            bodies_bytes_max: 256 << 20,
            batches_max: 32,
            // Below half of the descriptors that a process usually has.
            connections_max: 480,
            header_seconds: 30,
            stall_seconds: 60,
            drain_seconds: 30,
            // Some hundred thousand outcomes.
            cache_bytes: 64 << 20,
            audit_share: 0.0,
            recheck_every: RECHECK_EVERY,
            recheck_seed: 0,
            attempts: false,
            tokens: None,
            tls: None,
            aws: AwsSettings::default(),
            log: LogSettings::default(),
            telemetry: TelemetrySettings::default(),
        }
    }
}

/// Why a service cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {cause}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// A file says something that it cannot.
    #[error("{}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A number is not possible.
    #[error("`{name}` is {value}; {rule}")]
    Number {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: u64,
        /// What it has to be.
        rule: &'static str,
    },
    /// An account that is none.
    #[error("`{0}` is no account: an id has twelve digits")]
    Account(String),
    /// A share is not one.
    #[error("`audit_share` is {0}; it has to be from 0 to 1")]
    Share(f64),
    /// What is said of traces is not possible.
    #[error("`{place}` is `{value}`; {rule}")]
    Telemetry {
        /// The setting, or the variable of the environment.
        place: &'static str,
        /// What it says.
        value: String,
        /// What it has to be.
        rule: String,
    },
    /// What the environment says of exporting traces is not possible.
    #[error("traces cannot be exported: {0}")]
    Exporter(String),
    /// Traces are wanted, and the program cannot make them.
    #[error(
        "`telemetry.endpoint` is set, but this program was built without the feature `opentelemetry`"
    )]
    WithoutTelemetry,
    /// Anybody could ask.
    #[error("`{0}` can be reached from other machines, and anybody could ask")]
    Open(SocketAddr),
}

impl SettingsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            SettingsError::Open(_) => Some(
                "name a file of bearer tokens, one of AWS keys or an authority for the certificates of clients, or listen on 127.0.0.1",
            ),
            SettingsError::WithoutTelemetry => Some(
                "build it with `cargo build --release -p keyaki-cli --features opentelemetry`, or leave the setting out",
            ),
            SettingsError::Telemetry { .. } | SettingsError::Exporter(_) => {
                Some("docs/service.md tells what can be said of traces, under `Traces`")
            }
            _ => None,
        }
    }
}

/// Who may ask, and how that is kept secret.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The accepted bearer tokens.
    pub tokens: Tokens,
    /// The keys that clients of AWS sign with.
    pub keys: Keys,
    /// Whether everybody who gets through to us may be let in: from this machine alone, or with a certificate.
    pub is_closed: bool,
    /// TLS, if it is spoken.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Credentials {
    /// Whether somebody is let in who shows neither token nor signature.
    pub fn lets_strangers_in(&self) -> bool {
        self.tokens.is_empty() && self.is_closed
    }
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with the place of the mistake.
    pub fn read(path: &Path) -> Result<Settings, SettingsError> {
        let text = read(path)?;
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let message = format!("line {line}: {}", error.message());
            SettingsError::Invalid { path: path.to_owned(), message }
        })
    }

    /// Looks whether the settings are possible together, and reads the files that they name.
    ///
    /// # Errors
    ///
    /// [`SettingsError`], in particular if anybody could ask from another machine.
    pub fn credentials(&self) -> Result<Credentials, SettingsError> {
        self.check_numbers()?;
        let tokens = match &self.tokens {
            Some(path) => tokens(path)?,
            None => Tokens::default(),
        };
        let keys = match &self.aws.keys {
            Some(path) => Keys::read(path)?,
            None => Keys::default(),
        };
        let account = &self.aws.account;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SettingsError::Account(account.clone()));
        }
        let asks_for_certificates =
            self.tls.as_ref().is_some_and(|tls| tls.client_authority.is_some());
        let is_closed = self.listen.ip().is_loopback() || asks_for_certificates;
        if !is_closed && tokens.is_empty() && keys.is_empty() {
            return Err(SettingsError::Open(self.listen));
        }
        let tls = self.tls.as_ref().map(tls::Files::load).transpose()?;
        Ok(Credentials { tokens, keys, is_closed, tls })
    }

    fn check_numbers(&self) -> Result<(), SettingsError> {
        let positive = [
            ("workers", self.workers.unwrap_or(1) as u64),
            ("queue_jobs", self.queue_jobs as u64),
            ("deadline_ms", self.deadline_ms),
            ("deadline_max_ms", self.deadline_max_ms),
            ("body_bytes_max", self.body_bytes_max as u64),
            ("batch_bytes_max", self.batch_bytes_max),
            ("bodies_bytes_max", self.bodies_bytes_max as u64),
            ("batches_max", self.batches_max as u64),
            ("connections_max", self.connections_max as u64),
            ("header_seconds", self.header_seconds),
            ("stall_seconds", self.stall_seconds),
        ];
        if let Some((name, value)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(SettingsError::Number { name, value, rule: "it has to be at least 1" });
        }
        if !(0.0..=1.0).contains(&self.audit_share) {
            return Err(SettingsError::Share(self.audit_share));
        }
        if self.bodies_bytes_max < self.body_bytes_max {
            let value = self.bodies_bytes_max as u64;
            let rule = "it has to be at least `body_bytes_max`";
            return Err(SettingsError::Number { name: "bodies_bytes_max", value, rule });
        }
        let threads = [("workers", self.workers.unwrap_or(1)), ("slow_workers", self.slow_workers)];
        if let Some((name, value)) = threads.into_iter().find(|(_, value)| *value > 1_024) {
            let value = value as u64;
            return Err(SettingsError::Number { name, value, rule: "it has to be at most 1,024" });
        }
        Ok(())
    }

    /// Jobs that use a processor at a time.
    pub fn workers(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        self.workers.unwrap_or_else(processors)
    }

    /// How long a request may take that does not say.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms).min(self.deadline_max())
    }

    /// How long any request may take.
    pub fn deadline_max(&self) -> Duration {
        Duration::from_millis(self.deadline_max_ms)
    }
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path)
        .map_err(|cause| SettingsError::Unreadable { path: path.to_owned(), cause })
}

fn tokens(path: &Path) -> Result<Tokens, SettingsError> {
    let text = read(path)?;
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let invalid = |message: String| SettingsError::Invalid { path: path.to_owned(), message };
    if lines.clone().any(|token| token.len() < TOKEN_BYTES_MIN) {
        return Err(invalid(format!("a token has fewer than {TOKEN_BYTES_MIN} characters")));
    }
    let tokens = Tokens::new(lines);
    if tokens.is_empty() {
        return Err(invalid("there is no token in it".to_owned()));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_are_not_listened_to_without_credentials() {
        let listen =
            |address: &str| Settings { listen: address.parse().unwrap(), ..Settings::default() };
        for address in ["127.0.0.1:0", "127.5.5.5:1", "[::1]:0"] {
            assert!(listen(address).credentials().is_ok(), "{address}");
        }
        for address in ["0.0.0.0:0", "192.0.2.1:80", "[::]:0", "[::ffff:127.0.0.1]:0"] {
            let error = listen(address).credentials().err();
            assert!(matches!(error, Some(SettingsError::Open(_))), "{address}");
        }
    }

    #[test]
    fn keys_of_aws_open_its_routes_to_other_machines_and_not_ours() {
        let path = std::env::temp_dir().join(format!("keyaki-aws-keys-{}", std::process::id()));
        std::fs::write(&path, "AKIDEXAMPLE a-secret\n").unwrap();
        let credentials = |listen: &str| {
            let aws = AwsSettings { keys: Some(path.clone()), ..AwsSettings::default() };
            let listen = listen.parse().unwrap();
            Settings { listen, aws, ..Settings::default() }.credentials().unwrap()
        };
        for (listen, lets_in) in [("0.0.0.0:0", false), ("127.0.0.1:0", true)] {
            let credentials = credentials(listen);
            assert!(!credentials.keys.is_empty());
            assert_eq!(credentials.lets_strangers_in(), lets_in, "{listen}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_setting_that_is_misspelt_is_told_with_its_line() {
        let error = toml::from_str::<Settings>("queue_jobs = 3\nqueue_job = 4\n").unwrap_err();
        assert!(error.message().contains("queue_job"), "{error}");
        let settings: Settings = toml::from_str("queue_jobs = 3\n[log]\njson = true").unwrap();
        assert_eq!((settings.queue_jobs, settings.log.json), (3, true));
        assert_eq!(settings.deadline_ms, Settings::default().deadline_ms);
    }

    #[test]
    fn the_documentation_shows_settings_that_there_are() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/service.md");
        let text = std::fs::read_to_string(path).unwrap();
        let blocks: Vec<&str> = text.split("```toml\n").skip(1).collect();
        let blocks = blocks.iter().map(|block| block.split("```").next().unwrap());
        let shown: Vec<Settings> = blocks.map(|block| toml::from_str(block).unwrap()).collect();
        let [all, traces] = &shown[..] else { panic!("{shown:?}") };
        // Examples of what has no default apart, these are the defaults.
        let usual = Settings::default();
        assert_eq!((all.listen, all.queue_jobs), (usual.listen, usual.queue_jobs));
        assert_eq!(all.connections_max, usual.connections_max);
        assert_eq!(traces.telemetry.share, Some(1.0));
    }

    #[test]
    fn nothing_of_what_has_to_be_there_can_be_none() {
        let settings = Settings { queue_jobs: 0, ..Settings::default() };
        let error = settings.credentials().err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("`queue_jobs` is 0; it has to be at least 1"));
    }
}
