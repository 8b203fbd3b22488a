//! What went wrong between us and a token, without the key that it is about.

use std::fmt::Display;

use cryptoki::error::{Error, RvError};
use nhs_auth::{CustodyError, CustodyErrorKind as Kind};

#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    detail: String,
}

impl Failure {
    pub(super) fn new(kind: Kind, detail: impl Display) -> Self {
        Self { kind, detail: plain(&detail.to_string()) }
    }

    pub(super) fn invalid_uri(detail: impl Display) -> Self {
        Self::new(Kind::InvalidUri, detail)
    }

    pub(super) fn of(self, key: impl Display) -> CustodyError {
        CustodyError::new(self.kind, key, self.detail)
    }

    /// Whether a new session may help: not where the token has said what it thinks of the key or
    /// of the PIN.
    pub(super) fn may_be_of_the_session(&self) -> bool {
        !matches!(
            self.kind,
            Kind::Denied | Kind::PinLocked | Kind::PinNeeded | Kind::PinWrong | Kind::Unsuitable
        )
    }

    /// Whether it would harm to ask the token again.
    pub(super) fn is_about_the_pin(&self) -> bool {
        matches!(self.kind, Kind::PinLocked | Kind::PinWrong)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(answer, function) => {
                Self::new(kind(answer), format!("C_{function:?} answered {}", name(answer)))
            }
            Error::NullFunctionPointer => Self::new(Kind::Failed, "the module lacks a function"),
            Error::NotSupported => Self::new(Kind::Unsuitable, "the module does not support it"),
            other => Self::new(Kind::Failed, other),
        }
    }
}

fn kind(answer: RvError) -> Kind {
    use RvError as Answer;
    match answer {
        Answer::PinIncorrect | Answer::PinInvalid | Answer::PinLenRange => Kind::PinWrong,
        Answer::PinLocked | Answer::PinExpired => Kind::PinLocked,
        Answer::SessionHandleInvalid
        | Answer::SessionClosed
        | Answer::UserNotLoggedIn
        | Answer::KeyHandleInvalid
        | Answer::ObjectHandleInvalid => Kind::SessionExpired,
        Answer::CryptokiNotInitialized
        | Answer::DeviceError
        | Answer::DeviceRemoved
        | Answer::SlotIdInvalid
        | Answer::TokenNotPresent
        | Answer::TokenNotRecognized => Kind::Unreachable,
        Answer::SessionCount => Kind::Throttled,
        Answer::ActionProhibited
        | Answer::FunctionRejected
        | Answer::SessionReadOnly
        | Answer::TokenWriteProtected => Kind::Denied,
        Answer::KeyFunctionNotPermitted
        | Answer::KeySizeRange
        | Answer::KeyTypeInconsistent
        | Answer::MechanismInvalid
        | Answer::MechanismParamInvalid => Kind::Unsuitable,
        _ => Kind::Failed,
    }
}

/// As the standard and every manual call it.
fn name(answer: RvError) -> String {
    if let RvError::VendorDefined(code) | RvError::UnknownErrorCode(code) = answer {
        return format!("0x{code:08x}");
    }
    let mut name = "CKR".to_owned();
    for letter in format!("{answer:?}").chars() {
        if letter.is_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// What comes from a module or a token is anyone's text.
fn plain(text: &str) -> String {
    text.chars().take(MOST_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

const MOST_SHOWN: usize = 600;

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn answers_are_called_as_in_the_standard() {
        let failure = Failure::from(Error::Pkcs11(RvError::DeviceRemoved, Function::Sign));
        assert_eq!(failure.detail, "C_Sign answered CKR_DEVICE_REMOVED");
        assert_eq!(failure.kind, Kind::Unreachable);
        let failure =
            Failure::from(Error::Pkcs11(RvError::VendorDefined(0x8000_0001), Function::Login));
        assert_eq!(failure.detail, "C_Login answered 0x80000001");
    }

    #[test]
    fn a_foreign_text_is_cut_and_cannot_move_the_cursor() {
        let failure = Failure::new(Kind::Failed, format!("a\u{1b}[2J{}", "b".repeat(10_000)));
        assert!(failure.detail.len() <= MOST_SHOWN && !failure.detail.contains('\u{1b}'));
    }
}
