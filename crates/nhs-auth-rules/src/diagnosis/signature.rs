//! Row 20: who made the signature, if the registered key didn't.

use std::borrow::Cow;

use super::finding::rule;
use super::key_set::KeySet;
use super::modulus;
use super::view::{View, Who};
use super::{Diagnosed, PrivateKeyInput, RootCause};
use crate::quotable::quotable;
use crate::{Jwk, SignatureAlgorithm};

/// Why the registered key refuses the signature. `None` where it doesn't, and where another
/// finding has said all there is to say.
pub(super) fn finding(view: &View<'_>) -> Option<Diagnosed> {
    // What does not decode has been said to be that.
    view.fault("A20").filter(|_| view.jwt.is_well_formed())?;
    let set = view.context.set?;
    let named = view.named_keys();
    let alg = view.member("alg").and_then(|alg| alg.as_str().map(Cow::into_owned));
    let declared = alg.as_deref().and_then(SignatureAlgorithm::named);
    let by_named =
        |who| matches!(who, Who::Registered(index) if named.iter().any(|key| key.index == index));
    if let Some(signer) = view.signer {
        if by_named(signer.who) {
            // Verified by the number that is meant: the lint says what is wrong with it as written.
            if signer.algorithm == SignatureAlgorithm::Rs512 || declared == Some(signer.algorithm) {
                return None;
            }
            return Some(other_hash(view, signer.algorithm));
        }
        return Some(match signer.who {
            Who::Registered(index) => other_name(view, set, &set.jwks.keys[index]),
            Who::PrivateKey => unregistered(view, set, &named),
        });
    }
    // Row 4 has said that the platform can't verify such a signature at all.
    if alg.as_deref() != Some("RS512") && declared.is_none() {
        return None;
    }
    if let Some(key) = named.iter().find(|key| !key.is_rsa()) {
        return Some(not_rsa(view, set, key));
    }
    let signature = view.jwt.signature.content.as_deref().ok()?;
    let expected = named.iter().find_map(|key| Some(set.numbers(key)?.0.len()))?;
    if let Some(finding) = length(signature.len(), expected) {
        return Some(finding);
    }
    Some(another_key(view, set, &named))
}

fn other_hash(view: &View<'_>, algorithm: SignatureAlgorithm) -> Diagnosed {
    let message = format!(
        "the signature is by the right key, but made as {algorithm}, while the header says {}",
        view.member("alg").map_or("nothing".to_owned(), |alg| quotable(alg.text()))
    );
    let finding = Diagnosed::error(RootCause::Alg, message).rule(rule("A20")).why(
        "the header was set by hand and the library signed with its own default: the platform \
         verifies RSASSA-PKCS1-v1_5 with SHA-512",
    );
    let finding = match view.member_place("alg") {
        Some((source, span)) => finding.label(source, span, format!("in truth {algorithm}")),
        None => finding,
    };
    finding.fix("tell the library to sign with RS512, and let it write the header")
}

fn other_name(view: &View<'_>, set: &KeySet, maker: &Jwk) -> Diagnosed {
    let kid = view.kid().unwrap_or_default();
    let message = format!(
        "the header names the key `{}`, but the key {} made this signature",
        quotable(&kid),
        KeySet::name(maker)
    );
    let finding = Diagnosed::error(RootCause::KidMismatch, message)
        .rule(rule("A20"))
        .why("both keys are registered; only the name in the header is that of the other one");
    let finding = match view.member_place("kid") {
        Some((source, span)) => finding.label(source, span, "the other key's name"),
        None => finding,
    };
    let finding = match maker.span_of("kid") {
        Some(span) => finding.at(&set.shown, span, "this key signed"),
        None => finding,
    };
    match (maker.text("kid"), &view.header, view.member("kid")) {
        (Some(name), Some((_, shown)), Some(value)) => {
            let name = format!("{:?}", quotable(&name));
            finding.patch("name the key that signs", shown, value.span(), name)
        }
        _ => finding.fix("name the key that signs"),
    }
}

