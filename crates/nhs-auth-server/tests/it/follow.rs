//! An endpoint that follows a key ring.

use std::fs;
use std::time::Duration;

use nhs_auth::{KeyRing, PublishTo, RingSettings, RotationOrders};
use nhs_auth_server::{JwksEndpoint, JwksState};
use tempfile::TempDir;

async fn ring() -> (TempDir, KeyRing) {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::in_folder(folder.path());
    let settings = RingSettings {
        kid_prefix: "int".to_owned(),
        rotate_every: Duration::from_hours(24),
        publish_to: PublishTo::Served,
        keys_at: None,
    };
    ring.create(settings).await.unwrap();
    (folder, ring)
}

/// The kids that are served.
fn served(endpoint: &JwksEndpoint) -> Vec<String> {
    match endpoint.state() {
        JwksState::Serving(set) => set.key_ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn what_is_in_the_ring_is_served() {
    let (folder, ring) = ring().await;
    let endpoint = JwksEndpoint::new();
    endpoint.follow_once(&ring).await;
    assert!(matches!(endpoint.state(), JwksState::Withdrawn { .. }), "a ring without a key");

    ring.rotate(&RotationOrders::default(), None).await.unwrap();
    endpoint.follow_once(&ring).await;
    assert_eq!(served(&endpoint), ["int-1"]);
    let start = RotationOrders { start: true, ..RotationOrders::default() };
    ring.rotate(&start, None).await.unwrap();
    endpoint.follow_once(&ring).await;
    assert_eq!(served(&endpoint), ["int-1", "int-2"]);

    let file = folder.path().join("key-ring.json");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    endpoint.follow_once(&ring).await;
    assert!(matches!(endpoint.state(), JwksState::Withdrawn { .. }), "a torn ring");
    fs::write(&file, &whole).unwrap();
    endpoint.follow_once(&ring).await;
    assert_eq!(served(&endpoint).len(), 2);
}
