//! One object, read and written whole.

use std::fmt;
use std::time::Duration;

use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetResult, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    UpdateVersion,
};
use tokio::time::{sleep, timeout};

use super::failure::{Failure, has_no_bucket};
use super::{Bucket, CloudSettings, InvalidCloudSettings};

/// The largest object that is read or written, in bytes.
pub(crate) const LARGEST: u64 = 1024 * 1024;

/// How long one attempt may take, credentials included.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(10);

/// How long is waited before the second attempt and the third.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// Where one object is, and how it is reached.
pub(crate) struct Store {
    store: Box<dyn ObjectStore>,
    path: Path,
}

/// An object as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) bytes: Vec<u8>,
    pub(crate) version: UpdateVersion,
    attributes: Attributes,
}

impl Store {
    /// The object of that path.
    pub(crate) fn of(
        bucket: &Bucket,
        path: &Path,
        settings: &CloudSettings,
    ) -> Result<Self, InvalidCloudSettings> {
        Ok(Self { store: settings.open(bucket)?, path: path.clone() })
    }

    /// The object, if there is one.
    pub(crate) async fn read(&self) -> Result<Option<Found>, Failure> {
        let mut pauses = PAUSES.iter();
        loop {
            match (self.read_once().await, pauses.next()) {
                (Err(failure), Some(pause)) if failure.is_passing() => sleep(*pause).await,
                (outcome, _) => return outcome,
            }
        }
    }

    /// Writes it in place of that version, or as the first one.
    pub(crate) async fn write(
        &self,
        bytes: &[u8],
        attributes: &Attributes,
        last: Option<&UpdateVersion>,
    ) -> Result<UpdateVersion, Failure> {
        let mut pauses = PAUSES.iter();
        let mut may_have_written = false;
        loop {
            let failure = match self.write_once(bytes, attributes, last).await {
                Ok(version) => return Ok(version),
                Err(failure) => failure,
            };
            if failure == Failure::Conflict && may_have_written {
                return self.written_before(bytes).await;
            }
            match pauses.next() {
                Some(pause) if failure.is_passing() => sleep(*pause).await,
                _ => return Err(failure),
            }
            may_have_written = true;
        }
    }

    /// After an attempt whose answer was lost: what is there may be what that one wrote.
    async fn written_before(&self, bytes: &[u8]) -> Result<UpdateVersion, Failure> {
        match self.read().await? {
            Some(found) if found.bytes == bytes => Ok(found.version),
            _ => Err(Failure::Conflict),
        }
    }

    async fn read_once(&self) -> Result<Option<Found>, Failure> {
        let read = async {
            let found = match self.store.get(&self.path).await {
                Err(error @ object_store::Error::NotFound { .. }) if !has_no_bucket(&error) => {
                    return Ok(None);
                }
                found => found.map_err(|error| Failure::of(&error))?,
            };
            if found.meta.size > LARGEST {
                return Err(Failure::TooLarge);
            }
            Found::taken(found).await.map(Some)
        };
        timeout(ATTEMPT_WITHIN, read).await.unwrap_or(Err(Failure::late(ATTEMPT_WITHIN)))
    }

    async fn write_once(
        &self,
        bytes: &[u8],
        attributes: &Attributes,
        last: Option<&UpdateVersion>,
    ) -> Result<UpdateVersion, Failure> {
        let mode = last.map_or(PutMode::Create, |version| PutMode::Update(version.clone()));
        let options = PutOptions { mode, attributes: attributes.clone(), ..PutOptions::default() };
        let put = self.store.put_opts(&self.path, bytes.to_vec().into(), options);
        match timeout(ATTEMPT_WITHIN, put).await {
            Ok(Ok(written)) => Ok(written.into()),
            // Taken away meanwhile, on a store that says so.
            Ok(Err(object_store::Error::NotFound { .. })) if last.is_some() => {
                Err(Failure::Conflict)
            }
            Ok(Err(error)) => Err(Failure::of(&error)),
            Err(_) => Err(Failure::late(ATTEMPT_WITHIN)),
        }
    }
}

impl Found {
    async fn taken(found: GetResult) -> Result<Self, Failure> {
        let version =
            UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let attributes = found.attributes.clone();
        let bytes = found.bytes().await.map_err(|error| Failure::of(&error))?;
        Ok(Self { bytes: bytes.to_vec(), version, attributes })
    }

    /// Whether it has this attribute with another value.
    pub(crate) fn contradicts(&self, attributes: &Attributes) -> bool {
        let other = |key: &Attribute, value: &str| {
            self.attributes.get(key).is_some_and(|its| its.as_ref() != value)
        };
        attributes.iter().any(|(key, value)| other(key, value.as_ref()))
    }

    /// Whether it has each of these attributes.
    pub(crate) fn has(&self, attributes: &Attributes) -> bool {
        attributes.iter().all(|(key, value)| self.attributes.get(key) == Some(value))
    }
}

impl fmt::Debug for Store {
    /// A store's own has its settings in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path.as_ref()).finish_non_exhaustive()
    }
}
