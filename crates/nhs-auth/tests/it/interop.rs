//! Other people's libraries on the other end: PyJWT, npm's jose, jsonwebtoken.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use nhs_auth::{ClockSkew, OsEntropy, SystemClock};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::platform::{Scene, jwks};

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop").join(name)
}

#[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says where it put them")]
fn installed(variable: &str, usual: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools").join(usual),
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask test`, which installs it",
        path.display()
    );
    path
}

fn python() -> Command {
    Command::new(installed("NHS_AUTH_TEST_PYTHON", "python/bin/python"))
}

pub(crate) fn node() -> Command {
    let mut node = Command::new("node");
    node.env(
        "NHS_AUTH_TEST_NODE_MODULES",
        installed("NHS_AUTH_TEST_NODE_MODULES", "node/node_modules"),
    );
    node
}

fn output(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

async fn assertion(scene: &Scene) -> String {
    let (clock, entropy) = (SystemClock::default(), OsEntropy::default());
    let assertion = scene.application.sign_assertion(&clock, ClockSkew::default(), &entropy);
    assertion.await.unwrap().into_compact().expose_secret().to_owned()
}

#[tokio::test]
async fn pyjwt_and_jose_verify_our_assertions() {
    let scene = Scene::new().await;
    let folder = tempfile::tempdir().unwrap();
    let jwks_file = folder.path().join("jwks.json");
    std::fs::write(&jwks_file, jwks()).unwrap();
    let (audience, issuer) = (scene.platform.token_url(), scene.app.api_key().to_owned());

    let mut pyjwt = python();
    pyjwt.arg(script("verify_pyjwt.py"));
    let mut jose = node();
    jose.arg(script("verify_jose.mjs"));
    for verifier in [&mut pyjwt, &mut jose] {
        let line =
            output(verifier.arg(&jwks_file).arg(&audience).arg(&issuer), &assertion(&scene).await);
        let verified: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(verified["header"]["kid"], "int-1");
        assert_eq!(verified["header"]["typ"], "JWT");
        assert_eq!(verified["claims"]["sub"], issuer.as_str());
        assert_eq!(verified["claims"]["jti"].as_str().unwrap().len(), 36);
    }
}

#[tokio::test]
async fn jsonwebtoken_verifies_our_assertions_by_our_jwks() {
    let scene = Scene::new().await;
    let set: JwkSet = serde_json::from_str(&jwks()).unwrap();
    let key = DecodingKey::from_jwk(set.find("int-1").unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS512);
    validation.set_audience(&[scene.platform.token_url()]);
    validation.set_issuer(&[scene.app.api_key()]);
    let assertion = assertion(&scene).await;
    jsonwebtoken::decode::<Value>(&assertion, &key, &validation).unwrap();
}

#[tokio::test]
async fn an_assertion_of_pyjwt_gets_a_token_from_the_platform_in_a_box() {
    let workshop = crate::openssl::Workshop::with_key();
    let public = nhs_auth::PrivateKey::load(&workshop.path("key.pem"), None).unwrap().key;
    let kid = nhs_auth::Kid::parse("py-1").unwrap();
    let published = nhs_auth::PublishedKey::new(kid, public.public().clone());
    let jwks = nhs_auth::KeySet::new(vec![published]).unwrap().to_json();
    let platform = nhs_auth_mock::MockPlatform::start().await.unwrap();
    let app = platform.create_app(nhs_auth_mock::NewApp::new("python").jwks(jwks));

    let arguments = ["--token-url".to_owned(), platform.token_url(), "--kid".into(), "py-1".into()];
    let mut python = python();
    python.arg(script("get_token.py")).args(arguments).args(["--api-key", app.api_key()]);
    python.arg("--private-key").arg(workshop.path("key.pem"));
    let token = tokio::task::spawn_blocking(move || output(&mut python, "")).await.unwrap();
    assert_eq!(token.trim().len(), 28);
    assert_eq!(platform.requests()[0].status, 200);
}
