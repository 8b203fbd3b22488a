//! `pkcs11:` URIs (RFC 7512).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use nhs_auth::KeyUri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::SecretString;

use super::failure::Failure;

/// The attributes of a URI's path whose values are texts that the token or the key has.
const TEXTS: [&str; 10] = [
    "library-description",
    "library-manufacturer",
    "library-version",
    "manufacturer",
    "model",
    "object",
    "serial",
    "slot-description",
    "slot-manufacturer",
    "token",
];
/// The others of its path.
const OTHERS: [&str; 3] = ["id", "slot-id", "type"];
/// Those of its query.
const QUERY: [&str; 4] = ["module-name", "module-path", "pin-source", "pin-value"];

/// Which key is meant, what to load, and where the PIN is.
pub(super) struct TokenUri {
    texts: BTreeMap<&'static str, String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) slot_id: Option<u64>,
    pub(super) module_path: Option<PathBuf>,
    pub(super) module_name: Option<String>,
    pub(super) pin: Option<PinPlace>,
    /// As it was written, without the PIN.
    query: String,
}

pub(super) enum PinPlace {
    File(PathBuf),
    Value(SecretString),
}

/// What a new key's URI names it by.
pub(super) struct KeyNames<'a> {
    pub(super) token: &'a str,
    pub(super) serial: &'a str,
    pub(super) object: &'a str,
    pub(super) id: &'a [u8],
}

impl TokenUri {
    /// Takes a URI whose scheme is known to be `pkcs11`.
    pub(super) fn parse(uri: &KeyUri) -> Result<Self, Failure> {
        if uri.rest().contains('#') {
            return Err(Failure::invalid_uri("a `#` has no meaning in it"));
        }
        let (path, query) = uri.rest().split_once('?').unwrap_or((uri.rest(), ""));
        let mut path_values = attributes(path, ';', &[&TEXTS[..], &OTHERS].concat())?;
        let mut query_values = attributes(query, '&', &QUERY)?;

        if path_values.remove("type").is_some_and(|kind| kind != b"private") {
            return Err(Failure::invalid_uri("its `type` has to be `private`"));
        }
        let slot_id = path_values.remove("slot-id").map(number).transpose()?;
        let id = path_values.remove("id");
        let texts = path_values
            .into_iter()
            .map(|(name, value)| text(name, value).map(|value| (name, value)))
            .collect::<Result<_, _>>()?;
        let mut query_text =
            |name| query_values.remove(name).map(|value| text(name, value)).transpose();
        let pin = pin(query_text("pin-source")?, query_text("pin-value")?)?;
        Ok(Self {
            texts,
            id,
            slot_id,
            module_path: query_text("module-path")?.map(PathBuf::from),
            module_name: query_text("module-name")?,
            pin,
            query: without_pin(query),
        })
    }

    /// The text that it has of that name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// Whether it asks for nothing else of that name.
    pub(super) fn fits(&self, name: &str, actual: &str) -> bool {
        self.text(name).is_none_or(|wanted| wanted == actual)
    }

    /// The URI of one key at this place. The number of a slot is left out: it may be another when
    /// the token is plugged in again, where its serial number is not.
    pub(super) fn of_key(&self, key: &KeyNames<'_>) -> KeyUri {
        let mut texts = self.texts.clone();
        texts.insert("token", key.token.to_owned());
        texts.insert("object", key.object.to_owned());
        if self.slot_id.is_some() {
            texts.insert("serial", key.serial.to_owned());
        }
        let mut uri = "pkcs11:".to_owned();
        for (name, value) in &texts {
            let _ = write!(uri, "{name}={};", utf8_percent_encode(value, ENCODED));
        }
        let _ = write!(uri, "id={};type=private", every_byte_encoded(key.id));
        if !self.query.is_empty() {
            let _ = write!(uri, "?{}", self.query);
        }
        KeyUri::parse(&uri).expect("it has a scheme, and what else it has was a URI or is encoded")
    }
}

