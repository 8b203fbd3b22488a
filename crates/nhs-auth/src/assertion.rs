//! The client assertion (RFC 7523 §2.2): a JWT that proves, once, that its sender has the key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth_rules::{ApiKey, Kid, UnixSeconds};
use secrecy::SecretString;
use serde::Serialize;

use crate::{SignError, Signer, SigningAlgorithm};

/// How long an assertion lives unless told otherwise, in seconds. The platform accepts up to 310
/// from now; the middle survives a clock that is wrong by 150 seconds either way.
pub const DEFAULT_LIFETIME_S: u32 = 150;

/// What an assertion says.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the claims of an assertion, which its maker gives")]
pub struct AssertionClaims<'a> {
    /// The application's API key: `iss` and `sub`.
    pub api_key: &'a ApiKey,
    /// The token endpoint's URL: `aud`.
    pub audience: &'a str,
    /// The name under which the signing key is registered: the header's `kid`.
    pub kid: &'a Kid,
    /// A value never used before: `jti`.
    pub jti: String,
    /// When it stops being valid: `exp`.
    pub expires_at: UnixSeconds,
}

/// What any server's assertion says, whoever the client is there.
pub(crate) struct Statement<'a> {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) kid: &'a Kid,
    /// `iss` and `sub`.
    pub(crate) client: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) jti: String,
    pub(crate) issued_at: Option<UnixSeconds>,
    pub(crate) expires_at: UnixSeconds,
}

/// A signed assertion, for one attempt.
///
/// It can't be copied, and sending it consumes it: the platform burns a `jti` before it looks at
/// the signature, so an assertion that was sent once is of no more use, and sending it again would
/// hide the answer to the first attempt behind "Non-unique 'jti'".
pub struct ClientAssertion {
    compact: SecretString,
    jti: String,
    expires_at: UnixSeconds,
}

impl ClientAssertion {
    /// Signs an assertion for the platform, with RS512. The same claims and key give the same bytes.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the signer gives no signature.
    pub async fn sign(claims: AssertionClaims<'_>, signer: &dyn Signer) -> Result<Self, SignError> {
        let AssertionClaims { api_key, audience, kid, jti, expires_at } = claims;
        let statement = Statement {
            algorithm: SigningAlgorithm::Rs512,
            kid,
            client: api_key.as_str(),
            audience,
            jti,
            issued_at: None,
            expires_at,
        };
        Self::sign_statement(statement, signer).await
    }

    pub(crate) async fn sign_statement(
        statement: Statement<'_>,
        signer: &dyn Signer,
    ) -> Result<Self, SignError> {
        let Statement { algorithm, kid, client, audience, jti, issued_at, expires_at } = statement;
        let header = Header { alg: algorithm.name(), typ: "JWT", kid: kid.as_str() };
        let payload = Payload {
            iss: client,
            sub: client,
            aud: audience,
            jti: &jti,
            iat: issued_at.map(|at| at.0),
            exp: expires_at.0,
        };
        let mut compact = format!("{}.{}", encoded(&header), encoded(&payload));
        let signature = signer.sign(algorithm, compact.as_bytes()).await?;
        compact.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_bytes(), &mut compact);
        Ok(Self { compact: compact.into(), jti, expires_at })
    }

    /// Its `jti`.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// Its `exp`.
    pub fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }

    /// The JWT in compact form, to be sent once by whoever takes it.
    pub fn into_compact(self) -> SecretString {
        self.compact
    }
}

impl fmt::Debug for ClientAssertion {
    /// Without the JWT: whoever has it can get a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAssertion")
            .field("jti", &self.jti)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    exp: i64,
}

fn encoded(part: &impl Serialize) -> String {
    let json = serde_json::to_vec(part).expect("strings and a number can always be written");
    URL_SAFE_NO_PAD.encode(json)
}
