//! Where spans go, and which: the settings, and what they do not say from the variables that every program with OpenTelemetry reads.
//!
//! A value that is not understood is an error here. The libraries would go on without it, and nobody would know why there are no traces.

use std::path::Path;
use std::sync::Arc;

use axum::http::Uri;
use rustls::ClientConfig;

use crate::settings::{SettingsError, TelemetrySettings};
use crate::tls;

/// What a collector takes, below its endpoint.
const TRACES_PATH: &str = "v1/traces";

/// The protocol that we speak, as OpenTelemetry calls it.
const PROTOCOL: &str = "http/protobuf";

/// Where spans go, and which.
#[cfg_attr(not(feature = "opentelemetry"), allow(dead_code, reason = "nobody exports"))]
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Who takes spans: an absolute URL.
    pub(crate) endpoint: Uri,
    /// The name of the service, if the settings have one.
    pub(crate) service_name: Option<String>,
    /// Which traces are begun.
    pub(crate) sampling: Sampling,
    /// Whom to believe, if the endpoint is `https`.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// Which traces there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampling {
    /// Whether a caller that says whether its trace is kept has its way.
    pub(crate) heeds_caller: bool,
    /// The share of the others that are kept, from 0 to 1.
    pub(crate) share: f64,
}

/// A variable of the environment; an empty one is none, as OpenTelemetry has it.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl Plan {
    /// What the settings and the variables say; nothing if neither names a collector.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with the name of the setting or variable that is not possible, or if the settings name a collector and this program has no
    /// exporter. Variables are set for many programs at once, so one that this program can do nothing with is told in the log instead.
    pub(crate) fn read(
        settings: &TelemetrySettings,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Plan>, SettingsError> {
        if settings.endpoint.is_some() && cfg!(not(feature = "opentelemetry")) {
            return Err(SettingsError::WithoutTelemetry);
        }
        let is_disabled =
            variable("OTEL_SDK_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true"));
        let Some((place, url)) = endpoint(settings, &variable).filter(|_| !is_disabled) else {
            return Ok(None);
        };
        let endpoint = uri(place, &url)?;
        if settings.endpoint.is_none() {
            check_protocol(&variable)?;
        }
        let tls = match endpoint.scheme_str() {
            Some("https") => Some(authority(settings, &variable, place, &url)?),
            _ => None,
        };
        let sampling = sampling(settings, &variable)?;
        Ok(Some(Plan { endpoint, service_name: settings.service_name.clone(), sampling, tls }))
    }
}

