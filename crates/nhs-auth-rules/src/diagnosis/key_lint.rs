//! What can be wrong with a key set, whatever is signed with it.

use std::borrow::Cow;

use super::finding::rule;
use super::key_set::KeySet;
use super::modulus::{self, Flaw, FlawKind};
use super::{Diagnosed, RootCause, Severity};
use crate::json::{Kind, Object, Value};
use crate::quotable::quotable;
use crate::{Jwk, Jwks, JwksShape, Span};

/// A lint of the key set, and which of its keys it is of.
#[derive(Debug)]
pub(super) struct Lint {
    pub(super) key: Option<usize>,
    pub(super) finding: Diagnosed,
}

/// Everything that is wrong with the set itself, whatever is signed with it.
pub(super) fn lint(document: &str, set: &KeySet, is_platform: bool) -> Vec<Lint> {
    let mut lints = Vec::new();
    if let Some(finding) = shape(document, set) {
        lints.push(Lint { key: None, finding });
    }
    if set.jwks.shape != JwksShape::Set || holds_a_set(set) {
        // A key that stands alone, or deeper than it should, is looked at all the same.
        private_members_anywhere(document, set, &mut lints);
        return lints;
    }
    for key in set.keys() {
        let findings = key_findings(set, key, is_platform);
        lints.extend(findings.into_iter().map(|finding| Lint { key: Some(key.index), finding }));
    }
    doubles(set, &mut lints);
    lints
}

fn shape(document: &str, set: &KeySet) -> Option<Diagnosed> {
    let whole = Span::new(0, document.len());
    let error = |message: &str, fix: &str| {
        Diagnosed::error(RootCause::JwksShape, message)
            .rule(rule("A19"))
            .at(&set.shown, whole, "this is not a key set")
            .why(
                "a key set is `{\"keys\": [ … ]}` (RFC 7517 §5); in a document of another shape the \
                 platform finds no key",
            )
            .fix(fix)
    };
    Some(match &set.jwks.shape {
        JwksShape::Set if set.jwks.keys.is_empty() => {
            error("the key set has no key in it", "put the public key into `keys`")
        }
        JwksShape::Set if holds_a_set(set) => error(
            "`keys` holds another `keys`: the set was wrapped twice",
            "take the outer `{\"keys\": [ … ]}` away",
        ),
        JwksShape::Set => return None,
        JwksShape::BareKey => error(
            "this is a single key, with no `keys` around it",
            "put the key into a set: `{\"keys\": [<the key>]}`",
        ),
        JwksShape::KeysNotAnArray if nested(document) => error(
            "`keys` holds another `keys`: the set was wrapped twice",
            "take the outer `{\"keys\": …}` away",
        ),
        JwksShape::KeysNotAnArray => {
            error("`keys` is not an array", "make `keys` an array: `{\"keys\": [<the key>]}`")
        }
        JwksShape::NoKeys => error(
            "there is no `keys` in this document",
            "publish `{\"keys\": [<the public key as a JWK>]}`",
        ),
        JwksShape::NotAnObject => error(
            "this is JSON, but no key set",
            "publish `{\"keys\": [<the public key as a JWK>]}`",
        ),
        JwksShape::NotJson(syntax) => {
            let message = if syntax.message.contains("control character") {
                format!(
                    "a string of the key set has a raw line break in it, at byte {}",
                    syntax.offset
                )
            } else if document.trim_start().starts_with('<') {
                "this is a web page and not a key set".to_owned()
            } else if document.contains("-----BEGIN") {
                "this is a key file in PEM and not a key set".to_owned()
            } else if syntax.truncated {
                "the key set ends too early: a part of it is missing".to_owned()
            } else {
                format!("the key set is not JSON: {syntax}")
            };
            error(&message, "publish JSON as the tool that made the key set wrote it")
        }
    })
}

/// `{"keys": [{"keys": […]}]}`
fn holds_a_set(set: &KeySet) -> bool {
    let has_keys = |key: &Jwk| key.object.as_ref().is_some_and(|key| key.get("keys").is_some());
    set.jwks.keys.iter().any(has_keys)
}

/// `{"keys": {"keys": […]}}`
fn nested(document: &str) -> bool {
    let inner = Object::parse(document)
        .ok()
        .and_then(|object| Some(object.get("keys")?.as_object()?.get("keys").is_some()));
    inner.unwrap_or_default()
}

