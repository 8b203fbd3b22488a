//! An application of the developer portal, as its software knows it.

use aws_lc_rs::digest::{Context, SHA256};
use nhs_auth_rules::{ApiKey, Kid};

use crate::assertion::{AssertionClaims, ClientAssertion, DEFAULT_LIFETIME_S};
use crate::key::base64url;
use crate::signing_key::{KeySource, SigningKey};
use crate::{Clock, ClockSkew, Entropy, FollowedKeyRing, SignError, Signer, TokenEndpoint};

/// Everything that an assertion of one application needs: where to, who, and with which key.
#[derive(Clone, Debug)]
pub struct Application {
    endpoint: TokenEndpoint,
    api_key: ApiKey,
    keys: KeySource,
    lifetime_s: u32,
}

impl Application {
    /// An application that asks for tokens at `endpoint`, as `api_key`, signing with `signer`,
    /// whose public key is registered as `kid`.
    pub fn new(
        endpoint: TokenEndpoint,
        api_key: ApiKey,
        kid: Kid,
        signer: impl Signer + 'static,
    ) -> Self {
        let keys = KeySource::one(kid, signer);
        Self { endpoint, api_key, keys, lifetime_s: DEFAULT_LIFETIME_S }
    }

    /// An application that asks for tokens at `endpoint`, as `api_key`, signing with whichever key
    /// of the ring is active.
    pub fn following(endpoint: TokenEndpoint, api_key: ApiKey, ring: FollowedKeyRing) -> Self {
        let keys = KeySource::Ring(ring);
        Self { endpoint, api_key, keys, lifetime_s: DEFAULT_LIFETIME_S }
    }

    /// The same with assertions that live `seconds`, 1 to 300. More or less is brought into that
    /// range: the platform documents 300 seconds as the most (rule A14).
    pub fn with_assertion_lifetime(mut self, seconds: u32) -> Self {
        self.lifetime_s = seconds.clamp(1, 300);
        self
    }

    /// Where it asks for tokens.
    pub fn endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    /// Who it is.
    pub fn api_key(&self) -> &ApiKey {
        &self.api_key
    }

    /// The key that signs for it now, and its name.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyRing`] when it follows a ring that has none.
    pub async fn signing_key(&self) -> Result<SigningKey, SignError> {
        self.keys.current().await
    }

    /// Signs an assertion for one attempt: a new `jti`, and `exp` counted from now as the platform
    /// sees it.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the signer gives no signature.
    pub async fn sign_assertion(
        &self,
        clock: &dyn Clock,
        skew: ClockSkew,
        entropy: &dyn Entropy,
    ) -> Result<ClientAssertion, SignError> {
        let SigningKey { kid, signer } = self.keys.current().await?;
        let now = skew.applied_to(clock.now()).to_seconds();
        let claims = AssertionClaims {
            api_key: &self.api_key,
            audience: self.endpoint.url(),
            kid: &kid,
            jti: entropy.uuid().to_string(),
            expires_at: now.plus(i64::from(self.lifetime_s)),
        };
        ClientAssertion::sign(claims, &*signer).await
    }

    /// Everything that changes which token it gets, as one hash: for keeping tokens apart without
    /// showing whose they are.
    pub(crate) fn identity(&self) -> String {
        let (name, key) = match &self.keys {
            KeySource::One(key) => {
                (key.kid.as_str().to_owned(), key.signer.public_key().thumbprint())
            }
            // Its keys change, and a token that one of them got is as good as the next.
            KeySource::Ring(ring) => (String::new(), ring.ring().place()),
        };
        let mut context = Context::new(&SHA256);
        for part in [self.endpoint.url(), self.api_key.as_str(), &name, &key] {
            // With its length before it, so that no two lists of parts are the same bytes.
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        base64url(context.finish().as_ref())
    }

    /// What decides whether two instances can share a token, wherever they run: where it is asked
    /// for, and for whom. The kid and the key are left out. The platform issues a token to the
    /// application, and which of its keys signed doesn't show in it; and instances that follow one
    /// ring may have it at different places, or be a rotation's step apart.
    pub(crate) fn fleet(&self) -> [&str; 2] {
        [self.endpoint.url(), self.api_key.as_str()]
    }
}
