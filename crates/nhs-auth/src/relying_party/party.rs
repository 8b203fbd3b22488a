//! What CIS2 and NHS login have in common, seen from one of their clients.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use nhs_auth_rules::{IdentityProvider, SignatureAlgorithm, UnixSeconds};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::asked::Asked;
use super::begun::BegunSignIn;
use super::callback::{Callback, CallbackError, check_patience};
use super::client::{Authentication, Registration};
use super::discovery::{Discovery, DiscoveryError, Metadata};
use super::error::SignInError;
use super::id_token::IdToken;
use super::id_token_claims::{self, Expected, IdTokenError, LEEWAY_S};
use super::issuer::Issuer;
use super::logout_token::{self, LogoutToken, LogoutTokenError};
use super::pending::PendingSignIn;
use super::provider_keys::ProviderKeys;
use super::signed_jwt::{SignedJwtError, VerifiedJwt};
use super::user_info::user_info;
use super::{assurance, signed_jwt};
use crate::assertion::{ClientAssertion, DEFAULT_LIFETIME_S, Statement};
use crate::entropy::unguessable;
use crate::key::base64url;
use crate::token::{Body, Form, Grant, Means};
use crate::wire::Wire;
use crate::{AccessToken, ClockSkew, SigningKey, TokenClient};

/// CIS2 or NHS login, as an application signs its users in with it.
pub trait RelyingParty: Clone + fmt::Debug + Send + Sync + sealed::Sealed + 'static {
    /// Which of the two it is.
    fn provider(&self) -> IdentityProvider;

    /// The provider's issuer.
    fn issuer(&self) -> &Issuer;

    /// How far our clock is from the provider's, as its last answer showed.
    fn clock_skew(&self) -> ClockSkew;
}

pub(super) mod sealed {
    /// There are two, and an application can't add one.
    pub trait Sealed {}
}

/// A client of a provider.
#[derive(Debug)]
pub(super) struct Party {
    provider: IdentityProvider,
    issuer: Issuer,
    registration: Registration,
    /// What ID tokens may be signed with.
    algorithms: &'static [SignatureAlgorithm],
    tokens: TokenClient,
    discovery: Discovery,
    keys: ProviderKeys,
}

/// What was proven at the end of a sign-in.
pub(super) struct Proven {
    pub(super) id_token: IdToken,
    /// `None` when the provider has no user info.
    pub(super) user_info: Option<Map<String, Value>>,
    pub(super) asked: Asked,
}

impl Party {
    pub(super) fn new(
        provider: IdentityProvider,
        issuer: Issuer,
        registration: Registration,
        algorithms: &'static [SignatureAlgorithm],
        tokens: TokenClient,
    ) -> Self {
        Self {
            provider,
            issuer,
            registration,
            algorithms,
            tokens,
            discovery: Discovery::default(),
            keys: ProviderKeys::default(),
        }
    }

    pub(super) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(super) fn clock_skew(&self) -> ClockSkew {
        self.wire().skew()
    }

