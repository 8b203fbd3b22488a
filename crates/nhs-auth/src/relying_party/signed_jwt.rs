//! A JWT that a provider signed: an ID token, or a logout token (RFC 7515, RFC 8725).

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
};
use nhs_auth_rules::{Jwk, Jwt, SignatureAlgorithm};
use serde_json::{Map, Value};

use super::discovery::FetchError;
use super::provider_keys::{NoKey, ProviderKeys};
use crate::ErrorClass;
use crate::wire::Wire;

/// A longer token is none.
const LONGEST: usize = 64 * 1024;

/// More keys without a name than this are not tried one after another.
const MOST_KEYS: usize = 8;

/// The claims of a JWT whose signature has been verified.
pub(super) struct VerifiedJwt {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) claims: Map<String, Value>,
}

/// Why a JWT is not one that the provider signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedJwtError {
    /// An algorithm that is not taken: `none`, a shared secret, or another than is agreed.
    #[error("`alg` is {found}, and {taken} is taken here")]
    Algorithm {
        /// What the header says.
        found: String,
        /// What is taken.
        taken: String,
    },
    /// It doesn't decode.
    #[error("it is not a JWT: {0}")]
    Malformed(String),
    /// The provider's key set can't be had.
    #[error("the provider's key set can't be had: {0}")]
    KeysUnavailable(FetchError),
    /// The provider's key set has no such key.
    #[error("the provider's key set has no key `{0}`")]
    UnknownKey(String),
    /// The provider's key did not make this signature.
    #[error("the signature is not the provider's")]
    Signature,
}

impl SignedJwtError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::KeysUnavailable(_) => ErrorClass::Unavailable,
            _ => ErrorClass::Refused,
        }
    }
}

/// Verifies a JWT by one of the provider's keys. The algorithm is one of those that are agreed,
/// whatever the header asks for.
pub(super) async fn verify(
    compact: &str,
    algorithms: &[SignatureAlgorithm],
    keys: &ProviderKeys,
    jwks_uri: &str,
    wire: &Wire,
) -> Result<VerifiedJwt, SignedJwtError> {
    if compact.len() > LONGEST {
        return Err(SignedJwtError::Malformed(format!("it is longer than {LONGEST} bytes")));
    }
    let jwt = Jwt::decode(compact);
    let (Ok(header), Ok(payload), Ok(signature), 3) =
        (&jwt.header.content, &jwt.payload.content, &jwt.signature.content, jwt.part_count)
    else {
        return Err(SignedJwtError::Malformed(match jwt.damage() {
            Some((_, damage)) => damage.to_string(),
            None => format!("it has {} parts", jwt.part_count),
        }));
    };
    let text = |name: &str| header.get(name).and_then(|it| it.as_str().map(String::from));
    let algorithm = agreed(text("alg").as_deref(), algorithms)?;
    if header.get("crit").is_some() {
        return Err(SignedJwtError::Malformed("it has `crit`, which is not known here".into()));
    }
    let kid = text("kid");
    let candidates =
        keys.candidates(kid.as_deref(), jwks_uri, wire).await.map_err(|none| match none {
            NoKey::Unavailable(error) => SignedJwtError::KeysUnavailable(error),
            NoKey::Unknown => SignedJwtError::UnknownKey(shown(kid.as_deref().unwrap_or("?"))),
        })?;
    let message = jwt.signing_input();
    let is_signed = candidates
        .iter()
        .filter(|key| is_for(key, algorithm))
        .take(MOST_KEYS)
        .any(|key| verifies(key, algorithm, message, signature));
    if !is_signed {
        return Err(SignedJwtError::Signature);
    }
    let claims = serde_json::from_str(payload.text())
        .map_err(|error| SignedJwtError::Malformed(error.to_string()))?;
    Ok(VerifiedJwt { algorithm, claims })
}

fn agreed(
    alg: Option<&str>,
    algorithms: &[SignatureAlgorithm],
) -> Result<SignatureAlgorithm, SignedJwtError> {
    let named = alg.and_then(SignatureAlgorithm::named);
    named.filter(|algorithm| algorithms.contains(algorithm)).ok_or_else(|| {
        let taken: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
        SignedJwtError::Algorithm {
            found: alg.map_or_else(|| "missing".to_owned(), |alg| format!("`{}`", shown(alg))),
            taken: taken.join(" or "),
        }
    })
}

/// Whether a key is for signatures by that algorithm, as far as it says (RFC 7517 §4.2, §4.4).
fn is_for(key: &Jwk, algorithm: SignatureAlgorithm) -> bool {
    let says = |name: &str, value: &str| key.text(name).is_none_or(|own| own == value);
    key.is_rsa() && says("use", "sig") && says("alg", algorithm.name())
}

fn verifies(key: &Jwk, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
    let parameters = match algorithm {
        SignatureAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => return false,
    };
    let (Some(n), Some(e)) = (key.bytes("n"), key.bytes("e")) else { return false };
    RsaPublicKeyComponents { n: &n, e: &e }.verify(parameters, message, signature).is_ok()
}

/// What somebody else wrote, fit to be shown.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