/// Private members of a key that isn't where it should be.
fn private_members_anywhere(document: &str, set: &KeySet, lints: &mut Vec<Lint>) {
    let wrapped = Value::parse(document).ok().map(|value| match value.kind() {
        Kind::Array => format!("{{\"keys\":{}}}", value.text()),
        _ => format!("{{\"keys\":[{}]}}", value.text()),
    });
    let inner = wrapped.map(|wrapped| Jwks::parse(&wrapped));
    let members: Vec<_> =
        inner.iter().flat_map(|inner| &inner.keys).flat_map(Jwk::private_members).collect();
    let nested_members = Object::parse(document).ok().and_then(|object| {
        let inner = Jwks::parse(object.get("keys")?.text());
        Some(inner.keys.iter().flat_map(Jwk::private_members).collect::<Vec<_>>())
    });
    let members = if members.is_empty() { nested_members.unwrap_or_default() } else { members };
    if !members.is_empty() {
        let finding = private(set, Span::new(0, document.len()), &members);
        lints.push(Lint { key: None, finding });
    }
}

fn private(set: &KeySet, span: Span, members: &[&str]) -> Diagnosed {
    let message = format!(
        "the key set publishes the private key (`{}`): whoever has read it can sign as you",
        members.join("`, `")
    );
    Diagnosed::error(RootCause::JwkPrivate, message)
        .at(&set.shown, span, "a private member")
        .why(
            "a key set is public. The platform takes such a one and says nothing, so nobody \
             notices; the key must count as stolen, and taking the members out of the file doesn't \
             make it safe again",
        )
        .fix("make a new key pair now, under a kid that was never used")
        .fix("register the new public key, and take the old key out of the key set at once")
        .fix(
            "tell your security team and NHS England's API support that the key was published, and \
             look through the logs for tokens that you didn't ask for",
        )
        .command("make the new pair", "nhs-auth generate-keys --api-key <API key> --kid <new kid>")
}

fn key_findings(set: &KeySet, key: &Jwk, is_platform: bool) -> Vec<Diagnosed> {
    let Some(object) = &key.object else {
        return vec![
            Diagnosed::warning(RootCause::JwksShape, "an element of `keys` is not a key")
                .at(&set.shown, key.span, "not a JSON object")
                .why("each element of `keys` is an object with `kty`, `n`, `e` and `kid`")
                .fix("take it out"),
        ];
    };
    let mut findings = Vec::new();
    let private_members = key.private_members();
    if !private_members.is_empty() {
        let span = key.span_of(private_members[0]).unwrap_or(key.span);
        findings.push(private(set, span, &private_members));
    }
    findings.extend(name(set, key, object));
    if !key.is_rsa() {
        findings.push(not_rsa(set, key, is_platform));
        return findings;
    }
    match set.flaws.get(key.index).and_then(Option::as_ref) {
        Some(flaw) => findings.push(flawed(set, key, flaw)),
        None => findings.extend(size(set, key)),
    }
    findings.extend(exponent(set, key));
    findings.extend(labels_of_use(set, key, is_platform));
    findings
}

fn name(set: &KeySet, key: &Jwk, object: &Object) -> Option<Diagnosed> {
    let is_only = set.jwks.keys.len() == 1;
    let severity = if is_only { Severity::Error } else { Severity::Warning };
    let no_name = |message: &str, span| {
        let finding = Diagnosed::new(RootCause::KidMissing, severity, message)
            .at(&set.shown, span, "no name to find it by")
            .why("the platform looks a key up by its `kid`; one without can't be found")
            .fix("add a `kid`, and put the same into the header of the assertions");
        if is_only { finding.rule(rule("A19")) } else { finding }
    };
    let Some(kid) = object.get("kid") else {
        return Some(no_name("a key of the set has no kid", key.span));
    };
    let Some(text) = kid.as_str() else {
        return Some(no_name("the kid of a key is not a string", kid.span()));
    };
    if text.is_empty() {
        return Some(no_name("the kid of a key is empty", kid.span()));
    }
    (text.trim() != text).then(|| {
        Diagnosed::warning(
            RootCause::KidMismatch,
            format!("the kid {text:?} has white space around it"),
        )
        .likely()
        .at(&set.shown, kid.span(), "white space is part of the name")
        .why("kids are compared byte by byte, and nobody types the space into the header")
        .patch(
            "take the white space out",
            &set.shown,
            kid.span(),
            format!("{:?}", text.trim()),
        )
    })
}

