//! A world for a ring: its time, keys that cost nothing to make, and stores that fail when told to.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use nhs_auth::{
    Clock, CreatedKey, Custody, CustodyError, CustodyErrorKind, CustodyFuture, KeyRing,
    KeyRingError, KeyRingStore, KeyRingStoreError, KeyRingStoreFuture, KeyRingVersion, KeySet,
    KeySetPublisher, KeyUri, Kid, LocalSigner, PrivateKey, PublishTo, RingSettings, Signer,
    StoredKeyRing, UnixMillis, Uptime,
};
use tokio::time::Instant;

/// Time as it is, and as the machine believes that it is.
#[derive(Debug)]
pub(crate) struct Time {
    true_ms: AtomicI64,
    wrong_by_s: AtomicI64,
    boots: AtomicU64,
    booted_ms: AtomicI64,
}

impl Time {
    pub(crate) fn new(start: UnixMillis) -> Arc<Self> {
        Arc::new(Self {
            true_ms: start.0.into(),
            wrong_by_s: 0.into(),
            boots: 0.into(),
            booted_ms: start.0.into(),
        })
    }

    pub(crate) fn pass(&self, by: Duration) {
        self.true_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// From now on the clock on the wall is so many seconds fast.
    pub(crate) fn set_wrong_by(&self, seconds: i64) {
        self.wrong_by_s.store(seconds, Ordering::SeqCst);
    }

    /// The machine starts anew.
    pub(crate) fn boot(&self) {
        self.boots.fetch_add(1, Ordering::SeqCst);
        self.booted_ms.store(self.true_ms.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Clock for Time {
    fn now(&self) -> UnixMillis {
        let wrong_by_s = self.wrong_by_s.load(Ordering::SeqCst);
        UnixMillis(self.true_ms.load(Ordering::SeqCst) + 1000 * wrong_by_s)
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }

    fn uptime(&self) -> Option<Uptime> {
        let up = self.true_ms.load(Ordering::SeqCst) - self.booted_ms.load(Ordering::SeqCst);
        let boot = self.boots.load(Ordering::SeqCst).to_string();
        Some(Uptime { boot, seconds: up / 1000 })
    }
}

/// Keys that were made once, for all tests.
static KEYS: LazyLock<Vec<Arc<LocalSigner>>> = LazyLock::new(|| {
    let make = |_| Arc::new(LocalSigner::new(PrivateKey::generate().unwrap()));
    (0..12).map(make).collect()
});

/// Gives out the keys that were made once, as if it made them.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    made: AtomicUsize,
    keys: Mutex<HashMap<String, Arc<LocalSigner>>>,
    pub(crate) is_out: std::sync::atomic::AtomicBool,
}

impl Vault {
    fn check(&self, uri: &KeyUri) -> Result<(), CustodyError> {
        if self.is_out.load(Ordering::SeqCst) {
            let kind = CustodyErrorKind::Unreachable;
            return Err(CustodyError::new(kind, uri, "the vault is out"));
        }
        Ok(())
    }
}

impl Custody for Vault {
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>> {
        Box::pin(async move {
            self.check(uri)?;
            let key = self.keys.lock().unwrap().get(uri.expose()).cloned();
            let not_found = || CustodyError::new(CustodyErrorKind::NotFound, uri, "");
            key.map(|key| key as Arc<dyn Signer>).ok_or_else(not_found)
        })
    }

    fn create<'a>(&'a self, place: &'a KeyUri, kid: &'a Kid) -> CustodyFuture<'a, CreatedKey> {
        Box::pin(async move {
            self.check(place)?;
            let uri = KeyUri::parse(&format!("{place}/{kid}")).unwrap();
            let mut keys = self.keys.lock().unwrap();
            if keys.contains_key(uri.expose()) {
                return Err(CustodyError::new(CustodyErrorKind::AlreadyThere, &uri, ""));
            }
            let number = self.made.fetch_add(1, Ordering::SeqCst);
            let signer = Arc::clone(&KEYS[number % KEYS.len()]);
            keys.insert(uri.expose().to_owned(), Arc::clone(&signer));
            Ok(CreatedKey { uri, signer })
        })
    }
}

/// What becomes of the next write to a [`Shelf`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Fine,
    /// The process dies, or the store fails, before the write.
    Before,
    /// The same after the write, so that the writer doesn't know.
    After,
}

