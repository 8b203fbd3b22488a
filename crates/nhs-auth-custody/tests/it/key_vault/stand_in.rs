//! A stand-in for Azure Key Vault, written from its REST reference (api-version 7.4), and for the
//! token endpoint of Microsoft Entra ID.
//!
//! It has: RSA and EC keys made (`POST /keys/NAME/create`), read, listed by version and signed
//! with (RS256 and RS512); secrets set and read; the challenge to a request without a token; client
//! secrets at the token endpoint. It has no deletion, no rotation policy, no import, no paging, no
//! access policies: a refusal is planned as a fault.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::RsaKeyPair;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::serve::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::faults::{self, Faults};
use crate::keys;
use crate::tls::TlsListener;

pub(crate) const TENANT: &str = "0a1b2c3d-0000-4000-8000-000000000001";
pub(crate) const CLIENT: &str = "0a1b2c3d-0000-4000-8000-000000000002";
pub(crate) const CLIENT_SECRET: &str = "a secret of the stand-in";

pub(crate) struct StandIn {
    pub(crate) inner: Arc<Inner>,
    plain: SocketAddr,
    tls: SocketAddr,
    folder: TempDir,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) faults: Faults,
    keys: Mutex<HashMap<String, Vec<Version>>>,
    secrets: Mutex<HashMap<String, Vec<(String, String)>>>,
    tokens: Mutex<HashSet<String>>,
    count: AtomicU64,
}

/// A version of a key.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    /// `None` for an elliptic curve's, with which nothing is signed here.
    pub(crate) key: Option<Arc<RsaKeyPair>>,
    /// What signs in its place, in a vault that has gone wrong.
    pub(crate) signs_with: Option<Arc<RsaKeyPair>>,
    pub(crate) kind: String,
    pub(crate) operations: Vec<String>,
    pub(crate) is_enabled: bool,
    pub(crate) is_exportable: bool,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        inner.accept("anonymous");
        let folder = tempfile::tempdir().unwrap();
        let (listener, authority) = TlsListener::bind().await;
        std::fs::write(folder.path().join("ca.pem"), authority).unwrap();
        let tls = serve(listener, &inner);
        let plain = serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), &inner);
        Self { inner, plain, tls, folder }
    }

    /// A URI without TLS.
    pub(crate) fn uri(&self, path: &str) -> String {
        format!("azurekeyvault:http://{}{path}", self.plain)
    }

    /// Where it is with TLS.
    pub(crate) fn origin(&self) -> String {
        format!("https://localhost:{}", self.tls.port())
    }

    /// The certificate authority that it needs to be trusted by.
    pub(crate) fn authority_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Adds a version of a key.
    pub(crate) fn holds(&self, name: &str, version: Version) {
        self.inner.keys.lock().unwrap().entry(name.to_owned()).or_default().push(version);
    }

    pub(crate) fn versions(&self, name: &str) -> Vec<Version> {
        self.inner.keys.lock().unwrap().get(name).cloned().unwrap_or_default()
    }

    /// Keeps a secret, and gives its version.
    pub(crate) fn keeps(&self, name: &str, value: &str) -> String {
        let version = self.inner.next("0123456789abcdef0123456789ab");
        let mut secrets = self.inner.secrets.lock().unwrap();
        let versions = secrets.entry(name.to_owned()).or_default();
        versions.push((version.clone(), value.to_owned()));
        version
    }
}

impl Version {
    pub(crate) fn rsa(id: &str, key: Arc<RsaKeyPair>) -> Self {
        Self {
            id: id.to_owned(),
            key: Some(key),
            signs_with: None,
            kind: "RSA".to_owned(),
            operations: vec!["sign".to_owned(), "verify".to_owned()],
            is_enabled: true,
            is_exportable: false,
        }
    }

    pub(crate) fn elliptic(id: &str) -> Self {
        Self { key: None, kind: "EC".to_owned(), ..Self::rsa(id, keys::of_2048()) }
    }

    fn bundle(&self, origin: &str, name: &str) -> Value {
        let kid = format!("{origin}/keys/{name}/{}", self.id);
        let mut key = json!({"kid": kid, "kty": self.kind, "key_ops": self.operations});
        if let Some(pair) = &self.key {
            let public = keys::public(pair);
            key["n"] = base64url(public.modulus()).into();
            key["e"] = base64url(public.exponent()).into();
        } else {
            key["crv"] = "P-256".into();
            key["x"] = base64url(&[1; 32]).into();
            key["y"] = base64url(&[2; 32]).into();
        }
        json!({"key": key, "attributes": self.attributes()})
    }

    fn attributes(&self) -> Value {
        json!({
            "enabled": self.is_enabled, "created": 1_760_000_000, "updated": 1_760_000_000,
            "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
            "exportable": self.is_exportable,
        })
    }
}

