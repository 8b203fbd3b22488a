//! Making a key inside a token, which never leaves it.

use std::sync::PoisonError;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use nhs_auth::{CustodyErrorKind as Kind, Entropy as _, KeyUri, Kid, OsEntropy};

use super::failure::Failure;
use super::logins::Asking;
use super::place::{Access, Entered, Place};
use super::uri::KeyNames;

const BITS: u64 = 4096;
const EXPONENT: [u8; 3] = [1, 0, 1];
/// Enough for no two to be the same; some cards take no more.
const ID_BYTES: usize = 16;

/// Makes the key, and gives its URI. The session is given, too: the token may end what it knows of
/// who is signed in with its last one.
pub(super) fn make(place: &Place, kid: &Kid) -> Result<(KeyUri, Entered), Failure> {
    let _making = place.module.making.lock().unwrap_or_else(PoisonError::into_inner);
    let entered = place.enter(Access::Write, Asking::First)?;
    let session = &entered.session;
    let label = place.uri.text("object").unwrap_or_else(|| kid.as_str());
    let id =
        place.uri.id.clone().unwrap_or_else(|| OsEntropy::default().bytes()[..ID_BYTES].to_vec());

    let label_of_key = Attribute::Label(label.into());
    let id_of_key = Attribute::Id(id.clone());
    for name in [&label_of_key, &id_of_key] {
        let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), name.clone()];
        if !session.find_objects(&template)?.is_empty() {
            let detail = format!("in the token `{}`", entered.token.info.label());
            return Err(Failure::new(Kind::AlreadyThere, detail));
        }
    }
    let public = [
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::ModulusBits(BITS.into()),
        Attribute::PublicExponent(EXPONENT.to_vec()),
        Attribute::Verify(true),
        Attribute::Encrypt(false),
        Attribute::Wrap(false),
        label_of_key.clone(),
        id_of_key.clone(),
    ];
    let private = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        label_of_key,
        id_of_key,
    ];
    session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)?;
    let info = &entered.token.info;
    let names =
        KeyNames { token: info.label(), serial: info.serial_number(), object: label, id: &id };
    Ok((place.uri.of_key(&names), entered))
}
