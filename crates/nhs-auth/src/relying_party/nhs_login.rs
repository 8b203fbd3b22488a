//! NHS login: the public.

mod request;
mod user;
mod vector;

use std::sync::Arc;

use nhs_auth_rules::{IdentityProvider, SignatureAlgorithm};

pub use self::request::{Demographics, NhsLoginPrompt, NhsLoginScope, NhsLoginSignIn};
pub use self::user::NhsLoginUser;
pub use self::vector::{IdentityProofingLevel, InvalidVector, VectorOfTrust};
use super::begun::{BegunSignIn, SignIn};
use super::callback::Callback;
use super::client::NhsLoginClient;
use super::error::SignInError;
use super::issuer::Issuer;
use super::party::{Party, RelyingParty, sealed};
use super::pending::PendingSignIn;
use crate::{ClockSkew, TokenClient};

/// What NHS login signs with (its interface specification, table 15).
const ALGORITHMS: &[SignatureAlgorithm] = &[SignatureAlgorithm::Rs512];

/// NHS login, as one of its clients signs patients in.
///
/// ```no_run
/// # use nhs_auth::*;
/// # async fn example(query: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::load("nhs-login-1.pem".as_ref(), None)?.key;
/// let client = NhsLoginClient::new(
///     NhsLoginClientId::parse("my-client")?,
///     RedirectUri::parse("https://app.example.org/callback")?,
///     Kid::parse("nhs-login-1")?,
///     LocalSigner::new(key),
/// )?;
/// let nhs_login = NhsLogin::new(Issuer::of(ProviderEnvironment::NHS_LOGIN_AOS), client);
///
/// let begun = nhs_login.begin(&NhsLoginSignIn::new()).await?;
/// // Send the browser to `begun.url`, and keep `begun.pending` on the server for it.
/// # let pending = begun.pending;
/// // It comes back to the redirect URI:
/// let signed_in = nhs_login.complete(pending, &Callback::parse(query)?).await?;
/// println!("level {:?}", signed_in.user.proofing_level());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NhsLogin(Arc<Party>);

impl NhsLogin {
    /// A client of that NHS login.
    pub fn new(issuer: Issuer, client: NhsLoginClient) -> Self {
        Self::with(issuer, client, TokenClient::new())
    }

    /// The same by another clock, randomness or time-out. The token client is this provider's own:
    /// it learns how far the clocks are apart.
    pub fn with(issuer: Issuer, client: NhsLoginClient, tokens: TokenClient) -> Self {
        let party = Party::new(IdentityProvider::NhsLogin, issuer, client.0, ALGORITHMS, tokens);
        Self(Arc::new(party))
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    ///
    /// [`SignInError::Discovery`] when NHS login is not known yet and can't be asked.
    pub async fn begin(&self, sign_in: &NhsLoginSignIn) -> Result<BegunSignIn, SignInError> {
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
    ) -> Result<SignIn<NhsLoginUser>, SignInError> {
        let proven = self.0.complete(pending, callback).await?;
        let user = NhsLoginUser::new(&proven);
        Ok(SignIn { id_token: proven.id_token, user })
    }
}

impl sealed::Sealed for NhsLogin {}

impl RelyingParty for NhsLogin {
    fn provider(&self) -> IdentityProvider {
        IdentityProvider::NhsLogin
    }

    fn issuer(&self) -> &Issuer {
        self.0.issuer()
    }

    fn clock_skew(&self) -> ClockSkew {
        self.0.clock_skew()
    }
}