fn not_rsa(set: &KeySet, key: &Jwk, is_platform: bool) -> Diagnosed {
    let kty =
        key.text("kty").map_or("no kty".to_owned(), |kty| format!("kty {:?}", quotable(&kty)));
    if let Some(finding) = coordinates(set, key) {
        return finding;
    }
    let message = format!("the key {} is not an RSA key: it has {kty}", KeySet::name(key));
    let span = key.span_of("kty").unwrap_or(key.span);
    let severity = if is_platform { Severity::Warning } else { Severity::Note };
    Diagnosed::new(RootCause::AlgJwk, severity, message)
        .at(&set.shown, span, "RS512 needs an RSA key")
        .why("assertions are signed with RS512, which only an RSA key can do")
        .fix("make an RSA key pair of 4096 bits")
}

/// The coordinates of an elliptic curve key have the curve's own length (RFC 7518 §6.2.1.2).
fn coordinates(set: &KeySet, key: &Jwk) -> Option<Diagnosed> {
    let length = match key.text("crv").as_deref() {
        Some("P-256") => 32,
        Some("P-384") => 48,
        Some("P-521") => 66,
        _ => return None,
    };
    let wrong = ["x", "y"]
        .into_iter()
        .find(|name| key.bytes(name).is_none_or(|bytes| bytes.len() != length))?;
    let span = key.span_of(wrong).unwrap_or(key.span);
    let message =
        format!("`{wrong}` is not a coordinate of the curve: it must have {length} bytes");
    Some(
        Diagnosed::warning(RootCause::JwkN, message)
            .at(&set.shown, span, "of another length")
            .why("coordinates are padded with zero bytes to the curve's length (RFC 7518 §6.2.1.2)")
            .fix("let a JOSE library write the JWK"),
    )
}

fn flawed(set: &KeySet, key: &Jwk, flaw: &Flaw) -> Diagnosed {
    let (cause, severity) = match flaw.kind {
        FlawKind::Broken => (RootCause::JwkN, Severity::Error),
        FlawKind::Untidy => (RootCause::JwkN, Severity::Warning),
        FlawKind::Placeholder => (RootCause::JwksShape, Severity::Error),
    };
    let span = key.span_of("n").unwrap_or(key.span);
    let message = format!("the key {}: {}", KeySet::name(key), flaw.message);
    let finding = Diagnosed::new(cause, severity, message)
        .at(&set.shown, span, "not the modulus")
        .why(
            "`n` is the modulus alone: its bytes, big-endian, with no zero in front, in base64url \
             without padding (RFC 7518 §6.3.1.1). With anything else no signature verifies, and the \
             answer blames the signature",
        );
    let finding = if severity == Severity::Error { finding.rule(rule("A20")) } else { finding };
    match &flaw.mended {
        Some(bytes) => {
            let replacement = format!("{:?}", modulus::base64url(bytes));
            finding.patch("write the modulus in base64url", &set.shown, span, replacement)
        }
        None => finding.fix("make the key set anew from the key pair, with a tool"),
    }
}

fn size(set: &KeySet, key: &Jwk) -> Option<Diagnosed> {
    let Some(n) = key.bytes("n") else {
        return Some(
            Diagnosed::error(
                RootCause::JwksShape,
                format!("the key {} has no `n`", KeySet::name(key)),
            )
            .rule(rule("A20"))
            .at(&set.shown, key.span, "no modulus")
            .fix("make the key set anew from the key pair, with a tool"),
        );
    };
    let bits = modulus::bits(&n);
    // A 2048-bit key whose first bit is zero has 2047 and is as good.
    if bits >= 2040 {
        return None;
    }
    let (severity, what) = if bits < 1000 {
        (Severity::Error, "it can be factored, and is too short for RS512, which needs 752 bits")
    } else {
        (Severity::Warning, "keys under 2048 bits are no longer secure")
    };
    let message = format!("the key {} has only {bits} bits", KeySet::name(key));
    let span = key.span_of("n").unwrap_or(key.span);
    let finding = Diagnosed::new(RootCause::JwkWeak, severity, message)
        .at(&set.shown, span, what)
        .why(
            "the 512 in RS512 is the length of the hash, and not that of the key; NHS England asks \
              for 4096 bits",
        )
        .fix("make a key pair of 4096 bits, and register it under a new kid");
    Some(if severity == Severity::Error { finding.rule(rule("A20")) } else { finding })
}

