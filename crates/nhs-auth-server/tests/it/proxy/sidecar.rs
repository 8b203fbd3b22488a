//! A sidecar that runs for one test, between a platform and an API of the test's own.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use nhs_auth::{
    ApiKey, Application, Destinations, Kid, LocalSigner, PrivateKey, TokenClient, TokenEndpoint,
};
use nhs_auth_server::{
    ProxyAddress, ProxyApp, ProxyListen, ProxyReloader, ProxyRoutes, ProxyServer,
    ProxyServerBuilder, Route, RouteAccess, Upstream as Place,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::peer::{Head, Message, Peer};
use super::platform::Platform;
use super::upstream::Upstream;

pub(crate) struct Sidecar {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) reloader: ProxyReloader,
    pub(crate) platform: Platform,
    pub(crate) upstream: Upstream,
    end: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Sidecar {
    /// One that sends everything to its API, with the platform's tokens.
    pub(crate) async fn start() -> Self {
        Self::start_with(|builder| builder, |route| route).await
    }

    /// The same with other settings.
    pub(crate) async fn start_with(
        set: impl FnOnce(ProxyServerBuilder) -> ProxyServerBuilder,
        set_route: impl FnOnce(Route) -> Route,
    ) -> Self {
        let (platform, upstream) = (Platform::start().await, Upstream::start().await);
        let route = set_route(with_token("/", &upstream.url()));
        let routes = ProxyRoutes::new(vec![route], vec![app(&platform)]).unwrap();
        Self::of(routes, platform, upstream, set).await
    }

    pub(crate) async fn of(
        routes: ProxyRoutes,
        platform: Platform,
        upstream: Upstream,
        set: impl FnOnce(ProxyServerBuilder) -> ProxyServerBuilder,
    ) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let builder = ProxyServer::builder(routes)
            .listen(ProxyListen::Tcp(any))
            .admin(any)
            .workers(NonZeroUsize::MIN);
        let server = set(builder).bind().await.unwrap();
        let address = match server.address() {
            ProxyAddress::Tcp(address) => *address,
            _ => any,
        };
        let (admin, reloader) = (server.admin_addr().unwrap(), server.reloader());
        let (end, ended) = oneshot::channel::<()>();
        let task = tokio::spawn(server.run_until(async {
            let _: Result<_, _> = ended.await;
        }));
        Self { address, admin, reloader, platform, upstream, end: Some(end), task }
    }

    /// The next request that reaches the API: over this connection, or another in its place.
    pub(crate) async fn next(&self, api: &mut Peer) -> Message {
        let over_another = tokio::select! {
            message = api.try_message() => match message {
                Ok(message) => return message,
                Err(_) => self.upstream.accept().await,
            },
            another = self.upstream.accept() => another,
        };
        *api = over_another;
        api.message().await
    }

    pub(crate) async fn client(&self) -> Peer {
        Peer::connect(self.address).await
    }

    /// Sends a request on a connection of its own, and takes it in at the API.
    pub(crate) async fn sent(&self, request: impl AsRef<[u8]>) -> (Peer, Peer, Head) {
        let mut client = self.client().await;
        client.send(request).await;
        let mut api = self.upstream.accept().await;
        let head = api.head().await;
        (client, api, head)
    }

    /// The answer to a request that is not passed on.
    pub(crate) async fn own_answer(&self, request: impl AsRef<[u8]>) -> Message {
        let mut client = self.client().await;
        client.send(request).await;
        client.message().await
    }

    /// What the listener for those who run it answers.
    pub(crate) async fn operated(&self, path: &str) -> Message {
        let mut client = Peer::connect(self.admin).await;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        client.message().await
    }

    /// One metric's value: 0 when it isn't there.
    pub(crate) async fn metric(&self, name_and_labels: &str) -> f64 {
        let text = self.operated("/metrics").await.text();
        let is_it =
            |line: &&str| line.rsplit_once(' ').is_some_and(|(it, _)| it == name_and_labels);
        text.lines()
            .find(is_it)
            .map_or(0.0, |line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
    }

    /// Waits until a metric has a value.
    pub(crate) async fn until_metric(&self, name_and_labels: &str, value: f64) {
        let reached = async {
            while (self.metric(name_and_labels).await - value).abs() > 0.001 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        let reached = tokio::time::timeout(super::peer::PATIENCE, reached).await;
        assert!(reached.is_ok(), "{}", self.operated("/metrics").await.text());
    }

    /// Tells it to stop, without waiting for that.
    pub(crate) fn begin_to_stop(&mut self) {
        self.end.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(self) {
        tokio::time::timeout(2 * super::peer::PATIENCE, self.task).await.unwrap().unwrap();
    }

    pub(crate) async fn stop(mut self) {
        self.begin_to_stop();
        self.stopped().await;
    }
}

/// A request of HTTP/1.1 to it.
pub(crate) fn get(path: &str) -> String {
    request("GET", path, "", "")
}

pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}")
}

/// A route to an API on this machine, with the token of the application `app`.
pub(crate) fn with_token(prefix: &str, url: &str) -> Route {
    route(prefix, url, RouteAccess::SignedJwt { app: "app".to_owned() })
}

pub(crate) fn route(prefix: &str, url: &str, access: RouteAccess) -> Route {
    let place = Place::parse(url, &Destinations::nhs_only().and_loopback()).unwrap();
    Route::new(prefix, place, access).unwrap()
}

/// The application `app`, whose tokens the platform issues.
pub(crate) fn app(platform: &Platform) -> ProxyApp {
    app_named("app", platform)
}

pub(crate) fn app_named(name: &str, platform: &Platform) -> ProxyApp {
    static KEY: OnceLock<std::sync::Arc<LocalSigner>> = OnceLock::new();
    let signer = KEY.get_or_init(|| LocalSigner::new(PrivateKey::generate().unwrap()).into());
    let application = Application::new(
        TokenEndpoint::at(&platform.url(), None).unwrap(),
        ApiKey::parse("ExampleApiKeyExampleApiKey000001").unwrap(),
        Kid::parse("int-1").unwrap(),
        std::sync::Arc::clone(signer),
    );
    ProxyApp::new(name, &application, TokenClient::new(), |cache| cache)
}
