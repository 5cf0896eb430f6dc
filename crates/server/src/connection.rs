//! Connections: how many there are, how long they may be silent, and how they end.
//!
//! Each is served by hyper itself, since `axum::serve` has no limit on the time that the head of a request takes nor on the number of connections.
//! HTTP/1.1 only: a caller that has much to ask sends a batch, and what HTTP/2 would add to what has to be trusted is large.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::problem::Problem;
use crate::service::Service;
use crate::{body, context, routes};

/// How long the handshake of TLS may take. Slow networks need a second or two.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait if no connection can be accepted, which is mostly for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Connections beyond the limit that are told so at a time; what is beyond these too is closed without a word.
const REFUSALS_MAX: usize = 64;

/// How long a client that is told so may take to hear it.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// The largest head of a request, in bytes, and what is read of a body at once.
const BUFFER_BYTES: usize = 128 << 10;

/// Serves connections until `stop` says otherwise, and then waits until those that there are have ended, as long as the settings allow. Whether all had.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Service,
    stop: watch::Receiver<bool>,
) -> bool {
    let router = routes::router(&service);
    let settings = service.settings().clone();
    let acceptor = service.credentials().tls.clone().map(TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(settings.connections_max));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    loop {
        let accepted = tokio::select! {
            () = told(&mut stopping) => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                service.metrics().accept_failed();
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            service.metrics().shed("connections");
            // Before a handshake nothing can be said that would be understood.
            if service.credentials().tls.is_none()
                && let Ok(place) = refusals.clone().try_acquire_owned()
            {
                tokio::spawn(async move {
                    let _place = place;
                    let _ = timeout(REFUSAL_TIMEOUT, refuse(stream)).await;
                });
            }
            continue;
        };
        let connection = Connection {
            router: router.clone(),
            service: service.clone(),
            header_timeout: Duration::from_secs(settings.header_seconds),
            stop: stop.clone(),
        };
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            let _place = place;
            // Small answers must not wait for more to send.
            let _ = stream.set_nodelay(true);
            match acceptor {
                None => connection.run(stream).await,
                Some(acceptor) => match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => connection.run(stream).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no handshake"),
                    Err(_) => tracing::debug!("no handshake in time"),
                },
            }
        });
    }
    drop(listener);
    service.stop();
    let drained = async { while connections.join_next().await.is_some() {} };
    // What is left is dropped with the set, and cancelled by that.
    timeout(Duration::from_secs(settings.drain_seconds), drained).await.is_ok()
}

/// Waits until it is time to stop, or nobody is left to say so.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Says that there are too many connections, and waits until the client has heard: what it sends meanwhile is not looked at.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let problem = Problem::overloaded("there are too many connections", Duration::from_secs(1));
    stream.write_all(problem.text().as_bytes()).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1 << 10];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

struct Connection {
    router: Router,
    service: Service,
    header_timeout: Duration,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn run(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let routes = TowerToHyperService::new(self.router);
        let service = self.service;
        let handle = service_fn(move |request: Request<Incoming>| {
            let refused = context::refused_at_the_door(&service, &request);
            let routes = routes.clone();
            async move {
                match refused {
                    Some(response) => {
                        let body = request.into_body();
                        if !body.is_end_stream() {
                            body::linger(Body::new(body));
                        }
                        Ok(response)
                    }
                    None => routes.call(request).await,
                }
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), handle);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told(&mut self.stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