fn exponent(set: &KeySet, key: &Jwk) -> Option<Diagnosed> {
    let strict = key.bytes("e");
    let value = strict.as_deref().map(modulus::significant).unwrap_or_default();
    let is_odd = value.last().is_some_and(|last| last % 2 == 1);
    if is_odd && value != [1] {
        return None;
    }
    let span = key.span_of("e").unwrap_or(key.span);
    let message = format!("the exponent `e` of the key {} is no RSA exponent", KeySet::name(key));
    Some(
        Diagnosed::error(RootCause::JwkN, message)
            .rule(rule("A20"))
            .at(&set.shown, span, "not an odd number in base64url")
            .why("`e` is a number in base64url, like `n`: 65537 is written `AQAB`")
            .fix("write `\"e\": \"AQAB\"`, if the exponent is 65537"),
    )
}

/// `alg`, `use` and `key_ops` may be missing; what is there should be true.
fn labels_of_use(set: &KeySet, key: &Jwk, is_platform: bool) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    if let Some(alg) = key.text("alg").filter(|alg| is_platform && alg != "RS512") {
        let span = key.span_of("alg").unwrap_or(key.span);
        let message = format!("the key {} says alg {:?}", KeySet::name(key), quotable(&alg));
        findings.push(
            Diagnosed::warning(RootCause::AlgJwk, message)
                .at(&set.shown, span, "assertions are signed with RS512")
                .why("some libraries refuse a key whose `alg` is not that of the token")
                .patch("write RS512, or leave `alg` out", &set.shown, span, r#""RS512""#),
        );
    }
    if let Some(purpose) = key.text("use").filter(|purpose| purpose != "sig") {
        let span = key.span_of("use").unwrap_or(key.span);
        let message = format!("the key {} says use {:?}", KeySet::name(key), quotable(&purpose));
        findings.push(
            Diagnosed::warning(RootCause::JwksShape, message)
                .at(&set.shown, span, "not for signatures")
                .why("a key for encryption may be passed over when a signature is verified")
                .patch("write `sig`, or leave `use` out", &set.shown, span, r#""sig""#),
        );
    }
    let operations = key.object.as_ref().and_then(|object| object.get("key_ops"));
    let verifies = operations
        .as_ref()
        .and_then(Value::elements)
        .map(|operations| operations.iter().any(|one| one.as_str().as_deref() == Some("verify")));
    if let (Some(operations), Some(false)) = (&operations, verifies) {
        findings.push(
            Diagnosed::warning(RootCause::JwksShape, "`key_ops` doesn't let the key verify")
                .at(&set.shown, operations.span(), "the public key's is `verify`")
                .why("`sign` is what the private key does (RFC 7517 §4.3)")
                .patch(
                    "write `verify`, or leave it out",
                    &set.shown,
                    operations.span(),
                    r#"["verify"]"#,
                ),
        );
    }
    findings
}

fn doubles(set: &KeySet, lints: &mut Vec<Lint>) {
    let mut seen = std::collections::BTreeMap::new();
    for key in set.keys() {
        let Some(kid) = key.text("kid").map(Cow::into_owned) else { continue };
        let Some(first) = seen.insert(kid.clone(), key) else { continue };
        let span = |key: &Jwk| key.span_of("kid").unwrap_or(key.span);
        let same = set.numbers(first) == set.numbers(key);
        let what = if same { "the same key twice" } else { "two different keys" };
        let finding = Diagnosed::warning(
            RootCause::JwkDupkid,
            format!("{what} under the kid `{}`", quotable(&kid)),
        )
        .at(&set.shown, span(key), "again here")
        .at(&set.shown, span(first), "first here")
        .why("which of the two a verifier takes depends on their order and on the library")
        .fix("give each key a kid of its own, and never use one again");
        lints.push(Lint { key: None, finding });
    }
}
