//! Azure Key Vault, by way of a stand-in that Microsoft's own client has proved.

mod stand_in;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use nhs_auth::{Custody, CustodyError, CustodyErrorKind as Kind, Signer, SigningAlgorithm};
use nhs_auth_custody::AzureKeyVault;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use self::stand_in::{CLIENT, CLIENT_SECRET, StandIn, TENANT, Version, error_body};
use crate::every_signer::{self, RS512, assert_verified, sign_error};
use crate::faults::Fault;
use crate::names::{kid, uri};
use crate::{installed, keys};

/// A stand-in that holds the key `int-1`.
async fn stand_in() -> StandIn {
    let vault = StandIn::start().await;
    vault.holds("int-1", Version::rsa("a1", keys::of_4096()));
    vault
}

async fn open(vault: &StandIn, path: &str) -> Result<Arc<dyn Signer>, CustodyError> {
    AzureKeyVault::from_environment().open(&uri(&vault.uri(path))).await
}

async fn refused(vault: &StandIn, path: &str) -> CustodyError {
    open(vault, path).await.unwrap_err()
}

/// Gives tokens by number, and counts them.
#[derive(Debug, Default)]
struct Counted(AtomicUsize);

#[async_trait]
impl TokenCredential for Counted {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let end = OffsetDateTime::now_utc() + Duration::from_hours(1);
        Ok(AccessToken::new(Secret::new(format!("hushed-token-{number}")), end))
    }
}

#[tokio::test]
async fn microsofts_own_client_works_with_the_stand_in() {
    let vault = StandIn::start().await;
    let mut script = installed::script("azure_key_vault.py");
    script.arg(vault.origin()).arg(vault.authority_file()).args([TENANT, CLIENT]);
    let printed = installed::run(script.env("AZURE_CLIENT_SECRET", CLIENT_SECRET)).await;
    let versions: Vec<String> = serde_json::from_str(&printed).unwrap();
    let held: Vec<_> = vault.versions("from-python").into_iter().map(|it| it.id).collect();
    assert_eq!(versions, held);
    // And what it made is opened here.
    let signer = open(&vault, &format!("/keys/from-python/{}", versions[0])).await.unwrap();
    let signature = signer.sign(RS512, b"message").await.unwrap();
    assert_verified(signer.public_key(), RS512, b"message", &signature);
}

#[tokio::test]
async fn a_key_in_a_vault_keeps_to_it() {
    let vault = stand_in().await;
    let signer = open(&vault, "/keys/int-1").await.unwrap();
    assert_eq!(*signer.public_key(), keys::public(&keys::of_4096()));
    every_signer::keeps_to_it(signer, &[RS512, SigningAlgorithm::Rs256]).await;
}

#[tokio::test]
async fn a_new_key_may_sign_and_no_more_and_is_made_once() {
    let vault = StandIn::start().await;
    let custody = AzureKeyVault::from_environment();
    let place = uri(&vault.uri(""));
    let created = custody.create(&place, &kid("int-2")).await.unwrap();
    let [version] = &vault.versions("int-2")[..] else { panic!("there is one version") };
    assert_eq!(version.operations, ["sign", "verify"]);
    assert_eq!(version.kind, "RSA");
    assert!(!version.is_exportable);
    assert_eq!(created.uri.expose(), vault.uri(&format!("/keys/int-2/{}", version.id)));
    assert_eq!(created.signer.public_key().bits(), 4096);

    let signer = custody.open(&created.uri).await.unwrap();
    let signature = created.signer.sign(RS512, b"message").await.unwrap();
    assert_verified(signer.public_key(), RS512, b"message", &signature);

    let error = custody.create(&place, &kid("int-2")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::AlreadyThere);
    assert_eq!(vault.versions("int-2").len(), 1, "no version was added");
    let error = custody.create(&place, &kid("int_2")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidUri);
}