/// The private key that was given made it, and is not the registered one.
fn unregistered(view: &View<'_>, set: &KeySet, named: &[&Jwk]) -> Diagnosed {
    let kid = view.kid().unwrap_or_default();
    let message = format!(
        "the private key that was given made this signature, and the public key that is registered \
         as `{}` is of another pair",
        quotable(&kid)
    );
    with_places(view, set, named, Diagnosed::error(RootCause::KeyMismatch, message))
}

fn another_key(view: &View<'_>, set: &KeySet, named: &[&Jwk]) -> Diagnosed {
    let kid = view.kid().unwrap_or_default();
    let mut message = format!(
        "the key that is registered as `{}` did not make this signature, and no other key of the \
         set did",
        quotable(&kid)
    );
    if let Some(PrivateKeyInput::Facts { modulus, .. }) = &view.context.inputs.private_key {
        let is_registered = named
            .iter()
            .any(|key| set.numbers(key).is_some_and(|(n, _)| n == modulus::significant(modulus)));
        message.push_str(if is_registered {
            "; the private key that was given is the registered one and did not make it either: the \
             assertion was signed with yet another key, or was changed after it was signed"
        } else {
            "; nor did the private key that was given, which isn't the registered one"
        });
    }
    with_places(view, set, named, Diagnosed::error(RootCause::KeyMismatch, message))
}

fn with_places(view: &View<'_>, set: &KeySet, named: &[&Jwk], finding: Diagnosed) -> Diagnosed {
    let mut finding = finding.rule(rule("A20"));
    if let Some((source, span)) = view.member_place("kid") {
        finding = finding.label(source, span, "the key that the header names");
    }
    if let Some(key) = named.first() {
        let span = key.span_of("n").unwrap_or(key.span);
        finding = finding.at(&set.shown, span, "the modulus that is registered");
    }
    finding.fix("register the public key of the private key that signs, under a new kid").command(
        "print the modulus of the private key, to compare",
        "openssl rsa -in <private key> -noout -modulus",
    )
}

fn not_rsa(view: &View<'_>, set: &KeySet, key: &Jwk) -> Diagnosed {
    let message =
        format!("the key that the header names, {}, is not an RSA key", KeySet::name(key));
    let finding = Diagnosed::error(RootCause::AlgJwk, message).rule(rule("A20")).at(
        &set.shown,
        key.span_of("kty").unwrap_or(key.span),
        "RS512 needs RSA",
    );
    let finding = match view.member_place("kid") {
        Some((source, span)) => finding.label(source, span, "named here"),
        None => finding,
    };
    finding.fix("make an RSA key pair of 4096 bits, and register its public key")
}

fn length(given: usize, expected: usize) -> Option<Diagnosed> {
    const USUAL: [usize; 6] = [64, 128, 256, 384, 512, 1024];
    if given == expected {
        return None;
    }
    let (cause, message, why) = if given == 0 {
        (
            RootCause::Trunc,
            "the signature is missing".to_owned(),
            "the assertion ends behind its second dot: it was cut off, or was never signed",
        )
    } else if USUAL.contains(&given) {
        (
            RootCause::KeyMismatch,
            format!(
                "the signature has {given} bytes and so is by a key of {} bits; the registered one \
                 has {}",
                given * 8,
                expected * 8
            ),
            "a signature is as long as the modulus of the key that made it",
        )
    } else {
        (
            RootCause::Trunc,
            format!("the signature has {given} bytes, where this key's have {expected}"),
            "a signature is exactly as long as the key's modulus, so a part of it got lost or was \
             added on its way here",
        )
    };
    let finding = Diagnosed::error(cause, message).rule(rule("A20")).why(why);
    Some(finding.fix(if cause == RootCause::Trunc {
        "copy the whole assertion, without a line break, from where it was made"
    } else {
        "register the public key of the private key that signs, under a new kid"
    }))
}

