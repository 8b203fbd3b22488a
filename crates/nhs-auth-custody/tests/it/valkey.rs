//! What a store on a server has to do beyond.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use nhs_auth::{ProviderSession, SessionRecord, SessionStore, StoreError};
use nhs_auth_custody::{InvalidValkeyServer, ValkeyServer, ValkeySessionStore};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use crate::every_store::{ends_in, key, of, record};
use crate::proxy::Proxy;
use crate::server::{Server, free_port};

const AT_PROVIDER: ProviderSession = ProviderSession::from_bytes([7; 32]);

/// Longer than a call may take.
const TOO_LONG: Duration = Duration::from_secs(8);

async fn store_at(url: &str) -> Result<ValkeySessionStore, StoreError> {
    let server = ValkeyServer::parse(url).unwrap();
    let connected = ValkeySessionStore::connect(&server);
    timeout(TOO_LONG, connected).await.expect("it takes too long")
}

/// Each call of the store, and that each fails in time.
async fn failures_of_all_calls(store: &ValkeySessionStore) -> Vec<StoreError> {
    let calls = async {
        [
            store.load(key(1)).await.unwrap_err(),
            store.save(key(1), of(AT_PROVIDER, 2), Some(1)).await.unwrap_err(),
            store.save(key(1), of(AT_PROVIDER, 1), None).await.unwrap_err(),
            store.take(key(1)).await.unwrap_err(),
            store.of_provider_session(AT_PROVIDER).await.unwrap_err(),
        ]
    };
    timeout(TOO_LONG, calls).await.expect("it takes too long").into()
}

#[tokio::test]
async fn two_stores_share_sessions() {
    let server = Server::start().await;
    let (one, other) = (server.store().await, server.store().await);
    assert!(one.save(key(1), of(AT_PROVIDER, 1), None).await.unwrap());
    assert_eq!(other.load(key(1)).await.unwrap().unwrap().version, 1);
    assert!(other.save(key(1), of(AT_PROVIDER, 2), Some(1)).await.unwrap());
    assert!(!one.save(key(1), of(AT_PROVIDER, 2), Some(1)).await.unwrap());
    assert_eq!(one.of_provider_session(AT_PROVIDER).await.unwrap(), [key(1)]);
    let taken = tokio::join!(one.take(key(1)), other.take(key(1)));
    assert!(taken.0.unwrap().is_some() != taken.1.unwrap().is_some());
}

#[tokio::test]
async fn stores_of_different_prefixes_share_nothing() {
    let server = Server::start().await;
    let one = server.store().await;
    let other = server.store().await.with_prefix("other:");
    assert!(one.save(key(1), of(AT_PROVIDER, 1), None).await.unwrap());
    assert!(other.load(key(1)).await.unwrap().is_none());
    assert!(other.of_provider_session(AT_PROVIDER).await.unwrap().is_empty());
    assert!(server.names().await.iter().all(|name| name.starts_with("nhs-auth:")));
    assert!(other.save(key(2), of(AT_PROVIDER, 1), None).await.unwrap());
    assert_eq!(server.names().await.iter().filter(|name| name.starts_with("other:")).count(), 2);
    assert_eq!(one.of_provider_session(AT_PROVIDER).await.unwrap(), [key(1)]);
}

