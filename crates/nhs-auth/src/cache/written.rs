//! A token as it is written down, in a file or in a store.

use std::time::Duration;

use nhs_auth_rules::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{AccessToken, IssuedToken};

const VERSION: u32 = 1;

/// No token lives longer.
const A_YEAR_S: u64 = 31_536_000;

/// A token as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Written {
    version: u32,
    access_token: Zeroizing<String>,
    token_type: String,
    expires_in_s: u64,
    requested_at_ms: i64,
    others: Map<String, Value>,
}

impl Written {
    /// `None` for a token of unknown lifetime, which serves nobody later.
    pub(super) fn bytes_of(token: &IssuedToken) -> Option<Zeroizing<Vec<u8>>> {
        let written = Self {
            version: VERSION,
            access_token: token.access_token.expose().to_owned().into(),
            token_type: token.token_type.clone(),
            expires_in_s: token.expires_in?.as_secs(),
            requested_at_ms: token.requested_at.0,
            others: token.others.clone(),
        };
        let json = serde_json::to_vec(&written).expect("a token can always be written as JSON");
        Some(Zeroizing::new(json))
    }

    /// `None` for anything else.
    pub(super) fn token_in(bytes: &[u8]) -> Option<IssuedToken> {
        let mut written: Self = serde_json::from_slice(bytes).ok()?;
        if written.version != VERSION || written.expires_in_s > A_YEAR_S {
            return None;
        }
        Some(IssuedToken {
            access_token: AccessToken::new(std::mem::take(&mut *written.access_token))?,
            token_type: written.token_type,
            expires_in: Some(Duration::from_secs(written.expires_in_s)),
            requested_at: UnixMillis(written.requested_at_ms),
            others: written.others,
        })
    }
}
