//! Client assertions, good unless told otherwise.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::key::Key;

/// The name that the usual key is registered under.
pub(crate) const KID: &str = "test-1";

/// A client assertion before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    header: Value,
    payload: Value,
}

impl Assertion {
    pub(crate) fn new(api_key: &str, token_url: &str, now_ms: i64) -> Self {
        Self {
            header: json!({"alg": "RS512", "typ": "JWT", "kid": KID}),
            payload: json!({
                "iss": api_key,
                "sub": api_key,
                "aud": token_url,
                "jti": new_jti(),
                "exp": now_ms / 1000 + 150,
            }),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload[name] = value.into();
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.payload.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn jti(&self) -> String {
        self.payload["jti"].as_str().unwrap().to_owned()
    }

    pub(crate) fn sign(&self, key: &Key) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&self.header), part(&self.payload));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// One that was never used.
pub(crate) fn new_jti() -> String {
    static LATEST: AtomicU64 = AtomicU64::new(0);
    format!("jti-{}", LATEST.fetch_add(1, Ordering::Relaxed))
}
