//! Google Cloud KMS, by way of a stand-in that Google's own client has proved.

mod stand_in;

use std::sync::Arc;
use std::time::Duration;

use google_cloud_auth::credentials::service_account;
use nhs_auth::{
    Custody, CustodyError, CustodyErrorKind as Kind, PrivateKey, SignError, Signer,
    SigningAlgorithm,
};
use nhs_auth_custody::GcpKms;
use serde_json::json;
use tokio::time::Instant;

use self::stand_in::{Flaw, Generation, RING, StandIn, Version, error_body};
use crate::every_signer::{self, RS512, assert_verified, sign_error};
use crate::faults::Fault;
use crate::names::{kid, uri};
use crate::{installed, keys};

/// A stand-in that holds the key `int-1`.
async fn stand_in() -> StandIn {
    let kms = StandIn::start().await;
    kms.holds("int-1", Version::enabled(keys::of_4096()));
    kms
}

async fn open(kms: &StandIn, path: &str) -> Result<Arc<dyn Signer>, CustodyError> {
    GcpKms::from_environment().open(&uri(&kms.uri(path))).await
}

async fn refused(kms: &StandIn, path: &str) -> CustodyError {
    open(kms, path).await.unwrap_err()
}

fn answer(code: u16, status: &str) -> Fault {
    Fault::answer(code, error_body(code, status, "so it is"))
}

#[tokio::test]
async fn googles_own_client_works_with_the_stand_in() {
    let kms = StandIn::start().await;
    let mut script = installed::script("google_cloud_kms.py");
    let printed = installed::run(script.arg(kms.origin()).arg(RING)).await;
    let versions: Vec<String> = serde_json::from_str(&printed).unwrap();
    assert_eq!(versions, [format!("{RING}/cryptoKeys/from-python/cryptoKeyVersions/1")]);
    // And what it made is opened here.
    let signer = open(&kms, "/cryptoKeys/from-python").await.unwrap();
    let signature = signer.sign(RS512, b"message").await.unwrap();
    assert_verified(signer.public_key(), RS512, b"message", &signature);
}

