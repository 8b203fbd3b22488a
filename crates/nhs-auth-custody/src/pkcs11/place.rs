//! Where a key is, and the way to it: the module, the token, and a session that is signed in.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use cryptoki::context::Pkcs11 as Context;
use cryptoki::session::Session;
use nhs_auth::{CustodyErrorKind as Kind, KeyUri};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::logins::Asking;
use super::module::Module;
use super::token::Token;
use super::uri::{PinPlace, TokenUri};

pub(super) struct Place {
    /// As it was given, for messages.
    pub(super) key_uri: KeyUri,
    pub(super) uri: TokenUri,
    pub(super) module: Arc<Module>,
    default_pin: Option<SecretString>,
}

/// A session that may use the token's keys.
pub(super) struct Entered {
    pub(super) context: Context,
    pub(super) token: Token,
    pub(super) session: Session,
    pub(super) pin: Option<SecretString>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Place {
    pub(super) fn new(
        key_uri: &KeyUri,
        uri: TokenUri,
        module: &Path,
        default_pin: Option<SecretString>,
    ) -> Self {
        Self { key_uri: key_uri.clone(), uri, module: Module::at(module), default_pin }
    }

    /// The same token, and this key of it.
    pub(super) fn at_key(&self, key_uri: &KeyUri) -> Result<Self, Failure> {
        let mut uri = TokenUri::parse(key_uri)?;
        if uri.pin.is_none()
            && let Some(PinPlace::Value(pin)) = &self.uri.pin
        {
            uri.pin = Some(PinPlace::Value(pin.clone()));
        }
        Ok(Self {
            key_uri: key_uri.clone(),
            uri,
            module: Arc::clone(&self.module),
            default_pin: self.default_pin.clone(),
        })
    }

    /// Goes there. Everything is looked up anew, since tokens come and go.
    pub(super) fn enter(&self, access: Access, asking: Asking) -> Result<Entered, Failure> {
        let context = self.module.context()?;
        let token = Token::find(&context, &self.uri)?;
        let pin = self.pin_for(&token)?;
        let session = match access {
            Access::Read => context.open_ro_session(token.slot)?,
            Access::Write => context.open_rw_session(token.slot)?,
        };
        if token.info.login_required() {
            self.module.logins.log_in(&session, &token, pin.as_ref(), asking)?;
        }
        Ok(Entered { context, token, session, pin })
    }

    fn pin_for(&self, token: &Token) -> Result<Option<SecretString>, Failure> {
        if !token.info.login_required() {
            return Ok(None);
        }
        token.check_pin_is_usable()?;
        if token.info.protected_authentication_path() {
            return Ok(None);
        }
        let pin = match &self.uri.pin {
            Some(PinPlace::Value(pin)) => Some(pin.clone()),
            Some(PinPlace::File(path)) => Some(read_pin(path)?),
            None => self.default_pin.clone(),
        };
        let needed =
            || Failure::new(Kind::PinNeeded, format!("for the token `{}`", token.info.label()));
        pin.ok_or_else(needed).map(Some)
    }
}

/// The most that is read of a PIN's file; tokens take up to 255 bytes.
const MOST_PIN_BYTES: u64 = 1024;

/// The file without the line break at its end.
fn read_pin(path: &Path) -> Result<SecretString, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        let detail = format!("can't read its PIN from `{}`: {reason}", path.display());
        Failure::new(Kind::Failed, detail)
    };
    let mut text = Zeroizing::new(String::new());
    File::open(path)
        .and_then(|file| file.take(MOST_PIN_BYTES).read_to_string(&mut text))
        .map_err(|error| failed(&error))?;
    let pin = text.strip_suffix('\n').unwrap_or(&text);
    let pin = pin.strip_suffix('\r').unwrap_or(pin);
    if pin.is_empty() { Err(failed(&"it is empty")) } else { Ok(pin.into()) }
}
