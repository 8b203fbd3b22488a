//! Secrets in AWS Secrets Manager, which moto stands in for.

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_secretsmanager::primitives::Blob;
use nhs_auth_custody::{AwsSecretError, AwsSecretRef, AwsSecrets};
use secrecy::ExposeSecret as _;

use crate::faulty_way::{Answer, Faults};
use crate::moto::{Moto, REGION, access_key};

fn admin(url: &str) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("AKIAADMINADMINADMIN0", "admin", None, None, "test"))
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}

async fn read(url: &str, name: &str, member: &str) -> Result<String, AwsSecretError> {
    let text = format!("awssecret:{name}?region={REGION}&endpoint={url}{member}");
    let secrets = AwsSecrets::new().with_access_key(access_key());
    let secret = secrets.read(&AwsSecretRef::parse(&text).unwrap()).await?;
    Ok(secret.expose_secret().to_owned())
}

#[tokio::test]
async fn a_secret_is_read_whole_or_by_a_member() {
    let moto = Moto::start().await;
    let admin = admin(&moto.url());
    let json = r#"{"pin":"open-sesame","tries":3}"#;
    let made = admin.create_secret().name("nhs/int").secret_string(json).send().await.unwrap();
    let binary = admin.create_secret().name("binary").secret_binary(Blob::new([0xFF, 0]));
    binary.send().await.unwrap();
    let text = admin.create_secret().name("text").secret_binary(Blob::new("in bytes"));
    text.send().await.unwrap();

    let url = moto.url();
    assert_eq!(read(&url, "nhs/int", "").await.unwrap(), json);
    assert_eq!(read(&url, "nhs/int", "#pin").await.unwrap(), "open-sesame");
    assert_eq!(read(&url, made.arn().unwrap(), "#pin").await.unwrap(), "open-sesame");
    assert_eq!(read(&url, "text", "").await.unwrap(), "in bytes");

    for (name, member, words) in [
        ("nhs/int", "#tries", "is no JSON object with the string `tries`"),
        ("text", "#pin", "is no JSON object with the string `pin`"),
        ("binary", "", "is no text in UTF-8"),
        ("nobody", "", "ResourceNotFoundException"),
    ] {
        let error = read(&url, name, member).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error} {error:?}").contains("sesame"));
        assert!(!error.is_passing());
    }
}

#[tokio::test]
async fn a_passing_fault_is_waited_out_and_too_large_a_secret_is_refused() {
    let moto = Moto::start().await;
    let faults = Faults::before(moto.port()).await;
    let small = admin(&moto.url()).create_secret().name("small").secret_string("open-sesame");
    small.send().await.unwrap();
    faults.answer("GetSecretValue", 2, Answer::Status(503, ""));
    assert_eq!(read(&faults.url(), "small", "").await.unwrap(), "open-sesame");

    let large = format!(r#"{{"SecretString":"{}"}}"#, "x".repeat(64 * 1024 + 1)).leak();
    faults.answer("GetSecretValue", 1, Answer::Status(200, large));
    let error = read(&faults.url(), "small", "").await.unwrap_err();
    assert!(error.to_string().ends_with("is larger than 64 KiB"), "{error}");

    drop(moto);
    let error = read("http://127.0.0.1:1", "small", "").await.unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn a_wrong_credential_is_denied() {
    let moto = Moto::start_and_check_credentials_after(0).await;
    let error = read(&moto.url(), "small", "").await.unwrap_err();
    assert!(error.to_string().contains("status 403"), "{error}");
}
