//! The loopback port that the browser is sent back to (RFC 8252 §7.3).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::get;
use nhs_auth::{RedirectUri, SignInError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use url::{Host, Url};

use super::page;
use crate::failure::Failure;

/// How long the last page may take to reach the browser.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// Listens at the redirect URI's address, and nowhere else.
pub(super) struct Receiver {
    listeners: Vec<std::net::TcpListener>,
    redirect_uri: RedirectUri,
    path: String,
    stop: watch::Sender<bool>,
    servers: JoinSet<()>,
}

/// A browser that has come back, and waits for a page.
pub(super) struct Arrived {
    pub(super) query: String,
    page: oneshot::Sender<Outcome>,
}

/// What the browser is told.
pub(super) enum Outcome {
    Failed(String),
    SignedIn,
}

impl Outcome {
    pub(super) fn of<T>(completed: &Result<T, SignInError>) -> Self {
        match completed {
            Ok(_) => Self::SignedIn,
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

impl Receiver {
    /// Takes the port of a redirect URI on loopback; a free one when it is 0.
    pub(super) fn bind(uri: &str) -> Result<Self, Failure> {
        let parsed = RedirectUri::parse(uri)
            .map_err(|error| Failure::usage(format!("--redirect-uri can't be used: {error}")))?;
        let mut url = Url::parse(parsed.as_str())
            .map_err(|_| Failure::usage("--redirect-uri is not a URL"))?;
        let (address, both) = match (url.scheme(), url.host()) {
            ("http", Some(Host::Ipv4(ip))) => (ip.into(), false),
            ("http", Some(Host::Ipv6(ip))) => (ip.into(), false),
            // Some browsers try the one first, and some the other.
            ("http", Some(Host::Domain(_))) => (Ipv4Addr::LOCALHOST.into(), true),
            _ => {
                return Err(Failure::usage(format!("`{uri}` is not http on this machine")).hint(
                    "the code is received here: give http with 127.0.0.1, [::1] or localhost, as \
                     it is registered with the provider",
                ));
            }
        };
        let port = url.port().unwrap_or(80);
        let listen = |address: SocketAddr| {
            let listener = std::net::TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok::<_, std::io::Error>(listener)
        };
        let first = SocketAddr::new(address, port);
        let listener = listen(first).map_err(|error| cannot_listen(first, &error))?;
        let taken = listener.local_addr().map_err(|error| cannot_listen(first, &error))?;
        let mut listeners = vec![listener];
        if both {
            listeners.extend(listen((Ipv6Addr::LOCALHOST, taken.port()).into()).ok());
        }
        let redirect_uri = if port == 0 {
            let _ = url.set_port(Some(taken.port()));
            RedirectUri::parse(url.as_str()).map_err(|error| Failure::usage(error.to_string()))?
        } else {
            parsed
        };
        let path = url.path().to_owned();
        Ok(Self {
            listeners,
            redirect_uri,
            path,
            stop: watch::channel(false).0,
            servers: JoinSet::new(),
        })
    }

    /// The redirect URI, with the port that was taken.
    pub(super) fn redirect_uri(&self) -> RedirectUri {
        self.redirect_uri.clone()
    }

    /// Waits for the browser to come back.
    pub(super) async fn wait(&mut self, patience: Duration) -> Result<Arrived, Failure> {
        let (sender, mut receiver) = mpsc::channel(1);
        let router = Router::new()
            .route(&self.path, get(came_back))
            .fallback(async || page::not_here())
            .with_state(sender);
        for listener in self.listeners.drain(..) {
            let listener = tokio::net::TcpListener::from_std(listener)
                .map_err(|error| Failure::fault(format!("can't listen: {error}")))?;
            let (router, mut stopping) = (router.clone(), self.stop.subscribe());
            self.servers.spawn(async move {
                let stopped = async move { drop(stopping.wait_for(|stop| *stop).await) };
                let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
            });
        }
        match tokio::time::timeout(patience, receiver.recv()).await {
            Ok(Some(arrived)) => Ok(arrived),
            Ok(None) => Err(Failure::fault("the loopback server ended")),
            Err(_) => Err(Failure::no_answer(format!(
                "nobody signed in within {} s",
                patience.as_secs()
            ))
            .hint(
                "the browser must be able to reach this machine's loopback; --wait gives more time",
            )),
        }
    }

    /// Lets the last page reach the browser.
    pub(super) async fn close(&mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.servers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_PAGE, ended).await;
    }
}

impl Arrived {
    pub(super) async fn answer(self, outcome: Outcome) {
        // A browser that has gone away needs no page.
        let _ = self.page.send(outcome);
        tokio::task::yield_now().await;
    }
}

async fn came_back(
    State(sender): State<mpsc::Sender<Arrived>>,
    method: Method,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let is_answer = query.split('&').any(|it| it.starts_with("code=") || it.starts_with("error="));
    if method != Method::GET || !is_answer {
        // Whatever else a browser asks for here ends nothing.
        return page::not_here();
    }
    let (page, outcome) = oneshot::channel();
    let arrived = Arrived { query, page };
    if sender.try_send(arrived).is_err() {
        return page::twice();
    }
    match outcome.await {
        Ok(Outcome::SignedIn) => page::signed_in(),
        Ok(Outcome::Failed(reason)) => page::failed(&reason),
        Err(_) => page::twice(),
    }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::usage(format!("can't listen on {address} for the browser to come back: {error}")).hint(
        "another program may have that port: choose another with --redirect-uri, as it is \
         registered with the provider (port 0 takes a free one)",
    )
}
