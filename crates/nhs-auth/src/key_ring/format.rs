//! The ring's file: JSON, versioned, the same bytes for the same ring. Documented in
//! `docs/reference/key-ring.md`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth_rules::Kid;
use nhs_auth_rules::rotation::Freshness;
use serde::{Deserialize, Serialize};

use super::content::{PublishedSet, RingContent, RingSettings, UnsoundRing};
use super::key::{KeyPlace, KeyState, Published, RingKey};
use super::moment::Moment;
use super::publication::PublishTo;
use crate::key::base64url;
use crate::{KeyUri, PublicKey};

const SCHEMA: u32 = 1;

/// Why a file is no key ring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingFormatError {
    /// It is not JSON, or not of this form.
    #[error("{0}")]
    Form(String),
    /// It is of another version of the form.
    #[error("it is of schema {0}, and this program knows {SCHEMA}")]
    Schema(u64),
    /// One key's entry can't be used.
    #[error("the key `{kid}` can't be used: {reason}")]
    Key {
        /// Its name.
        kid: String,
        /// Why.
        reason: String,
    },
    /// The keys don't make a ring.
    #[error(transparent)]
    Unsound(#[from] UnsoundRing),
}

impl RingContent {
    /// As a file's text, which ends with a line break.
    pub fn to_json(&self) -> String {
        let document = Document {
            schema: SCHEMA,
            kid_prefix: self.settings.kid_prefix.clone(),
            rotate_every_s: self.settings.rotate_every.as_secs(),
            publish_to: self.settings.publish_to.to_string(),
            keys_at: self.settings.keys_at.as_ref().map(|uri| uri.expose().to_owned()),
            published: self
                .published
                .as_ref()
                .map(|set| Set { digest: set.digest.clone(), since: set.since.clone() }),
            keys: self.keys.iter().map(Entry::of).collect(),
        };
        let text = serde_json::to_string_pretty(&document);
        text.expect("strings and numbers can always be written as JSON") + "\n"
    }

    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// [`KeyRingFormatError`], which says what is wrong with it.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyRingFormatError> {
        let form = |error: serde_json::Error| KeyRingFormatError::Form(error.to_string());
        let version: Version = serde_json::from_slice(text).map_err(form)?;
        if version.schema != u64::from(SCHEMA) {
            return Err(KeyRingFormatError::Schema(version.schema));
        }
        let document: Document = serde_json::from_slice(text).map_err(form)?;
        let keys_at = document.keys_at.as_deref().map(KeyUri::parse).transpose();
        let settings = RingSettings {
            kid_prefix: document.kid_prefix,
            rotate_every: Duration::from_secs(document.rotate_every_s),
            publish_to: PublishTo::parse(&document.publish_to),
            keys_at: keys_at
                .map_err(|error| KeyRingFormatError::Form(format!("`keys_at`: {error}")))?,
        };
        let keys = document.keys.into_iter().map(Entry::into_key).collect::<Result<_, _>>()?;
        let published =
            document.published.map(|set| PublishedSet { digest: set.digest, since: set.since });
        Ok(Self::new(settings, keys, published)?)
    }
}

#[derive(Deserialize)]
struct Version {
    schema: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    kid_prefix: String,
    rotate_every_s: u64,
    publish_to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published: Option<Set>,
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    digest: String,
    since: Moment,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kid: String,
    state: State,
    since: Moment,
    made: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published: Option<Seen>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaked: bool,
    private_key: String,
    n: String,
    e: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Announced,
    Active,
    Retiring,
    Retired,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    since: Moment,
    url: Url,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Url {
    Known,
    New,
}

impl Entry {
    fn of(key: &RingKey) -> Self {
        let (state, published) = match &key.state {
            KeyState::Announced { published, .. } => (State::Announced, published.as_ref()),
            KeyState::Active { .. } => (State::Active, None),
            KeyState::Retiring { .. } => (State::Retiring, None),
            KeyState::Retired { .. } => (State::Retired, None),
        };
        Self {
            kid: key.kid.as_str().to_owned(),
            state,
            since: key.state.since().clone(),
            made: key.made.clone(),
            published: published.map(|published| Seen {
                since: published.since.clone(),
                url: match published.freshness {
                    Freshness::NewUrl => Url::New,
                    _ => Url::Known,
                },
            }),
            leaked: key.leaked,
            private_key: match &key.place {
                KeyPlace::File(name) => name.clone(),
                KeyPlace::Uri(uri) => uri.expose().to_owned(),
            },
            n: base64url(key.public_key.modulus()),
            e: base64url(key.public_key.exponent()),
        }
    }