#[tokio::test]
async fn nothing_is_left_in_the_server_of_what_has_ended() {
    let server = Server::start().await;
    let store = server.store().await;
    let short = SessionRecord { expires_at: ends_in(1000), ..of(AT_PROVIDER, 1) };
    let elsewhere = of(ProviderSession::from_bytes([8; 32]), 1);
    assert!(store.save(key(1), short, None).await.unwrap());
    assert!(store.save(key(2), elsewhere, None).await.unwrap());
    assert_eq!(server.names().await.len(), 4);
    for name in server.names().await {
        let left: i64 = server.ask(&[b"PTTL", name.as_bytes()]).await;
        assert!((1..=60_000).contains(&left), "{name} stays for {left} ms");
    }
    store.take(key(2)).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(1050)).await;
    assert_eq!(server.names().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_session_that_the_server_evicted_is_not_found_by_the_providers() {
    let server = Server::start().await;
    let store = server.store().await;
    for name in [1, 2] {
        assert!(store.save(key(name), of(AT_PROVIDER, 1), None).await.unwrap());
    }
    let evicted = format!("nhs-auth:session:{}", key(1));
    let () = server.ask(&[b"DEL", evicted.as_bytes()]).await;
    assert_eq!(store.of_provider_session(AT_PROVIDER).await.unwrap(), [key(2)]);
    let set = format!("nhs-auth:provider-session:{AT_PROVIDER}");
    let left: u64 = server.ask(&[b"ZCARD", set.as_bytes()]).await;
    assert_eq!(left, 1, "and is out of the set");
}

#[tokio::test]
async fn a_server_that_is_away_is_told_of_at_once_and_used_again_when_it_is_back() {
    let mut server = Server::start().await;
    let store = server.store().await;
    assert!(store.save(key(1), record(1), None).await.unwrap());
    for _ in 0..2 {
        server.stop().await;
        for error in failures_of_all_calls(&store).await {
            let named = format!("the store 127.0.0.1:{} failed: ", server.port());
            assert!(error.to_string().starts_with(&named), "{error}");
        }
        server.start_again_with(&[]).await;
        // The scripts are gone with the server, too.
        assert!(store.save(key(1), record(1), None).await.unwrap());
        assert!(store.take(key(1)).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_costs_no_call() {
    let mut server = Server::start().await;
    let store = server.store().await;
    let idle = Duration::from_millis(100);
    let _: u64 = server.ask(&[b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"]).await;
    tokio::time::sleep(idle).await;
    assert!(store.save(key(1), record(1), None).await.unwrap());
    server.stop().await;
    server.start_again_with(&[]).await;
    tokio::time::sleep(idle).await;
    assert!(store.save(key(1), record(1), None).await.unwrap());
}

#[tokio::test]
async fn a_connection_that_has_gone_silent_is_left_after_one_call() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let store = store_at(&proxy.url()).await.unwrap();
    assert!(store.save(key(1), record(1), None).await.unwrap());
    proxy.silence();
    let error = timeout(Duration::from_secs(4), store.load(key(1))).await.unwrap().unwrap_err();
    assert!(error.to_string().ends_with("failed: it did not answer in time"), "{error}");
    assert!(store.load(key(1)).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_waited_for_only_so_long() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let began = Instant::now();
    let error = store_at(&format!("redis://{}", silent.local_addr().unwrap())).await.unwrap_err();
    assert!(error.to_string().ends_with("failed: it did not answer in time"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_server_that_refused_for_a_while_is_used_again() {
    let mut server = Server::start_with(&["--requirepass", "rightpass"]).await;
    let url = server.url().replace("://", "://:rightpass@");
    let store = store_at(&url).await.unwrap();
    let error = store_at(&server.url()).await.unwrap_err();
    assert!(error.to_string().ends_with("refuses the user or the password"), "none: {error}");
    server.stop().await;
    server.start_again_with(&["--requirepass", "otherpass"]).await;
    for _ in 0..2 {
        let errors = failures_of_all_calls(&store).await;
        assert!(
            errors.last().unwrap().to_string().contains("refuses the user or the password"),
            "{errors:?}"
        );
    }
    server.stop().await;
    server.start_again_with(&["--requirepass", "rightpass"]).await;
    assert!(store.save(key(1), record(1), None).await.unwrap());
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_connected_to_anew() {
    let server = Server::start().await;
    let store = server.store().await;
    let connections = async || {
        let clients: String = server.ask(&[b"INFO", b"stats"]).await;
        let count = clients.lines().find_map(|it| it.strip_prefix("total_connections_received:"));
        count.unwrap().parse::<u64>().unwrap()
    };
    let before = connections().await;
    assert!(store.save(key(1), record(1), None).await.unwrap());
    assert_eq!(connections().await - before, 1, "ours alone, that asks");

    let nobody = free_port().to_string();
    let () = server.ask(&[b"REPLICAOF", b"127.0.0.1", nobody.as_bytes()]).await;
    store.save(key(2), record(1), None).await.unwrap_err();
    let () = server.ask(&[b"REPLICAOF", b"NO", b"ONE"]).await;
    let before = connections().await;
    assert!(store.save(key(2), record(1), None).await.unwrap());
    assert_eq!(connections().await - before, 2);
}

#[tokio::test]
async fn what_is_no_session_is_an_error_that_says_so() {
    let server = Server::start().await;
    let store = server.store().await;
    let name = format!("nhs-auth:session:{}", key(1));
    let set = format!("nhs-auth:provider-session:{AT_PROVIDER}");
    assert!(store.save(key(2), of(AT_PROVIDER, 1), None).await.unwrap());
    let good: Vec<u8> =
        server.ask(&[b"GET", format!("nhs-auth:session:{}", key(2)).as_bytes()]).await;

    let mut values = vec![b"garbage".to_vec(), vec![0xFF; 200], [&good[..], b"."].concat()];
    values.extend((0..good.len()).step_by(3).map(|end| good[..end].to_vec()));
    for value in values {
        let () = server.ask(&[b"SET", name.as_bytes(), &value]).await;
        let errors = [
            store.load(key(1)).await.unwrap_err(),
            store.save(key(1), record(1), None).await.unwrap_err(),
            store.save(key(1), record(2), Some(1)).await.unwrap_err(),
            store.take(key(1)).await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("is no session, or was cut off"), "{error}");
        }
        let kept: Vec<u8> = server.ask(&[b"GET", name.as_bytes()]).await;
        assert_eq!(kept, value, "what isn't ours is left as it is");
    }

    for (command, argument) in [("RPUSH", "member"), ("SADD", "member")] {
        let () = server.ask(&[b"DEL", name.as_bytes(), set.as_bytes()]).await;
        let () = server.ask(&[command.as_bytes(), name.as_bytes(), argument.as_bytes()]).await;
        let () = server.ask(&[command.as_bytes(), set.as_bytes(), argument.as_bytes()]).await;
        for error in failures_of_all_calls(&store).await {
            assert!(error.to_string().contains("is no session, or was cut off"), "{error}");
        }
        // A session of that set is not written by halves.
        store.save(key(3), of(AT_PROVIDER, 1), None).await.unwrap_err();
        assert!(store.load(key(3)).await.unwrap().is_none());
    }

    let () = server.ask(&[b"DEL", set.as_bytes()]).await;
    let () = server.ask(&[b"ZADD", set.as_bytes(), b"9e15", b"short"]).await;
    let () = server.ask(&[b"SET", b"nhs-auth:session:short", b"garbage"]).await;
    let error = store.of_provider_session(AT_PROVIDER).await.unwrap_err();
    assert!(error.to_string().contains("is no session"), "{error}");
}

#[tokio::test]
async fn the_password_is_shown_nowhere() {
    let server = Server::start_with(&["--requirepass", "open-sesame"]).await;
    let address = format!("127.0.0.1:{}", server.port());
    let right = format!("redis://:open-sesame@{address}");
    let wrong = format!("redis://somebody:shut-sesame@{address}");
    let away = format!("redis://:open-sesame@127.0.0.1:{}", free_port());
    let mut shown = String::new();

    let store = store_at(&right).await.unwrap();
    let place = ValkeyServer::parse(&right).unwrap();
    write!(shown, "{store:?} {store:#?} {place:?} {place:#?} {place}").unwrap();
    for url in [&wrong, &away] {
        let error = store_at(url).await.unwrap_err();
        write!(shown, "{error} {error:?} {error:#?}").unwrap();
    }
    for url in [
        "http://:open-sesame@localhost",
        "redis://:open-sesame@localhost/database",
        "redis://:open-sesame@localhost:port",
        "redis://:open-sesame@",
        "redis://:open-sesame@0.0.0.0",
        "redis://:open-sesame/@localhost",
        "redis://localhost/?protocol=open-sesame",
        "rediss://:open-sesame@localhost/#insecure",
        "rediss://:open#sesame@localhost/",
        ":open-sesame@localhost",
    ] {
        let error = ValkeyServer::parse(url).unwrap_err();
        write!(shown, "{error} {error:?} {error:#?}").unwrap();
    }
    println!("{shown}");
    assert!(shown.contains(&address));
    assert!(!shown.contains("sesame"), "{shown}");
}

#[test]
fn what_is_no_url_of_a_server() {
    let error = |url| ValkeyServer::parse(url).unwrap_err();
    assert_eq!(error("https://localhost"), InvalidValkeyServer::Scheme);
    assert_eq!(error("unix:///run/valkey.sock"), InvalidValkeyServer::Scheme);
    assert_eq!(error("localhost:6379"), InvalidValkeyServer::Scheme);
    assert_eq!(error("rediss://localhost/#insecure"), InvalidValkeyServer::Fragment);
    assert!(matches!(error("redis://localhost/zero"), InvalidValkeyServer::Url(_)));
    let with = |url, pem: &str| {
        ValkeyServer::parse(url).unwrap().with_root_certificates(pem.as_bytes()).unwrap_err()
    };
    let cut_off = "-----BEGIN CERTIFICATE-----\nMII";
    let nonsense = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for pem in ["", "certificate", cut_off, nonsense] {
        assert_eq!(with("rediss://localhost", pem), InvalidValkeyServer::Certificates, "{pem}");
    }
    assert_eq!(with("redis://localhost", ""), InvalidValkeyServer::CertificatesWithoutTls);
}

#[tokio::test]
async fn tls_is_spoken_and_certificates_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let new_key = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    let (ca, ca_key) = (path("ca.pem"), path("ca.key"));
    let (certificate, certificate_key) = (path("server.pem"), path("server.key"));
    openssl(&[&new_key[..], &["-subj", "/CN=CA", "-keyout", &ca_key, "-out", &ca]].concat()).await;
    let signed = ["-CA", &ca, "-CAkey", &ca_key, "-subj", "/CN=localhost"];
    let named = ["-addext", "subjectAltName=DNS:localhost"];
    let no_ca = ["-addext", "basicConstraints=critical,CA:FALSE"];
    let out = ["-keyout", &certificate_key, "-out", &certificate];
    openssl(&[&new_key[..], &signed, &named, &no_ca, &out].concat()).await;

    let port = free_port().to_string();
    let tls = ["--tls-port", &port, "--tls-auth-clients", "no", "--tls-ca-cert-file", &ca];
    let own = ["--tls-cert-file", &certificate, "--tls-key-file", &certificate_key];
    let _server = Server::start_with(&[&tls[..], &own].concat()).await;
    let ca = std::fs::read(ca).unwrap();
    let trusting = async |host: &str| {
        let server = ValkeyServer::parse(&format!("rediss://{host}:{port}")).unwrap();
        ValkeySessionStore::connect(&server.with_root_certificates(&ca).unwrap()).await
    };

    let store = trusting("localhost").await.unwrap();
    assert!(store.save(key(1), of(AT_PROVIDER, 1), None).await.unwrap());
    assert!(store.load(key(1)).await.unwrap().is_some());
    let error = trusting("127.0.0.1").await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "of another host: {error}");
    let error = store_at(&format!("rediss://localhost:{port}")).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "of an issuer not trusted: {error}");
}

async fn openssl(arguments: &[&str]) {
    let mut command = Command::new("openssl");
    let status = command.args(arguments).stderr(Stdio::null()).status().await;
    assert!(status.expect("`cargo xtask test` installs openssl").success(), "{arguments:?}");
}
