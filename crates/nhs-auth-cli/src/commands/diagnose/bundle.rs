//! `--bundle`: what is safe to post in a forum, and enough for somebody there to help.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth::{HostKind, HostedKeySet, Look, PublicKey};
use nhs_auth_rules::diagnosis::{Fixed, Inputs, JwksInput, Report};
use nhs_auth_rules::json::Object;
use nhs_auth_rules::{Form, Jwk, Jwks, JwksShape, Jwt};
use serde_json::{Map, Value, json};

use super::gather::Gathered;
use super::redaction::{self, Redaction};
use crate::commands::rfc3339;
use crate::failure::Failure;
use nhs_auth::NewFile;

/// The version of what is written here. It changes when a member changes its meaning or goes.
const SCHEMA: u32 = 1;

/// How many keys of a set are listed.
const MOST_KEYS: usize = 64;

/// The members of an assertion whose values are shown; `iss` and `sub` are masked.
const OF_AN_ASSERTION: Shown = Shown {
    header: &["alg", "typ", "kid", "cty", "crit", "x5t", "x5t#S256", "jku"],
    claims: &["iss", "sub", "aud", "exp", "iat", "nbf", "jti"],
};

/// The members of a subject token whose values are shown: none that is about a person.
const OF_A_SUBJECT_TOKEN: Shown = Shown {
    header: &["alg", "typ", "kid"],
    claims: &[
        "iss",
        "aud",
        "exp",
        "iat",
        "authentication_assurance_level",
        "identity_proofing_level",
    ],
};

/// Claims that say nothing about a person, and words of the protocol; their values may stand in
/// a report.
const IMPERSONAL: [&str; 9] = [
    "acr",
    "amr",
    "auth_time",
    "id_assurance_level",
    "nbf",
    "tokenName",
    "token_use",
    "vot",
    "vtm",
];

struct Shown {
    header: &'static [&'static str],
    claims: &'static [&'static str],
}

/// Refuses to write over a file, before anything else is done.
pub(super) fn must_be_new(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

/// Writes the whole file, for its owner alone, or nothing.
pub(super) fn write(path: &Path, bundle: &Value) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let text = format!("{bundle:#}\n");
    let written =
        NewFile::write(folder, text.as_bytes(), 0o600).and_then(|new_file| new_file.name(path));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::usage(format!("can't write {}: {error}", path.display())),
    })
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("{} is there already, and is not overwritten", path.display()))
        .hint("choose another name with --bundle")
}

/// The bundle. `inputs` are those that were judged, with the key set that was fetched.
pub(super) fn of(
    gathered: &Gathered,
    inputs: &Inputs<'_>,
    hosted: Option<&HostedKeySet>,
    report: &Report,
) -> Value {
    let tokens = Tokens::of(gathered, report);
    let document = key_set(inputs);
    let redaction = secrets(gathered, &tokens, document.as_deref(), report);
    let private_key = gathered.private_key.as_ref().map(|loaded| match loaded {
        Ok(loaded) => {
            let public = loaded.key.public();
            json!({ "bits": public.bits(), "thumbprint": public.thumbprint() })
        }
        Err(_) => json!({ "unreadable": true }),
    });
    let bundle = json!({
        "schema": SCHEMA,
        "nhs_auth": env!("CARGO_PKG_VERSION"),
        "os": operating_system(),
        "now": rfc3339(inputs.now),
        "at": inputs.at.map(rfc3339),
        "profile": inputs.profile.name(),
        "environment": inputs.environment.map(|environment| environment.name),
        "token_url": inputs.token_url.map(super::live::shown_url),
        "api_key": inputs.api_key.map(|key| redaction::masked(key.trim())),
        "assertions": tokens.assertions.iter()
            .map(|token| decoded(token, &OF_AN_ASSERTION)).collect::<Vec<_>>(),
        "subject_tokens": tokens.subject_tokens.iter()
            .map(|token| decoded(token, &OF_A_SUBJECT_TOKEN)).collect::<Vec<_>>(),
        "jwks_url": gathered.jwks_url().map(super::live::shown_url),
        "jwks": document.as_deref().map(keys),
        "private_key": private_key,
        "error": inputs.error.map(error),
        "live": hosted.map(live),
    });
    let mut bundle = redaction.json(bundle);
    bundle["report"] = report_of(report, redaction, &tokens);
    bundle
}

/// The tokens that were given, by themselves or inside a request.
#[derive(Default)]
struct Tokens {
    assertions: Vec<String>,
    subject_tokens: Vec<String>,
}

