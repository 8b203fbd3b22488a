//! What the object store of every cloud has to do for us. Run for each.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use axum::http::Method;
use nhs_auth::{
    KeyRingStore, KeyRingStoreError, KeyRingVersion, KeySet, Kid, PrivateKey, PublishedKey,
};
use nhs_auth_custody::{
    CloudSettings, JwksObject, ObjectKeyRingStore, ObjectLocation, PublishError, Published,
};

use crate::faulty_way::{Answer, Faults};

/// A cloud's store, with something before it that can fail.
pub(crate) struct Cloud {
    pub(crate) settings: CloudSettings,
    /// The bucket's URL, without a slash at its end.
    pub(crate) bucket: &'static str,
    /// That of one that isn't there.
    pub(crate) no_bucket: &'static str,
    pub(crate) faults: Faults,
}

impl Cloud {
    pub(crate) fn object(&self, name: &str) -> JwksObject {
        self.object_in(self.bucket, name)
    }

    fn object_in(&self, bucket: &str, name: &str) -> JwksObject {
        let location = ObjectLocation::parse(&format!("{bucket}/{name}")).unwrap();
        JwksObject::at(&location, &self.settings).unwrap()
    }

    fn ring(&self, prefix: &str) -> ObjectKeyRingStore {
        self.ring_in(self.bucket, prefix)
    }

    fn ring_in(&self, bucket: &str, prefix: &str) -> ObjectKeyRingStore {
        let location = ObjectLocation::parse(&format!("{bucket}/{prefix}")).unwrap();
        ObjectKeyRingStore::beneath(&location, &self.settings).unwrap()
    }

    fn puts(&self) -> usize {
        self.faults.seen("PUT ").len()
    }
}

/// A set of one key by that name.
pub(crate) fn keys(kid: &str) -> KeySet {
    static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate().unwrap());
    let kid = Kid::parse(kid).unwrap();
    KeySet::new(vec![PublishedKey::new(kid, KEY.public().clone())]).unwrap()
}

pub(crate) async fn does_it(cloud: &Cloud) {
    publishes_what_is_new(cloud).await;
    one_of_two_publishers_wins(cloud).await;
    waits_out_what_passes(cloud).await;
    tells_what_lasts(cloud).await;
    keeps_a_ring(cloud).await;
}

async fn publishes_what_is_new(cloud: &Cloud) {
    let object = cloud.object("int/jwks.json");
    let empty = KeySet::new(Vec::new()).unwrap();
    assert_eq!(object.publish(&empty).await, Err(PublishError::Empty));
    assert_eq!(object.publish(&keys("int-1")).await, Ok(Published::Created));
    let puts = cloud.puts();
    assert_eq!(object.publish(&keys("int-1")).await, Ok(Published::Unchanged));
    assert_eq!(cloud.puts(), puts, "nothing was written");
    assert_eq!(object.publish(&keys("int-2")).await, Ok(Published::Replaced));
    assert_eq!(cloud.puts(), puts + 1);
    assert_eq!(
        cloud.object("int/jwks.json").publish(&keys("int-2")).await,
        Ok(Published::Unchanged)
    );
}

async fn one_of_two_publishers_wins(cloud: &Cloud) {
    let object = cloud.object("two/jwks.json");
    for (first, second, won) in [("a", "b", Published::Created), ("c", "d", Published::Replaced)] {
        cloud.faults.hold_until(2, Method::PUT);
        let (first_set, second_set) = (keys(first), keys(second));
        let both = tokio::join!(object.publish(&first_set), object.publish(&second_set));
        cloud.faults.hold_nothing();
        let (winner, outcomes) = match &both {
            (Ok(_), _) => (first_set, [&both.0, &both.1]),
            _ => (second_set, [&both.1, &both.0]),
        };
        assert_eq!(outcomes[0], &Ok(won));
        let place = format!("{}/two/jwks.json", cloud.bucket);
        assert_eq!(outcomes[1], &Err(PublishError::Conflict { place }));
        assert_eq!(object.publish(&winner).await, Ok(Published::Unchanged));
    }
}

