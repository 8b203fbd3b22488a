//! The platform, started and stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nhs_auth_rules::UnixMillis;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{App, NewApp};
use crate::builder::{MockPlatformBuilder, StartError};
use crate::clock;
use crate::fault::{Fault, FaultId};
use crate::identity::client::{NewClient, RelyingParty};
use crate::identity::minted::{NewIdToken, NewLogoutToken, UnknownUser};
use crate::identity::realm::Realm;
use crate::recorded::RecordedRequest;
use crate::state::State;
use crate::state_file::{self, StateFileError};
use crate::user::User;

/// The API platform in a box, on a port of its own. It runs on the runtime that started it, until
/// it is shut down or dropped.
#[derive(Debug)]
pub struct MockPlatform {
    pub(crate) address: SocketAddr,
    pub(crate) first_apps: Vec<App>,
    pub(crate) state: Arc<State>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) server: JoinHandle<()>,
    /// Where the state is kept, and what writes it now and then.
    pub(crate) state_file: Option<(PathBuf, JoinHandle<()>)>,
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
        MockPlatformBuilder::default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL by which this machine reaches it, such as `http://127.0.0.1:9000`.
    pub fn base_url(&self) -> String {
        self.state.settings.base_url()
    }

    /// The URL by which clients reach it: the same, unless the configuration has another
    /// `public_url`.
    pub fn public_url(&self) -> String {
        self.state.settings.public_url()
    }

    /// The inspector's page, for a browser: the applications, and what each request did.
    pub fn inspector_url(&self) -> String {
        self.base_url() + "/"
    }

    /// The token endpoint's URL: where a token request goes, and the `aud` of its assertion.
    pub fn token_url(&self) -> String {
        self.public_url() + "/oauth2/token"
    }

    /// Where CIS2 is: the issuer, in front of `/.well-known/openid-configuration`.
    pub fn cis2_url(&self) -> String {
        self.public_url() + &Realm::CIS2.path()
    }

    /// Where NHS login is: the issuer, in front of `/.well-known/openid-configuration`.
    pub fn nhs_login_url(&self) -> String {
        self.public_url() + &Realm::NHS_LOGIN.path()
    }

    /// Says what an API product allows, in the form `urn:nhsd:apim:app:level3:records`. False when
    /// there are 1,000 others.
    pub fn create_product<S: Into<String>>(
        &self,
        name: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> bool {
        self.state.changed();
        self.state.apps.set_product(name, scopes.into_iter().map(Into::into).collect())
    }

    /// Registers a client at an identity provider. `None` when there are 10,000 of them.
    pub fn create_client(&self, client: NewClient) -> Option<RelyingParty> {
        self.state.changed();
        self.state.identity.clients.add(client).map(|client| RelyingParty::of(&client))
    }

    /// Lets one more user sign in; of the same name and provider there is one. False when there
    /// are 10,000 others.
    pub fn create_user(&self, user: User) -> bool {
        self.state.changed();
        self.state.identity.users.add(user)
    }

    /// An ID token as its provider would issue it now, with no browser.
    ///
    /// # Errors
    ///
    /// [`UnknownUser`] when nobody of that name can sign in there.
    pub fn id_token(&self, token: &NewIdToken) -> Result<String, UnknownUser> {
        token.issue(&self.state, &self.public_url(), self.now())
    }

    /// A logout token as CIS2 would send it now for that session, to the client that signed its
    /// user in; for one that it doesn't know, to the platform.
    pub fn logout_token(&self, sid: &str) -> String {
        NewLogoutToken::new(sid).issue(&self.state, &self.public_url(), self.now())
    }

    /// Registers an application. One that has the application ID or the API key of another
    /// takes its place.
    pub fn create_app(&self, app: NewApp) -> App {
        self.state.changed();
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
        self.state.changed();
        self.state.clock.advance(clock::whole_millis(by));
    }

    /// Turns the clock back.
    pub fn turn_back(&self, by: Duration) {
        self.state.changed();
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
        self.state.changed();
        self.state.reset();
    }

    /// Stops: no new connection is accepted, what has begun is finished (within 5 s), and then the
    /// port is free.
    ///
    /// # Errors
    ///
    /// [`StateFileError`] when there is a state file and it can't be written.
    pub async fn shutdown(self) -> Result<(), StateFileError> {
        self.stop.send_replace(true);
        // It ends by itself, or its runtime is ending.
        let _ = self.server.await;
        let Some((path, keeper)) = self.state_file else { return Ok(()) };
        // Its last save is older than this one, and must not come after it.
        let _ = keeper.await;
        state_file::save(&path, &self.state)
    }

    /// Serves until `signal` is there, and then shuts down.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Self::shutdown).
    pub async fn run_until(self, signal: impl Future) -> Result<(), StateFileError> {
        signal.await;
        self.shutdown().await
    }
}
