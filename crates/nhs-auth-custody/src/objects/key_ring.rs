//! A key ring's file in an object store.

use nhs_auth::{
    KeyRingStore, KeyRingStoreError, KeyRingStoreFuture, KeyRingVersion, StoredKeyRing,
};
use object_store::{Attribute, Attributes, UpdateVersion};

use super::store::LARGEST;
use super::{CloudSettings, Failure, InvalidCloudSettings, ObjectLocation, Place, Store};

const NAME: &str = "key-ring.json";

/// Keeps a key ring's file as `PREFIX/key-ring.json` in S3, Azure Blob Storage or Google Cloud
/// Storage, where several machines share it.
///
/// Each write is on the condition that the store still has what was read. One attempt may take
/// 10 s; passing faults are tried three times.
#[derive(Debug)]
pub struct ObjectKeyRingStore {
    object: ObjectLocation,
    store: Store,
}

impl ObjectKeyRingStore {
    /// Beneath that prefix, reached by these settings.
    ///
    /// # Errors
    ///
    /// [`InvalidCloudSettings`], of a folder of this machine too: there are other stores for one.
    pub fn beneath(
        prefix: &ObjectLocation,
        settings: &CloudSettings,
    ) -> Result<Self, InvalidCloudSettings> {
        let object = prefix.join(NAME);
        let Place::Object(bucket, path) = object.place() else {
            return Err(InvalidCloudSettings::NoCloud { location: prefix.to_string() });
        };
        let store = Store::of(bucket, path, settings)?;
        Ok(Self { object, store })
    }

    fn failed(&self, act: &'static str, failure: Failure) -> KeyRingStoreError {
        let place = self.place();
        match failure {
            Failure::Conflict => KeyRingStoreError::Conflict { place },
            Failure::TooLarge => KeyRingStoreError::TooLarge { place },
            Failure::Unavailable { reason, passing } => {
                KeyRingStoreError::Unavailable { act, place, reason, passing }
            }
        }
    }
}

impl KeyRingStore for ObjectKeyRingStore {
    fn place(&self) -> String {
        self.object.to_string()
    }

    fn read(&self) -> KeyRingStoreFuture<'_, Option<StoredKeyRing>> {
        Box::pin(async move {
            let found = self.store.read().await.map_err(|failure| self.failed("read", failure))?;
            Ok(found.map(|it| StoredKeyRing { bytes: it.bytes, version: written(&it.version) }))
        })
    }

    fn write<'a>(
        &'a self,
        bytes: &'a [u8],
        last: Option<&'a KeyRingVersion>,
    ) -> KeyRingStoreFuture<'a, KeyRingVersion> {
        Box::pin(async move {
            if bytes.len() as u64 > LARGEST {
                return Err(self.failed("write", Failure::TooLarge));
            }
            let last = last.map(read);
            let attributes = Attributes::from_iter([(Attribute::ContentType, "application/json")]);
            let version = self.store.write(bytes, &attributes, last.as_ref()).await;
            let version = version.map_err(|failure| self.failed("write", failure))?;
            Ok(written(&version))
        })
    }
}

/// The ETag, a space, and the version or generation: neither has a space in it.
fn written(version: &UpdateVersion) -> KeyRingVersion {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    KeyRingVersion::new(format!("{} {}", part(&version.e_tag), part(&version.version)))
}

fn read(version: &KeyRingVersion) -> UpdateVersion {
    let (e_tag, version) = version.as_str().split_once(' ').unwrap_or((version.as_str(), ""));
    let part = |part: &str| (!part.is_empty()).then(|| part.to_owned());
    UpdateVersion { e_tag: part(e_tag), version: part(version) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_was_written() {
        for (e_tag, version) in
            [(Some("\"a\""), Some("17")), (Some("W/\"a\""), None), (None, Some("1"))]
        {
            let e_tag = e_tag.map(str::to_owned);
            let version = UpdateVersion { e_tag, version: version.map(str::to_owned) };
            let again = read(&written(&version));
            assert_eq!((again.e_tag, again.version), (version.e_tag, version.version));
        }
    }
}
