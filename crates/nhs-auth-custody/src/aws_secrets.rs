//! Secrets in AWS Secrets Manager.

mod reference;

use aws_sdk_secretsmanager::Client;
use nhs_auth::CustodyErrorKind;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::aws::{AwsAccessKey, Failure, failure_of};
pub use reference::{AwsSecretRef, InvalidAwsSecretRef};

/// What Secrets Manager itself keeps at most, in bytes.
const LARGEST: usize = 64 * 1024;

/// Reads secrets out of AWS Secrets Manager.
///
/// Region, credentials and waiting are as for [`AwsKms`](crate::AwsKms), where that is built; the
/// permission is `secretsmanager:GetSecretValue`.
#[derive(Clone, Debug, Default)]
pub struct AwsSecrets {
    access_key: Option<AwsAccessKey>,
}

/// A secret could not be read. It holds nothing of the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AwsSecretError {
    /// It was not given.
    #[error("can't read the secret `{reference}`: {detail}")]
    NotGiven {
        /// Which secret.
        reference: String,
        /// What is the matter.
        kind: CustodyErrorKind,
        /// What AWS said of it.
        detail: String,
    },
    /// It is larger than any that is of use.
    #[error("the secret `{reference}` is larger than 64 KiB")]
    TooLarge {
        /// Which secret.
        reference: String,
    },
    /// It is binary.
    #[error("the secret `{reference}` is no text in UTF-8")]
    NotText {
        /// Which secret.
        reference: String,
    },
    /// It is no JSON object, or has no such member that is a string.
    #[error("the secret `{reference}` is no JSON object with the string `{member}`")]
    NoMember {
        /// Which secret.
        reference: String,
        /// The member.
        member: String,
    },
}

impl AwsSecrets {
    /// With credentials from where AWS's own tools look for them.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this credential for every secret.
    pub fn with_access_key(self, key: AwsAccessKey) -> Self {
        Self { access_key: Some(key) }
    }

    /// The newest version of a secret (`AWSCURRENT`), or a member of the JSON in it.
    ///
    /// # Errors
    ///
    /// [`AwsSecretError`].
    pub async fn read(&self, secret: &AwsSecretRef) -> Result<SecretString, AwsSecretError> {
        let reference = || secret.to_string();
        let text = self.text(secret).await.map_err(|Failure { kind, detail }| {
            AwsSecretError::NotGiven { reference: reference(), kind, detail }
        })?;
        let text = text.ok_or_else(|| AwsSecretError::NotText { reference: reference() })?;
        if text.len() > LARGEST {
            return Err(AwsSecretError::TooLarge { reference: reference() });
        }
        let Some(member) = &secret.member else { return Ok(SecretString::from(text.as_str())) };
        let found = member_of(&text, member);
        found.ok_or_else(|| AwsSecretError::NoMember {
            reference: reference(),
            member: member.clone(),
        })
    }

    /// `None` for what is no text.
    async fn text(&self, secret: &AwsSecretRef) -> Result<Option<Zeroizing<String>>, Failure> {
        let settings = secret.access.settings(self.access_key.as_ref(), "Secrets Manager").await?;
        let request = Client::new(&settings).get_secret_value().secret_id(&secret.id);
        let value = request.send().await.map_err(|error| failure_of(&error))?;
        if let Some(text) = value.secret_string {
            return Ok(Some(Zeroizing::new(text)));
        }
        let bytes = value.secret_binary.map(|bytes| Zeroizing::new(bytes.into_inner()));
        let text = bytes.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(text.map(|text| Zeroizing::new(text.to_owned())))
    }
}

impl AwsSecretError {
    /// Whether it may be gone when asked again, with nothing changed.
    pub fn is_passing(&self) -> bool {
        use CustodyErrorKind as Kind;
        let Self::NotGiven { kind, .. } = self else { return false };
        matches!(kind, Kind::Throttled | Kind::TimedOut | Kind::Unreachable)
    }
}

fn member_of(json: &str, member: &str) -> Option<SecretString> {
    let mut members: std::collections::HashMap<String, Member> = serde_json::from_str(json).ok()?;
    match members.remove(member)? {
        Member::Text(text) => Some(SecretString::from(text.as_str())),
        Member::Other(_) => None,
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Member {
    Text(Zeroizing<String>),
    Other(serde::de::IgnoredAny),
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_member_is_a_string() {
        let json = r#"{"pin":"01\u0032","tries":3,"more":{"pin":"4"}}"#;
        assert_eq!(member_of(json, "pin").unwrap().expose_secret(), "012");
        for member in ["tries", "more", "PIN"] {
            assert!(member_of(json, member).is_none(), "{member}");
        }
        assert!(member_of("012", "pin").is_none());
        assert!(member_of("[]", "pin").is_none());
    }
}
