//! The keys that the identity providers sign with.

use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use nhs_auth_rules::IdentityProvider;
use serde_json::{Map, Value, json};

use crate::random;
use crate::state::lock;

/// A key with its name, and the algorithm that its provider signs with.
pub(crate) struct SigningKey {
    pair: KeyPair,
    kid: String,
    algorithm: &'static str,
}

/// Each provider's key. It is made when it is first asked for.
#[derive(Default)]
pub(crate) struct Keys {
    cis2: Mutex<Option<Arc<SigningKey>>>,
    nhs_login: Mutex<Option<Arc<SigningKey>>>,
}

impl Keys {
    /// The key that the provider signs with now.
    pub(crate) fn current(&self, provider: IdentityProvider) -> Arc<SigningKey> {
        let mut key = lock(self.slot(provider));
        Arc::clone(key.get_or_insert_with(|| Arc::new(SigningKey::generate(provider))))
    }

    /// Other keys take the place of the present ones, which are gone from the key sets at once.
    pub(crate) fn rotate(&self) {
        *lock(&self.cis2) = None;
        *lock(&self.nhs_login) = None;
    }

    /// The key that there is, as PKCS#8, with its name; `None` when none was needed yet.
    pub(crate) fn saved(&self, provider: IdentityProvider) -> Option<(String, Vec<u8>)> {
        let key = lock(self.slot(provider)).clone()?;
        let der: Pkcs8V1Der<'_> = key.pair.as_der().ok()?;
        Some((key.kid.clone(), der.as_ref().to_vec()))
    }

    /// Takes a key back.
    pub(crate) fn restore(
        &self,
        provider: IdentityProvider,
        kid: String,
        pkcs8: &[u8],
    ) -> Result<(), String> {
        let pair = KeyPair::from_pkcs8(pkcs8)
            .map_err(|error| format!("the key of {provider} can't be read: {error}"))?;
        let key = SigningKey { pair, kid, algorithm: algorithm_of(provider) };
        *lock(self.slot(provider)) = Some(Arc::new(key));
        Ok(())
    }

    fn slot(&self, provider: IdentityProvider) -> &Mutex<Option<Arc<SigningKey>>> {
        match provider {
            IdentityProvider::NhsLogin => &self.nhs_login,
            IdentityProvider::Cis2 => &self.cis2,
        }
    }
}

impl SigningKey {
    /// Makes a key: for RS512 at NHS login, for RS256 at CIS2, whose names of keys may have any
    /// character of base64.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    fn generate(provider: IdentityProvider) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("an RSA key can be made");
        let kid = match provider {
            IdentityProvider::NhsLogin => random::uuid(),
            IdentityProvider::Cis2 => STANDARD.encode(random::bytes::<20>()),
        };
        Self { pair, kid, algorithm: algorithm_of(provider) }
    }

    /// The key set of this key alone (RFC 7517 §5).
    pub(crate) fn jwks(&self) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{
            "kty": "RSA",
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
            "alg": self.algorithm,
            "kid": self.kid,
            "use": "sig",
        }]})
    }

    /// A JWT with those claims. `headers` go on top of the usual three; null leaves one out.
    pub(crate) fn sign(&self, headers: &Map<String, Value>, claims: &Map<String, Value>) -> String {
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(self.algorithm));
        header.insert("kid".to_owned(), json!(self.kid));
        header.insert("typ".to_owned(), json!("JWT"));
        overlay(&mut header, headers);
        let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or(self.algorithm);
        let encoding: &dyn RsaEncoding = match algorithm {
            "RS512" => &signature::RSA_PKCS1_SHA512,
            "RS256" => &signature::RSA_PKCS1_SHA256,
            _ if self.algorithm == "RS512" => &signature::RSA_PKCS1_SHA512,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        let part =
            |object: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(object).to_string());
        let message = [part(header), part(claims.clone())].join(".");
        let mut bytes = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut bytes)
            .expect("a buffer of the modulus's length takes a signature");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn algorithm_of(provider: IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::NhsLogin => "RS512",
        IdentityProvider::Cis2 => "RS256",
    }
}

/// Members on top of others; null takes one out.
pub(crate) fn overlay(object: &mut Map<String, Value>, members: &Map<String, Value>) {
    for (name, value) in members {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