/// A signature that no RSA key made, seen without any key.
pub(super) fn without_a_key(view: &View<'_>) -> Option<Diagnosed> {
    if !view.jwt.is_well_formed() {
        return None;
    }
    let signature = view.jwt.signature.content.as_deref().ok()?;
    let alg = view.member("alg").and_then(|alg| alg.as_str().map(Cow::into_owned))?;
    if alg.starts_with("ES") && signature.first() == Some(&0x30) && signature.len() > 66 {
        return Some(
            Diagnosed::error(RootCause::EcdsaDer, format!("the {} signature is in DER", quotable(&alg)))
                .likely()
                .rule(rule("A20"))
                .why("in a JWT an ECDSA signature is its two numbers, one behind the other (RFC 7518 §3.4)")
                .fix("let a JOSE library sign; or turn the DER into r and s of the curve's length"),
        );
    }
    let is_rsa = SignatureAlgorithm::named(&alg).is_some();
    let knows_better = view.context.set.is_some() && !view.named_keys().is_empty();
    if !is_rsa || knows_better || view.signer.is_some() {
        return None;
    }
    let length = signature.len();
    if length == 64 {
        return Some(
            Diagnosed::error(RootCause::JwkWeak, "the signature is by an RSA key of 512 bits")
                .likely()
                .rule(rule("A20"))
                .why("the 512 in RS512 is the length of the hash; a key of 512 bits can't carry such a signature")
                .fix("make a key pair of 4096 bits, and register it under a new kid"),
        );
    }
    if length >= 128 && length.is_multiple_of(64) {
        return None;
    }
    let message = format!("the signature has {length} bytes, and no RSA key makes such");
    Some(
        Diagnosed::error(RootCause::Trunc, message)
            .likely()
            .rule(rule("A20"))
            .why("a signature is as long as the key's modulus: 256, 384 or 512 bytes")
            .fix("copy the whole assertion from where it was made"),
    )
}

/// The private key beside the key set, whatever was signed.
pub(super) fn pair(
    private_key: Option<&PrivateKeyInput<'_>>,
    set: Option<&KeySet>,
) -> Option<Diagnosed> {
    let (PrivateKeyInput::Facts { modulus, .. }, set) = (private_key?, set?) else { return None };
    let modulus = modulus::significant(modulus);
    let has_key = set.keys().any(Jwk::is_rsa);
    let is_there = set.keys().any(|key| set.numbers(key).is_some_and(|(n, _)| n == modulus));
    if is_there || !has_key {
        return None;
    }
    // A key that can't be read may be this one.
    if set.keys().any(|key| key.is_rsa() && set.numbers(key).is_none()) {
        return None;
    }
    let key = set.keys().find(|key| key.is_rsa())?;
    Some(
        Diagnosed::error(
            RootCause::KeyMismatch,
            "the private key's public half is not in the key set: its modulus is another",
        )
        .rule(rule("A20"))
        .at(&set.shown, key.span_of("n").unwrap_or(key.span), "another key's modulus")
        .fix("register the public key of this private key, under a new kid")
        .command(
            "print the modulus of the private key, to compare",
            "openssl rsa -in <private key> -noout -modulus",
        ),
    )
}

/// A private key that is too short, and one that could not be read.
pub(super) fn private_key(input: &PrivateKeyInput<'_>) -> Option<Diagnosed> {
    match input {
        PrivateKeyInput::Unreadable { message, hints } => {
            let finding = Diagnosed::error(RootCause::Pem, message.clone()).why(
                "a private key is PKCS#8 (`BEGIN PRIVATE KEY`, what OpenSSL 3 writes) or PKCS#1 \
                 (`BEGIN RSA PRIVATE KEY`), in PEM, whole, with its line breaks",
            );
            let finding = hints.iter().fold(finding, |finding, hint| finding.fix(hint.clone()));
            Some(if hints.is_empty() { finding.fix("check the key file") } else { finding })
        }
        PrivateKeyInput::Facts { bits, .. } if *bits < 2040 => {
            let message = format!("the private key has only {bits} bits");
            let finding = if *bits < 1000 {
                Diagnosed::error(RootCause::JwkWeak, message)
            } else {
                Diagnosed::warning(RootCause::JwkWeak, message)
            };
            Some(
                finding
                    .why("the 512 in RS512 is the length of the hash; NHS England asks for keys of 4096 bits")
                    .fix("make a key pair of 4096 bits, and register it under a new kid"),
            )
        }
        PrivateKeyInput::Facts { .. } => None,
    }
}
