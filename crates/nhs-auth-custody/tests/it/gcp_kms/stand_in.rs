//! A stand-in for Google Cloud KMS, written from its REST reference (v1).
//!
//! It has: keys made in the key ring that there is, their versions listed (in pages) and read,
//! public keys, and RS512 signatures of a hash, with the checksums of each; a new version that is
//! pending at first. Enumerations are numbers for whoever asks for that, and names for others. It
//! has no identities, no rotation, no labels, no import, and of filters `state=ENABLED` alone: a
//! refusal is planned as a fault.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::RsaKeyPair;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::faults::{self, Faults};
use crate::keys;

pub(crate) const RING: &str = "projects/nhs-1/locations/europe-west2/keyRings/apis";

pub(crate) const RSA_4096_SHA512: &str = "RSA_SIGN_PKCS1_4096_SHA512";

/// Names of enumerations, and their numbers.
const NUMBERS: [(&str, u64); 14] = [
    ("ENABLED", 1),
    ("DISABLED", 2),
    ("DESTROYED", 3),
    ("PENDING_GENERATION", 5),
    ("GENERATION_FAILED", 8),
    ("SOFTWARE", 1),
    ("HSM", 2),
    ("ENCRYPT_DECRYPT", 1),
    ("ASYMMETRIC_SIGN", 5),
    ("GOOGLE_SYMMETRIC_ENCRYPTION", 1),
    ("RSA_SIGN_PKCS1_2048_SHA256", 5),
    ("RSA_SIGN_PKCS1_4096_SHA256", 7),
    ("RSA_SIGN_PKCS1_4096_SHA512", 16),
    ("RSA_SIGN_PSS_4096_SHA512", 15),
];

pub(crate) struct StandIn {
    pub(crate) inner: Arc<Inner>,
    address: SocketAddr,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) faults: Faults,
    /// The versions of each key, the first of which is 1.
    keys: Mutex<BTreeMap<String, Vec<Version>>>,
    last_authorization: Mutex<String>,
    pub(crate) flaw: Mutex<Option<Flaw>>,
    /// What a new version becomes: the state after the looks at it that it is pending for.
    pub(crate) generation: Mutex<Generation>,
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) key: Arc<RsaKeyPair>,
    pub(crate) algorithm: &'static str,
    pub(crate) state: &'static str,
    pub(crate) protection: &'static str,
    /// How many looks at it are left before it is of that state.
    pub(crate) pending: u32,
}

#[derive(Clone, Copy)]
pub(crate) struct Generation {
    pub(crate) pending: u32,
    pub(crate) state: &'static str,
}

impl Default for Generation {
    fn default() -> Self {
        Self { pending: 2, state: "ENABLED" }
    }
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    /// A bit of the signature or public key is another than was summed.
    Bit,
    /// The hash's checksum was not looked at.
    UnverifiedHash,
    /// It is of another version.
    OtherName,
    /// Its checksum is right, and it was made by another key.
    OtherKey,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { inner, address }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URI of what has this name within the key ring.
    pub(crate) fn uri(&self, path: &str) -> String {
        format!("gcpkms:{RING}{path}?endpoint={}", self.origin())
    }

    pub(crate) fn holds(&self, key: &str, version: Version) {
        let name = format!("{RING}/cryptoKeys/{key}");
        self.inner.keys.lock().unwrap().entry(name).or_default().push(version);
    }

    pub(crate) fn versions(&self, key: &str) -> Vec<Version> {
        let name = format!("{RING}/cryptoKeys/{key}");
        self.inner.keys.lock().unwrap().get(&name).cloned().unwrap_or_default()
    }
}

impl Version {
    pub(crate) fn enabled(key: Arc<RsaKeyPair>) -> Self {
        Self {
            key,
            algorithm: RSA_4096_SHA512,
            state: "ENABLED",
            protection: "SOFTWARE",
            pending: 0,
        }
    }

    fn state(&self) -> &'static str {
        if self.pending > 0 { "PENDING_GENERATION" } else { self.state }
    }

    fn described(&self, name: &str) -> Value {
        json!({
            "name": name, "state": self.state(), "protectionLevel": self.protection,
            "algorithm": self.algorithm, "createTime": "2026-01-01T00:00:00Z",
        })
    }
}

impl Inner {
    /// The header `Authorization` of the last request, which is asked of nobody here.
    pub(crate) fn last_authorization(&self) -> String {
        self.last_authorization.lock().unwrap().clone()
    }