impl Inner {
    pub(crate) fn accept(&self, token: &str) {
        self.tokens.lock().unwrap().insert(token.to_owned());
    }

    pub(crate) fn expire_all_tokens(&self) {
        self.tokens.lock().unwrap().clear();
    }

    /// 32 hexadecimal digits, as versions have.
    fn next(&self, begin: &str) -> String {
        format!("{begin}{:04x}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    fn has(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| self.tokens.lock().unwrap().contains(token))
    }

    /// `POST /TENANT/oauth2/v2.0/token`
    fn token(&self, form: &[u8]) -> Response {
        let form: HashMap<_, _> = url::form_urlencoded::parse(form).into_owned().collect();
        let is = |name: &str, value: &str| form.get(name).is_some_and(|it| it == value);
        let is_known = is("client_id", CLIENT)
            && is("client_secret", CLIENT_SECRET)
            && is("grant_type", "client_credentials")
            && is("scope", "https://vault.azure.net/.default");
        if !is_known {
            let description = "AADSTS7000215: Invalid client secret provided.";
            let body = json!({
                "error": "invalid_client", "error_description": description,
                "error_codes": [7_000_215], "timestamp": "2026-01-01 00:00:00Z",
            });
            return faults::json(401, &body);
        }
        let token = self.next("token-of-entra-");
        self.accept(&token);
        let body = json!({
            "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
            "access_token": token,
        });
        faults::json(200, &body)
    }

    fn create(&self, origin: &str, name: &str, asked: &Value) -> Response {
        let kind = asked["kty"].as_str().unwrap_or_default();
        let size = asked["key_size"].as_u64().unwrap_or(2048);
        let key = match (kind, size) {
            ("RSA" | "RSA-HSM", 4096) => Some(keys::new_4096()),
            ("RSA" | "RSA-HSM", 2048) => Some(keys::of_2048()),
            ("EC" | "EC-HSM", _) => None,
            _ => return error(400, "BadParameter", "", "Property has invalid value"),
        };
        let usual = json!(["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]);
        let operations = asked.get("key_ops").unwrap_or(&usual).as_array().unwrap();
        let operations = operations.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        let attributes = &asked["attributes"];
        let version = Version {
            key,
            kind: kind.to_owned(),
            operations,
            is_enabled: attributes["enabled"].as_bool().unwrap_or(true),
            is_exportable: attributes["exportable"].as_bool().unwrap_or(false),
            ..Version::rsa(&self.next("fedcba9876543210fedcba987654"), keys::of_2048())
        };
        let bundle = version.bundle(origin, name);
        self.keys.lock().unwrap().entry(name.to_owned()).or_default().push(version);
        faults::json(200, &bundle)
    }

    /// The newest, when the version is empty.
    fn version(&self, name: &str, version: &str) -> Option<Version> {
        let keys = self.keys.lock().unwrap();
        let versions = keys.get(name)?;
        let found = versions.iter().rfind(|it| version.is_empty() || it.id == version);
        found.cloned()
    }

    fn list(&self, origin: &str, name: &str) -> Response {
        let keys = self.keys.lock().unwrap();
        let versions = keys.get(name).map(Vec::as_slice).unwrap_or_default();
        let value: Vec<_> = versions
            .iter()
            .map(|it| {
                let kid = format!("{origin}/keys/{name}/{}", it.id);
                json!({"kid": kid, "attributes": it.attributes()})
            })
            .collect();
        faults::json(200, &json!({"value": value, "nextLink": null}))
    }

    fn set_secret(&self, origin: &str, name: &str, asked: &Value) -> Response {
        let version = self.next("0123456789abcdef0123456789ab");
        let value = asked["value"].as_str().unwrap().to_owned();
        let body = secret(origin, name, &version, &value);
        let mut secrets = self.secrets.lock().unwrap();
        secrets.entry(name.to_owned()).or_default().push((version, value));
        faults::json(200, &body)
    }

    fn get_secret(&self, origin: &str, name: &str, version: &str) -> Response {
        let secrets = self.secrets.lock().unwrap();
        let versions = secrets.get(name).map(Vec::as_slice).unwrap_or_default();
        let found = versions.iter().rfind(|(id, _)| version.is_empty() || id == version);
        let Some((id, value)) = found else {
            let told = format!("A secret with (name/id) {name} was not found in this key vault.");
            return error(404, "SecretNotFound", "", &told);
        };
        faults::json(200, &secret(origin, name, id, value))
    }
}

fn serve<L>(listener: L, inner: &Arc<Inner>) -> SocketAddr
where
    L: Listener<Addr = SocketAddr>,
{
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(Arc::clone(inner));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let origin = format!("https://{}", headers["host"].to_str().unwrap());
    let path: Vec<_> = uri.path().split('/').skip(1).collect();
    match (&method, path.as_slice()) {
        (&Method::GET, [_, "v2.0", ".well-known", "openid-configuration"]) => {
            return openid_configuration(&origin);
        }
        (&Method::POST, [_, "oauth2", "v2.0", "token"]) => return inner.token(&body),
        _ => {}
    }
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    if !inner.has(token) {
        return challenge(&origin, token);
    }
    if let Some(fault) = inner.faults.meet(format!("{method} {}", uri.path())).await {
        return fault;
    }
    if !uri.query().is_some_and(|query| query.starts_with("api-version=")) {
        return error(400, "BadParameter", "", "api-version must be specified");
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (&method, path.as_slice()) {
        (&Method::POST, ["keys", name, "create"]) => {
            let (name, name_of) = ((*name).to_owned(), origin.clone());
            let created = move || inner.create(&name_of, &name, &asked);
            tokio::task::spawn_blocking(created).await.unwrap()
        }
        (&Method::GET, ["keys", name, "versions"]) => inner.list(&origin, name),
        (&Method::GET, ["keys", name]) => get(&inner, &origin, name, ""),
        (&Method::GET, ["keys", name, version]) => get(&inner, &origin, name, version),
        (&Method::POST, ["keys", name, version, "sign"]) => match inner.version(name, version) {
            Some(found) => sign(&origin, name, &found, &asked),
            None => no_key(name, version),
        },
        (&Method::PUT, ["secrets", name]) => inner.set_secret(&origin, name, &asked),
        (&Method::GET, ["secrets", name]) => inner.get_secret(&origin, name, ""),
        (&Method::GET, ["secrets", name, version]) => inner.get_secret(&origin, name, version),
        _ => error(405, "MethodNotAllowed", "", "this stand-in has no such operation"),
    }
}

fn get(inner: &Inner, origin: &str, name: &str, version: &str) -> Response {
    match inner.version(name, version) {
        Some(found) => faults::json(200, &found.bundle(origin, name)),
        None => no_key(name, version),
    }
}

fn sign(origin: &str, name: &str, version: &Version, asked: &Value) -> Response {
    let forbidden = |inner, told| error(403, "Forbidden", inner, told);
    if !version.is_enabled {
        return forbidden("KeyDisabled", "Operation sign is not allowed on a disabled key.");
    }
    if !version.operations.iter().any(|it| it == "sign") {
        return forbidden("", "Operation sign is not permitted on this key.");
    }
    let hash = URL_SAFE_NO_PAD.decode(asked["value"].as_str().unwrap_or_default());
    let hash = hash.unwrap_or_default();
    let key = version.signs_with.as_ref().or(version.key.as_ref());
    match (asked["alg"].as_str(), hash.len(), key) {
        (Some("RS512"), 64, Some(key)) | (Some("RS256"), 32, Some(key)) => {
            let kid = format!("{origin}/keys/{name}/{}", version.id);
            let value = base64url(&keys::sign(key, &hash));
            faults::json(200, &json!({"kid": kid, "value": value}))
        }
        _ => error(400, "BadParameter", "", "Invalid algorithm or length of 'value'"),
    }
}

fn no_key(name: &str, version: &str) -> Response {
    let told = format!("A key with (name/id) {name}/{version} was not found in this key vault.");
    error(404, "KeyNotFound", "", &told)
}

fn challenge(origin: &str, token: Option<&str>) -> Response {
    let told = match token {
        Some(_) => "[TokenExpired] Error validating token: the token is expired.",
        None => "AKV10000: Request is missing a Bearer or PoP token.",
    };
    let mut answer = error(401, "Unauthorized", "", told);
    let challenge =
        format!("Bearer authorization=\"{origin}/{TENANT}\", resource=\"https://vault.azure.net\"");
    answer.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
    answer
}

fn openid_configuration(origin: &str) -> Response {
    let body = json!({
        "issuer": format!("{origin}/{TENANT}/v2.0"),
        "authorization_endpoint": format!("{origin}/{TENANT}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{origin}/{TENANT}/oauth2/v2.0/token"),
    });
    faults::json(200, &body)
}

fn secret(origin: &str, name: &str, version: &str, value: &str) -> Value {
    let attributes = json!({"enabled": true, "created": 1_760_000_000, "updated": 1_760_000_000,
        "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90});
    json!({
        "id": format!("{origin}/secrets/{name}/{version}"), "value": value,
        "attributes": attributes,
    })
}

pub(crate) fn error_body(code: &str, inner: &str, told: &str) -> Value {
    let mut error = json!({"code": code, "message": told});
    if !inner.is_empty() {
        error["innererror"] = json!({"code": inner});
    }
    json!({"error": error})
}

fn error(status: u16, code: &str, inner: &str, told: &str) -> Response {
    faults::json(status, &error_body(code, inner, told))
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
