//! The diagnosis: everything that is wrong with a request, an assertion, a key set or a key, all at
//! once, with the root cause, the bytes at fault, and the way to mend it.
//!
//! It reads what it is given ([`Inputs`]) and nothing else: files are read, key sets fetched and
//! clocks asked by whoever calls it, and crypto comes in through [`Crypto`]. It judges by the same
//! [rules](crate::Rule) that the mock enforces, so both name the same fault first.
//!
//! A value is repaired before it is judged: a token that a forum, a mail or a shell has damaged on
//! its way is no evidence against whoever signed it.
//!
//! ```
//! use nhs_auth_rules::diagnosis::{RootCause, causes_of_error};
//!
//! let causes = causes_of_error("Invalid 'iss'/'sub' claims in client_assertion JWT");
//! assert_eq!(causes[0].cause, RootCause::IsssubWrongid);
//! ```

mod answered;
mod assertion;
mod audience;
mod case;
mod cause;
mod client;
mod crypto;
mod damaged_copy;
mod encoding;
mod error_table;
mod error_text;
mod finding;
mod form_faults;
mod inputs;
mod key_lint;
mod key_name;
mod key_set;
mod modulus;
mod moment;
mod one_fact;
mod platform_only;
mod profile;
mod recognise;
mod repair;
mod report;
mod request;
mod signature;
mod source;
mod subject_token;
mod times;
mod unchecked;
mod url_shape;
mod view;

pub use cause::RootCause;
pub use crypto::Crypto;
pub use error_text::{PossibleCause, causes_of_error};
pub use inputs::{Inputs, JwksInput, PrivateKeyInput, Profile};
pub use recognise::{Recognised, recognise};
pub use report::{
    Confidence, Diagnosed, Fix, Fixed, Label, Patch, PlatformOnly, Repair, Report, Severity,
    Source, SourceId, Unchecked,
};

/// Judges everything that was given. There is no input that this refuses, and none that makes it
/// panic.
pub fn diagnose(inputs: &Inputs<'_>, crypto: &dyn Crypto) -> Report {
    case::diagnose(inputs, crypto)
}

#[cfg(test)]
mod tests;
