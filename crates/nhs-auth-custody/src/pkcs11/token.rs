//! Finding the token that a URI means.

use cryptoki::context::Pkcs11 as Context;
use cryptoki::slot::{Slot, TokenInfo};
use nhs_auth::CustodyErrorKind as Kind;

use super::failure::Failure;
use super::uri::TokenUri;

pub(super) struct Token {
    pub(super) slot: Slot,
    pub(super) info: TokenInfo,
}

impl Token {
    /// The one token of the module that fits.
    pub(super) fn find(context: &Context, uri: &TokenUri) -> Result<Self, Failure> {
        check_library(context, uri)?;
        let mut fitting = Vec::new();
        let mut others = Vec::new();
        for slot in context.get_slots_with_token()? {
            // One that is being pulled out is no token any more.
            let Ok(info) = context.get_token_info(slot) else { continue };
            if !info.token_initialized() {
                continue;
            }
            let token = Self { slot, info };
            if token.fits(context, uri)? { &mut fitting } else { &mut others }.push(token);
        }
        match fitting.len() {
            0 => Err(Failure::new(Kind::NotFound, none_fits(&others))),
            1 => Ok(fitting.remove(0)),
            count => Err(Failure::invalid_uri(format!(
                "it fits {count} tokens, and has to say which: {}",
                listed(&fitting)
            ))),
        }
    }

    fn fits(&self, context: &Context, uri: &TokenUri) -> Result<bool, Failure> {
        let info = &self.info;
        let fits = uri.slot_id.is_none_or(|id| id == self.slot.id())
            && uri.fits("token", info.label())
            && uri.fits("serial", info.serial_number())
            && uri.fits("manufacturer", info.manufacturer_id())
            && uri.fits("model", info.model());
        if !fits
            || ["slot-description", "slot-manufacturer"].iter().all(|it| uri.text(it).is_none())
        {
            return Ok(fits);
        }
        let slot = context.get_slot_info(self.slot)?;
        Ok(uri.fits("slot-description", slot.slot_description())
            && uri.fits("slot-manufacturer", slot.manufacturer_id()))
    }

    /// How its session is opened up: whether with a PIN.
    pub(super) fn check_pin_is_usable(&self) -> Result<(), Failure> {
        if self.info.user_pin_locked() {
            return Err(Failure::new(Kind::PinLocked, "the token says so"));
        }
        if !self.info.user_pin_initialized() {
            return Err(Failure::new(Kind::Denied, "the token has no user PIN yet"));
        }
        Ok(())
    }
}

fn check_library(context: &Context, uri: &TokenUri) -> Result<(), Failure> {
    if !["library-description", "library-manufacturer", "library-version"]
        .iter()
        .any(|name| uri.text(name).is_some())
    {
        return Ok(());
    }
    let library = context.get_library_info()?;
    let version = library.library_version();
    let version = format!("{}.{}", version.major(), version.minor());
    let has_version = uri.text("library-version").is_none_or(|wanted| {
        let wanted = if wanted.contains('.') { wanted.to_owned() } else { format!("{wanted}.0") };
        wanted == version
    });
    let (description, manufacturer) = (library.library_description(), library.manufacturer_id());
    if has_version
        && uri.fits("library-description", description)
        && uri.fits("library-manufacturer", manufacturer)
    {
        return Ok(());
    }
    let detail = format!("the module is another: `{description}` {version} of `{manufacturer}`");
    Err(Failure::new(Kind::NotFound, detail))
}

fn none_fits(others: &[Token]) -> String {
    match others {
        [] => "the module has no token".to_owned(),
        others => format!("no token fits; there is {}", listed(others)),
    }
}

/// In the words of a URI, to be put into one.
fn listed(tokens: &[Token]) -> String {
    let listed: Vec<_> = tokens
        .iter()
        .map(|Token { slot, info }| {
            let (label, serial) = (info.label(), info.serial_number());
            format!("`token={label};serial={serial};slot-id={}`", slot.id())
        })
        .collect();
    listed.join(", ")
}
