//! `keyaki serve`: the service is a crate of its own; here arguments become its settings.

use std::io::{self, Write};
use std::time::Duration;

use keyaki::EngineOptions;
use keyaki::wire::ErrorRecord;
use keyaki_server::{ServeError, Settings, SettingsError, TlsFiles};

use super::{Exit, Failure, configuration};
use crate::arguments::Serve;

/// `keyaki serve`
pub(crate) fn serve(arguments: Serve) -> Result<Exit, Failure> {
    let config = configuration(arguments.config.as_deref())?;
    let options = EngineOptions {
        solvers: arguments.solver.clone(),
        incidents: Some(arguments.incidents.clone()),
        ..EngineOptions::default()
    };
    let settings = settings(arguments).map_err(|error| refused(&error.into()))?;
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    keyaki_server::serve(settings, config, &options, |address| {
        // Whoever started us may have asked for any free port. That nobody reads it is no reason to end.
        let _ = writeln!(io::stdout(), "listening on {scheme}://{address}");
    })
    .map_err(|error| refused(&error))?;
    Ok(Exit::Success)
}

fn settings(arguments: Serve) -> Result<Settings, SettingsError> {
    let mut settings = match &arguments.settings {
        Some(path) => Settings::read(path)?,
        None => Settings::default(),
    };
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    settings.tokens = arguments.tokens.or(settings.tokens);
    settings.workers = arguments.workers.map(usize::from).or(settings.workers);
    settings.deadline_ms = arguments.deadline.map_or(settings.deadline_ms, milliseconds);
    settings.deadline_max_ms =
        arguments.deadline_max.map_or(settings.deadline_max_ms, milliseconds);
    settings.recheck_every = arguments.recheck_every.unwrap_or(settings.recheck_every);
    settings.recheck_seed = arguments.recheck_seed.unwrap_or(settings.recheck_seed);
    settings.audit_share = arguments.audit_share.unwrap_or(settings.audit_share);
    if arguments.no_cache {
        settings.cache_bytes = 0;
    }
    settings.attempts |= arguments.attempts;
    settings.log.level = arguments.log.unwrap_or(settings.log.level);
    settings.log.json |= arguments.log_json;
    settings.log.jobs |= arguments.log_jobs;
    if let (Some(certificate), Some(key)) = (arguments.tls_certificate, arguments.tls_key) {
        settings.tls =
            Some(TlsFiles { certificate, key, client_authority: arguments.client_authority });
    }
    Ok(settings)
}

fn refused(error: &ServeError) -> Failure {
    let (code, hint) = match error {
        ServeError::Settings(error) => ("invalid-settings", error.hint()),
        ServeError::Listen { .. } => {
            ("cannot-listen", Some("name another with `--listen ADDR:PORT`"))
        }
        ServeError::System(_) => ("cannot-start", None),
    };
    let hint = hint.map(str::to_owned);
    ErrorRecord { hint, ..ErrorRecord::new(code, error.to_string()) }.into()
}