/// Who takes spans, and who says so.
fn endpoint(
    settings: &TelemetrySettings,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let below = |base: String| format!("{}/{TRACES_PATH}", base.trim().trim_end_matches('/'));
    let set = settings.endpoint.clone().map(|base| ("telemetry.endpoint", below(base)));
    let named = |name: &'static str| variable(name).map(|value| (name, value));
    set.or_else(|| named("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
        .or_else(|| named("OTEL_EXPORTER_OTLP_ENDPOINT").map(|(name, base)| (name, below(base))))
}

fn uri(place: &'static str, url: &str) -> Result<Uri, SettingsError> {
    let wrong = || SettingsError::Telemetry {
        place,
        value: url.to_owned(),
        rule: "it has to be a URL of a collector, such as `http://127.0.0.1:4318`".to_owned(),
    };
    let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
    let speaks_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if speaks_http && has_host && is_plain { Ok(uri) } else { Err(wrong()) }
}

/// Collectors that speak gRPC alone would not understand us, and whoever set this has one of them in mind.
fn check_protocol(variable: impl Fn(&str) -> Option<String>) -> Result<(), SettingsError> {
    for place in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match variable(place) {
            None => {}
            Some(value) if value.trim() == PROTOCOL => return Ok(()),
            Some(value) => {
                let rule = format!("only `{PROTOCOL}` is spoken here");
                return Err(SettingsError::Telemetry { place, value, rule });
            }
        }
    }
    Ok(())
}

/// Whose certificates are believed: there is no list of authorities in the program, and that of the system is not looked for.
fn authority(
    settings: &TelemetrySettings,
    variable: impl Fn(&str) -> Option<String>,
    place: &'static str,
    url: &str,
) -> Result<Arc<ClientConfig>, SettingsError> {
    let set = settings.authority.clone();
    let path = set.or_else(|| {
        let named = variable("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE");
        named.or_else(|| variable("OTEL_EXPORTER_OTLP_CERTIFICATE")).map(Into::into)
    });
    let Some(path) = path else {
        let rule = "TLS needs the authority of the collector's certificate, `telemetry.authority`";
        let (value, rule) = (url.to_owned(), rule.to_owned());
        return Err(SettingsError::Telemetry { place, value, rule });
    };
    tls::client(Path::new(&path))
}

fn sampling(
    settings: &TelemetrySettings,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Sampling, SettingsError> {
    const KINDS: &str =
        "the samplers are `always_on`, `always_off`, `traceidratio` and these after `parentbased_`";
    let is_share = |share: &f64| (0.0..=1.0).contains(share);
    if let Some(share) = settings.share {
        if is_share(&share) {
            return Ok(Sampling { heeds_caller: true, share });
        }
        let (value, rule) = (share.to_string(), "it has to be from 0 to 1".to_owned());
        return Err(SettingsError::Telemetry { place: "telemetry.share", value, rule });
    }
    let place = "OTEL_TRACES_SAMPLER";
    let Some(name) = variable(place) else {
        return Ok(Sampling { heeds_caller: true, share: 1.0 });
    };
    let kind = name.trim().strip_prefix("parentbased_");
    let heeds_caller = kind.is_some();
    let share = match kind.unwrap_or(name.trim()) {
        "always_on" => 1.0,
        "always_off" => 0.0,
        "traceidratio" => {
            let place = "OTEL_TRACES_SAMPLER_ARG";
            let text = variable(place).unwrap_or_else(|| "1".to_owned());
            let share = text.trim().parse().ok().filter(is_share);
            let rule = "it has to be a share from 0 to 1".to_owned();
            share.ok_or(SettingsError::Telemetry { place, value: text, rule })?
        }
        _ => {
            let rule = KINDS.to_owned();
            return Err(SettingsError::Telemetry { place, value: name, rule });
        }
    };
    Ok(Sampling { heeds_caller, share })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these variables, without settings.
    fn plan(variables: &[(&str, &str)]) -> Result<Option<Plan>, String> {
        read(&TelemetrySettings::default(), variables)
    }

    fn read(
        settings: &TelemetrySettings,
        variables: &[(&str, &str)],
    ) -> Result<Option<Plan>, String> {
        let value = |name: &str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        };
        Plan::read(settings, value).map_err(|error| error.to_string())
    }

    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

    #[test]
    fn nothing_is_exported_unless_somebody_names_a_collector() {
        assert!(plan(&[]).unwrap().is_none());
        assert!(plan(&[("OTEL_TRACES_SAMPLER", "always_on")]).unwrap().is_none());
        assert!(plan(&[BASE, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        let found = plan(&[BASE]).unwrap().unwrap();
        assert_eq!(found.endpoint, "http://collector:4318/v1/traces");
        assert_eq!(found.sampling, Sampling { heeds_caller: true, share: 1.0 });
        // This one is a whole URL.
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other/x");
        assert_eq!(plan(&[BASE, whole]).unwrap().unwrap().endpoint, "http://other/x");
    }

    #[test]
    fn an_endpoint_that_is_none_is_told_with_its_place() {
        for url in ["collector:4318", "ftp://collector", "http://", "http://a:b@c", "/v1", "é"] {
            let error = plan(&[("OTEL_EXPORTER_OTLP_ENDPOINT", url)]).unwrap_err();
            assert!(error.starts_with("`OTEL_EXPORTER_OTLP_ENDPOINT` is `"), "{error}");
            assert!(error.contains("such as `http://127.0.0.1:4318`"), "{error}");
        }
        let error = plan(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector")]).unwrap_err();
        assert!(error.contains("`telemetry.authority`"), "{error}");
        let error = plan(&[BASE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err();
        assert!(error.starts_with("`OTEL_EXPORTER_OTLP_PROTOCOL` is `grpc`"), "{error}");
        assert!(plan(&[BASE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]).is_ok());
    }

    #[test]
    fn samplers_are_those_of_the_specification() {
        let sampling = |name: &str, argument: &str| {
            let variables =
                [BASE, ("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)];
            let variables = if argument.is_empty() { &variables[..2] } else { &variables[..] };
            plan(variables).map(|plan| {
                let Sampling { heeds_caller, share } = plan.unwrap().sampling;
                (heeds_caller, share)
            })
        };
        assert_eq!(sampling("always_on", ""), Ok((false, 1.0)));
        assert_eq!(sampling("always_off", "0.5"), Ok((false, 0.0)));
        assert_eq!(sampling("traceidratio", "0.25"), Ok((false, 0.25)));
        assert_eq!(sampling("traceidratio", ""), Ok((false, 1.0)));
        assert_eq!(sampling("parentbased_always_off", ""), Ok((true, 0.0)));
        assert_eq!(sampling("parentbased_traceidratio", "0.1"), Ok((true, 0.1)));
        for (name, argument) in [("xray", ""), ("traceidratio", "2"), ("traceidratio", "NaN")] {
            assert!(sampling(name, argument).is_err(), "{name} {argument}");
        }
    }

    #[cfg(not(feature = "opentelemetry"))]
    #[test]
    fn settings_that_this_program_cannot_follow_are_an_error() {
        let endpoint = Some("http://127.0.0.1:4318".to_owned());
        let settings = TelemetrySettings { endpoint, ..TelemetrySettings::default() };
        let error = Plan::read(&settings, |_| None).unwrap_err();
        assert!(error.hint().unwrap().contains("--features opentelemetry"), "{error}");
    }

    #[cfg(feature = "opentelemetry")]
    #[test]
    fn the_settings_have_their_say_over_the_variables() {
        let settings = TelemetrySettings {
            endpoint: Some("http://[::1]:4318".to_owned()),
            share: Some(0.5),
            ..TelemetrySettings::default()
        };
        let variables =
            [BASE, ("OTEL_TRACES_SAMPLER", "no such one"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
        let found = read(&settings, &variables).unwrap().unwrap();
        assert_eq!(found.endpoint, "http://[::1]:4318/v1/traces");
        assert_eq!(found.sampling, Sampling { heeds_caller: true, share: 0.5 });
        for share in [-0.1, 1.1, f64::NAN] {
            let settings = TelemetrySettings { share: Some(share), ..settings.clone() };
            let error = read(&settings, &[]).unwrap_err();
            assert!(error.starts_with("`telemetry.share` is "), "{error}");
        }
    }
}
