//! Nothing secret in any log, at any level, nor in any `Debug`.

use std::io;
use std::sync::{Arc, Mutex};

use http::Request;
use nhs_auth::{
    ClientAssertion, ClockSkew, OsEntropy, PrivateKey, SystemClock, TokenCache, TokenClient,
};
use nhs_auth_mock::{Fault, FaultKind};
use secrecy::ExposeSecret as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::platform::Scene;

/// What is logged, for looking at.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

async fn sign(scene: &Scene) -> ClientAssertion {
    let (clock, entropy) = (SystemClock::default(), OsEntropy::default());
    scene.application.sign_assertion(&clock, ClockSkew::default(), &entropy).await.unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn with_everything_logged_no_secret_is() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let scene = Scene::new().await;
    // Every flow: a token, a call, a failure and a retry, a refusal, an expired token.
    let cache = TokenCache::new(TokenClient::new());
    let source = cache.source(&scene.application);
    let issued = source.issued().await.unwrap();
    let api = scene.api(source.clone());
    api.send(scene.hello("application")).await.unwrap();
    scene.platform.add_fault(Fault::new(FaultKind::InternalError).times(1));
    TokenClient::new().request(&scene.application).await.unwrap();
    scene.platform.advance(std::time::Duration::from_secs(700));
    api.send(scene.hello("application")).await.unwrap();
    let second = source.issued().await.unwrap();
    assert_ne!(issued.access_token.expose(), second.access_token.expose());
    let elsewhere = Request::get("http://127.0.0.1:9/").body(bytes::Bytes::new()).unwrap();
    let refused = api.send(elsewhere).await;

    let assertion = sign(&scene).await;
    let shown = format!(
        "{refused:?} {assertion:?} {issued:?} {second:?} {source:?} {cache:?} {api:?} {:?}",
        scene.application
    );
    let compact = assertion.into_compact();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("token request"), "the log is looked at in earnest: {log}");
    let signature = compact.expose_secret().rsplit('.').next().unwrap();
    for text in [&log, &shown] {
        for secret in [
            issued.access_token.expose(),
            second.access_token.expose(),
            signature,
            "eyJhbGci",
            "client_assertion=",
            scene.app.client_secret(),
            scene.app.api_key(),
        ] {
            assert!(!text.contains(secret), "{secret} is in\n{text}");
        }
    }
}

#[test]
fn a_private_key_shows_its_public_half_alone() {
    let key = PrivateKey::generate().unwrap();
    let pem = key.to_pkcs8_pem();
    let shown = format!("{key:?}");
    assert!(pem.lines().skip(1).all(|line| !shown.contains(line.get(..20).unwrap_or(line))));
}
