//! Where key sets are published, by the target that a flag or a ring names.

use nhs_auth::{KeySetPublisher, PublishTo};

use crate::failure::Failure;

/// The target that a text names.
pub(crate) fn target(text: &str) -> Result<PublishTo, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::usage("the target is empty"));
    }
    Ok(PublishTo::parse(text))
}

/// What publishes there; `None` where a person does, or the ring itself is served.
pub(crate) fn publisher(to: &PublishTo) -> Result<Option<Box<dyn KeySetPublisher>>, Failure> {
    match to {
        PublishTo::Location(location) => {
            Err(Failure::usage(format!("can't publish to {location} yet")))
        }
        _ => Ok(None),
    }
}
