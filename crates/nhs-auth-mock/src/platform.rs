//! The platform, started and stopped.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use nhs_auth_rules::UnixMillis;
use nhs_auth_rules::limits::TOKEN_REQUESTS_A_MINUTE;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{App, NewApp};
use crate::clock::{self, Clock};
use crate::config::{ConfigError, MockConfig};
use crate::fault::{Fault, FaultId};
use crate::recorded::RecordedRequest;
use crate::server;
use crate::state::{Settings, State};

/// The API platform in a box, on a port of its own. It runs on the runtime that started it, until
/// it is shut down or dropped.
#[derive(Debug)]
pub struct MockPlatform {
    address: SocketAddr,
    first_apps: Vec<App>,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Why the platform did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address can't be listened on: it is taken, or not one of this machine's.
    #[error("listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The configuration says something that can't be.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl MockPlatform {
    /// Starts a platform on a free port of the loopback address.
    ///
    /// # Errors
    ///
    /// [`StartError`] when there is no port to be had.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// A platform to be started, with settings.
    pub fn builder() -> MockPlatformBuilder {
        MockPlatformBuilder {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            rate_limit: TOKEN_REQUESTS_A_MINUTE,
            clock_offset_ms: 0,
            apps: Vec::new(),
            allowed_hosts: Vec::new(),
            status_key: None,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that every other begins with, such as `http://127.0.0.1:9000`.
    pub fn base_url(&self) -> String {
        let ip = match self.address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// The inspector's page, for a browser: the applications, and what each request did.
    pub fn inspector_url(&self) -> String {
        self.base_url() + "/"
    }

    /// The token endpoint's URL: where a token request goes, and the `aud` of its assertion.
    pub fn token_url(&self) -> String {
        self.base_url() + "/oauth2/token"
    }

    /// Registers an application. One that has the application ID or the API key of another
    /// takes its place.
    pub fn create_app(&self, app: NewApp) -> App {
        self.state.apps.add(app)
    }

    /// The applications that were there at the start, in their order.
    pub fn first_apps(&self) -> &[App] {
        &self.first_apps
    }

    /// The time here.
    pub fn now(&self) -> UnixMillis {
        self.state.clock.now()
    }

    /// Moves the clock on, and with it everything that ages: assertions, tokens, `jti`s, key sets,
    /// the rate limit's minute.
    pub fn advance(&self, by: Duration) {
        self.state.clock.advance(clock::whole_millis(by));
    }

    /// Turns the clock back.
    pub fn turn_back(&self, by: Duration) {
        self.state.clock.advance(clock::whole_millis(by).saturating_neg());
    }

    /// Lets something go wrong, on purpose.
    pub fn add_fault(&self, fault: Fault) -> FaultId {
        self.state.faults.add(fault)
    }

    /// Takes a fault back. Whether it was still in force.
    pub fn remove_fault(&self, id: FaultId) -> bool {
        self.state.faults.remove(id)
    }

    /// Takes every fault back.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// The latest requests, the oldest first. A request is among them before its answer is sent.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests.all()
    }

    /// Forgets the requests.
    pub fn clear_requests(&self) {
        self.state.requests.clear();
    }

    /// Back to the start: the applications and the clock that it began with, and nothing that
    /// happened since.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// Stops: no new connection is accepted, what has begun is finished (within 5 s), and then the
    /// port is free.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // It ends by itself, or its runtime is ending.
        let _ = self.server.await;
    }

    /// Serves until `signal` is there, and then shuts down.
    pub async fn run_until(self, signal: impl Future) {
        signal.await;
        self.shutdown().await;
    }
}

/// A platform to be started.
#[derive(Clone)]
pub struct MockPlatformBuilder {
    listen: SocketAddr,
    rate_limit: u32,
    clock_offset_ms: i64,
    apps: Vec<NewApp>,
    allowed_hosts: Vec<String>,
    status_key: Option<String>,
}

impl MockPlatformBuilder {
    /// Where to listen, in place of a free port of the loopback address. On an address that other
    /// machines reach, they reach the control API too.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// How many token requests an application may make in a minute: 300 when nothing is said.
    pub fn rate_limit(mut self, requests_a_minute: u32) -> Self {
        self.rate_limit = requests_a_minute;
        self
    }

    /// How far the platform's clock is ahead of the machine's, or behind when negative.
    pub fn clock_offset_ms(mut self, offset: i64) -> Self {
        self.clock_offset_ms = offset;
        self
    }

    /// An application that is there from the start, and after a reset.
    pub fn app(mut self, app: NewApp) -> Self {
        self.apps.push(app);
        self
    }

    /// A name, with its port, by which the control API may be called beside the loopback's own,
    /// such as `mock:9000` in a network of containers.
    pub fn allow_host(mut self, host_and_port: impl Into<String>) -> Self {
        self.allowed_hosts.push(host_and_port.into());
        self
    }

    /// The `apikey` that `/_status` wants. Without it no key will do.
    pub fn status_key(mut self, key: impl Into<String>) -> Self {
        self.status_key = Some(key.into());
        self
    }

    /// What a configuration says, on top of what was said before.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a file that it names can't be read, or two things that it says
    /// exclude each other.
    pub fn config(mut self, config: MockConfig) -> Result<Self, ConfigError> {
        let apps = config.new_apps()?;
        self.apps.extend(apps);
        self.listen = config.listen.unwrap_or(self.listen);
        self.rate_limit = config.rate_limit.unwrap_or(self.rate_limit);
        if let Some(offset) = config.clock_offset_s {
            self.clock_offset_ms = clock::millis_of_seconds(offset).unwrap_or(0);
        }
        self.allowed_hosts.extend(config.allowed_hosts);
        self.status_key = config.status_key.or(self.status_key);
        Ok(self)
    }

    /// Starts the platform on this runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the address can't be listened on.
    pub async fn start(self) -> Result<MockPlatform, StartError> {
        let listen_error = |source| StartError::Listen { address: self.listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let apps: Vec<_> = self.apps.into_iter().map(|app| (app.identity(), app)).collect();
        let first_apps = apps.iter().map(|(app, _)| app.clone()).collect();
        let settings = Settings {
            port: address.port(),
            allowed_hosts: self.allowed_hosts,
            status_key: self.status_key,
        };
        let state =
            Arc::new(State::new(settings, Clock::new(self.clock_offset_ms), self.rate_limit, apps));
        let (stop, stopping) = watch::channel(false);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), stopping));
        tracing::debug!(%address, "the platform is ready");
        Ok(MockPlatform { address, first_apps, state, stop, server })
    }
}

impl std::fmt::Debug for MockPlatformBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockPlatformBuilder")
            .field("listen", &self.listen)
            .field("rate_limit", &self.rate_limit)
            .field("apps", &self.apps)
            .finish_non_exhaustive()
    }
}
