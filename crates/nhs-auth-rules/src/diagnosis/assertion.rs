//! The findings of one assertion, from every row that fails: one fact, one error.

use super::finding::rule;
use super::source::Sources;
use super::view::View;
use super::{Diagnosed, RootCause, audience, client, encoding, key_name, signature, times};
use crate::quotable::quotable;

/// Everything that is wrong with it by the platform's rules.
pub(super) fn findings(view: &View<'_>, sources: &mut Sources) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    if view.fault("A3").is_some() {
        findings.extend(encoding::assertion(view.jwt, sources));
    }
    findings.extend(algorithm(view));
    findings.extend(key_name::missing(view));
    findings.extend(typ(view));
    findings.extend(times::findings(view));
    findings.extend(client::findings(view));
    findings.extend(jti(view));
    findings.extend(key_name::mismatch(view));
    findings.extend(key_name::of_another_environment(view));
    findings.extend(signature::finding(view).or_else(|| signature::without_a_key(view)));
    findings.extend(audience::findings(view));
    findings.extend(doubles(view));
    findings.extend(thumbprints(view));
    findings
}

fn member(view: &View<'_>, finding: Diagnosed, name: &str, text: &str) -> Diagnosed {
    match view.member_place(name) {
        Some((source, span)) => finding.label(source, span, text),
        None => finding,
    }
}

fn claim(view: &View<'_>, finding: Diagnosed, name: &str, text: &str) -> Diagnosed {
    match view.claim_place(name) {
        Some((source, span)) => finding.label(source, span, text),
        None => finding,
    }
}

fn algorithm(view: &View<'_>) -> Option<Diagnosed> {
    view.fault("A4")?;
    let alg = view.member("alg");
    let name = alg.as_ref().and_then(crate::json::Value::as_str);
    let (message, why) = match name.as_deref() {
        None if alg.is_none() => ("there is no `alg`".to_owned(), rule("A4").why),
        None => ("`alg` is not a string".to_owned(), rule("A4").why),
        Some("none") => (
            "`alg` is none: the assertion isn't signed".to_owned(),
            "an unsigned assertion proves nothing",
        ),
        Some(name) if name.starts_with("HS") => (
            format!("the assertion is signed with {}, a shared secret", quotable(name)),
            "the platform verifies with your public key; a secret, such as the application's, signs \
             nothing here. It is the default of many libraries",
        ),
        Some(name) if name.eq_ignore_ascii_case("RS512") => (
            format!("`alg` is `{}`, and names of algorithms have a case", quotable(name)),
            "RFC 7515 §4.1.1 compares `alg` byte by byte",
        ),
        Some(name) => (
            format!("the assertion is signed with {} and not with RS512", quotable(name)),
            rule("A4").why,
        ),
    };
    let finding = Diagnosed::error(RootCause::Alg, message).rule(rule("A4")).why(why);
    let finding = member(view, finding, "alg", "must be `RS512`");
    Some(finding.fix(
        "tell the library to sign with RS512; changing the header alone would spoil the signature",
    ))
}

fn typ(view: &View<'_>) -> Option<Diagnosed> {
    let fault = view.fault("A7")?;
    let finding = Diagnosed::error(RootCause::Typ, fault_message(&fault.message)).rule(rule("A7"));
    let finding = member(view, finding, "typ", "must be `JWT`");
    Some(finding.fix("put `\"typ\": \"JWT\"` into the header before it is signed"))
}

fn jti(view: &View<'_>) -> Option<Diagnosed> {
    let (cause, id, text) = if view.fault("A11").is_some() {
        (RootCause::JtiMissing, "A11", "must be a new random string")
    } else if view.fault("A12").is_some() {
        (RootCause::JtiType, "A12", "must be a string")
    } else if view.fault("A13").is_some() {
        (RootCause::JtiReuse, "A13", "this jti was sent before")
    } else {
        return None;
    };
    let fault = view.fault(id)?;
    let message = match cause {
        RootCause::JtiReuse => {
            "two assertions have the same `jti`: the platform takes each once".to_owned()
        }
        _ => fault_message(&fault.message),
    };
    let finding = Diagnosed::error(cause, message).rule(rule(id));
    Some(claim(view, finding, "jti", text).fix(rule(id).fix))
}

/// A rule's own words, which repeat a value: short, and with nothing secret.
fn fault_message(message: &str) -> String {
    quotable(message)
}

/// A name that stands twice: which one counts depends on who reads.
fn doubles(view: &View<'_>) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    for (object, shown) in [&view.header, &view.payload].into_iter().flatten() {
        let members = object.members();
        for (index, one) in members.iter().enumerate().take(100) {
            if let Some(earlier) = members[..index].iter().find(|other| other.name == one.name) {
                let message = format!("`{}` stands twice", quotable(&one.name));
                findings.push(
                    Diagnosed::warning(RootCause::Malformed, message)
                        .at(shown, one.value_span, "this one counts")
                        .at(shown, earlier.value_span, "this one doesn't")
                        .why("of two members of one name most parsers take the last, and some refuse both")
                        .fix("write it once"),
                );
            }
        }
    }
    findings
}

/// `x5t` and `x5t#S256` (RFC 7515 §4.1.7, §4.1.8), which the platform ignores and others don't.
fn thumbprints(view: &View<'_>) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    for (name, length) in [("x5t", 20), ("x5t#S256", 32)] {
        let Some(value) = view.member(name) else { continue };
        let Some(text) = value.as_str() else { continue };
        let bytes = super::modulus::lenient_bytes(&text).unwrap_or_default();
        let is_hex = bytes.len() == 2 * length && bytes.iter().all(u8::is_ascii_hexdigit);
        let what = if is_hex {
            "it is made from the hexadecimal text and not from the bytes"
        } else if text.contains(['+', '/', '=']) {
            "it is in standard base64 and not in base64url"
        } else if bytes.len() != length {
            "it has another length than such a thumbprint"
        } else {
            continue;
        };
        let finding = Diagnosed::warning(RootCause::Thumbprint, format!("`{name}` is no thumbprint: {what}"))
            .why("a thumbprint is the hash's own bytes in base64url; the platform doesn't look at it, others do")
            .fix("leave it out, or encode the hash's bytes");
        findings.push(member(view, finding, name, "not a thumbprint"));
    }
    findings
}
