//! NHS CIS2 Authentication: people who work in health and care.

mod acr;
mod request;
mod role;
mod user;

use std::sync::Arc;

use nhs_auth_rules::{IdentityProvider, SignatureAlgorithm};

pub use self::acr::{Acr, UnknownAcr};
pub use self::request::{Cis2Freshness, Cis2Scope, Cis2SignIn, UnknownScope};
pub(crate) use self::role::roles_in;
pub use self::role::{NoSuchRole, Organisation, Role, RoleChoice, SelectedRole};
pub use self::user::Cis2User;
use super::begun::{BegunSignIn, SignIn};
use super::callback::Callback;
use super::client::Cis2Client;
use super::error::SignInError;
use super::issuer::Issuer;
use super::logout_token::{LogoutToken, LogoutTokenError};
use super::party::{Party, RelyingParty, sealed};
use super::pending::PendingSignIn;
use crate::{ClockSkew, TokenClient};

/// RS256, unless the client is registered with another; the platform verifies either too.
const ALGORITHMS: &[SignatureAlgorithm] = &[SignatureAlgorithm::Rs256, SignatureAlgorithm::Rs512];

/// CIS2, as one of its clients signs healthcare workers in.
///
/// ```no_run
/// # use nhs_auth::*;
/// # async fn example(query: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::load("cis2-1.pem".as_ref(), None)?.key;
/// let client = Cis2Client::with_key(
///     Cis2ClientId::parse("123456789012.123456789012.apps.supplier")?,
///     RedirectUri::parse("https://app.example.org/callback")?,
///     ClientKey::new(Kid::parse("cis2-1")?, LocalSigner::new(key)),
/// );
/// let cis2 = Cis2::new(Issuer::of(ProviderEnvironment::CIS2_INTEGRATION), client);
///
/// let begun = cis2.begin(&Cis2SignIn::new()).await?;
/// // Send the browser to `begun.url`, and keep `begun.pending` on the server for it.
/// # let pending = begun.pending;
/// // It comes back to the redirect URI:
/// let signed_in = cis2.complete(pending, &Callback::parse(query)?).await?;
/// println!("{} signed in", signed_in.user.subject());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cis2(Arc<Party>);

impl Cis2 {
    /// A client of that CIS2.
    pub fn new(issuer: Issuer, client: Cis2Client) -> Self {
        Self::with(issuer, client, TokenClient::new())
    }

    /// The same by another clock, randomness or time-out. The token client is this provider's own:
    /// it learns how far the clocks are apart.
    pub fn with(issuer: Issuer, client: Cis2Client, tokens: TokenClient) -> Self {
        let party = Party::new(IdentityProvider::Cis2, issuer, client.0, ALGORITHMS, tokens);
        Self(Arc::new(party))
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    ///
    /// [`SignInError::Discovery`] when CIS2 is not known yet and can't be asked.
    pub async fn begin(&self, sign_in: &Cis2SignIn) -> Result<BegunSignIn, SignInError> {
        self.0.begin(&sign_in.parameters(), sign_in.asked()).await
    }

    /// Completes a sign-in with what the browser came back with: redeems the code, validates the ID
    /// token in full, and gets the user info.
    ///
    /// # Errors
    ///
    /// [`SignInError`], and nobody has signed in.
    pub async fn complete(
        &self,
        pending: PendingSignIn,
        callback: &Callback,
    ) -> Result<SignIn<Cis2User>, SignInError> {
        let proven = self.0.complete(pending, callback).await?;
        let user = Cis2User::new(&proven);
        Ok(SignIn { id_token: proven.id_token, user })
    }

    /// Validates a logout token: the form field `logout_token` of a request to the client's
    /// `backchannel_logout_uri`.
    ///
    /// # Errors
    ///
    /// [`LogoutTokenError`], and no session is to be ended.
    pub async fn logout_token(&self, compact: &str) -> Result<LogoutToken, LogoutTokenError> {
        self.0.logout_token(compact).await
    }
}

impl sealed::Sealed for Cis2 {}

impl RelyingParty for Cis2 {
    fn provider(&self) -> IdentityProvider {
        IdentityProvider::Cis2
    }

    fn issuer(&self) -> &Issuer {
        self.0.issuer()
    }

    fn clock_skew(&self) -> ClockSkew {
        self.0.clock_skew()
    }
}
