//! The clients' key sets, with the platform's habits: fetched by the registered URL, kept for an
//! hour by that URL whatever they hold, and never fetched again for a `kid` that isn't there.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use nhs_auth_rules::limits::{JWKS_CACHE_S, JWKS_TIMEOUT_S};
use nhs_auth_rules::{Jwk, Jwks, UnixMillis};

use super::lock;
use crate::signature::PublicKey;

/// The most URLs whose answers are kept.
const MOST: usize = 1000;

/// The longest document that is taken. No limit of the platform's is known.
const LONGEST: usize = 1024 * 1024;

/// A key set, and its keys, each ready to verify once it has been asked for.
pub(crate) struct KeySet {
    pub(crate) jwks: Jwks,
    keys: Vec<PublicKey>,
}

impl KeySet {
    /// Reads a document. There is none that this refuses.
    pub(crate) fn parse(document: &str) -> Self {
        let jwks = Jwks::parse(document);
        let keys = jwks.keys.iter().map(|_| PublicKey::default()).collect();
        Self { jwks, keys }
    }

    /// One of this set's own keys.
    pub(crate) fn public_key(&self, jwk: &Jwk) -> Option<&PublicKey> {
        self.keys.get(jwk.index)
    }
}

/// The key sets that were fetched.
#[derive(Default)]
pub(crate) struct KeySets {
    by_url: Mutex<HashMap<String, Arc<Kept>>>,
}

/// What is kept for one URL.
#[derive(Default)]
struct Kept {
    answer: Mutex<Option<(UnixMillis, Arc<KeySet>)>>,
    attempts: AtomicU64,
    /// Held while the URL is being fetched, so that a crowd fetches it once.
    flight: tokio::sync::Mutex<()>,
}

impl KeySets {
    /// The key set at that URL, kept or fetched; `None` when it can't be reached.
    pub(crate) async fn fetch(&self, url: &str, now: UnixMillis) -> Option<Arc<KeySet>> {
        if !can_be_called(url) {
            return None;
        }
        let kept = self.kept(url, now);
        if let Some(key_set) = kept.fresh(now) {
            return Some(key_set);
        }
        let attempts = kept.attempts.load(Ordering::Acquire);
        let _flight = kept.flight.lock().await;
        if kept.attempts.load(Ordering::Acquire) != attempts {
            // Somebody fetched it while this request waited; a failure is shared too.
            return kept.fresh(now);
        }
        let document = get(url).await;
        kept.attempts.fetch_add(1, Ordering::Release);
        let key_set = Arc::new(KeySet::parse(&document?));
        *lock(&kept.answer) = Some((now, Arc::clone(&key_set)));
        Some(key_set)
    }

    /// The document that is kept for that URL, fresh or not, as far as it was a key set.
    pub(crate) fn document(&self, url: &str) -> Option<String> {
        let kept = lock(&self.by_url).get(url).cloned()?;
        let answer = lock(&kept.answer);
        let (_, key_set) = answer.as_ref()?;
        let objects = key_set.jwks.keys.iter().filter_map(|key| key.object.as_ref());
        let keys: Vec<_> = objects.map(nhs_auth_rules::json::Object::text).collect();
        (!keys.is_empty()).then(|| format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
    }

    pub(crate) fn clear(&self) {
        lock(&self.by_url).clear();
    }

    fn kept(&self, url: &str, now: UnixMillis) -> Arc<Kept> {
        let mut by_url = lock(&self.by_url);
        if let Some(kept) = by_url.get(url) {
            return Arc::clone(kept);
        }
        if by_url.len() >= MOST {
            by_url.retain(|_, kept| kept.fresh(now).is_some());
        }
        if by_url.len() >= MOST {
            by_url.clear();
        }
        Arc::clone(by_url.entry(url.to_owned()).or_default())
    }
}

impl Kept {
    fn fresh(&self, now: UnixMillis) -> Option<Arc<KeySet>> {
        let answer = lock(&self.answer);
        let (fetched_at, key_set) = answer.as_ref()?;
        (now.0 - fetched_at.0 < JWKS_CACHE_S * 1000).then(|| Arc::clone(key_set))
    }
}

impl fmt::Debug for KeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySets").finish_non_exhaustive()
    }
}

/// Whether the platform can take the URL apart: `^(https?://[^/]+)(/.*)$`. It must have a path.
fn can_be_called(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.and_then(|rest| rest.find('/')).is_some_and(|slash| slash > 0)
        && !url.contains(['\n', '\r'])
}

/// The document at that URL, or `None`: no connection, no 2xx, too long, too late.
pub(super) async fn get(url: &str) -> Option<String> {
    let fetched = async {
        let mut response = client(url)?.get(url).send().await?.error_for_status()?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if document.len() + chunk.len() > LONGEST {
                return Ok(None);
            }
            document.extend_from_slice(&chunk);
        }
        Ok::<_, reqwest::Error>(Some(String::from_utf8_lossy(&document).into_owned()))
    };
    fetched.await.unwrap_or_else(|error| {
        tracing::debug!(url, %error, "a key set can't be reached");
        None
    })
}

/// The client for that URL: the machine's proxy is for hosts that are elsewhere.
fn client(url: &str) -> Result<reqwest::Client, reqwest::Error> {
    static DIRECT: OnceLock<reqwest::Client> = OnceLock::new();
    static PROXIED: OnceLock<reqwest::Client> = OnceLock::new();
    let is_here = reqwest::Url::parse(url).is_ok_and(|url| {
        url.host_str().is_some_and(|host| {
            let host = host.trim_matches(['[', ']']);
            host == "localhost"
                || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        })
    });
    let (slot, proxied) = if is_here { (&DIRECT, false) } else { (&PROXIED, true) };
    if let Some(client) = slot.get() {
        return Ok(client.clone());
    }
    let client = new_client(proxied)?;
    Ok(slot.get_or_init(|| client).clone())
}

#[expect(clippy::disallowed_methods, reason = "the one client of the mock; it bears no credential")]
fn new_client(proxied: bool) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .user_agent("APIM")
        .timeout(Duration::from_secs(JWKS_TIMEOUT_S))
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0);
    if proxied { builder } else { builder.no_proxy() }.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_must_have_a_path() {
        for url in
            ["https://example.org/", "http://127.0.0.1:8080/jwks.json", "https://example.org?x=/y"]
        {
            assert!(can_be_called(url), "{url}");
        }
        for url in [
            "",
            "https://example.org",
            "example.org/jwks.json",
            "ftp://example.org/jwks",
            "https:///jwks",
            "HTTPS://example.org/",
        ] {
            assert!(!can_be_called(url), "{url}");
        }
    }
}
