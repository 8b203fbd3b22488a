//! Where key sets are published, by the target that a flag or a ring names.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use nhs_auth::{KeyRingError, KeySet, KeySetPublisher, PublishTo};
use nhs_auth_custody::{
    CloudSettings, JwksFile, JwksObject, ObjectLocation, PublishError, Published,
};

use crate::failure::Failure;

/// What a key set's file is called in a folder that is named alone.
const FILE_NAME: &str = "jwks.json";

/// The target that a text names.
pub(crate) fn target(text: &str) -> Result<PublishTo, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::usage("the target is empty"));
    }
    if text == "-" {
        return Err(Failure::usage("the target `-` is none")
            .hint("for standard output: --to portal prints the key set, and --to echo its URL"));
    }
    let to = match PublishTo::parse(text) {
        // Whoever rotates the ring next may be in another folder.
        PublishTo::Location(path) if !path.contains("://") => {
            let path = std::path::absolute(&path)
                .map_err(|error| Failure::usage(format!("can't publish to {path}: {error}")))?;
            PublishTo::Location(path.display().to_string())
        }
        to => to,
    };
    // What names no target is better known now than when the ring depends on it.
    publisher(&to)?;
    Ok(to)
}

/// What publishes there; `None` where a person does, or the ring itself is served.
pub(crate) fn publisher(to: &PublishTo) -> Result<Option<Box<dyn KeySetPublisher>>, Failure> {
    let PublishTo::Location(location) = to else {
        return Ok(None);
    };
    let publisher = if location.contains("://") {
        Publisher::Object(object(location)?)
    } else {
        let path = Path::new(location);
        let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
        Publisher::File(JwksFile::at(file))
    };
    Ok(Some(Box::new(publisher)))
}

/// The place of an object, by its URL and what the environment says of its cloud.
fn object(location: &str) -> Result<JwksObject, Failure> {
    let parsed = self::location(location)?;
    JwksObject::at(&parsed, &CloudSettings::from_env())
        .map_err(|error| Failure::usage(format!("can't use {location}: {error}")))
}

/// The place that a URL names.
pub(crate) fn location(location: &str) -> Result<ObjectLocation, Failure> {
    ObjectLocation::parse(location)
        .map_err(|error| Failure::usage(format!("can't use {location}: {error}")))
}

#[derive(Debug)]
enum Publisher {
    File(JwksFile),
    Object(JwksObject),
}

impl KeySetPublisher for Publisher {
    fn publish<'a>(
        &'a self,
        key_set: &'a KeySet,
    ) -> Pin<Box<dyn Future<Output = Result<bool, KeyRingError>> + Send + 'a>> {
        Box::pin(async move {
            let (published, to) = match self {
                Self::File(file) => (file.publish(key_set), file.path().display().to_string()),
                Self::Object(object) => {
                    (object.publish(key_set).await, object.location().to_string())
                }
            };
            published.map(|published| published != Published::Unchanged).map_err(|error| {
                KeyRingError::Publish {
                    passing: matches!(error, PublishError::Unavailable { passing: true, .. }),
                    reason: error.to_string(),
                    to,
                }
            })
        })
    }
}
