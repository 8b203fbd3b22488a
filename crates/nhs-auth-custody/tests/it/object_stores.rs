//! Key sets and key rings in the stores of three clouds, which others stand in for.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nhs_auth_custody::{
    CloudSettings, InvalidCloudSettings, JwksObject, ObjectLocation, PublishError, Published,
};

use crate::azurite::{ACCOUNT, Azurite, new_key};
use crate::every_object_store::{Cloud, does_it, keys};
use crate::faulty_way::{Answer, Faults};
use crate::gcs;
use crate::moto::Moto;

fn s3_settings(url: &str) -> CloudSettings {
    CloudSettings::from_variables([
        ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
        ("AWS_SECRET_ACCESS_KEY", "open-sesame"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", url),
    ])
}

async fn make_bucket(moto: &Moto) {
    let made = reqwest::Client::new().put(format!("{}/nhs-keys", moto.url())).send().await;
    assert!(made.unwrap().status().is_success());
}

async fn s3(moto: &Moto) -> Cloud {
    make_bucket(moto).await;
    let faults = Faults::before(moto.port()).await;
    let settings = s3_settings(&faults.url());
    Cloud { settings, bucket: "s3://nhs-keys", no_bucket: "s3://nobodys-bucket", faults }
}

#[tokio::test]
async fn s3_does_it() {
    let moto = Moto::start().await;
    does_it(&s3(&moto).await).await;
}

#[tokio::test]
async fn azure_does_it() {
    let azurite = Azurite::start().await;
    azurite.make_container("keys").await;
    let faults = Faults::before(azurite.port()).await;
    let settings = azure_settings(&faults, &azurite.key());
    let (bucket, no_bucket) = ("az://nhskeys/keys", "az://nhskeys/nobodys");
    does_it(&Cloud { settings, bucket, no_bucket, faults: faults.clone() }).await;

    let settings = azure_settings(&faults, &STANDARD.encode(new_key()));
    let location = ObjectLocation::parse("az://nhskeys/keys/jwks.json").unwrap();
    let object = JwksObject::at(&location, &settings).unwrap();
    let error = object.publish(&keys("a")).await.unwrap_err();
    assert!(error.to_string().contains("status 403"), "a wrong key: {error}");
}

fn azure_settings(faults: &Faults, key: &str) -> CloudSettings {
    CloudSettings::from_variables([
        ("AZURE_STORAGE_ACCOUNT_KEY", key),
        ("AZURE_STORAGE_ENDPOINT", &format!("{}/{ACCOUNT}", faults.url())),
    ])
}

#[tokio::test]
async fn googles_does_it_as_far_as_its_documentation_tells() {
    let faults = Faults::before(gcs::start().await).await;
    let account =
        r#"{"client_email":"","private_key":"","private_key_id":"","disable_oauth":true}"#;
    let settings = CloudSettings::from_variables([
        ("GOOGLE_SERVICE_ACCOUNT_KEY", account),
        ("GOOGLE_BASE_URL", &faults.url()),
    ]);
    does_it(&Cloud { settings, bucket: "gs://nhs-keys", no_bucket: "gs://nobodys", faults }).await;
}

#[tokio::test]
async fn the_world_is_given_the_content_type_and_the_time_in_a_cache() {
    let moto = Moto::start().await;
    let cloud = s3(&moto).await;
    let object = cloud.object("jwks.json");
    let url = format!("{}/nhs-keys/jwks.json", moto.url());
    let client = reqwest::Client::new();
    // moto shows nobody what is signed by none, and takes any signature.
    let anybody = "AWS4-HMAC-SHA256 Credential=AKIAANYBODY/20260101/us-east-1/s3/aws4_request, \
                   SignedHeaders=host, Signature=00";
    let get = || client.get(&url).header("authorization", anybody).send();
    let by_hand = client.put(&url).header("authorization", anybody);
    let by_hand = by_hand.header("content-type", "text/plain");
    by_hand.body(keys("a").to_json()).send().await.unwrap();
    assert_eq!(object.publish(&keys("a")).await, Ok(Published::Replaced), "bytes are not all");

    let served = get().await.unwrap();
    let header = |name: &str| served.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/jwk-set+json");
    assert_eq!(header("cache-control"), "public, max-age=300");
    let (etag, modified) = (header("etag"), header("last-modified"));
    assert_eq!(served.text().await.unwrap(), keys("a").to_json());

    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(object.publish(&keys("a")).await, Ok(Published::Unchanged));
    let served = get().await.unwrap();
    assert_eq!(served.headers()["etag"], etag);
    assert_eq!(served.headers()["last-modified"], modified);
}

#[tokio::test]
async fn a_store_that_shows_something_else_is_told_of() {
    let moto = Moto::start().await;
    let cloud = s3(&moto).await;
    let object = cloud.object("jwks.json");
    object.publish(&keys("a")).await.unwrap();
    let none = Answer::Status(404, "<Error><Code>NoSuchKey</Code></Error>");
    cloud.faults.answer_after("GET ", 1, 3, none);
    assert_eq!(object.publish(&keys("b")).await, Ok(Published::Replaced), "a little later");
    cloud.faults.answer_after("GET ", 1, 9, none);
    let error = object.publish(&keys("c")).await.unwrap_err();
    let place = "s3://nhs-keys/jwks.json".to_owned();
    assert_eq!(error, PublishError::NotShown { place, reason: "nothing is there" });
}

#[tokio::test]
async fn a_store_that_is_gone_or_refuses_is_told_of_in_time() {
    let moto = Moto::start_and_check_credentials_after(0).await;
    let location = ObjectLocation::parse("s3://nhs-keys/jwks.json").unwrap();
    let object = JwksObject::at(&location, &s3_settings(&moto.url())).unwrap();
    let refused = object.publish(&keys("a")).await.unwrap_err();
    assert!(refused.to_string().contains("status 403, InvalidAccessKeyId"), "{refused}");

    drop(moto);
    let began = Instant::now();
    let gone = object.publish(&keys("a")).await.unwrap_err();
    assert!(gone.to_string().contains("Connection refused"), "{gone}");
    assert!(matches!(gone, PublishError::Unavailable { passing: true, .. }));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());

    let mut shown = format!("{refused} {refused:?} {gone:?} {object:?}");
    write!(shown, "{:?}", s3_settings("http://127.0.0.1:1")).unwrap();
    assert!(!shown.contains("sesame") && !shown.contains("AKIA"), "{shown}");
}

#[test]
fn an_endpoint_beyond_this_machine_is_https() {
    let location = ObjectLocation::parse("s3://nhs-keys/jwks.json").unwrap();
    for wrong in ["http://192.0.2.1", "http://s3.example.org", "ftp://127.0.0.1", "127.0.0.1:1"] {
        let error = JwksObject::at(&location, &s3_settings(wrong)).unwrap_err();
        let name = "AWS_ENDPOINT_URL".to_owned();
        assert_eq!(error, InvalidCloudSettings::Endpoint { name }, "{wrong}");
    }
    JwksObject::at(&location, &s3_settings("https://s3.example.org")).unwrap();
}