#[tokio::test]
async fn a_key_is_not_made_again_when_the_answer_is_lost() {
    let vault = StandIn::start().await;
    let not_there = Fault::answer(404, error_body("KeyNotFound", "", "no such key"));
    let lost = Fault::answer(503, error_body("ServiceUnavailable", "", "try later"));
    vault.inner.faults.plan([not_there, lost]);
    let custody = AzureKeyVault::from_environment();
    let error = custody.create(&uri(&vault.uri("")), &kid("int-2")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert_eq!(vault.inner.faults.requests(), ["GET /keys/int-2/", "POST /keys/int-2/create"]);
}

#[tokio::test]
async fn a_signer_keeps_its_version_when_the_key_is_rotated() {
    let vault = stand_in().await;
    let signer = open(&vault, "/keys/int-1").await.unwrap();
    vault.holds("int-1", Version::rsa("a2", keys::new_4096()));
    let signature = signer.sign(RS512, b"message").await.unwrap();
    assert_verified(&keys::public(&keys::of_4096()), RS512, b"message", &signature);
    let newer = open(&vault, "/keys/int-1").await.unwrap();
    assert_ne!(newer.public_key(), signer.public_key());
    let older = open(&vault, "/keys/int-1/a1").await.unwrap();
    assert_eq!(older.public_key(), signer.public_key());
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_refused_with_the_reason() {
    let vault = StandIn::start().await;
    let good = || Version::rsa("a1", keys::of_4096());
    let encrypts = vec!["encrypt".to_owned(), "verify".to_owned()];
    for (version, reason) in [
        (Version::rsa("a1", keys::of_2048()), "2048 bits rather than 4096"),
        (Version::elliptic("a1"), "its type is EC"),
        (Version { is_enabled: false, ..good() }, "it is disabled"),
        (Version { operations: encrypts, ..good() }, "no `sign`: encrypt, verify"),
    ] {
        vault.holds("int-1", version);
        let error = refused(&vault, "/keys/int-1").await;
        assert_eq!(error.kind(), Kind::Unsuitable, "{error}");
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    vault.holds("hsm", Version { kind: "RSA-HSM".to_owned(), ..good() });
    open(&vault, "/keys/hsm").await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_disabled_later_signs_no_more() {
    let vault = stand_in().await;
    let signer = open(&vault, "/keys/int-1").await.unwrap();
    let told = "Operation sign is not allowed on a disabled key.";
    vault.inner.faults.plan([Fault::answer(403, error_body("Forbidden", "KeyDisabled", told))]);
    let error = sign_error(&*signer).await;
    assert_eq!(error.kind(), Kind::Unsuitable);
    assert!(error.to_string().contains("403 KeyDisabled: Operation sign"), "{error}");
}

#[tokio::test]
async fn each_refusal_has_its_kind() {
    let vault = stand_in().await;
    for (status, code, kind) in [
        (400, "BadParameter", Kind::Failed),
        (403, "Forbidden", Kind::Denied),
        (404, "KeyNotFound", Kind::NotFound),
        (409, "Conflict", Kind::AlreadyThere),
    ] {
        vault.inner.faults.requests();
        vault.inner.faults.plan([Fault::answer(status, error_body(code, "", "so it is"))]);
        let error = refused(&vault, "/keys/int-1").await;
        assert_eq!(error.kind(), kind);
        let told = format!("Key Vault answered {status} {code}: so it is");
        assert!(error.to_string().ends_with(&told), "{error}");
        assert_eq!(vault.inner.faults.requests().len(), 1, "{status} is not asked again");
    }
    assert_eq!(refused(&vault, "/keys/none").await.kind(), Kind::NotFound);
    assert_eq!(refused(&vault, "/keys/int-1/none").await.kind(), Kind::NotFound);
}

#[tokio::test]
async fn passing_faults_are_tried_three_times() {
    let vault = stand_in().await;
    let signer = open(&vault, "/keys/int-1").await.unwrap();
    let faults = &vault.inner.faults;
    let answer = |status| Fault::answer(status, error_body("Some", "", "later"));
    for (status, kind) in [
        (429, Kind::Throttled),
        (500, Kind::Failed),
        (503, Kind::Unreachable),
        (504, Kind::TimedOut),
    ] {
        faults.plan([answer(status), answer(status)]);
        signer.sign(RS512, b"message").await.unwrap();
        faults.requests();
        faults.plan([answer(status), answer(status), answer(status)]);
        assert_eq!(sign_error(&*signer).await.kind(), kind);
        assert_eq!(faults.requests().len(), 3);
    }
    faults.plan([Fault::Answer {
        status: 429,
        body: error_body("Throttled", "", "later"),
        retry_after_s: Some(1),
    }]);
    let begin = Instant::now();
    signer.sign(RS512, b"message").await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1), "as Retry-After asks");
    faults.plan([Fault::Late(Duration::from_millis(100))]);
    signer.sign(RS512, b"message").await.unwrap();
}

#[tokio::test]
async fn silence_is_borne_for_25_seconds_at_most() {
    let vault = stand_in().await;
    let signer = open(&vault, "/keys/int-1").await.unwrap();
    vault.inner.faults.plan([Fault::Silence, Fault::Silence, Fault::Silence]);
    tokio::time::pause();
    let begin = Instant::now();
    let error = sign_error(&*signer).await;
    assert_eq!(error.kind(), Kind::TimedOut);
    assert_eq!(begin.elapsed().as_secs(), 25);
}

#[tokio::test]
async fn where_nobody_listens_is_told() {
    let port = crate::server::free_port();
    let key = uri(&format!("azurekeyvault:http://127.0.0.1:{port}/keys/int-1"));
    let error = AzureKeyVault::from_environment().open(&key).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

#[tokio::test]
async fn an_expired_token_is_replaced_by_a_fresh_one() {
    let vault = stand_in().await;
    let credential = Arc::new(Counted::default());
    vault.inner.accept("hushed-token-1");
    let custody = AzureKeyVault::with_credential(Arc::clone(&credential) as _);
    let signer = custody.open(&uri(&vault.uri("/keys/int-1"))).await.unwrap();
    signer.sign(RS512, b"message").await.unwrap();
    assert_eq!(credential.0.load(Ordering::Relaxed), 1, "a token is kept");

    vault.inner.expire_all_tokens();
    vault.inner.accept("hushed-token-2");
    signer.sign(RS512, b"message").await.unwrap();
    assert_eq!(credential.0.load(Ordering::Relaxed), 2);

    vault.inner.expire_all_tokens();
    let error = sign_error(&*signer).await;
    assert_eq!(error.kind(), Kind::SessionExpired, "no fresh one helps: {error}");
    assert!(!format!("{error} {error:?}").contains("hushed"), "{error}");
}

#[tokio::test]
async fn a_token_that_a_vault_repeats_is_not_passed_on() {
    let vault = stand_in().await;
    vault.inner.accept("hushed-token-1");
    let custody = AzureKeyVault::with_credential(Arc::new(Counted::default()));
    let told = "got Authorization: Bearer hushed-token-1\r\n\u{1b}[2Jand refused it";
    vault.inner.faults.plan([Fault::answer(403, error_body("Forbidden", "", told))]);
    let error = custody.open(&uri(&vault.uri("/keys/int-1"))).await.unwrap_err();
    let told = format!("{error} {error:?} {custody:?}");
    assert!(!told.contains("hushed") && !told.contains('\u{1b}'), "{told}");
    assert!(told.contains("and refused it"), "{told}");
}

#[tokio::test]
async fn a_foreign_host_is_refused_before_a_token_is_asked_for() {
    let credential = Arc::new(Counted::default());
    let custody = AzureKeyVault::with_credential(Arc::clone(&credential) as _);
    for host in ["vault.example.com", "a.b.vault.azure.net", "10.0.0.1"] {
        let key = uri(&format!("azurekeyvault://{host}/keys/int-1"));
        assert_eq!(custody.open(&key).await.unwrap_err().kind(), Kind::InvalidUri);
        let place = uri(&format!("azurekeyvault://{host}"));
        let error = custody.create(&place, &kid("int-1")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidUri);
        let secret = uri(&format!("azurekeyvault://{host}/secrets/a"));
        assert_eq!(custody.read_secret(&secret).await.unwrap_err().kind(), Kind::InvalidUri);
    }
    let other = custody.open(&uri("awskms:alias/a")).await.unwrap_err();
    assert_eq!(other.kind(), Kind::Unsupported);
    assert_eq!(credential.0.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_is_no_signature_by_the_key_is_not_passed_on() {
    let vault = StandIn::start().await;
    let wrong =
        Version { signs_with: Some(keys::new_4096()), ..Version::rsa("a1", keys::of_4096()) };
    vault.holds("int-1", wrong);
    let signer = open(&vault, "/keys/int-1").await.unwrap();
    let error = sign_error(&*signer).await;
    assert_eq!(error.kind(), Kind::Failed);
    assert!(error.to_string().ends_with("not by this key"), "{error}");
}

#[tokio::test]
async fn a_secret_is_read_by_its_name_or_its_version() {
    let vault = StandIn::start().await;
    let first = vault.keeps("client-secret", "hushed one");
    vault.keeps("client-secret", "hushed two");
    let custody = AzureKeyVault::from_environment();
    let read = async |path: &str| custody.read_secret(&uri(&vault.uri(path))).await;
    let newest = read("/secrets/client-secret").await.unwrap();
    assert_eq!(newest.expose_secret(), "hushed two");
    let older = read(&format!("/secrets/client-secret/{first}")).await.unwrap();
    assert_eq!(older.expose_secret(), "hushed one");
    assert!(!format!("{older:?}").contains("hushed"));
    assert_eq!(read("/secrets/none").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(read("/keys/client-secret").await.unwrap_err().kind(), Kind::InvalidUri);
}

/// By which a process knows that it is the one below, whose environment says who asks.
const CHILD: &str = "NHS_AUTH_TEST_KEY_VAULT_CHILD";

#[tokio::test]
async fn the_environment_says_who_asks() {
    if let Ok(key) = std::env::var(CHILD) {
        return say_what_comes_of_it(&key).await;
    }
    let vault = stand_in().await;
    let key = format!("azurekeyvault:{}/keys/int-1", vault.origin());
    let run = async |secret: &str, trusted: std::path::PathBuf| {
        let mut test = tokio::process::Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "--nocapture", "key_vault::the_environment_says_who_asks"])
            .env(CHILD, &key)
            .env("SSL_CERT_FILE", trusted)
            .env("NO_PROXY", "*")
            .env("AZURE_AUTHORITY_HOST", vault.origin())
            .env("AZURE_TENANT_ID", TENANT)
            .env("AZURE_CLIENT_ID", CLIENT)
            .env("AZURE_CLIENT_SECRET", secret);
        installed::run(&mut test).await
    };
    let printed = run(CLIENT_SECRET, vault.authority_file()).await;
    assert!(printed.contains("signed"), "{printed}");
    let printed = run("a wrong secret", vault.authority_file()).await;
    let told = "no token: Microsoft Entra ID answered 401 AADSTS7000215";
    assert!(printed.contains("Denied") && printed.contains(told), "{printed}");
    assert!(!printed.contains("wrong secret"), "{printed}");
    let other = StandIn::start().await;
    let printed = run(CLIENT_SECRET, other.authority_file()).await;
    assert!(printed.contains("Unreachable"), "whom nobody trusts: {printed}");
}

#[expect(clippy::print_stdout, reason = "it is how the one process tells the other")]
async fn say_what_comes_of_it(key: &str) {
    match AzureKeyVault::from_environment().open(&uri(key)).await {
        Ok(signer) => {
            let signature = signer.sign(RS512, b"message").await.unwrap();
            assert_verified(signer.public_key(), RS512, b"message", &signature);
            println!("signed");
        }
        Err(error) => println!("{:?} {error}", error.kind()),
    }
}
