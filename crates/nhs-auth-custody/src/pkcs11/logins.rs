//! Signing in to tokens, which is for the whole process, and where each wrong try counts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use nhs_auth::CustodyErrorKind as Kind;
use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::token::Token;

/// What tokens made of PINs, by their serial numbers.
#[derive(Default)]
pub(super) struct Logins(Mutex<HashMap<String, Answers>>);

#[derive(Default)]
struct Answers {
    accepted: Option<SecretString>,
    refused: Option<SecretString>,
}

/// Who asks to be signed in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// A person, or a program that starts: whatever came before, the PIN is tried.
    First,
    /// A signer whose session was lost: a PIN that was refused before is not tried again.
    Again,
}

impl Logins {
    /// Signs in, with no PIN where the token has a keypad for it.
    pub(super) fn log_in(
        &self,
        session: &Session,
        token: &Token,
        pin: Option<&SecretString>,
        asking: Asking,
    ) -> Result<(), Failure> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = answers.entry(token.info.serial_number().to_owned()).or_default();
        if asking == Asking::Again && pin.is_some() && is_same(answers.refused.as_ref(), pin) {
            return Err(Failure::new(Kind::PinWrong, "the token has refused it before"));
        }
        match session.login(UserType::User, pin) {
            Ok(()) => {
                *answers = Answers { accepted: pin.cloned(), refused: None };
                Ok(())
            }
            // The token didn't look at the PIN.
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, Function::Login)) => {
                if answers.accepted.is_none() || is_same(answers.accepted.as_ref(), pin) {
                    Ok(())
                } else {
                    let detail = "this process is signed in to the token with another one";
                    Err(Failure::new(Kind::PinWrong, detail))
                }
            }
            Err(error) => {
                let failure = Failure::from(error);
                if failure.is_about_the_pin() {
                    answers.refused = pin.cloned();
                }
                Err(failure)
            }
        }
    }
}

fn is_same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}
