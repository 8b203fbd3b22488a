//! Client assertions, good unless told otherwise.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::jwt::Jwt;

/// The name that the usual key is registered under.
pub(crate) const KID: &str = "test-1";

/// A client assertion before it is signed.
pub(crate) type Assertion = Jwt;

/// An assertion that the platform takes.
pub(crate) fn good(api_key: &str, token_url: &str, now_ms: i64) -> Assertion {
    Assertion::new(
        json!({"alg": "RS512", "typ": "JWT", "kid": KID}),
        json!({
            "iss": api_key,
            "sub": api_key,
            "aud": token_url,
            "jti": new_jti(),
            "exp": now_ms / 1000 + 150,
        }),
    )
}

/// One that was never used.
pub(crate) fn new_jti() -> String {
    static LATEST: AtomicU64 = AtomicU64::new(0);
    format!("jti-{}", LATEST.fetch_add(1, Ordering::Relaxed))
}
