//! Keys in AWS KMS, which moto stands in for.
//!
//! moto hashes a message of the type DIGEST once more, so its signatures are proof for RAW alone;
//! of longer messages only what is asked is looked at.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::types::{KeySpec, KeyState, KeyUsageType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nhs_auth::{
    Custody as _, CustodyError, CustodyErrorKind, KeyUri, Kid, Signer, SigningAlgorithm,
};
use nhs_auth_custody::AwsKms;

use crate::every_signer;
use crate::faulty_way::{Answer, Faults};
use crate::moto::{Moto, REGION, access_key};

const BOTH: [SigningAlgorithm; 2] = [SigningAlgorithm::Rs512, SigningAlgorithm::Rs256];

fn kms() -> AwsKms {
    AwsKms::new().with_access_key(access_key())
}

fn uri(name: &str, url: &str) -> KeyUri {
    KeyUri::parse(&format!("awskms:{name}?region={REGION}&endpoint={url}")).unwrap()
}

fn kid() -> Kid {
    Kid::parse("int-1").unwrap()
}

async fn open(name: &str, url: &str) -> Result<Arc<dyn Signer>, CustodyError> {
    kms().open(&uri(name, url)).await
}

/// AWS's own client, to arrange and to look at what moto has.
fn admin(url: &str) -> aws_sdk_kms::Client {
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("AKIAADMINADMINADMIN0", "admin", None, None, "test"))
        .build();
    aws_sdk_kms::Client::from_conf(config)
}

#[tokio::test]
async fn a_key_that_kms_makes_keeps_to_it() {
    let moto = Moto::start().await;
    let created = kms().create(&uri("alias/nhs/int", &moto.url()), &kid()).await.unwrap();
    let arn = "awskms:arn:aws:kms:eu-west-2:123456789012:key/";
    let query = format!("?region={REGION}&endpoint={}", moto.url());
    let text = created.uri.to_string();
    assert!(text.starts_with(arn) && text.ends_with(&query), "{text}");

    let id = &text[arn.len()..text.len() - query.len()];
    for name in [
        "alias/nhs/int",
        "///alias/nhs/int",
        id,
        &format!("//{}", &text[7..text.len() - query.len()]),
    ] {
        let signer = open(name, &moto.url()).await.unwrap();
        assert_eq!(signer.public_key(), created.signer.public_key(), "{name}");
    }
    let signer = kms().open(&created.uri).await.unwrap();
    // Of an empty message KMS wants the hash, which moto hashes again.
    every_signer::keeps_to_it_for(signer, &BOTH, &every_signer::LENGTHS[1..]).await;

    let error = kms().create(&uri("alias/nhs/int", &moto.url()), &kid()).await.unwrap_err();
    assert_eq!(error.kind(), CustodyErrorKind::AlreadyThere, "{error}");
    let keys = admin(&moto.url()).list_keys().send().await.unwrap();
    assert_eq!(keys.keys().len(), 1, "no second one was made");
}

#[tokio::test]
async fn a_signer_stays_with_its_key_when_the_alias_moves() {
    let moto = Moto::start().await;
    let place = uri("", &moto.url());
    let first = kms().create(&place, &kid()).await.unwrap();
    let second = kms().create(&place, &Kid::parse("int-2").unwrap()).await.unwrap();
    let signer = open("alias/int-1", &moto.url()).await.unwrap();
    assert_eq!(signer.public_key(), first.signer.public_key());

    let id = second.uri.to_string();
    let id = id["awskms:".len()..].split('?').next().unwrap();
    let moved = admin(&moto.url()).update_alias().alias_name("alias/int-1").target_key_id(id);
    moved.send().await.unwrap();
    let signature = signer.sign(SigningAlgorithm::Rs512, b"a message").await.unwrap();
    let algorithm = SigningAlgorithm::Rs512;
    every_signer::assert_verified(first.signer.public_key(), algorithm, b"a message", &signature);
}

