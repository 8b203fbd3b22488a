//! Rows 6 and 19: the name of the key, and what it nearly is.

use std::borrow::Cow;

use super::key_set::KeySet;
use super::modulus;
use super::view::{View, Who};
use super::{Crypto, Diagnosed, RootCause};
use crate::Jwk;
use crate::quotable::quotable;

pub(super) fn missing(view: &View<'_>) -> Option<Diagnosed> {
    let fault = view.fault("A6")?;
    let rule = view.first_of(&["A6"]);
    let finding = Diagnosed::error(RootCause::KidMissing, fault.message.clone()).rule_if(rule);
    let finding = label(view, finding, "the header has to name the key");
    let maker = view.signer.and_then(|signer| match signer.who {
        Who::Registered(index) => view.context.set?.jwks.keys.get(index)?.text("kid"),
        Who::PrivateKey => None,
    });
    Some(match maker {
        Some(kid) => finding.fix(format!(
            "the key `{}` of the set made this signature: put `\"kid\": {:?}` into the header",
            quotable(&kid),
            quotable(&kid)
        )),
        None => finding.fix("put the registered key's `kid` into the header"),
    })
}

/// A kid that the set hasn't. Returns `None` too where the set itself is at fault.
pub(super) fn mismatch(view: &View<'_>) -> Option<Diagnosed> {
    view.fault("A19")?;
    let set = view.context.set.filter(|set| !set.jwks.keys.is_empty())?;
    let rule = view.first_of(&["A19"]);
    let Some(kid) = view.kid() else {
        let finding = Diagnosed::error(RootCause::KidMismatch, "the kid is not a string")
            .rule_if(rule)
            .fix("make `kid` a string");
        return Some(label(view, finding, "not a string"));
    };
    let names: Vec<String> =
        set.keys().filter_map(|key| key.text("kid")).map(Cow::into_owned).collect();
    if names.is_empty() {
        // The lint says of each key that it has no name.
        let message = format!("the key set has no named key, so none is {:?}", quotable(&kid));
        let finding = Diagnosed::error(RootCause::KidMismatch, message).rule_if(rule);
        return Some(
            label(view, finding, "not in the key set").fix("give the key in the set this kid"),
        );
    }
    let maker = view.signer.and_then(|signer| match signer.who {
        Who::Registered(index) => set.jwks.keys.get(index),
        Who::PrivateKey => None,
    });
    let near = names.iter().find_map(|name| Some((name, difference(&kid, name)?)));
    let thumbprint = thumbprint_of(view, set, &kid);
    let listed: Vec<_> = names.iter().take(8).map(|name| format!("`{}`", quotable(name))).collect();
    let mut message =
        format!("the key set has no key `{}`; it has {}", quotable(&kid), listed.join(", "));
    let mut right_name = None;
    if let Some(maker) = maker {
        message = format!(
            "{message}; the key {} made this signature, so only the name is wrong",
            KeySet::name(maker)
        );
        right_name = maker.text("kid").map(Cow::into_owned);
    } else if view.signer.is_some() {
        message = format!(
            "{message}; the private key made this signature, and its public key is not in the set"
        );
    } else if view.jwt.is_well_formed() && view.context.set.is_some() {
        message = format!("{message}; no key of the set made this signature either");
    }
    if let Some((name, how)) = near {
        message = format!("{message}; `{}` {how}", quotable(name));
        right_name = right_name.or_else(|| Some(name.clone()));
    }
    if let Some(what) = thumbprint {
        message = format!("{message}; {what}");
    }
    let finding = Diagnosed::error(RootCause::KidMismatch, message).rule_if(rule);
    let mut finding = label(view, finding, "not in the key set");
    if let Some(key) = right_name.as_deref().and_then(|name| set.jwks.named(name).next())
        && let Some(span) = key.span_of("kid")
    {
        finding = finding.at(&set.shown, span, "this one is");
    }
    Some(match (&right_name, &view.header, view.member("kid")) {
        (Some(name), Some((_, shown)), Some(value)) => finding
            .patch("use the name that is registered", shown, value.span(), format!("{name:?}"))
            .fix("or register the key under the header's name, and wait an hour if its URL stays the same"),
        _ => finding
            .fix("register the public key of the private key that signs, under this kid")
            .fix("if it is registered already: the platform keeps a key set for an hour by its URL"),
    })
}