impl Tokens {
    fn of(gathered: &Gathered, report: &Report) -> Self {
        let fixed = report.fixed.as_ref().map(Fixed::expose);
        let repaired = |text: &String| {
            let text = text.trim();
            let is_whole = Jwt::decode(text).is_well_formed();
            match fixed.filter(|fixed| !is_whole && Jwt::decode(fixed).is_well_formed()) {
                Some(fixed) => fixed.to_owned(),
                None => text.to_owned(),
            }
        };
        let mut tokens = Self {
            assertions: gathered.assertions.iter().map(repaired).collect(),
            subject_tokens: gathered.subject_token.iter().map(repaired).collect(),
        };
        let request = gathered.request.as_deref().unwrap_or_default();
        let is_between = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        let whole = |word: &&str| word.starts_with("eyJ") && Jwt::decode(word).is_well_formed();
        for word in request.split(is_between).filter(whole) {
            let jwt = Jwt::decode(word);
            let claim = |name| string(jwt.payload.content.as_ref().ok()?, name);
            let issuer = claim("iss").unwrap_or_default();
            let list = if issuer.contains("://") && claim("sub").is_none_or(|sub| sub != issuer) {
                &mut tokens.subject_tokens
            } else {
                &mut tokens.assertions
            };
            if !list.iter().any(|token| token == word) {
                list.push(word.to_owned());
            }
        }
        tokens
    }
}

fn string(object: &Object, name: &str) -> Option<String> {
    Some(object.get(name)?.as_str()?.into_owned())
}

/// Everything that must not stand in the bundle.
fn secrets(
    gathered: &Gathered,
    tokens: &Tokens,
    document: Option<&str>,
    report: &Report,
) -> Redaction {
    let mut redaction = Redaction::default();
    let given = gathered.assertions.iter().chain(&gathered.subject_token);
    for token in given.chain(&tokens.assertions).chain(&tokens.subject_tokens) {
        redaction.token(token);
    }
    if let Some(fixed) = &report.fixed
        && Jwt::decode(fixed.expose()).is_well_formed()
    {
        redaction.token(fixed.expose());
    }
    if let Some(key) = &gathered.api_key {
        redaction.key(key);
    }
    for token in &tokens.assertions {
        let jwt = Jwt::decode(token);
        let Ok(claims) = &jwt.payload.content else { continue };
        for identifier in ["iss", "sub"].iter().filter_map(|name| string(claims, name)) {
            if !identifier.contains("://") {
                redaction.key(&identifier);
            }
        }
    }
    if let Some(request) = &gathered.request {
        let form = Form::parse(request.as_bytes());
        if let Some(client) = form.get("client_id") {
            redaction.key(client);
        }
        redaction.words_of(request);
    }
    if let Some(document) = document {
        redaction.key_set(document);
    }
    for url in gathered.token_url.as_deref().into_iter().chain(gathered.jwks_url()) {
        redaction.url(url);
    }
    redaction
}

/// A token's header and claims: of those in the list the values, of the others the names.
fn decoded(token: &str, shown: &Shown) -> Value {
    let jwt = Jwt::decode(token);
    json!({
        "parts": jwt.part_count,
        "header": jwt.header.content.as_ref().ok().map(|it| members(it, shown.header)),
        "claims": jwt.payload.content.as_ref().ok().map(|it| members(it, shown.claims)),
        "signature_bytes": jwt.signature.content.as_ref().ok().map(Vec::len),
    })
}

fn members(object: &Object, shown: &[&str]) -> Value {
    let (mut values, mut others) = (Map::new(), Vec::new());
    for member in object.members() {
        let name = member.name.as_str();
        if !shown.contains(&name) {
            others.push(Value::from(name));
            continue;
        }
        let value = serde_json::from_str(object.value(member).text()).unwrap_or_default();
        let value = match value {
            Value::Object(_) => "(an object, left out)".into(),
            Value::String(text) if matches!(name, "iss" | "sub") && !text.contains("://") => {
                redaction::masked(&text).into()
            }
            value => value,
        };
        values.insert(name.to_owned(), value);
    }
    values.insert("(names of others)".to_owned(), others.into());
    values.into()
}

/// The key set that was judged.
fn key_set(inputs: &Inputs<'_>) -> Option<String> {
    match inputs.jwks? {
        JwksInput::Document(document) => Some(document.to_owned()),
        JwksInput::Url(url) => {
            let (_, encoded) = url.split_once("/mock-jwks/")?;
            let encoded = encoded.trim_end_matches(['/', '=']).replace('+', "-");
            String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
        }
    }
}

fn keys(document: &str) -> Value {
    let jwks = Jwks::parse(document.trim_start_matches('\u{feff}'));
    json!({
        "is_key_set": jwks.shape == JwksShape::Set,
        "bytes": document.len(),
        "keys": jwks.keys.iter().take(MOST_KEYS).map(key).collect::<Vec<_>>(),
    })
}