/// What need not be encoded in any URI (RFC 3986, section 2.3) is not.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An `id` as others write it, too: it is bytes, whatever letters they look like.
pub(super) fn every_byte_encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}");
        text
    })
}

fn attributes(
    part: &str,
    separator: char,
    known: &[&'static str],
) -> Result<BTreeMap<&'static str, Vec<u8>>, Failure> {
    let mut found = BTreeMap::new();
    for attribute in part.split(separator).filter(|attribute| !attribute.is_empty()) {
        // What has no name may be the end of a PIN, and is not repeated.
        let (name, value) = attribute
            .split_once('=')
            .ok_or_else(|| Failure::invalid_uri("one of its attributes has no `=`"))?;
        let name = *known.iter().find(|it| **it == name).ok_or_else(|| unknown(name))?;
        if found.insert(name, decoded(name, value)?).is_some() {
            return Err(Failure::invalid_uri(format!("`{name}` stands in it twice")));
        }
    }
    Ok(found)
}

fn unknown(name: &str) -> Failure {
    let detail = if QUERY.contains(&name) {
        format!("`{name}` has to stand after the `?`")
    } else if TEXTS.contains(&name) || OTHERS.contains(&name) {
        format!("`{name}` has to stand before the `?`")
    } else {
        format!("`{name}` is no attribute that is known here")
    };
    Failure::invalid_uri(detail)
}

fn decoded(name: &str, value: &str) -> Result<Vec<u8>, Failure> {
    let is_encoded =
        |part: &str| part.len() >= 2 && part.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    if !value.split('%').skip(1).all(is_encoded) {
        return Err(Failure::invalid_uri(format!("`{name}` has a `%` without two digits")));
    }
    Ok(percent_decode_str(value).collect())
}

fn text(name: &str, value: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(value)
        .map_err(|_| Failure::invalid_uri(format!("`{name}` is not encoded as UTF-8")))
}

fn number(value: Vec<u8>) -> Result<u64, Failure> {
    text("slot-id", value)?
        .parse()
        .map_err(|_| Failure::invalid_uri("its `slot-id` is no decimal number"))
}

fn pin(source: Option<String>, value: Option<String>) -> Result<Option<PinPlace>, Failure> {
    match (source, value) {
        (Some(_), Some(_)) => {
            Err(Failure::invalid_uri("it has both a `pin-source` and a `pin-value`"))
        }
        (None, None) => Ok(None),
        (None, Some(value)) => Ok(Some(PinPlace::Value(value.into()))),
        (Some(source), None) => {
            // RFC 7512 leaves the rest to whoever reads it; some run what follows a `|`.
            let path = source.strip_prefix("file:").unwrap_or(&source);
            let path = path.strip_prefix("//").filter(|it| it.starts_with('/')).unwrap_or(path);
            if path.is_empty() || path.starts_with('|') || path.contains("://") {
                return Err(Failure::invalid_uri(
                    "its `pin-source` is neither file:PATH nor a path",
                ));
            }
            Ok(Some(PinPlace::File(path.into())))
        }
    }
}

fn without_pin(query: &str) -> String {
    let kept: Vec<_> =
        query.split('&').filter(|attribute| !attribute.starts_with("pin-value=")).collect();
    kept.join("&")
}

#[cfg(test)]
mod tests {
    use nhs_auth::CustodyErrorKind;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn parse(uri: &str) -> Result<TokenUri, Failure> {
        TokenUri::parse(&KeyUri::parse(uri).unwrap())
    }

    fn refusal(uri: &str) -> String {
        let failure = parse(uri).err().unwrap_or_else(|| panic!("{uri} was taken"));
        assert_eq!(failure.kind, CustodyErrorKind::InvalidUri);
        failure.of("it").to_string()
    }

