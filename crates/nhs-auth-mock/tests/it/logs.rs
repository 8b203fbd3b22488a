//! What is logged, and what is shown of values: no secret.

use std::io;
use std::sync::{Arc, Mutex};

use nhs_auth_mock::{MockPlatform, NewApp};
use tracing_subscriber::fmt::MakeWriter;

use crate::assertion::KID;
use crate::key::Key;
use crate::world::World;

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

#[tokio::test]
async fn the_loudest_log_has_no_secret_in_it() {
    // For the whole process: what other tests log at the same time does no harm.
    let log = Log::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).init();
    let world = World::new().await;
    let token = world.token().await;
    let path = "/hello-world/hello/application";
    world.call(path, &token).await;
    world.get(path, &[("apikey", world.app.api_key())]).await;
    let refused = world.assertion().claim("aud", "x").sign(Key::usual());
    world.present(&refused).await;
    let signature = refused.rsplit('.').next().unwrap();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("answered"), "{log}");
    for secret in [&token, signature, world.app.client_secret()] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn debug_has_no_secret_in_it() {
    let new = NewApp::new("test")
        .api_key("key-in-the-open")
        .client_secret("secret-in-the-open")
        .jwks(Key::usual().jwks(KID));
    let builder = MockPlatform::builder().app(new.clone()).status_key("secret-in-the-open");
    let before = format!("{new:?} {builder:?}");
    let world = World::with(builder).await;
    let token = world.token().await;
    let shown = format!("{before} {:?} {:?}", world.platform, world.app);
    for secret in ["secret-in-the-open", &token, world.app.client_secret()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