    fn wire(&self) -> &Wire {
        self.tokens.wire()
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, DiscoveryError> {
        self.discovery.metadata(&self.issuer, self.wire()).await
    }

    /// Begins a sign-in (OpenID Connect Core 1.0 §3.1.2.1) with these parameters beside the ones
    /// that each has.
    pub(super) async fn begin(
        &self,
        parameters: &[(&str, String)],
        asked: Asked,
    ) -> Result<BegunSignIn, SignInError> {
        let metadata = self.metadata().await?;
        let entropy = &*self.wire().entropy;
        let pending = PendingSignIn {
            issuer: metadata.issuer.clone(),
            client_id: self.registration.client_id.clone(),
            redirect_uri: self.registration.redirect_uri.as_str().to_owned(),
            state: Zeroizing::new(unguessable(entropy)),
            nonce: Zeroizing::new(unguessable(entropy)),
            code_verifier: metadata.takes_pkce.then(|| Zeroizing::new(unguessable(entropy))),
            asked,
            begun_at_ms: self.wire().clock.now().0,
        };
        let mut url = metadata.authorization_endpoint.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &pending.client_id)
                .append_pair("redirect_uri", &pending.redirect_uri)
                .append_pair("state", &pending.state)
                .append_pair("nonce", &pending.nonce);
            for (name, value) in parameters {
                query.append_pair(name, value);
            }
            if let Some(verifier) = &pending.code_verifier {
                let challenge = base64url(digest(&SHA256, verifier.as_bytes()).as_ref());
                query
                    .append_pair("code_challenge", &challenge)
                    .append_pair("code_challenge_method", "S256");
            }
        }
        Ok(BegunSignIn { url: url.into(), pending })
    }

    /// Ends a sign-in with what the browser came back with.
    pub(super) async fn complete(
        &self,
        pending: PendingSignIn,
        callback: &Callback,
    ) -> Result<Proven, SignInError> {
        let metadata = self.metadata().await?;
        self.check_callback(&pending, callback, &metadata)?;
        if let Some(error) = &callback.error {
            return Err(SignInError::refused(error, callback.error_description.as_deref()));
        }
        let code = callback.code().ok_or(CallbackError::NoCode)?;
        let redemption = Redemption {
            registration: &self.registration,
            token_endpoint: &metadata.token_endpoint,
            code,
            code_verifier: pending.code_verifier.as_ref().map(|verifier| &***verifier),
        };
        let issued = self.tokens.ask(&redemption).await.map_err(SignInError::Code)?;
        let access_token = issued.access_token;
        let Some(Value::String(compact)) = issued.others.get("id_token") else {
            return Err(IdTokenError::NotThere.into());
        };
        let id_token = self.validate(compact, &pending, &access_token, code, &metadata).await?;
        let user_info = match &metadata.userinfo_endpoint {
            Some(url) => {
                Some(user_info(self.wire(), url, &access_token, id_token.subject()).await?)
            }
            None => None,
        };
        Ok(Proven { id_token, user_info, asked: pending.asked })
    }

    /// Whether this is the browser's coming back from this sign-in, at this provider.
    fn check_callback(
        &self,
        pending: &PendingSignIn,
        callback: &Callback,
        metadata: &Metadata,
    ) -> Result<(), CallbackError> {
        if pending.issuer != metadata.issuer {
            return Err(CallbackError::OtherProvider {
                begun_at: pending.issuer.clone(),
                here: metadata.issuer.clone(),
            });
        }
        let Registration { client_id, redirect_uri, .. } = &self.registration;
        if pending.client_id != *client_id || pending.redirect_uri != redirect_uri.as_str() {
            return Err(CallbackError::OtherClient);
        }
        callback.check_state(&pending.state)?;
        let found = callback.iss.as_deref();
        let is_of_another = match found {
            Some(iss) => iss != metadata.issuer,
            None => metadata.names_itself,
        };
        if is_of_another {
            return Err(CallbackError::OtherIssuer {
                found: signed_jwt::shown(found.unwrap_or_default()),
                expected: metadata.issuer.clone(),
            });
        }
        check_patience(pending.begun_at(), self.wire().clock.now())
    }

    async fn validate(
        &self,
        compact: &str,
        pending: &PendingSignIn,
        access_token: &AccessToken,
        code: &str,
        metadata: &Metadata,
    ) -> Result<IdToken, IdTokenError> {
        let jwt = self.verified(compact, metadata).await?;
        let expected = Expected {
            issuer: &metadata.issuer,
            client_id: &self.registration.client_id,
            nonce: &pending.nonce,
            access_token: access_token.expose(),
            code,
            algorithm: jwt.algorithm,
            now_s: self.wire().now().to_seconds().0,
        };
        id_token_claims::check(&jwt.claims, &expected)?;
        // By what the provider's latest answer said of its clock.
        let begun_at_s = self.clock_skew().applied_to(pending.begun_at()).to_seconds().0;
        assurance::check(&pending.asked, &jwt.claims, begun_at_s, LEEWAY_S)?;
        IdToken::validated(self.provider, compact.to_owned(), jwt.claims)
            .ok_or(IdTokenError::Missing("sub"))
    }

    async fn verified(
        &self,
        compact: &str,
        metadata: &Metadata,
    ) -> Result<VerifiedJwt, SignedJwtError> {
        let jwks_uri = &metadata.jwks_uri;
        signed_jwt::verify(compact, self.algorithms, &self.keys, jwks_uri, self.wire()).await
    }

    pub(super) async fn logout_token(
        &self,
        compact: &str,
    ) -> Result<LogoutToken, LogoutTokenError> {
        let metadata = self.metadata().await?;
        let jwt = self.verified(compact, &metadata).await?;
        let UnixSeconds(now_s) = self.wire().now().to_seconds();
        logout_token::check(&jwt.claims, &metadata.issuer, &self.registration.client_id, now_s)
    }
}

/// A code to be redeemed (OpenID Connect Core 1.0 §3.1.3.1), by the provider's rules and never the
/// platform's: `iss` and `sub` are the client id, `aud` is the endpoint to the letter.
struct Redemption<'a> {
    registration: &'a Registration,
    token_endpoint: &'a str,
    code: &'a str,
    code_verifier: Option<&'a str>,
}

impl Grant for Redemption<'_> {
    fn url(&self) -> &str {
        self.token_endpoint
    }

    fn works_once(&self) -> bool {
        true
    }

    fn form<'a>(&'a self, means: Means<'a>) -> Body<'a> {
        Box::pin(async move {
            let Registration { client_id, redirect_uri, authentication } = self.registration;
            let form = Form::of_grant("authorization_code")
                .with("code", self.code)
                .with("redirect_uri", redirect_uri.as_str())
                .with_some("code_verifier", self.code_verifier)
                .with("client_id", client_id);
            let form = match authentication {
                Authentication::Secret(secret) => form.with("client_secret", secret.expose()),
                Authentication::Key(key) => {
                    let SigningKey { kid, signer } = key.keys.current().await?;
                    let now = means.skew.applied_to(means.clock.now()).to_seconds();
                    let statement = Statement {
                        algorithm: key.algorithm,
                        kid: &kid,
                        client: client_id,
                        audience: self.token_endpoint,
                        jti: means.entropy.uuid().to_string(),
                        issued_at: Some(now),
                        expires_at: now.plus(i64::from(DEFAULT_LIFETIME_S)),
                    };
                    let assertion = ClientAssertion::sign_statement(statement, &*signer);
                    form.with_assertion(assertion.await?)
                }
            };
            Ok(form.into_bytes())
        })
    }
}
