//! A ring in a folder: its files, and what can be wrong with them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nhs_auth::{
    AdoptedKey, KeyRing, KeyRingError, Kid, PrivateKey, PublishTo, RingSettings, RotationOrders,
    UnixMillis,
};
use tempfile::TempDir;

use super::world::Time;

fn settings() -> RingSettings {
    RingSettings {
        kid_prefix: "int".to_owned(),
        rotate_every: Duration::from_hours(30 * 24),
        publish_to: PublishTo::Served,
        keys_at: None,
    }
}

async fn ring_with_a_key() -> (TempDir, KeyRing) {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::in_folder(folder.path());
    ring.create(settings()).await.unwrap();
    ring.rotate(&RotationOrders::default(), None).await.unwrap();
    (folder, ring)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_all_and_the_keys_for_their_owner() {
    let (folder, _) = ring_with_a_key().await;
    assert_eq!(names(folder.path()), ["int-1.pem", "key-ring.json", "key-ring.lock"]);
    assert_eq!(mode(&folder.path().join("int-1.pem")), 0o600);
    assert_eq!(mode(&folder.path().join("key-ring.json")), 0o644);
    let text = fs::read_to_string(folder.path().join("key-ring.json")).unwrap();
    assert!(!text.contains("PRIVATE"));
}

#[tokio::test]
async fn a_ring_comes_back_as_it_was_written() {
    let (folder, ring) = ring_with_a_key().await;
    let text = fs::read_to_string(folder.path().join("key-ring.json")).unwrap();
    assert_eq!(ring.content().await.unwrap().to_json(), text);
}

#[tokio::test]
async fn a_retired_key_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let time = Time::new(UnixMillis(1_800_000_000_000));
    let ring = KeyRing::in_folder(folder.path()).with_clock(time.clone());
    ring.create(settings()).await.unwrap();
    for orders in [RotationOrders::default(), RotationOrders { start: true, ..Default::default() }]
    {
        ring.rotate(&orders, None).await.unwrap();
    }
    let kept = fs::read(folder.path().join("int-1.pem")).unwrap();
    for _ in 0..2 {
        time.pass(Duration::from_hours(2));
        ring.rotate(&RotationOrders::default(), None).await.unwrap();
    }
    assert_eq!(names(folder.path()), ["int-2.pem", "key-ring.json", "key-ring.lock"]);

    // As when the process was killed between the two: the next run takes it away.
    fs::write(folder.path().join("int-1.pem"), kept).unwrap();
    ring.rotate(&RotationOrders::default(), None).await.unwrap();
    assert!(!folder.path().join("int-1.pem").exists());

    // And never a key of somebody else.
    let other = PrivateKey::generate().unwrap();
    fs::write(folder.path().join("int-1.pem"), other.to_pkcs8_pem().as_bytes()).unwrap();
    ring.rotate(&RotationOrders::default(), None).await.unwrap();
    assert!(folder.path().join("int-1.pem").exists());
}

#[tokio::test]
async fn a_key_of_a_run_that_was_cut_short_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::in_folder(folder.path());
    ring.create(settings()).await.unwrap();
    let orphan = PrivateKey::generate().unwrap();
    fs::write(folder.path().join("int-1.pem"), orphan.to_pkcs8_pem().as_bytes()).unwrap();
    let rotation = ring.rotate(&RotationOrders::default(), None).await.unwrap();
    assert_eq!(rotation.content.keys()[0].public_key, *orphan.public());
}

#[tokio::test]
async fn a_file_that_is_no_key_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::in_folder(folder.path());
    ring.create(settings()).await.unwrap();
    fs::write(folder.path().join("int-1.pem"), "my notes").unwrap();
    let error = ring.rotate(&RotationOrders::default(), None).await.unwrap_err();
    assert!(matches!(error, KeyRingError::Key(_)), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("int-1.pem")).unwrap(), "my notes");
}

#[tokio::test]
async fn a_key_from_before_is_adopted_once() {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::in_folder(&folder.path().join("keys"));
    let key = PrivateKey::generate().unwrap();
    let public = key.public().clone();
    let kid = Kid::parse("test-7").unwrap();
    ring.adopt(settings(), kid.clone(), AdoptedKey::Private(key)).await.unwrap();
    let content = ring.content().await.unwrap();
    assert_eq!(content.active().unwrap().public_key, public);
    assert!(folder.path().join("keys/test-7.pem").exists());

    let again = AdoptedKey::Private(PrivateKey::generate().unwrap());
    let error = ring.adopt(settings(), kid, again).await.unwrap_err();
    assert!(matches!(error, KeyRingError::Exists { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_ring_is_told_and_left_as_it_is() {
    let (folder, ring) = ring_with_a_key().await;
    let path = folder.path().join("key-ring.json");
    let good = fs::read_to_string(&path).unwrap();
    let twice = good.replace("\"keys\": [", "\"keys\": [{},").replace("{},", &{
        let entry: serde_json::Value = serde_json::from_str(&good).unwrap();
        format!("{},", entry["keys"][0])
    });
    for (bad, says) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), "invalid length"),
        (good.replace("\"schema\": 1", "\"schema\": 2"), "schema 2"),
        (good.replace("\"active\"", "\"asleep\""), "asleep"),
        (good.replace("int-1.pem", "../int-1.pem"), "`private_key`"),
        (good.replace("\"n\": \"", "\"n\": \"!"), "`n` and `e`"),
        (good[..good.len() / 2].to_owned(), "EOF"),
        (twice, "`int-1`"),
    ] {
        fs::write(&path, &bad).unwrap();
        let error = ring.rotate(&RotationOrders::default(), None).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
}

#[tokio::test]
async fn two_at_once_take_turns() {
    let (_folder, ring) = ring_with_a_key().await;
    let orders = RotationOrders { start: true, ..Default::default() };
    let (one, other) = tokio::join!(ring.rotate(&orders, None), ring.rotate(&orders, None));
    assert_eq!(one.unwrap().done.len() + other.unwrap().done.len(), 1);
    assert_eq!(ring.content().await.unwrap().keys().len(), 2);
}
