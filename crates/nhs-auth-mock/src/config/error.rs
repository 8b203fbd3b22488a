//! What can be wrong with a configuration.

use std::io;
use std::path::PathBuf;

use nhs_auth_rules::environment::UnknownEnvironment;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two applications have one application ID or one API key.
    #[error("app `{name}`: another app has this application_id or api_key")]
    Duplicate {
        /// The second application's name.
        name: String,
    },
    /// There is no environment of that name.
    #[error("environment: {source}")]
    Environment {
        /// The names that there are.
        source: UnknownEnvironment,
    },
    /// A base path can't be one, or can't trust whom it says.
    #[error("base path `{path}`: {message}")]
    BasePath {
        /// The path.
        path: String,
        /// What is wrong.
        message: &'static str,
    },
    /// The clock's offset is no number of seconds.
    #[error("clock_offset_s: it must be a number of seconds")]
    ClockOffset,
    /// A client says two things that exclude each other, or something that isn't known.
    #[error("client `{name}`: {message}")]
    Client {
        /// Its client id, or its provider.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// The public URL is no scheme and host.
    #[error("public_url `{url}`: it must be a scheme and a host, with no path")]
    PublicUrl {
        /// The URL.
        url: String,
    },
    /// A file can't be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not TOML, or has a member that isn't known or is of the wrong type.
    #[error("read {}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// More than one source of a key set.
    #[error("app `{name}`: only one of jwks, jwks_file and jwks_url can be given")]
    TwoKeySets {
        /// The application's name.
        name: String,
    },
}