fn key(key: &Jwk) -> Value {
    let numbers = key.bytes("n").zip(key.bytes("e")).filter(|_| key.is_rsa());
    let public = numbers.and_then(|(n, e)| PublicKey::from_components(&n, &e).ok());
    json!({
        "kid": key.text("kid"),
        "kty": key.text("kty"),
        "alg": key.text("alg"),
        "use": key.text("use"),
        "bits": public.as_ref().map(PublicKey::bits),
        "thumbprint": public.as_ref().map(PublicKey::thumbprint),
        "private_members": key.private_members(),
    })
}

/// The members of an error body that support asks for.
fn error(text: &str) -> Value {
    let braces = text.find('{').zip(text.rfind('}')).filter(|(open, close)| open < close);
    let body = braces.and_then(|(open, close)| Object::parse(&text[open..=close]).ok());
    let member = |name| body.as_ref().and_then(|body| string(body, name));
    let known = !nhs_auth_rules::diagnosis::causes_of_error(text).is_empty();
    let is_short_text = body.is_none() && known && text.chars().count() <= 300;
    json!({
        "message_id": member("message_id"),
        "error": member("error"),
        "error_description": member("error_description"),
        "text": is_short_text.then(|| text.trim()),
    })
}

fn live(hosted: &HostedKeySet) -> Value {
    let host = match hosted.shape.host {
        HostKind::Loopback => "loopback",
        HostKind::Private => "private",
        HostKind::Public => "public",
        _ => "unknown",
    };
    json!({
        "url": {
            "is_https": hosted.shape.is_https,
            "has_path": hosted.shape.has_path,
            "host": host,
        },
        "looks": [look(&hosted.first), look(&hosted.second)],
        "same_bytes_twice": hosted.is_stable(),
        "skew_ms": hosted.skew.map(nhs_auth::ClockSkew::millis),
    })
}

fn look(look: &Look) -> Value {
    let took_ms = u64::try_from(look.took.as_millis()).unwrap_or(u64::MAX);
    match &look.served {
        Ok(served) => json!({
            "took_ms": took_ms,
            "status": served.status,
            "redirect": served.redirect.as_deref().map(super::live::shown_url),
            "content_type": served.content_type,
            "bytes": served.body.len(),
            "cache_control": served.cache_control,
            "age_s": served.age_s,
            "etag": served.etag,
            "expires": served.expires,
        }),
        Err(error) => json!({ "took_ms": took_ms, "error": error.to_string() }),
    }
}

/// The report, also without what is about a person.
fn report_of(report: &Report, mut redaction: Redaction, tokens: &Tokens) -> Value {
    let of_both =
        [(&tokens.assertions, &OF_AN_ASSERTION), (&tokens.subject_tokens, &OF_A_SUBJECT_TOKEN)];
    for (tokens, shown) in of_both {
        for token in tokens {
            let jwt = Jwt::decode(token);
            let Ok(claims) = &jwt.payload.content else { continue };
            for member in claims.members() {
                let name = member.name.as_str();
                if !shown.claims.contains(&name) && !IMPERSONAL.contains(&name) {
                    let text = claims.value(member).text();
                    personal(&mut redaction, &serde_json::from_str(text).unwrap_or_default());
                }
            }
        }
    }
    let mut value = super::json::of(report);
    without_long_excerpts(&mut value);
    redaction.json(value)
}

fn personal(redaction: &mut Redaction, value: &Value) {
    match value {
        Value::String(text) => redaction.value(text),
        Value::Number(number) => redaction.value(&number.to_string()),
        Value::Array(elements) => elements.iter().for_each(|it| personal(redaction, it)),
        Value::Object(members) => members.values().for_each(|it| personal(redaction, it)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Takes out the excerpts of subject tokens, and those of more than one line.
fn without_long_excerpts(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let of_subject = members
                .get("source")
                .and_then(Value::as_str)
                .is_some_and(|source| source.contains("subject"));
            let is_span = members.contains_key("source") && members.contains_key("start");
            if is_span
                && let Some(text) = members.get_mut("text")
                && (of_subject || text.as_str().is_some_and(|text| text.contains('\n')))
            {
                *text = Value::Null;
            }
            members.values_mut().for_each(without_long_excerpts);
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_long_excerpts),
        _ => {}
    }
}

fn operating_system() -> String {
    let name = std::fs::read_to_string("/etc/os-release").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(line.trim_matches('"').to_owned())
    });
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    match name {
        Some(name) => format!("{os} {arch} ({name})"),
        None => format!("{os} {arch}"),
    }
}
