//! Another's stand-in for AWS (moto), which goes with the test.

use std::process::Stdio;
use std::time::Duration;

use nhs_auth_custody::AwsAccessKey;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::server::free_port;

pub(crate) const REGION: &str = "eu-west-2";

pub(crate) struct Moto {
    port: u16,
    child: Child,
    log: TempDir,
}

impl Moto {
    /// It takes any credential.
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// It takes any credential for so many calls, and none that it knows after that.
    pub(crate) async fn start_and_check_credentials_after(calls: u32) -> Self {
        Self::start_with(Some(calls)).await
    }

    async fn start_with(calls_without_checks: Option<u32>) -> Self {
        let python = std::env::var("NHS_AUTH_TEST_PYTHON").expect(
            "NHS_AUTH_TEST_PYTHON is set: `cargo xtask test` does it, with a Python that has moto",
        );
        let port = free_port();
        let log = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        if let Some(calls) = calls_without_checks {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", calls.to_string());
        }
        let log_file = std::fs::File::create(log.path().join("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log_file.try_clone().unwrap())
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut moto = Self { port, child, log };
        timeout(Duration::from_mins(1), moto.ready()).await.expect("moto takes too long");
        moto
    }

    async fn ready(&mut self) {
        let url = format!("{}/moto-api/", self.url());
        while reqwest::get(&url).await.is_err() {
            if let Some(status) = self.child.try_wait().unwrap() {
                let said = std::fs::read_to_string(self.log.path().join("log")).unwrap();
                panic!("moto ended with {status}; is moto[server] in the tests' Python? {said}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A credential that nobody has but this test.
pub(crate) fn access_key() -> AwsAccessKey {
    AwsAccessKey::new("AKIATESTTESTTESTTEST", SecretString::from("open-sesame"))
}
