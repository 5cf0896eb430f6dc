//! Keyaki as an HTTP service: the same jobs and results as `keyaki batch`, for somebody who waits.
//!
//! Read the modules in this order: [`routes`] (what there is, and where more is added), `context` (what happens to every request),
//! [`service`] (how a job comes to an answer), [`pool`] (the threads that solve, and who is refused), `lag` (how late the threads of connections are),
//! `batch` (many jobs in one body), `connection` (sockets). [`settings`] has every limit.
//!
//! Invariants: no thread that serves connections solves; whatever is accepted is answered or refused in words; nothing but the verdict `holds` is success,
//! and no refusal looks like a verdict; a policy is never logged unless somebody asked for it.

mod auth;
mod aws;
mod batch;
pub mod body;
mod connection;
mod context;
mod health;
mod lag;
mod log;
pub mod metrics;
pub mod openapi;
pub mod pool;
pub mod problem;
mod rechecks;
pub mod routes;
pub mod service;
pub mod settings;
mod split;
mod telemetry;
mod tls;

use std::io;
use std::net::SocketAddr;

use keyaki::EngineOptions;
use keyaki::solvers::Config;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use telemetry::{Plan, Telemetry};

pub use aws::Keys;
pub use context::{DEADLINE, REQUEST_ID};
pub use service::{Context, Service};
pub use settings::{LogSettings, Settings, SettingsError, TelemetrySettings};
pub use tls::Files as TlsFiles;

/// How many tasks a thread of connections runs for each one that another thread has woken. Answers are woken by workers, and what was accepted comes
/// before what is new; by default tens of tasks come first, and under too much load answers waited for a tenth of a second.
const TASKS_FOR_EACH_ANSWER: u32 = 2;

/// Why a service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot be set up like this.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The address cannot be listened to.
    #[error("cannot listen on `{address}`: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        cause: io::Error,
    },
    /// The system refused something else.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT, and then until what was accepted is answered. `listening` is told the address.
///
/// # Errors
///
/// [`ServeError`] if the service cannot start.
pub fn serve(
    settings: Settings,
    config: Config,
    options: &EngineOptions,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let credentials = settings.credentials()?;
    let plan = Plan::read(&settings.telemetry, telemetry::variable)?;
    log::start(&settings.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .global_queue_interval(TASKS_FOR_EACH_ANSWER)
        .enable_all()
        .build()?;
    let telemetry = Telemetry::start(plan, runtime.handle())?;
    let service = Service::traced(settings, credentials, config, options, telemetry)?;
    let served = runtime.block_on(run(service.clone(), listening));
    service.telemetry().stop();
    // Whatever holds on to the runtime now had its time.
    runtime.shutdown_background();
    drop(service);
    served
}

async fn run(service: Service, listening: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let address = service.settings().listen;
    let refused = |cause| ServeError::Listen { address, cause };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (sender, stop) = watch::channel(false);
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        let _ = sender.send(true);
    });
    tracing::info!(%address, "listening");
    let measuring = service.clone();
    let measuring = tokio::spawn(async move {
        // Without, requests are refused by what the queue tells alone.
        if let Err(error) = measuring.lag().answer().await {
            tracing::warn!(%error, "cannot measure how long requests wait to be read");
        }
    });
    listening(address);
    if !connection::serve(listener, service, stop).await {
        tracing::warn!("some requests were not answered in time and are dropped");
    }
    measuring.abort();
    tracing::info!("stopped");
    Ok(())
}