async fn waits_out_what_passes(cloud: &Cloud) {
    let object = cloud.object("passing/jwks.json");
    for (at, fault) in
        [Answer::Status(503, "busy"), Answer::Status(429, ""), Answer::Lost].into_iter().enumerate()
    {
        for method in ["GET ", "PUT "] {
            cloud.faults.answer(method, 2, fault);
            let set = keys(&format!("{method}{at}"));
            object.publish(&set).await.unwrap();
            assert_eq!(object.publish(&set).await, Ok(Published::Unchanged));
        }
    }
    cloud.faults.delay(Duration::from_millis(100));
    assert_eq!(object.publish(&keys("slow")).await, Ok(Published::Replaced));
    cloud.faults.delay(Duration::ZERO);
}

async fn tells_what_lasts(cloud: &Cloud) {
    let began = Instant::now();
    cloud.faults.answer("GET ", 3, Answer::Status(503, "busy"));
    let error = cloud.object("lasting/jwks.json").publish(&keys("a")).await.unwrap_err();
    let place = format!("{}/lasting/jwks.json", cloud.bucket);
    assert_eq!(error.to_string(), format!("can't read {place}: status 503"));
    assert!(matches!(error, PublishError::Unavailable { passing: true, .. }));
    assert!(began.elapsed() < Duration::from_secs(5));

    let object = cloud.object_in(cloud.no_bucket, "jwks.json");
    let error = object.publish(&keys("a")).await.unwrap_err();
    assert!(error.to_string().contains(": status 404, "), "{error}");
    assert!(matches!(error, PublishError::Unavailable { passing: false, .. }), "{error:?}");
    let error = cloud.ring_in(cloud.no_bucket, "ring").read().await.unwrap_err();
    assert!(error.to_string().contains(": status 404, "), "{error}");
}

async fn keeps_a_ring(cloud: &Cloud) {
    let (one, other) = (cloud.ring("ring"), cloud.ring("ring"));
    assert_eq!(one.place(), format!("{}/ring/key-ring.json", cloud.bucket));
    let conflict = || Err(KeyRingStoreError::Conflict { place: one.place() });
    assert_eq!(one.read().await, Ok(None));
    let first = one.write(b"1", None).await.unwrap();
    assert_eq!(other.write(b"2", None).await, conflict(), "the first one is there");
    assert_eq!(other.write(b"1", None).await, conflict(), "though it is the same");

    let read = other.read().await.unwrap().unwrap();
    assert_eq!((&read.bytes[..], &read.version), (&b"1"[..], &first));
    let second = other.write(b"22", Some(&read.version)).await.unwrap();
    assert_eq!(one.write(b"3", Some(&first)).await, conflict(), "it was read before");
    assert_eq!(one.read().await.unwrap().unwrap().bytes, b"22");

    cloud.faults.hold_until(2, Method::PUT);
    let both = tokio::join!(one.write(b"4", Some(&second)), other.write(b"5", Some(&second)));
    cloud.faults.hold_nothing();
    let (written, lost) = match both {
        (Ok(version), lost) => ((b"4", version), lost),
        (lost, won) => ((b"5", won.unwrap()), lost),
    };
    assert_eq!(lost, conflict());
    let read = one.read().await.unwrap().unwrap();
    assert_eq!((&read.bytes[..], &read.version), (&written.0[..], &written.1));

    cloud.faults.answer("PUT ", 1, Answer::Lost);
    let third = one.write(b"666", Some(&written.1)).await.unwrap();
    assert_eq!(one.read().await.unwrap().unwrap().version, third, "what was lost had happened");

    let too_large = || Err(KeyRingStoreError::TooLarge { place: one.place() });
    let large = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(one.write(&large, Some(&third)).await, too_large());
    let largest = one.write(&large[1..], Some(&third)).await.unwrap();
    assert_eq!(one.read().await.unwrap().unwrap().version, largest);
    // What was read is gone: nothing is written in its place.
    let (ring, gone) = (cloud.ring("empty"), KeyRingVersion::new("\"0123456789abcdef\" 17"));
    let place = ring.place();
    assert_eq!(ring.write(b"1", Some(&gone)).await, Err(KeyRingStoreError::Conflict { place }));
}
