//! A Redis server of a test's own, which goes with it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nhs_auth_custody::{ValkeyServer, ValkeySessionStore, ValkeyTokenStore};
use redis::FromRedisValue;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

pub(crate) struct Server {
    port: u16,
    child: Child,
    folder: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With further arguments. It is there once this returns.
    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        loop {
            let folder = tempfile::tempdir().unwrap();
            let port = free_port();
            let child = spawned(port, &folder, arguments);
            let mut server = Self { port, child, folder };
            match server.ready().await {
                Ok(()) => return server,
                Err(log) if log.contains("Address already in use") => {} // somebody was faster
                Err(log) => panic!("redis-server did not start: {log}"),
            }
        }
    }

    pub(crate) async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops it where it is: connections stay, and nothing is answered.
    pub(crate) async fn pause(&self) {
        self.signal("-STOP").await;
    }

    /// Lets it go on.
    pub(crate) async fn go_on(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, name: &str) {
        let process = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args([name, &process]).status().await.unwrap();
        assert!(sent.success());
    }

    /// The same once more: at the same address, and empty.
    pub(crate) async fn start_again_with(&mut self, arguments: &[&str]) {
        self.child = spawned(self.port, &self.folder, arguments);
        self.ready().await.unwrap();
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn store(&self) -> ValkeySessionStore {
        let server = ValkeyServer::parse(&self.url()).unwrap();
        ValkeySessionStore::connect(&server).await.unwrap()
    }

    /// One more instance's.
    pub(crate) fn token_store(&self) -> ValkeyTokenStore {
        ValkeyTokenStore::connect_lazily(&ValkeyServer::parse(&self.url()).unwrap())
    }

    /// Asks the server itself.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &[&[u8]]) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut asked = redis::Cmd::new();
        asked.arg(command);
        asked.query_async(&mut connection).await.unwrap()
    }

    /// The names of all that it has.
    pub(crate) async fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.ask(&[b"KEYS", b"*"]).await;
        names.sort();
        names
    }

    /// Waits until it listens; or gives what it says when it ends before that.
    async fn ready(&mut self) -> Result<(), String> {
        let log = log_in(&self.folder);
        let ready = async {
            loop {
                let has_ended = self.child.try_wait().unwrap().is_some();
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                if said.contains("Ready to accept connections") {
                    return Ok(());
                }
                if has_ended {
                    return Err(said);
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), ready).await.expect("redis-server takes too long")
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn spawned(port: u16, folder: &TempDir, arguments: &[&str]) -> Child {
    let log = log_in(folder);
    std::fs::write(&log, "").unwrap(); // it may have one of before
    let spawned = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
        .arg(port.to_string())
        .arg("--dir")
        .arg(folder.path())
        .arg("--logfile")
        .arg(log)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    spawned.unwrap_or_else(|error| {
        panic!("redis-server: {error}; `cargo xtask test` installs what the tests need")
    })
}

fn log_in(folder: &TempDir) -> PathBuf {
    folder.path().join("redis.log")
}