/// A store in memory.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    file: Mutex<Option<(Vec<u8>, u64)>>,
    fate: Mutex<(usize, Fate)>,
    pub(crate) is_unreadable: std::sync::atomic::AtomicBool,
}

impl Shelf {
    /// The write after so many others goes that way.
    pub(crate) fn doom(&self, after: usize, fate: Fate) {
        *self.fate.lock().unwrap() = (after, fate);
    }

    fn unavailable(act: &'static str) -> KeyRingStoreError {
        let (place, reason) = ("a shelf".to_owned(), "it fell".to_owned());
        KeyRingStoreError::Unavailable { act, place, reason, passing: true }
    }

    fn next_fate(&self) -> Fate {
        let mut fate = self.fate.lock().unwrap();
        match *fate {
            (0, _) => std::mem::take(&mut *fate).1,
            (left, then) => {
                *fate = (left - 1, then);
                Fate::Fine
            }
        }
    }
}

impl KeyRingStore for Shelf {
    fn place(&self) -> String {
        "a shelf".to_owned()
    }

    fn read(&self) -> KeyRingStoreFuture<'_, Option<StoredKeyRing>> {
        Box::pin(async {
            if self.is_unreadable.load(Ordering::SeqCst) {
                return Err(Self::unavailable("read"));
            }
            Ok(self.file.lock().unwrap().as_ref().map(|(bytes, version)| StoredKeyRing {
                bytes: bytes.clone(),
                version: KeyRingVersion::new(version.to_string()),
            }))
        })
    }

    fn write<'a>(
        &'a self,
        bytes: &'a [u8],
        last: Option<&'a KeyRingVersion>,
    ) -> KeyRingStoreFuture<'a, KeyRingVersion> {
        Box::pin(async move {
            let fate = self.next_fate();
            if fate == Fate::Before {
                return Err(Self::unavailable("write"));
            }
            let mut file = self.file.lock().unwrap();
            let there = file.as_ref().map(|(_, version)| version.to_string());
            if there.as_deref() != last.map(KeyRingVersion::as_str) {
                return Err(KeyRingStoreError::Conflict { place: self.place() });
            }
            let version = file.as_ref().map_or(0, |(_, version)| version + 1);
            *file = Some((bytes.to_vec(), version));
            if fate == Fate::After {
                return Err(Self::unavailable("write"));
            }
            Ok(KeyRingVersion::new(version.to_string()))
        })
    }
}

/// A web page with the key set, as the world sees it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) shown: Mutex<Option<String>>,
    fate: Mutex<Fate>,
}

impl Page {
    pub(crate) fn doom(&self, fate: Fate) {
        *self.fate.lock().unwrap() = fate;
    }
}

impl KeySetPublisher for Page {
    fn publish<'a>(
        &'a self,
        key_set: &'a KeySet,
    ) -> Pin<Box<dyn Future<Output = Result<bool, KeyRingError>> + Send + 'a>> {
        Box::pin(async move {
            let fate = std::mem::take(&mut *self.fate.lock().unwrap());
            let new = Some(key_set.to_json());
            let is_changed = *self.shown.lock().unwrap() != new;
            if fate != Fate::Before {
                *self.shown.lock().unwrap() = new;
            }
            if fate == Fate::Fine {
                return Ok(is_changed);
            }
            let (to, reason) = ("a page".to_owned(), "it tore".to_owned());
            Err(KeyRingError::Publish { to, reason, passing: true })
        })
    }
}

/// A ring on a shelf, with its keys in a vault.
pub(crate) struct World {
    pub(crate) time: Arc<Time>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) page: Page,
    pub(crate) ring: KeyRing,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at(UnixMillis(1_800_000_000_000))
    }

    pub(crate) fn at(start: UnixMillis) -> Self {
        let (time, shelf) = (Time::new(start), Arc::<Shelf>::default());
        let vault = Arc::<Vault>::default();
        let ring = KeyRing::in_store(Arc::<Shelf>::clone(&shelf))
            .with_custody(Arc::<Vault>::clone(&vault))
            .with_clock(Arc::<Time>::clone(&time));
        Self { time, shelf, vault, page: Page::default(), ring }
    }

    /// Every key signs for 30 days.
    pub(crate) fn settings(publish_to: PublishTo) -> RingSettings {
        RingSettings {
            kid_prefix: "int".to_owned(),
            rotate_every: Duration::from_hours(30 * 24),
            publish_to,
            keys_at: Some(KeyUri::parse("vault:keys").unwrap()),
        }
    }
}