/// A test key's name that is sent to production.
pub(super) fn of_another_environment(view: &View<'_>) -> Option<Diagnosed> {
    const WORDS: [&str; 6] = ["test", "int", "dev", "sandbox", "ptl", "staging"];
    let kid = view.kid()?;
    let to_production = view.context.token_url?.starts_with("https://api.service.nhs.uk/");
    let word = kid
        .to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphabetic())
        .find_map(|part| WORDS.into_iter().find(|word| *word == part))?;
    if !to_production {
        return None;
    }
    let message =
        format!("the kid `{}` says {word}, and the request goes to production", quotable(&kid));
    let finding = Diagnosed::warning(RootCause::EnvMismatch, message)
        .likely()
        .why(
            "a key is registered with one application, and each environment has its own: a test \
              key should not be good for live data",
        )
        .fix("make a key pair for production, and name it so, such as `prod-1`");
    Some(label(view, finding, "a test key's name"))
}

fn label(view: &View<'_>, finding: Diagnosed, text: &str) -> Diagnosed {
    match view.member_place("kid") {
        Some((source, span)) => finding.label(source, span, text),
        None => finding,
    }
}

/// How two names differ, if by little.
fn difference(given: &str, registered: &str) -> Option<String> {
    let plain = |name: &str| name.trim().to_lowercase().replace(['-', '_', '.', ' '], "");
    let stem = |name: &str| {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
        [".pem", ".pub", ".key", ".json"].iter().fold(file, |name, suffix| {
            name.strip_suffix(suffix).map_or(name.clone(), str::to_owned)
        })
    };
    Some(if given.trim() == registered.trim() {
        "differs in white space alone".to_owned()
    } else if given.eq_ignore_ascii_case(registered) {
        "differs in the case of letters alone".to_owned()
    } else if given.replace('_', "-") == registered.replace('_', "-") {
        "differs in `-` and `_` alone".to_owned()
    } else if stem(given) == stem(registered) {
        "differs in the file's name: a kid is without path and `.pem`".to_owned()
    } else if plain(given) == plain(registered) {
        "differs in case and punctuation alone".to_owned()
    } else if without_environment(given)
        .is_some_and(|name| Some(name) == without_environment(registered))
    {
        "differs in the environment's name".to_owned()
    } else if is_one_edit(given, registered) {
        "differs in one character".to_owned()
    } else {
        return None;
    })
}

fn without_environment(name: &str) -> Option<String> {
    const WORDS: [&str; 7] = ["production", "prod", "live", "test", "int", "dev", "sandbox"];
    let lower = name.to_lowercase();
    let word = WORDS.iter().find(|word| lower.contains(*word))?;
    Some(lower.replacen(word, "*", 1))
}

/// Whether one insertion, deletion, substitution or swap of neighbours makes `a` into `b`.
fn is_one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(200).collect(), b.chars().take(200).collect());
    if a.len().abs_diff(b.len()) > 1 || a.len().max(b.len()) < 3 {
        return false;
    }
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    let swapped =
        a.len() == b.len() && a.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    let replaced = a.len() == b.len() && a.get(1..) == b.get(1..);
    swapped || replaced || a.get(1..) == Some(b) || b.get(1..) == Some(a)
}

/// Whether the kid is a thumbprint of one of the keys: a name by content, where the set has another.
fn thumbprint_of(view: &View<'_>, set: &KeySet, kid: &str) -> Option<String> {
    let crypto = view.context.crypto;
    if let Some(key) = set.keys().find(|key| thumbprint(crypto, set, key).as_deref() == Some(kid)) {
        return Some(format!(
            "the header's kid is the thumbprint (RFC 7638) of the key {}",
            KeySet::name(key)
        ));
    }
    if let Some(super::PrivateKeyInput::Facts { modulus, exponent, .. }) =
        &view.context.inputs.private_key
        && of_numbers(crypto, modulus, exponent) == kid
    {
        return Some("the header's kid is the thumbprint (RFC 7638) of the private key".to_owned());
    }
    None
}

fn thumbprint(crypto: &dyn Crypto, set: &KeySet, key: &Jwk) -> Option<String> {
    let (n, e) = set.numbers(key)?;
    Some(of_numbers(crypto, &n, &e))
}

fn of_numbers(crypto: &dyn Crypto, modulus: &[u8], exponent: &[u8]) -> String {
    let base64url = |number| modulus::base64url(modulus::significant(number));
    let json =
        format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64url(exponent), base64url(modulus));
    modulus::base64url(&crypto.sha256(json.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_the_same() {
        for (given, registered, how) in [
            ("test-1", " test-1", "white space"),
            ("Test-1", "test-1", "case of letters"),
            ("test_1", "test-1", "`-` and `_`"),
            ("keys/test-1.pem", "test-1", "file's name"),
            ("Test 1", "test-1", "punctuation"),
            ("int-1", "prod-1", "environment"),
            ("test-1", "test-2", "one character"),
            ("tset-1", "test-1", "one character"),
            ("test-12", "test-1", "one character"),
        ] {
            let found = difference(given, registered).unwrap_or_default();
            assert!(found.contains(how), "{given:?} {registered:?}: {found}");
        }
        assert_eq!(difference("alpha", "omega"), None);
    }
}
