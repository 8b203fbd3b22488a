//! What the services of AWS have in common: where they are asked, and as whom.

mod access;
mod access_key;
mod failure;

pub(crate) use access::Access;
#[cfg(feature = "aws-secrets-manager")]
pub(crate) use access::InvalidAccess;
use access::Unready;
pub use access_key::AwsAccessKey;
pub(crate) use failure::{Failure, failure_of};
