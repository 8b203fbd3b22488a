//! The key set as an object in a store.

use std::time::Duration;

use nhs_auth::{KEY_SET_MAX_AGE_S, KeySet};
use object_store::{Attribute, Attributes};
use tokio::time::sleep;

use crate::jwks_file::{JwksFile, OTHER_BYTES};
use crate::objects::{
    CloudSettings, Failure, Found, InvalidCloudSettings, ObjectLocation, Place, Store,
};
use crate::publication::{PublishError, Published};

const CONTENT_TYPE: &str = "application/jwk-set+json";

/// How long is waited for a store to show what was written.
const SHOWN_AFTER: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// The place of a public key set: an object in S3, Azure Blob Storage or Google Cloud Storage, or a
/// file of this machine.
///
/// ```no_run
/// use nhs_auth_custody::{CloudSettings, JwksObject, ObjectLocation};
///
/// # async fn example(keys: &nhs_auth::KeySet) -> Result<(), Box<dyn std::error::Error>> {
/// let location = ObjectLocation::parse("s3://nhs-keys/int/jwks.json")?;
/// let object = JwksObject::at(&location, &CloudSettings::from_env())?;
/// println!("{:?}", object.publish(keys).await?);
/// # Ok(())
/// # }
/// ```
///
/// The object gets the content type `application/jwk-set+json` and may be cached for five minutes.
/// That the world may read it is the bucket's setting, which this leaves alone; a cache of a content
/// delivery network before it is not told either.
#[derive(Debug)]
pub struct JwksObject {
    location: ObjectLocation,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Object(Store),
    File(JwksFile),
}

impl JwksObject {
    /// The object at that location, reached by these settings.
    ///
    /// # Errors
    ///
    /// [`InvalidCloudSettings`].
    pub fn at(
        location: &ObjectLocation,
        settings: &CloudSettings,
    ) -> Result<Self, InvalidCloudSettings> {
        let target = match location.place() {
            Place::File(path) => Target::File(JwksFile::at(path)),
            Place::Object(bucket, path) => Target::Object(Store::of(bucket, path, settings)?),
        };
        Ok(Self { location: location.clone(), target })
    }

    /// Where it is.
    pub fn location(&self) -> &ObjectLocation {
        &self.location
    }

    /// Publishes a key set there, unless it is there already, and reads it back.
    ///
    /// It is written on the condition that the store still has what was there. Passing faults are
    /// tried three times, of 10 s at most.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; after [`PublishError::Conflict`] somebody else's key set is there.
    pub async fn publish(&self, keys: &KeySet) -> Result<Published, PublishError> {
        match &self.target {
            Target::Object(store) => self.publish_in(store, keys).await,
            Target::File(file) => {
                let (file, keys) = (file.clone(), keys.clone());
                let published = tokio::task::spawn_blocking(move || file.publish(&keys)).await;
                published.expect("publishing to a file does not panic")
            }
        }
    }

    async fn publish_in(&self, store: &Store, keys: &KeySet) -> Result<Published, PublishError> {
        if keys.keys().is_empty() {
            return Err(PublishError::Empty);
        }
        let json = keys.to_json();
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, CONTENT_TYPE.to_owned()),
            (Attribute::CacheControl, format!("public, max-age={KEY_SET_MAX_AGE_S}")),
        ]);
        let before = store.read().await.map_err(|failure| self.failed("read", failure))?;
        if before.as_ref().is_some_and(|it| it.bytes == json.as_bytes() && it.has(&attributes)) {
            return Ok(Published::Unchanged);
        }
        let last = before.as_ref().map(|found| &found.version);
        let written = store.write(json.as_bytes(), &attributes, last).await;
        written.map_err(|failure| self.failed("write", failure))?;
        self.look(store, json.as_bytes(), &attributes).await?;
        Ok(if before.is_some() { Published::Replaced } else { Published::Created })
    }

    /// Reads back what was written, which some stores show a little later.
    async fn look(
        &self,
        store: &Store,
        bytes: &[u8],
        attributes: &Attributes,
    ) -> Result<(), PublishError> {
        let mut pauses = SHOWN_AFTER.iter();
        loop {
            let found = store.read().await.map_err(|failure| self.failed("read back", failure))?;
            let Some(reason) = difference(found.as_ref(), bytes, attributes) else {
                return Ok(());
            };
            match pauses.next() {
                Some(pause) => sleep(*pause).await,
                None => return Err(PublishError::NotShown { place: self.place(), reason }),
            }
        }
    }

    fn place(&self) -> String {
        self.location.to_string()
    }

    fn failed(&self, act: &'static str, failure: Failure) -> PublishError {
        let place = self.place();
        match failure {
            Failure::Conflict => PublishError::Conflict { place },
            Failure::TooLarge => PublishError::TooLarge { place },
            Failure::Unavailable { reason, passing } => {
                PublishError::Unavailable { act, place, reason, passing }
            }
        }
    }
}

fn difference(
    found: Option<&Found>,
    bytes: &[u8],
    attributes: &Attributes,
) -> Option<&'static str> {
    match found {
        None => Some("nothing is there"),
        Some(found) if found.bytes != bytes => Some(OTHER_BYTES),
        Some(found) if found.contradicts(attributes) => {
            Some("it has another content type, or may be cached otherwise")
        }
        Some(_) => None,
    }
}
