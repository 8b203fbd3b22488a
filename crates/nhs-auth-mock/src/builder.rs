//! A platform to be started: what may be said of it beforehand.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use nhs_auth_rules::Environment;
use nhs_auth_rules::limits::TOKEN_REQUESTS_A_MINUTE;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::NewApp;
use crate::clock::Clock;
use crate::config::{ConfigError, MockConfig};
use crate::fault::Fault;
use crate::identity::Identity;
use crate::identity::client::NewClient;
use crate::platform::MockPlatform;
use crate::server;
use crate::settings::{BasePath, Settings};
use crate::state::State;
use crate::state::apps::{Apps, Products};
use crate::state::faults::Faults;
use crate::state_file::{self, StateFileError};
use crate::user::User;

/// A platform to be started.
#[derive(Clone)]
pub struct MockPlatformBuilder {
    listen: SocketAddr,
    rate_limit: u32,
    clock_offset_ms: i64,
    apps: Vec<NewApp>,
    products: Products,
    clients: Vec<NewClient>,
    users: Vec<User>,
    faults: Vec<Fault>,
    allowed_hosts: Vec<String>,
    public_url: Option<String>,
    status_key: Option<String>,
    cis2_issuer: Option<String>,
    base_paths: Vec<BasePath>,
    state_file: Option<PathBuf>,
}

/// On a free port of the loopback address, with the platform's own limits.
impl Default for MockPlatformBuilder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            rate_limit: TOKEN_REQUESTS_A_MINUTE,
            clock_offset_ms: 0,
            apps: Vec::new(),
            products: Products::new(),
            clients: Vec::new(),
            users: Vec::new(),
            faults: Vec::new(),
            allowed_hosts: Vec::new(),
            public_url: None,
            status_key: None,
            cis2_issuer: None,
            base_paths: BasePath::usual(),
            state_file: None,
        }
    }
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

    /// An API product that is there from the start.
    pub fn product<S: Into<String>>(
        mut self,
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.products.insert(name.into(), scopes.into_iter().map(Into::into).collect());
        self
    }

    /// A client that is registered at an identity provider from the start.
    pub fn client(mut self, client: NewClient) -> Self {
        self.clients.push(client);
        self
    }

    /// A user who can sign in, beside the documented ones.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Something that goes wrong from the start, and again after a reset.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The environment whose base paths are served, each with the trust that it has there: at
    /// `/oauth2` of `int` the hosted mocks' ID tokens are refused, at `/oauth2-mock` the others.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.base_paths = BasePath::of(environment);
        self
    }

    /// The issuer that CIS2 says it is, such as one with the port `:443` that the real one writes,
    /// in place of its own address.
    pub fn cis2_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.cis2_issuer = Some(issuer.into());
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

    /// A file that keeps the state from one run to the next. It is read at the start, written now
    /// and then, and for the last time at [`shutdown`](MockPlatform::shutdown); each time it is
    /// replaced as a whole.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// What a configuration says, on top of what was said before.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a file that it names can't be read, or two things that it says
    /// exclude each other.
    pub fn config(mut self, config: MockConfig) -> Result<Self, ConfigError> {
        self.apps.extend(config.new_apps()?);
        self.clients.extend(config.new_clients()?);
        self.clock_offset_ms = config.clock_offset_ms()?.unwrap_or(self.clock_offset_ms);
        self.base_paths = config.base_paths()?.unwrap_or(self.base_paths);
        self.public_url = config.public_url()?.or(self.public_url);
        self.cis2_issuer = config.cis2.issuer.or(self.cis2_issuer);
        self.users.extend(config.users);
        self.products.extend(config.products.into_iter().map(|it| (it.name, it.scopes)));
        self.listen = config.listen.unwrap_or(self.listen);
        self.rate_limit = config.rate_limit.unwrap_or(self.rate_limit);
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
        let saved = self.state_file.as_deref().map(state_file::read).transpose()?.flatten();
        // An application of the configuration keeps the random identifiers that it got first.
        let before = |app: &NewApp| saved.as_ref().and_then(|saved| saved.app_named(&app.name));
        let apps: Vec<_> = self
            .apps
            .into_iter()
            .map(|app| (before(&app).map_or_else(|| app.identity(), |it| app.identity_or(it)), app))
            .collect();
        let first_apps = apps.iter().map(|(app, _)| app.clone()).collect();
        let settings = Settings {
            address,
            allowed_hosts: self.allowed_hosts,
            public_url: self.public_url,
            status_key: self.status_key,
            cis2_issuer: self.cis2_issuer,
            base_paths: self.base_paths,
        };
        let state = Arc::new(State::new(
            settings,
            Clock::new(self.clock_offset_ms),
            Apps::new(self.rate_limit, apps, self.products),
            Faults::new(self.faults),
            Identity::new(self.clients, self.users),
        ));
        let (stop, stopping) = watch::channel(false);
        let state_file = match self.state_file {
            None => None,
            Some(path) => {
                if let Some(saved) = saved {
                    state_file::restore(&path, saved, &state)?;
                }
                // What can't be written is told now, and not when there is something to lose.
                state_file::save(&path, &state)?;
                let keeping = state_file::keep(path.clone(), Arc::clone(&state), stopping.clone());
                Some((path, tokio::spawn(keeping)))
            }
        };
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), stopping));
        tracing::debug!(%address, "the platform is ready");
        Ok(MockPlatform { address, first_apps, state, stop, server, state_file })
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
    /// The state file can't be used.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The configuration says something that can't be.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