    fn into_key(self) -> Result<RingKey, KeyRingFormatError> {
        let unusable = |reason: String| KeyRingFormatError::Key { kid: self.kid.clone(), reason };
        let kid = Kid::parse(&self.kid).map_err(|error| unusable(error.to_string()))?;
        let since = self.since;
        let state = match (self.state, self.published) {
            (State::Announced, published) => KeyState::Announced {
                since,
                published: published.map(|seen| Published {
                    since: seen.since,
                    freshness: match seen.url {
                        Url::Known => Freshness::KnownUrl,
                        Url::New => Freshness::NewUrl,
                    },
                }),
            },
            (_, Some(_)) => {
                return Err(unusable("`published` is for announced keys alone".to_owned()));
            }
            (State::Active, None) => KeyState::Active { since },
            (State::Retiring, None) => KeyState::Retiring { since },
            (State::Retired, None) => KeyState::Retired { since },
        };
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let public_key = number(&self.n)
            .zip(number(&self.e))
            .and_then(|(n, e)| PublicKey::from_components(&n, &e).ok())
            .ok_or_else(|| unusable("its `n` and `e` are no public key".to_owned()))?;
        let place = match KeyUri::parse(&self.private_key) {
            Ok(uri) => KeyPlace::Uri(uri),
            Err(_) if is_a_file_name(&self.private_key) => KeyPlace::File(self.private_key),
            Err(_) => {
                return Err(unusable(
                    "`private_key` is neither a URI nor the name of a file beside the ring"
                        .to_owned(),
                ));
            }
        };
        Ok(RingKey { kid, public_key, place, made: self.made, state, leaked: self.leaked })
    }
}

/// A name in the ring's own folder, and no way out of it.
pub(super) fn is_a_file_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SystemClock;

    fn ring() -> RingContent {
        let settings = RingSettings {
            kid_prefix: "int".to_owned(),
            rotate_every: Duration::from_hours(24),
            publish_to: PublishTo::Echo,
            keys_at: KeyUri::parse("awskms:").ok(),
        };
        let mut ring = RingContent::empty(settings);
        let now = Moment::now(&SystemClock);
        for (number, name) in [(1, "int-1"), (2, "int-2")] {
            let key = PublicKey::from_components(&[0xc1, 2, 3, number], &[1, 0, 1]).unwrap();
            let place = KeyPlace::File(format!("{name}.pem"));
            ring.announce(Kid::parse(name).unwrap(), key, place, &now).unwrap();
            ring.publish(&now);
            ring.activate(&Kid::parse(name).unwrap(), &now).unwrap();
        }
        ring
    }

    #[test]
    fn what_is_written_is_read() {
        let ring = ring();
        assert_eq!(RingContent::from_json(ring.to_json().as_bytes()).unwrap(), ring);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is done to a file, it is a ring or an error, and a ring comes back as it is.
        #[test]
        fn no_file_is_too_much(at in 0_usize..4000, byte in any::<u8>(), length in 0_usize..40) {
            let mut text = ring().to_json().into_bytes();
            let at = at % text.len();
            let end = (at + length).min(text.len());
            text.splice(at..end, [byte]);
            if let Ok(ring) = RingContent::from_json(&text) {
                prop_assert_eq!(RingContent::from_json(ring.to_json().as_bytes()).unwrap(), ring);
            }
        }
    }
}
