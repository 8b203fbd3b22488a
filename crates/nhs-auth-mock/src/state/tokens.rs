//! The access tokens that were issued.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest;
use nhs_auth_rules::UnixMillis;

use super::lock;
use crate::random;

/// The most tokens that are remembered, expired ones included.
const MOST: usize = 262_144;

/// How long an expired token is still known to have been one: a day.
const EXPIRED_MEMORY_MS: i64 = 24 * 60 * 60 * 1000;

/// The length of an access token, as they are seen in practice.
const LENGTH: usize = 28;

type Digest = [u8; 16];

/// The access tokens that were issued, each as half its SHA-256: the tokens themselves are the
/// clients' alone.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Issued>);

#[derive(Default)]
struct Issued {
    by_digest: HashMap<Digest, Grant>,
    in_order: VecDeque<Digest>,
}

/// What a token stands for.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) application_id: Arc<str>,
    pub(crate) expires_at: UnixMillis,
}

impl Tokens {
    /// Issues a token.
    pub(crate) fn issue(&self, grant: Grant) -> String {
        let token = random::alphanumeric(LENGTH);
        let digest = digest(&token);
        let issued = &mut *lock(&self.0);
        if issued.in_order.len() >= MOST
            && let Some(oldest) = issued.in_order.pop_front()
        {
            issued.by_digest.remove(&oldest);
        }
        issued.by_digest.insert(digest, grant);
        issued.in_order.push_back(digest);
        token
    }

    /// What that token stands for, or stood for: it may have expired.
    pub(crate) fn find(&self, token: &str, now: UnixMillis) -> Option<Grant> {
        let grant = lock(&self.0).by_digest.get(&digest(token))?.clone();
        (now < grant.expires_at.plus(EXPIRED_MEMORY_MS)).then_some(grant)
    }

    pub(crate) fn clear(&self) {
        *lock(&self.0) = Issued::default();
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

fn digest(token: &str) -> Digest {
    let whole = digest::digest(&digest::SHA256, token.as_bytes());
    std::array::from_fn(|at| whole.as_ref()[at])
}
