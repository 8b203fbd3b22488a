//! The server with TLS.

use std::fs;
use std::sync::Arc;

use nhs_auth_server::{JwksEndpoint, JwksServer, Reloaded, ServeError, TlsFiles};
use rcgen::date_time_ymd;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::aws_lc_rs,
};

use crate::certificates::Files;
use crate::raw::Client;
use crate::running::{PATH, Running};

async fn started(files: &Files) -> Running {
    let files = files.for_server();
    Running::start_with(|builder| builder.tls(files)).await
}

/// A client that trusts the certificate which is in the file now.
async fn connected(
    running: &Running,
    files: &Files,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(files.certificate()).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(running.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    Ok(Client::over(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

async fn gets(client: &mut Client<TlsStream<TcpStream>>) -> u16 {
    client.send(&format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    client.answer().await.unwrap().status()
}

async fn refused(files: TlsFiles) -> (String, String) {
    let builder = JwksServer::builder(JwksEndpoint::new()).listen(([127, 0, 0, 1], 0).into());
    let error = builder.tls(files).bind().await.unwrap_err();
    assert!(matches!(error, ServeError::Tls(_)), "{error:?}");
    (error.to_string(), error.hints().concat())
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let files = Files::new();
    let running = started(&files).await;
    for version in [&TLS12, &TLS13] {
        let mut client = connected(&running, &files, version).await.unwrap();
        assert_eq!(gets(&mut client).await, 200);
        assert_eq!(gets(&mut client).await, 200);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_failed_handshake_harms_nobody() {
    let files = Files::new();
    let running = started(&files).await;
    let stranger = Files::new();
    let mut open = connected(&running, &files, &TLS13).await.unwrap();
    for _ in 0..20 {
        connected(&running, &stranger, &TLS13).await.err().unwrap();
        let mut plain = Client::connect(running.address).await;
        plain.send(&format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        drop(plain);
        drop(Client::connect(running.address).await);
    }
    assert_eq!(gets(&mut open).await, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections_and_old_ones_stay() {
    let files = Files::new();
    let running = started(&files).await;
    let reloader = running.reloader.clone().unwrap();
    let mut old = connected(&running, &files, &TLS13).await.unwrap();
    assert_eq!(gets(&mut old).await, 200);
    assert_eq!(reloader.reload().await.unwrap(), Reloaded::Same);

    files.renew();
    connected(&running, &files, &TLS13).await.err().expect("the old one is still shown");
    assert_eq!(reloader.reload().await.unwrap(), Reloaded::Changed);
    let mut new = connected(&running, &files, &TLS13).await.unwrap();
    assert_eq!((gets(&mut old).await, gets(&mut new).await), (200, 200));
    running.stop().await;
}

#[tokio::test]
async fn a_certificate_that_is_renewed_halfway_is_not_taken() {
    let files = Files::new();
    let running = started(&files).await;
    let reloader = running.reloader.clone().unwrap();
    let shown = Files::new();
    fs::copy(files.certificate(), shown.certificate()).unwrap();

    fs::copy(Files::new().certificate(), files.certificate()).unwrap();
    let error = reloader.reload().await.unwrap_err().to_string();
    assert!(error.contains("does not fit"), "{error}");
    fs::remove_file(files.key()).unwrap();
    reloader.reload().await.unwrap_err();

    let mut client = connected(&running, &shown, &TLS13).await.unwrap();
    assert_eq!(gets(&mut client).await, 200);
    running.stop().await;
}

#[tokio::test]
async fn files_that_can_not_be_used_are_refused() {
    let files = Files::new();
    let other = Files::new();
    let in_folder = |name: &str, text: &str| {
        let path = files.key().with_file_name(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) = (files.certificate(), files.key());
    let missing = key.with_file_name("missing.pem");
    let empty = in_folder("empty.pem", "");
    let encrypted = in_folder(
        "encrypted.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let old_encrypted = in_folder(
        "old-encrypted.pem",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
         -----END RSA PRIVATE KEY-----\n",
    );
    let cut = in_folder("cut.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n");
    let broken =
        in_folder("broken.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let bad =
        in_folder("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let long = in_folder("long.pem", &"x".repeat(2 << 20));

    for (certificate, key, what, hint) in [
        (&missing, &key, "can't read `", "check the path"),
        (&certificate, &missing, "can't read `", "check the path"),
        (&empty, &key, "there is no certificate in `", "the server's certificate first"),
        (&key, &key, "there is no certificate in `", "the server's certificate first"),
        (&bad, &key, "the first certificate in `", "the server's certificate first"),
        (
            &certificate,
            &empty,
            "there is no private key in `",
            "the private key of the certificate",
        ),
        (&certificate, &certificate, "there is no private key in `", "the private key of the"),
        (&certificate, &encrypted, "is encrypted", "decrypt it"),
        (&certificate, &old_encrypted, "is encrypted", "decrypt it"),
        (&certificate, &cut, "a section has no end", "write the file anew"),
        (&certificate, &broken, "can't be used for TLS", "P-256"),
        (&certificate, &long, "is longer than", "check that the path is right"),
        (
            &certificate,
            &other.key(),
            "does not fit the first certificate in `",
            "not renewed alone",
        ),
    ] {
        let (error, hints) = refused(TlsFiles::new(certificate, key)).await;
        assert!(error.contains(what), "{error}");
        assert!(hints.contains(hint), "{error}: {hints}");
        assert!(error.contains(".pem`"), "the path is told: {error}");
    }
}

#[tokio::test]
async fn an_expired_certificate_is_shown_all_the_same() {
    let files = Files::new();
    files.renew_with(|params| params.not_after = date_time_ymd(2021, 1, 1));
    let running = started(&files).await;
    let error = connected(&running, &files, &TLS13).await.err().unwrap().to_string();
    assert!(error.to_lowercase().contains("expired"), "{error}");
    running.stop().await;
}
