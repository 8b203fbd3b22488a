//! What went wrong between us and the server.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What a script answers of a value that isn't a session, and the server of a value of another
/// type.
const NOT_OURS: [&str; 2] = ["NOTASESSION", "WRONGTYPE"];

/// What the server answers to a wrong password, and to none.
const NOT_LET_IN: [&str; 2] = ["WRONGPASS", "NOAUTH"];

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("what is kept there is no session, or was cut off: is the prefix shared?")]
    NotOurs,
    #[error("the session is too long to be kept")]
    TooLong,
    #[error("it did not answer in time")]
    Late,
    #[error("it refuses the user or the password")]
    Refused,
    #[error(transparent)]
    Server(RedisError),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        let has_code = |codes: &[&str]| error.code().is_some_and(|code| codes.contains(&code));
        if has_code(&NOT_OURS) {
            Self::NotOurs
        } else if has_code(&NOT_LET_IN) {
            Self::Refused
        } else if error.is_timeout() {
            Self::Late
        } else {
            Self::Server(error)
        }
    }
}

impl Failure {
    /// Whether another connection may help: everything but an answer of a server that is where
    /// writes go.
    pub(super) fn spoils_connection(&self) -> bool {
        let Self::Server(error) = self else { return matches!(self, Self::Late | Self::Refused) };
        match error.kind() {
            ErrorKind::Server(kind) => {
                // A primary that has become a replica: its name may lead to another by now.
                matches!(kind, ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
            }
            ErrorKind::Extension | ErrorKind::UnexpectedReturnType => false,
            _ => true,
        }
    }
}