    fn create(&self, ring: &str, id: Option<&String>, asked: &Value) -> Response {
        if ring != RING {
            return error(404, "NOT_FOUND", &format!("KeyRing {ring} not found."));
        }
        let Some(id) = id else { return error(400, "INVALID_ARGUMENT", "no cryptoKeyId") };
        let template = &asked["versionTemplate"];
        let algorithm = name_of(&template["algorithm"], RSA_4096_SHA512);
        if name_of(&asked["purpose"], "ASYMMETRIC_SIGN").is_none() || algorithm.is_none() {
            return error(400, "INVALID_ARGUMENT", "this stand-in makes keys for RS512 alone");
        }
        let protection = name_of(&template["protectionLevel"], "HSM").unwrap_or("SOFTWARE");
        let name = format!("{ring}/cryptoKeys/{id}");
        let mut keys = self.keys.lock().unwrap();
        if keys.contains_key(&name) {
            return error(409, "ALREADY_EXISTS", &format!("CryptoKey {name} already exists."));
        }
        let Generation { pending, state } = *self.generation.lock().unwrap();
        let version = Version { state, pending, ..Version::enabled(keys::new_4096()) };
        keys.insert(name.clone(), vec![Version { protection, ..version }]);
        faults::json(200, &key(&name, protection))
    }

    fn list(&self, name: &str, query: &HashMap<String, String>) -> Response {
        let keys = self.keys.lock().unwrap();
        let Some(versions) = keys.get(name) else { return not_found(name) };
        let number = |name: &str| query.get(name).and_then(|it| it.parse::<usize>().ok());
        let (size, from) = (number("pageSize").unwrap_or(100), number("pageToken").unwrap_or(0));
        let enabled = query.get("filter").is_some_and(|filter| filter == "state=ENABLED");
        let all: Vec<_> = (1..)
            .zip(versions)
            .filter(|(_, version)| !enabled || version.state() == "ENABLED")
            .map(|(number, version)| {
                version.described(&format!("{name}/cryptoKeyVersions/{number}"))
            })
            .collect();
        let page: Vec<_> = all.iter().skip(from).take(size).cloned().collect();
        let end = from + page.len();
        let next = if end < all.len() { end.to_string() } else { String::new() };
        let body = json!({
            "cryptoKeyVersions": page, "nextPageToken": next, "totalSize": all.len(),
        });
        faults::json(200, &body)
    }

    fn version(&self, name: &str) -> Option<Version> {
        let (key, number) = name.rsplit_once("/cryptoKeyVersions/")?;
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        let mut keys = self.keys.lock().unwrap();
        let version = keys.get_mut(key)?.get_mut(index)?;
        let found = version.clone();
        version.pending = version.pending.saturating_sub(1);
        Some(found)
    }

    fn public_key(&self, name: &str) -> Response {
        let Some(version) = self.version(name) else { return not_found(name) };
        if let Some(refusal) = unusable(name, &version) {
            return refusal;
        }
        let flaw = *self.flaw.lock().unwrap();
        let mut pem = keys::public(&version.key).to_spki_pem();
        let sum = crc32c::crc32c(pem.as_bytes());
        if flaw == Some(Flaw::Bit) {
            pem = keys::public(&keys::new_4096()).to_spki_pem();
        }
        let body = json!({
            "pem": pem, "pemCrc32c": sum.to_string(), "algorithm": version.algorithm,
            "name": named(name, flaw), "protectionLevel": version.protection,
        });
        faults::json(200, &body)
    }