    #[test]
    fn every_attribute_is_read_and_decoded() {
        let uri = parse(
            "pkcs11:token=My%20token%3B;manufacturer=a;serial=0%31;model=b;slot-id=7;object=int-1;\
             id=%00%ffz;type=private;library-version=2.6;slot-description=c\
             ?module-path=/m.so&module-name=m&pin-source=file:/run/pin%26",
        )
        .unwrap();
        assert_eq!(uri.text("token"), Some("My token;"));
        assert_eq!(uri.text("serial"), Some("01"));
        assert!(uri.fits("serial", "01") && !uri.fits("serial", "1") && uri.fits("x", "any"));
        assert_eq!(uri.id.as_deref(), Some(&b"\x00\xffz"[..]));
        assert_eq!(uri.slot_id, Some(7));
        assert_eq!(uri.module_path.unwrap().to_str(), Some("/m.so"));
        assert_eq!(uri.module_name.as_deref(), Some("m"));
        assert!(
            matches!(uri.pin, Some(PinPlace::File(path)) if path.to_str() == Some("/run/pin&"))
        );
        assert!(parse("pkcs11:").unwrap().texts.is_empty());
    }

    #[test]
    fn a_pin_is_a_value_or_in_a_file() {
        let pin = |source: &str| match parse(&format!("pkcs11:?{source}")).unwrap().pin.unwrap() {
            PinPlace::File(path) => path.display().to_string(),
            PinPlace::Value(value) => format!("value {}", value.expose_secret()),
        };
        assert_eq!(pin("pin-value=12%2634"), "value 12&34");
        assert_eq!(pin("pin-source=pin.txt"), "pin.txt");
        assert_eq!(pin("pin-source=file:pin.txt"), "pin.txt");
        assert_eq!(pin("pin-source=file:///run/pin"), "/run/pin");
        for source in ["%7Ccat%20pin", "|cat", "https://example.org/pin", "", "file:"] {
            let text = refusal(&format!("pkcs11:?pin-source={source}"));
            assert!(text.ends_with("neither file:PATH nor a path"), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (uri, expected) in [
            ("pkcs11:tokn=a", "`tokn` is no attribute that is known here"),
            ("pkcs11:token=a;token=a", "`token` stands in it twice"),
            ("pkcs11:?pin-value=a&pin-value=b", "`pin-value` stands in it twice"),
            ("pkcs11:?token=a", "`token` has to stand before the `?`"),
            ("pkcs11:pin-source=a", "`pin-source` has to stand after the `?`"),
            ("pkcs11:token=%4", "`token` has a `%` without two digits"),
            ("pkcs11:token=%ff", "`token` is not encoded as UTF-8"),
            ("pkcs11:slot-id=x", "its `slot-id` is no decimal number"),
            ("pkcs11:type=public", "its `type` has to be `private`"),
            ("pkcs11:token", "one of its attributes has no `=`"),
            ("pkcs11:token=a#b", "a `#` has no meaning in it"),
            ("pkcs11:?pin-value=a&pin-source=b", "it has both a `pin-source` and a `pin-value`"),
        ] {
            let text = refusal(uri);
            assert!(text.ends_with(expected), "{uri}: {text}");
        }
        assert!(!refusal("pkcs11:?pin-value=12&34").contains("34"));
    }

    #[test]
    fn a_keys_uri_names_it_and_holds_no_pin() {
        let place = parse("pkcs11:slot-id=7;model=SoftHSM%20v2?pin-value=hush&module-path=/m.so");
        let names = KeyNames { token: "a;b", serial: "01", object: "int-1", id: b"\x01z" };
        let uri = place.unwrap().of_key(&names);
        assert_eq!(
            uri.expose(),
            "pkcs11:model=SoftHSM%20v2;object=int-1;serial=01;token=a%3Bb;id=%01%7A;type=private\
             ?module-path=/m.so"
        );
        let again = TokenUri::parse(&uri).unwrap();
        assert_eq!(again.text("token"), Some("a;b"));
        assert_eq!(again.id.as_deref(), Some(&b"\x01z"[..]));
        let bare = parse("pkcs11:token=t").unwrap().of_key(&names);
        assert_eq!(bare.expose(), "pkcs11:object=int-1;token=a%3Bb;id=%01%7A;type=private");
    }
}