#[tokio::test]
async fn a_key_in_cloud_kms_keeps_to_it() {
    let kms = stand_in().await;
    let signer = open(&kms, "/cryptoKeys/int-1/versions/1").await.unwrap();
    assert_eq!(*signer.public_key(), keys::public(&keys::of_4096()));
    every_signer::keeps_to_it(Arc::clone(&signer), &[RS512]).await;
    kms.inner.faults.requests();
    let error = match signer.sign(SigningAlgorithm::Rs256, b"message").await.unwrap_err() {
        SignError::Custody(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(error.kind(), Kind::Unsuitable);
    assert!(error.to_string().contains("it signs RS512 alone"), "{error}");
    assert!(kms.inner.faults.requests().is_empty());
}

#[tokio::test]
async fn a_new_key_is_waited_for_and_made_once() {
    let kms = StandIn::start().await;
    let custody = GcpKms::from_environment();
    let ring = uri(&kms.uri(""));
    let created = custody.create(&ring, &kid("int_2")).await.unwrap();
    let version = format!("GET /v1/{RING}/cryptoKeys/int_2/cryptoKeyVersions/1");
    let requests = kms.inner.faults.requests();
    assert_eq!(requests.iter().filter(|it| **it == version).count(), 3, "{requests:?}");
    assert_eq!(created.uri.expose(), kms.uri("/cryptoKeys/int_2/cryptoKeyVersions/1"));
    assert_eq!(created.signer.public_key().bits(), 4096);
    let [made] = &kms.versions("int_2")[..] else { panic!("there is one version") };
    assert_eq!(made.protection, "SOFTWARE");

    let signer = custody.open(&created.uri).await.unwrap();
    let signature = created.signer.sign(RS512, b"message").await.unwrap();
    assert_verified(signer.public_key(), RS512, b"message", &signature);

    let error = custody.create(&ring, &kid("int_2")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::AlreadyThere);
    assert_eq!(kms.versions("int_2").len(), 1);
    let error = custody.create(&ring, &kid("int.2")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidUri);

    let hsm = uri(&format!("{}&protection=hsm", kms.uri("")));
    custody.create(&hsm, &kid("int-3")).await.unwrap();
    assert_eq!(kms.versions("int-3")[0].protection, "HSM");
}

#[tokio::test]
async fn a_key_whose_generation_fails_or_lasts_is_told_of() {
    let kms = StandIn::start().await;
    let custody = GcpKms::from_environment();
    *kms.inner.generation.lock().unwrap() = Generation { pending: 1, state: "GENERATION_FAILED" };
    let error = custody.create(&uri(&kms.uri("")), &kid("fails")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Failed);
    assert!(error.to_string().ends_with("it was made, and is GENERATION_FAILED"), "{error}");

    *kms.inner.generation.lock().unwrap() = Generation { pending: u32::MAX, state: "ENABLED" };
    let begin = Instant::now();
    let error = custody.create(&uri(&kms.uri("")), &kid("lasts")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    assert!(error.to_string().contains("is still being generated: open it later"), "{error}");
    assert!((15..=25).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    kms.holds("pending", Version { pending: u32::MAX, ..Version::enabled(keys::of_4096()) });
    let error = refused(&kms, "/cryptoKeys/pending/versions/1").await;
    assert_eq!(error.kind(), Kind::Unsuitable);
    assert!(error.to_string().contains("PENDING_GENERATION"), "{error}");
}

#[tokio::test]
async fn a_key_is_not_made_again_when_the_answer_is_lost() {
    let kms = StandIn::start().await;
    kms.inner.faults.plan([answer(503, "UNAVAILABLE")]);
    let custody = GcpKms::from_environment();
    let error = custody.create(&uri(&kms.uri("")), &kid("int-2")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert_eq!(kms.inner.faults.requests(), [format!("POST /v1/{RING}/cryptoKeys")]);
}

#[tokio::test]
async fn without_a_version_it_is_the_highest_that_is_enabled_and_stays_so() {
    let kms = stand_in().await;
    let newest = keys::new_4096();
    for _ in 0..240 {
        kms.holds("int-1", Version::enabled(keys::of_4096()));
    }
    kms.holds("int-1", Version::enabled(Arc::clone(&newest)));
    kms.holds("int-1", Version { state: "DISABLED", ..Version::enabled(keys::of_4096()) });
    let signer = open(&kms, "/cryptoKeys/int-1").await.unwrap();
    assert!(format!("{signer:?}").contains("/cryptoKeyVersions/242?"), "on a second page");
    assert_eq!(*signer.public_key(), keys::public(&newest));
    kms.holds("int-1", Version::enabled(keys::new_4096()));
    let signature = signer.sign(RS512, b"message").await.unwrap();
    assert_verified(&keys::public(&newest), RS512, b"message", &signature);
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_refused_with_the_reason() {
    let kms = StandIn::start().await;
    let of = |algorithm| Version { algorithm, ..Version::enabled(keys::of_4096()) };
    let disabled = Version { state: "DISABLED", ..Version::enabled(keys::of_4096()) };
    for (key, version, reason) in [
        ("sha256", of("RSA_SIGN_PKCS1_4096_SHA256"), "is RSA_SIGN_PKCS1_4096_SHA256, not"),
        ("pss", of("RSA_SIGN_PSS_4096_SHA512"), "is RSA_SIGN_PSS_4096_SHA512, not"),
        ("symmetric", of("GOOGLE_SYMMETRIC_ENCRYPTION"), "is GOOGLE_SYMMETRIC_ENCRYPTION, not"),
        ("short", Version::enabled(keys::of_2048()), "2048 bits rather than 4096"),
        ("off", disabled, ""),
    ] {
        kms.holds(key, version);
        let newest = refused(&kms, &format!("/cryptoKeys/{key}")).await;
        let first = refused(&kms, &format!("/cryptoKeys/{key}/cryptoKeyVersions/1")).await;
        for error in [&newest, &first] {
            assert_eq!(error.kind(), Kind::Unsuitable, "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
    let off = refused(&kms, "/cryptoKeys/off").await.to_string();
    assert!(off.ends_with("no version of it is enabled"), "{off}");
    let off = refused(&kms, "/cryptoKeys/off/versions/1").await.to_string();
    assert!(off.ends_with("is not enabled, current state is: DISABLED."), "{off}");
}

#[tokio::test]
async fn an_answer_that_was_changed_on_its_way_is_not_passed_on() {
    let kms = stand_in().await;
    let signer = open(&kms, "/cryptoKeys/int-1").await.unwrap();
    let set = |flaw| *kms.inner.flaw.lock().unwrap() = flaw;
    for (flaw, reason) in [
        (Flaw::Bit, "the signature was changed on its way here"),
        (Flaw::UnverifiedHash, "the hash was changed on its way there"),
        (Flaw::OtherName, "the answer is of another key"),
        (Flaw::OtherKey, "the signature that was answered is not by this key"),
    ] {
        set(Some(flaw));
        let error = sign_error(&*signer).await;
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    set(Some(Flaw::Bit));
    let error = refused(&kms, "/cryptoKeys/int-1").await;
    assert!(error.to_string().ends_with("the public key was changed on its way here"), "{error}");
    set(None);
    signer.sign(RS512, b"message").await.unwrap();
}

#[tokio::test]
async fn each_refusal_has_its_kind() {
    let kms = stand_in().await;
    for (code, status, kind) in [
        (400, "INVALID_ARGUMENT", Kind::Failed),
        (400, "FAILED_PRECONDITION", Kind::Unsuitable),
        (403, "PERMISSION_DENIED", Kind::Denied),
        (404, "NOT_FOUND", Kind::NotFound),
        (409, "ALREADY_EXISTS", Kind::AlreadyThere),
    ] {
        kms.inner.faults.requests();
        kms.inner.faults.plan([answer(code, status)]);
        let error = refused(&kms, "/cryptoKeys/int-1/versions/1").await;
        assert_eq!(error.kind(), kind);
        let told = format!("Cloud KMS answered {status}: so it is");
        assert!(error.to_string().ends_with(&told), "{error}");
        assert_eq!(kms.inner.faults.requests().len(), 1, "{status} is not asked again");
    }
    assert_eq!(refused(&kms, "/cryptoKeys/none").await.kind(), Kind::NotFound);
    assert_eq!(refused(&kms, "/cryptoKeys/int-1/versions/9").await.kind(), Kind::NotFound);
    let page = Fault::answer(403, json!("a page of a proxy, with a token in it"));
    kms.inner.faults.plan([page]);
    let error = refused(&kms, "/cryptoKeys/int-1").await;
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().ends_with("Cloud KMS answered 403"), "{error}");
}

#[tokio::test]
async fn passing_faults_are_tried_three_times() {
    let kms = stand_in().await;
    let signer = open(&kms, "/cryptoKeys/int-1").await.unwrap();
    let faults = &kms.inner.faults;
    for (code, status, kind) in [
        (429, "RESOURCE_EXHAUSTED", Kind::Throttled),
        (500, "INTERNAL", Kind::Failed),
        (503, "UNAVAILABLE", Kind::Unreachable),
        (504, "DEADLINE_EXCEEDED", Kind::TimedOut),
    ] {
        faults.plan([answer(code, status), answer(code, status)]);
        signer.sign(RS512, b"message").await.unwrap();
        faults.requests();
        faults.plan([answer(code, status), answer(code, status), answer(code, status)]);
        assert_eq!(sign_error(&*signer).await.kind(), kind);
        assert_eq!(faults.requests().len(), 3);
    }
    faults.plan([Fault::Late(Duration::from_millis(100))]);
    signer.sign(RS512, b"message").await.unwrap();
}

#[tokio::test]
async fn silence_is_borne_for_25_seconds_at_most() {
    let kms = stand_in().await;
    let signer = open(&kms, "/cryptoKeys/int-1").await.unwrap();
    kms.inner.faults.plan([Fault::Silence, Fault::Silence, Fault::Silence]);
    tokio::time::pause();
    let begin = Instant::now();
    let error = sign_error(&*signer).await;
    assert_eq!(error.kind(), Kind::TimedOut);
    assert_eq!(begin.elapsed().as_secs(), 25);
}

#[tokio::test]
async fn where_nobody_listens_is_told() {
    let port = crate::server::free_port();
    let key = format!("gcpkms:{RING}/cryptoKeys/a?endpoint=http://127.0.0.1:{port}");
    let error = GcpKms::from_environment().open(&uri(&key)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

#[tokio::test]
async fn a_refused_credential_is_made_afresh_once() {
    let kms = stand_in().await;
    let signer = open(&kms, "/cryptoKeys/int-1").await.unwrap();
    let expired = || answer(401, "UNAUTHENTICATED");
    kms.inner.faults.plan([expired()]);
    signer.sign(RS512, b"message").await.unwrap();
    kms.inner.faults.requests();
    kms.inner.faults.plan([expired(), expired()]);
    assert_eq!(sign_error(&*signer).await.kind(), Kind::SessionExpired);
    assert_eq!(kms.inner.faults.requests().len(), 2);

    let none = json!({"error": {
        "code": 401, "message": "Request is missing required authentication credential.",
        "status": "UNAUTHENTICATED", "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "CREDENTIALS_MISSING", "domain": "googleapis.com",
        }],
    }});
    kms.inner.faults.plan([Fault::answer(401, none)]);
    assert_eq!(sign_error(&*signer).await.kind(), Kind::Denied);
}

#[tokio::test]
async fn a_service_account_signs_its_own_token_which_no_error_has() {
    let kms = stand_in().await;
    let key = PrivateKey::generate().unwrap();
    let account = json!({
        "type": "service_account", "project_id": "nhs-1", "private_key_id": "1",
        "private_key": key.to_pkcs8_pem().as_str(), "client_id": "1",
        "client_email": "signer@nhs-1.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    let custody = GcpKms::with_credentials(service_account::Builder::new(account).build().unwrap());
    let key = uri(&kms.uri("/cryptoKeys/int-1/versions/1"));
    custody.open(&key).await.unwrap();
    let sent = kms.inner.last_authorization();
    let token = sent.strip_prefix("Bearer ").unwrap();
    assert_eq!(token.split('.').count(), 3, "a JWT");

    let told = format!("`{token}` is refused");
    kms.inner.faults.requests();
    kms.inner.faults.plan([Fault::answer(401, error_body(401, "UNAUTHENTICATED", &told))]);
    let error = custody.open(&key).await.unwrap_err();
    assert_eq!(error.kind(), Kind::SessionExpired);
    assert!(!format!("{error} {error:?} {custody:?}").contains("eyJ"), "{error}");
    assert_eq!(kms.inner.faults.requests().len(), 1, "a credential that was given stays as it is");
}

#[tokio::test]
async fn what_the_service_says_is_passed_on_without_a_token() {
    let kms = stand_in().await;
    let told = "got Bearer hushed\r\n\u{1b}[2J and ya29.hushed too, and refused them";
    let body = error_body(403, "PERMISSION_DENIED", told);
    kms.inner.faults.plan([Fault::answer(403, body)]);
    let error = refused(&kms, "/cryptoKeys/int-1").await;
    let told = format!("{error} {error:?}");
    assert!(!told.contains("hushed") && !told.contains('\u{1b}'), "{told}");
    assert!(told.contains("and refused them"), "{told}");
}

#[tokio::test]
async fn a_foreign_endpoint_is_refused_before_anything_is_sent() {
    let foreign = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = foreign.local_addr().unwrap().port();
    let custody = GcpKms::from_environment();
    for endpoint in [
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1.example.com:{port}"),
        "https://kms.example.com".to_owned(),
    ] {
        let key = uri(&format!("gcpkms:{RING}/cryptoKeys/a?endpoint={endpoint}"));
        assert_eq!(custody.open(&key).await.unwrap_err().kind(), Kind::InvalidUri);
        let ring = uri(&format!("gcpkms:{RING}?endpoint={endpoint}"));
        assert_eq!(custody.create(&ring, &kid("a")).await.unwrap_err().kind(), Kind::InvalidUri);
    }
    let nobody = tokio::time::timeout(Duration::from_millis(100), foreign.accept()).await;
    assert!(nobody.is_err(), "nobody came");
    let other = custody.open(&uri("awskms:alias/a")).await.unwrap_err();
    assert_eq!(other.kind(), Kind::Unsupported);
}