#[tokio::test]
async fn a_key_of_another_kind_is_unsuitable() {
    let moto = Moto::start().await;
    let admin = admin(&moto.url());
    let mut ids = Vec::new();
    for (spec, usage) in [
        (KeySpec::Rsa2048, KeyUsageType::SignVerify),
        (KeySpec::Rsa3072, KeyUsageType::SignVerify),
        (KeySpec::EccNistP256, KeyUsageType::SignVerify),
        (KeySpec::Rsa4096, KeyUsageType::EncryptDecrypt),
    ] {
        let made = admin.create_key().key_spec(spec).key_usage(usage).send().await.unwrap();
        ids.push(made.key_metadata.unwrap().key_id);
    }
    for (id, words) in ids.iter().zip([
        "it has 2048 bits, not 4096", // moto tells no KeySpec
        "it has 3072 bits, not 4096",
        "it does not sign by RSASSA_PKCS1_V1_5_SHA_512",
        "another than SIGN_VERIFY",
    ]) {
        let error = open(id, &moto.url()).await.unwrap_err();
        assert_eq!(error.kind(), CustodyErrorKind::Unsuitable, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let faults = Faults::before(moto.port()).await;
    let spec = r#"{"KeySpec":"RSA_2048","KeyUsage":"SIGN_VERIFY"}"#;
    faults.answer("GetPublicKey", 1, Answer::Status(200, spec));
    let error = open("alias/nhs", &faults.url()).await.unwrap_err();
    assert!(error.to_string().contains("of the kind RSA_2048, and has to be RSA_4096"), "{error}");

    for name in ["alias/nobody", "1234abcd-12ab-34cd-56ef-1234567890ab"] {
        let error = open(name, &moto.url()).await.unwrap_err();
        assert_eq!(error.kind(), CustodyErrorKind::NotFound, "{error}");
    }
}

#[tokio::test]
async fn an_alias_lost_in_a_race_leaves_no_key_behind() {
    let moto = Moto::start().await;
    let faults = Faults::before(moto.port()).await;
    let taken = r#"{"__type":"AlreadyExistsException","message":"An alias with that name exists"}"#;
    faults.answer("CreateAlias", 1, Answer::Status(400, taken));
    let error = kms().create(&uri("alias/nhs", &faults.url()), &kid()).await.unwrap_err();
    assert_eq!(error.kind(), CustodyErrorKind::AlreadyThere, "{error}");
    assert!(error.to_string().ends_with("is deleted in 7 days"), "{error}");

    let admin = admin(&moto.url());
    let keys = admin.list_keys().send().await.unwrap();
    let [key] = keys.keys() else { panic!("one key: {keys:?}") };
    let key = admin.describe_key().key_id(key.key_id().unwrap()).send().await.unwrap();
    assert_eq!(key.key_metadata.unwrap().key_state, Some(KeyState::PendingDeletion));
}

#[tokio::test]
async fn a_new_key_is_asked_for_once_alone() {
    let moto = Moto::start().await;
    let faults = Faults::before(moto.port()).await;
    faults.answer("CreateKey", 1, Answer::Lost);
    let error = kms().create(&uri("alias/nhs", &faults.url()), &kid()).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    assert_eq!(faults.seen("CreateKey").len(), 1);
}

#[tokio::test]
async fn a_wrong_credential_is_denied() {
    let moto = Moto::start_and_check_credentials_after(4).await;
    let created = kms().create(&uri("alias/nhs", &moto.url()), &kid()).await.unwrap();
    for error in [
        created.signer.sign(SigningAlgorithm::Rs512, b"a").await.unwrap_err().to_string(),
        open("alias/nhs", &moto.url()).await.unwrap_err().to_string(),
        kms().create(&uri("alias/b", &moto.url()), &kid()).await.unwrap_err().to_string(),
    ] {
        assert!(error.contains("access is denied: status 403"), "{error}");
    }
}

#[tokio::test]
async fn a_passing_fault_is_waited_out_and_a_lasting_one_is_told() {
    let moto = Moto::start().await;
    let faults = Faults::before(moto.port()).await;
    let created = kms().create(&uri("alias/nhs", &faults.url()), &kid()).await.unwrap();
    let sign = async || created.signer.sign(SigningAlgorithm::Rs512, b"a message").await;

    let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    for fault in [Answer::Status(503, "busy"), Answer::Status(400, throttled), Answer::Lost] {
        faults.answer(".Sign", 2, fault);
        sign().await.unwrap();
    }
    faults.delay(Duration::from_millis(100));
    sign().await.unwrap();
    faults.delay(Duration::ZERO);

    let said = |code| format!(r#"{{"__type":"{code}","message":"no"}}"#).leak();
    for (answer, words) in [
        (Answer::Status(400, throttled), "too many requests: ThrottlingException: Rate exceeded"),
        (Answer::Status(503, "<html>"), "can't be reached: status 503"),
        (Answer::Status(400, said("ExpiredTokenException")), "has expired: ExpiredToken"),
        (
            Answer::Status(400, said("UnrecognizedClientException")),
            "access is denied: UnrecognizedClientException: no",
        ),
        (Answer::Status(400, said("AccessDeniedException")), "access is denied: AccessDenied"),
        (Answer::Status(400, said("DisabledException")), "not a key for this: Disabled"),
        (Answer::Status(400, said("KMSInvalidStateException")), "not a key for this: KMSInvalid"),
        (Answer::Status(200, "{}"), "it failed: its signature has 0 bytes"),
        (Answer::Status(200, "{"), "it failed: its answer can't be read"),
    ] {
        faults.answer(".Sign", 3, answer);
        let error = sign().await.unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        faults.forget_rules();
    }
    sign().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_gone_or_silent_is_waited_for_only_so_long() {
    let moto = Moto::start().await;
    let faults = Faults::before(moto.port()).await;
    let created = kms().create(&uri("alias/nhs", &moto.url()), &kid()).await.unwrap();
    let silent = open("alias/nhs", &faults.url()).await.unwrap();
    drop(moto);

    let began = Instant::now();
    let error = created.signer.sign(SigningAlgorithm::Rs512, b"a").await.unwrap_err();
    assert!(error.to_string().contains("it can't be reached: Connection refused"), "{error}");
    assert!(error.is_passing() && began.elapsed() < Duration::from_secs(8), "{error}");

    faults.answer(".Sign", 9, Answer::Silence);
    let began = Instant::now();
    let error = silent.sign(SigningAlgorithm::Rs512, b"a").await.unwrap_err();
    assert!(error.to_string().contains("there was no answer in time"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(18), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_message_that_kms_would_not_hash_is_hashed_here() {
    let moto = Moto::start().await;
    let faults = Faults::before(moto.port()).await;
    let created = kms().create(&uri("alias/nhs", &faults.url()), &kid()).await.unwrap();
    let asked = || -> serde_json::Value {
        serde_json::from_slice(&faults.seen(".Sign").last().unwrap().body).unwrap()
    };
    for (algorithm, name, digest) in [
        (SigningAlgorithm::Rs512, "RSASSA_PKCS1_V1_5_SHA_512", &aws_lc_rs::digest::SHA512),
        (SigningAlgorithm::Rs256, "RSASSA_PKCS1_V1_5_SHA_256", &aws_lc_rs::digest::SHA256),
    ] {
        let long = [b'm'; 4097];
        let signing = created.signer.sign(algorithm, &long[..4096]);
        signing.await.unwrap();
        assert_eq!(asked()["MessageType"], "RAW");
        assert_eq!(asked()["Message"], STANDARD.encode(&long[..4096]));
        for message in [&long[..], b""] {
            created.signer.sign(algorithm, message).await.unwrap();
            let hash = aws_lc_rs::digest::digest(digest, message);
            assert_eq!(asked()["MessageType"], "DIGEST");
            assert_eq!(asked()["Message"], STANDARD.encode(hash.as_ref()));
            assert_eq!(asked()["SigningAlgorithm"], name);
        }
    }
}

#[tokio::test]
async fn the_secret_is_shown_nowhere() {
    let moto = Moto::start().await;
    let faults = Faults::before(moto.port()).await;
    let created = kms().create(&uri("alias/nhs", &faults.url()), &kid()).await.unwrap();
    let mut shown = format!("{:?} {:#?} {created:?}", kms(), kms());
    faults.answer(".Sign", 1, Answer::Status(400, r#"{"__type":"Unheard","message":"no"}"#));
    let error = created.signer.sign(SigningAlgorithm::Rs512, b"a").await.unwrap_err();
    write!(shown, "{error} {error:?}").unwrap();
    drop(moto);
    let error = open("alias/nhs", "http://127.0.0.1:1").await.unwrap_err();
    write!(shown, "{error} {error:?}").unwrap();
    assert!(shown.contains("AKIATEST") && shown.contains("Unheard"), "{shown}");
    assert!(!shown.contains("sesame") && !shown.contains("Signature="), "{shown}");
}
