//! How spans get to the collector: a bounded queue, batches, and a client.
//!
//! The queue and its thread are those of the library (`BatchSpanProcessor`), which never makes who ends a span wait. It does not say how many it drops,
//! so a gate before it does, with the same bound. The client of its own choice would be reqwest, with thirty crates; ours is the client of hyper, which
//! serves our connections anyway, on the runtime that serves them. A connection is made for each batch: there is one every few seconds.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::header::HOST;
use axum::http::{HeaderValue, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter as Exporter, SpanProcessor,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Plan;
use crate::settings::SettingsError;

/// Spans that wait to be exported. Beyond that they are lost, and counted.
const SPANS_MAX: usize = 4_096;

/// Spans that are exported at once.
const BATCH_SPANS: usize = 512;

/// How long the collector may take to take a batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer of a collector that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Spans that have ended.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    waiting: AtomicUsize,
    lost: AtomicU64,
}

impl Spans {
    /// How many could not be exported.
    pub(crate) fn n_lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn lose(&self, n_spans: usize) {
        self.lost.fetch_add(n_spans as u64, Ordering::Relaxed);
    }
}

/// What takes ended spans and exports them, and what is known of these.
///
/// # Errors
///
/// [`SettingsError`] for variables that the exporter reads itself and does not understand.
pub(crate) fn processor(plan: &Plan, runtime: Handle) -> Result<(Gate, Arc<Spans>), SettingsError> {
    let client = Client { runtime, tls: plan.tls.clone(), is_failing: AtomicBool::new(false) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(plan.endpoint.to_string())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| SettingsError::Exporter(error.to_string()))?;
    let spans = Arc::new(Spans::default());
    let exporter = Counted { inner: exporter, spans: Arc::clone(&spans) };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(SPANS_MAX)
        .with_max_export_batch_size(BATCH_SPANS)
        .build();
    let inner = BatchSpanProcessor::new(exporter, config);
    Ok((Gate { inner, spans: Arc::clone(&spans) }, spans))
}

/// Lets spans through as long as there is room behind it.
#[derive(Debug)]
pub(crate) struct Gate {
    inner: BatchSpanProcessor,
    spans: Arc<Spans>,
}

impl SpanProcessor for Gate {
    fn on_start(&self, span: &mut Span, context: &opentelemetry::Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let one_more = |n: usize| (n < SPANS_MAX).then_some(n + 1);
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        match self.spans.waiting.fetch_update(set, fetch, one_more) {
            Ok(_) => self.inner.on_end(span),
            Err(_) => self.spans.lose(1),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Counts what comes out of the queue and gets nowhere.
#[derive(Debug)]
struct Counted {
    inner: SpanExporter,
    spans: Arc<Spans>,
}

impl Exporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let n_spans = batch.len();
        self.spans.waiting.fetch_sub(n_spans, Ordering::AcqRel);
        let exported = self.inner.export(batch).await;
        if exported.is_err() {
            self.spans.lose(n_spans);
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Sends batches. The thread that waits for it is the queue's, and the work is done on the runtime.
#[derive(Debug)]
struct Client {
    runtime: Handle,
    tls: Option<Arc<ClientConfig>>,
    /// Whether the last batch was not taken, so that the log has one line for each change and not one for each batch.
    is_failing: AtomicBool,
}

impl HttpClient for Client {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let tls = self.tls.clone();
            // The timer is made on the runtime too: there is none in this thread.
            let sent = async move { timeout(EXPORT_TIMEOUT, send(request, tls)).await };
            let sent = self.runtime.spawn(sent);
            let answer = match sent.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(late)) => Err(late.into()),
                Err(stopped) => Err(stopped.into()),
            };
            self.tell(&answer);
            answer
        })
    }
}

impl Client {
    /// Logs if spans are not taken any more, or are again.
    fn tell(&self, answer: &Result<Response<Bytes>, HttpError>) {
        let trouble = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        let was_failing = self.is_failing.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(trouble) if !was_failing => {
                tracing::warn!(
                    trouble,
                    "the collector does not take traces; they are lost until it does"
                );
            }
            None if was_failing => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

/// Sends a request over a connection of its own.
async fn send(
    request: Request<Bytes>,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri();
    // Addresses of IPv6 stand in brackets in a URL, and there alone.
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    match tls {
        None => exchange(stream, request).await,
        Some(config) => {
            let connector = TlsConnector::from(config);
            let stream = connector.connect(ServerName::try_from(host)?, stream).await?;
            exchange(stream, request).await
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let host = head.uri.authority().map_or("", |authority| authority.as_str());
    head.headers.insert(HOST, HeaderValue::from_str(host)?);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = path.parse::<Uri>()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this function, whatever the collector does.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error: Box<dyn Error + Send + Sync>| error)?.to_bytes();
    Ok(Response::from_parts(head, body))
}
