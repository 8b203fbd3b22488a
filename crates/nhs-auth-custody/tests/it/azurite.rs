//! Another's stand-in for Azure Blob Storage (Azurite), which goes with the test.

use std::process::Stdio;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::server::free_port;

pub(crate) const ACCOUNT: &str = "nhskeys";

pub(crate) struct Azurite {
    port: u16,
    key: [u8; 32],
    child: Child,
}

impl Azurite {
    /// With an account whose key nobody has but this test.
    pub(crate) async fn start() -> Self {
        let modules = std::env::var("NHS_AUTH_TEST_NODE_MODULES")
            .expect("NHS_AUTH_TEST_NODE_MODULES is set: `cargo xtask test` does it");
        let port = free_port();
        let key = new_key();
        let child = Command::new("node")
            .arg(format!("{modules}/azurite/dist/src/blob/main.js"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
            .args(["--inMemoryPersistence", "--skipApiVersionCheck", "--silent"])
            .args(["--disableTelemetry"])
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{}", STANDARD.encode(key)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("`cargo xtask test` installs node");
        let mut azurite = Self { port, key, child };
        timeout(Duration::from_mins(1), azurite.ready()).await.expect("azurite takes too long");
        azurite
    }

    async fn ready(&mut self) {
        while reqwest::get(format!("http://127.0.0.1:{}/", self.port)).await.is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "azurite ended with {ended:?}; is it in package.json?");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn key(&self) -> String {
        STANDARD.encode(self.key)
    }

    pub(crate) async fn make_container(&self, name: &str) {
        let date = httpdate::fmt_http_date(SystemTime::now());
        let version = "2023-11-03";
        let headers = format!("x-ms-date:{date}\nx-ms-version:{version}\n");
        let resource = format!("/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container");
        let signed = format!("PUT{}{headers}{resource}", "\n".repeat(12));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &self.key);
        let signature = STANDARD.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()));
        let url = format!("http://127.0.0.1:{}/{ACCOUNT}/{name}?restype=container", self.port);
        let made = reqwest::Client::new()
            .put(url)
            .header("x-ms-date", date)
            .header("x-ms-version", version)
            .header("authorization", format!("SharedKey {ACCOUNT}:{signature}"))
            .header("content-length", "0")
            .send()
            .await
            .unwrap();
        assert!(made.status().is_success(), "{made:?}");
    }
}

pub(crate) fn new_key() -> [u8; 32] {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).unwrap();
    key
}
