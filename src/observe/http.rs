//! The HTTP server: one thread with a small runtime of its own, never on a frame's way.
//!
//! It serves whatever router it is given, to the daemon as to `signd view`. Every request passes the
//! [`OriginCheck`], every answer gets the headers below, and what a client may take of it is bounded: its
//! header in bytes and time, its connections in number, an answer that it does not read in time.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, Request, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::origin::{AllowedHost, OriginCheck};

/// Connections at once; further ones wait.
const CONNECTIONS: usize = 64;
/// Largest request line and header, bytes.
const HEADER: usize = 16 * 1024;
/// Most header lines.
const HEADER_LINES: usize = 64;
/// Time for a header to arrive, and for which an idle connection is kept.
const PATIENCE: Duration = Duration::from_secs(5);
/// A client that takes nothing of an answer for this long is shown out.
const STUCK: Duration = Duration::from_secs(30);
/// What the system holds back for a client that does not read, bytes; it would be megabytes. What
/// happens live is not worth reading minutes later.
const UNREAD: usize = 64 * 1024;
/// Time for answers under way when the server ends.
const FAREWELL: Duration = Duration::from_millis(500);

/// Set on every answer that does not bring its own.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// A running server; dropped, it ends.
pub struct HttpServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Serves on this listener. `hosts` are names it answers to beside its own addresses. `routes` is
    /// called on the server's thread, inside its runtime, and may spawn tasks there.
    pub fn start(
        listener: TcpListener,
        hosts: Vec<AllowedHost>,
        routes: impl FnOnce() -> Router + Send + 'static,
    ) -> io::Result<HttpServer> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let guard = Arc::new(OriginCheck::new(hosts));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = crossbeam_channel::bounded(1);
        let body = move || {
            runtime.block_on(async {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => {
                        drop(tell.send(Ok(())));
                        serve(listener, routes(), guard, stopped).await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        };
        let thread = Some(Builder::new().name("http".into()).spawn(body)?);
        told.recv().map_err(io::Error::other)??;
        Ok(HttpServer { address, stop: Some(stop), thread })
    }

    /// Where it listens; the port is the real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        drop(self.stop.take()); // the other end takes this for the request
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the HTTP server panicked");
        }
    }
}

/// Accepts until told to stop, then lets answers under way end.
async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    guard: Arc<OriginCheck>,
    mut stopped: oneshot::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let app = TowerToHyperService::new(router);
    let next = async || {
        let slot = Arc::clone(&slots).acquire_owned().await;
        (slot, listener.accept().await)
    };
    loop {
        let (slot, accepted) = tokio::select! {
            _ = &mut stopped => break,
            next = next() => next,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: others must close theirs first.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let talk = talk(stream, app.clone(), Arc::clone(&guard), graceful.watcher());
        tokio::spawn(async move {
            // Its errors are the client's affair.
            drop(talk.await);
            drop(slot);
        });
    }
    drop(listener);
    drop(timeout(FAREWELL, graceful.shutdown()).await);
}

/// A client's connection, its limits set, from its first request to its end.
async fn talk(
    stream: TcpStream,
    app: TowerToHyperService<Router>,
    guard: Arc<OriginCheck>,
    ending: Watcher,
) -> io::Result<()> {
    let local = stream.local_addr()?;
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_send_buffer_size(UNREAD)?;
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STUCK));
    let service = service_fn(move |request: Request<Incoming>| {
        let admitted = guard.admit(&request, local).map(|()| app.call(request));
        async move {
            let mut response = match admitted {
                Ok(answer) => answer.await?,
                Err(refusal) => refusal.into_response(),
            };
            for (name, value) in HEADERS {
                let value = axum::http::HeaderValue::from_static(value);
                response.headers_mut().entry(name).or_insert(value);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEADER)
        .max_headers(HEADER_LINES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    ending.watch(connection).await.map_err(io::Error::other)
}