    fn sign(&self, name: &str, asked: &Value) -> Response {
        let Some(version) = self.version(name) else { return not_found(name) };
        if let Some(refusal) = unusable(name, &version) {
            return refusal;
        }
        let hash = STANDARD.decode(asked["digest"]["sha512"].as_str().unwrap_or_default());
        let hash = hash.unwrap_or_default();
        if hash.len() != 64 || version.algorithm != RSA_4096_SHA512 {
            return error(400, "INVALID_ARGUMENT", "the digest is not one of the key's algorithm");
        }
        // 64-bit numbers are strings in Google's JSON.
        let sum = asked["digestCrc32c"].as_str();
        let is_verified = sum == Some(&crc32c::crc32c(&hash).to_string());
        if sum.is_some() && !is_verified {
            return error(400, "INVALID_ARGUMENT", "the digest has another checksum");
        }
        let flaw = *self.flaw.lock().unwrap();
        let key = if flaw == Some(Flaw::OtherKey) { keys::new_4096() } else { version.key };
        let mut signature = keys::sign(&key, &hash);
        let sum = crc32c::crc32c(&signature);
        if flaw == Some(Flaw::Bit) {
            signature[7] ^= 1;
        }
        let body = json!({
            "signature": STANDARD.encode(signature), "signatureCrc32c": sum.to_string(),
            "verifiedDigestCrc32c": is_verified && flaw != Some(Flaw::UnverifiedHash),
            "name": named(name, flaw), "protectionLevel": version.protection,
        });
        faults::json(200, &body)
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    authorization.unwrap_or_default().clone_into(&mut inner.last_authorization.lock().unwrap());
    if let Some(fault) = inner.faults.meet(format!("{method} {}", uri.path())).await {
        return fault;
    }
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query: HashMap<_, _> = query.into_owned().collect();
    let wants_numbers = query.get("$alt").is_some_and(|alt| alt == "json;enum-encoding=int");
    let path = uri.path().strip_prefix("/v1/").unwrap_or_default().to_owned();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    // Signing and making keys takes a while, and is no work for those who wait for others.
    let answered = move || route(&inner, &method, &path, &query, &asked);
    let answer = tokio::task::spawn_blocking(answered).await.unwrap();
    if wants_numbers { with_numbers(answer).await } else { answer }
}

fn route(
    inner: &Inner,
    method: &Method,
    path: &str,
    query: &HashMap<String, String>,
    asked: &Value,
) -> Response {
    if *method == Method::POST {
        if let Some(name) = path.strip_suffix(":asymmetricSign") {
            return inner.sign(name, asked);
        }
        if let Some(ring) = path.strip_suffix("/cryptoKeys") {
            return inner.create(ring, query.get("cryptoKeyId"), asked);
        }
    } else if *method == Method::GET {
        if let Some(name) = path.strip_suffix("/publicKey") {
            return inner.public_key(name);
        }
        if let Some(name) = path.strip_suffix("/cryptoKeyVersions") {
            return inner.list(name, query);
        }
        if path.contains("/cryptoKeyVersions/") {
            let version = inner.version(path);
            return version.map_or_else(
                || not_found(path),
                |version| faults::json(200, &version.described(path)),
            );
        }
        let keys = inner.keys.lock().unwrap();
        let first = keys.get(path).and_then(|versions| versions.first());
        return first.map_or_else(
            || not_found(path),
            |version| faults::json(200, &key(path, version.protection)),
        );
    }
    error(404, "NOT_FOUND", "this stand-in has no such operation")
}

fn unusable(name: &str, version: &Version) -> Option<Response> {
    let state = version.state();
    let told = format!("{name} is not enabled, current state is: {state}.");
    (state != "ENABLED").then(|| error(400, "FAILED_PRECONDITION", &told))
}

fn named(name: &str, flaw: Option<Flaw>) -> String {
    if flaw == Some(Flaw::OtherName) { format!("{name}0") } else { name.to_owned() }
}

fn key(name: &str, protection: &str) -> Value {
    json!({
        "name": name, "purpose": "ASYMMETRIC_SIGN", "createTime": "2026-01-01T00:00:00Z",
        "versionTemplate": {"protectionLevel": protection, "algorithm": RSA_4096_SHA512},
        "destroyScheduledDuration": "2592000s",
    })
}

/// `name`, if that is what a request has in an enumeration, by name or by number.
fn name_of(asked: &Value, name: &'static str) -> Option<&'static str> {
    let is_it = NUMBERS.iter().any(|(known, number)| {
        *known == name && (asked.as_str() == Some(name) || asked.as_u64() == Some(*number))
    });
    is_it.then_some(name)
}

async fn with_numbers(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    if parts.status.is_success() {
        put_numbers(&mut body);
    }
    Response::from_parts(parts, body.to_string().into())
}

fn put_numbers(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(put_numbers),
        Value::Array(items) => items.iter_mut().for_each(put_numbers),
        Value::String(text) => {
            let number = NUMBERS.iter().find(|(name, _)| name == text);
            if let Some((_, number)) = number {
                *value = (*number).into();
            }
        }
        _ => {}
    }
}

fn not_found(name: &str) -> Response {
    error(404, "NOT_FOUND", &format!("{name} not found."))
}

pub(crate) fn error_body(code: u16, status: &str, told: &str) -> Value {
    json!({"error": {"code": code, "message": told, "status": status}})
}

fn error(code: u16, status: &str, told: &str) -> Response {
    faults::json(code, &error_body(code, status, told))
}
