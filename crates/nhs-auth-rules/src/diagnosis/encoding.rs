//! Row 3: text that is no JWT, as it was really sent or could not be repaired.

use super::finding::rule;
use super::source::Sources;
use super::{Diagnosed, RootCause};
use crate::{Damage, Jwt, Span};

/// What is wrong with a text that doesn't decode. `None` for one that does.
pub(super) fn finding(jwt: &Jwt<'_>, name: &str, sources: &mut Sources) -> Option<Diagnosed> {
    if jwt.is_well_formed() {
        return None;
    }
    let (cause, message, at) = judge(jwt);
    let (source, span) = sources.excerpt(name, jwt.compact, at);
    Some(
        Diagnosed::error(cause, format!("the {name} is not a JWT: {message}"))
            .why(why(cause))
            .label(source, span, "here")
            .fix(fix(cause)),
    )
}

/// The client assertion's row.
pub(super) fn assertion(jwt: &Jwt<'_>, sources: &mut Sources) -> Option<Diagnosed> {
    Some(finding(jwt, "client_assertion", sources)?.rule(rule("A3")))
}

fn judge(jwt: &Jwt<'_>) -> (RootCause, String, usize) {
    let text = jwt.compact;
    if text.trim().is_empty() {
        return (RootCause::Malformed, "it is empty".to_owned(), 0);
    }
    if text.contains("{{") || text.contains("${") {
        let at = text.find("{{").or_else(|| text.find("${")).unwrap_or_default();
        return (
            RootCause::EncWrap,
            "it has a variable in it that was not replaced".to_owned(),
            at,
        );
    }
    let wrapping = ["b'", "b\"", "\"", "'", "Bearer ", "bearer ", "“", "‘"];
    if let Some(wrapping) = wrapping.into_iter().find(|wrapping| text.starts_with(wrapping)) {
        return (RootCause::EncWrap, format!("it begins with `{wrapping}`"), 0);
    }
    if let Some(stranger) = text.char_indices().find(|(_, c)| !is_in_a_jwt(*c)) {
        let (at, c) = stranger;
        let (cause, what) = character(c);
        return (cause, format!("it has {what} (U+{:04X}) at byte {at}", u32::from(c)), at);
    }
    if text.contains("...") {
        let at = text.find("...").unwrap_or_default();
        return (RootCause::Trunc, "a part was left out and dots put in its place".to_owned(), at);
    }
    match jwt.part_count {
        3 => {}
        2 => {
            let message = "it has two parts, and the signature is missing".to_owned();
            return (RootCause::Trunc, message, text.len());
        }
        1 => {
            let message = "it has no dots: an opaque token, or a part of a JWT".to_owned();
            return (RootCause::Malformed, message, 0);
        }
        5 => {
            let message = "it has five parts, as an encrypted JWT (JWE) has".to_owned();
            return (RootCause::Malformed, message, 0);
        }
        count => {
            return (RootCause::Malformed, format!("it has {count} parts, and a JWT has three"), 0);
        }
    }
    let Some((span, damage)) = jwt.damage() else {
        return (RootCause::Malformed, "it doesn't decode".to_owned(), 0);
    };
    let Span { start, end } = span;
    let part = if start == jwt.header.span.start && end == jwt.header.span.end {
        "header"
    } else if start == jwt.payload.span.start {
        "payload"
    } else {
        "signature"
    };
    let (cause, at) = match damage {
        Damage::Character { offset, .. } => (RootCause::EncB64, *offset),
        Damage::Padding => (RootCause::EncPad, end.saturating_sub(1)),
        Damage::TrailingBits => (RootCause::EncB64, end.saturating_sub(1)),
        Damage::Length | Damage::Missing => (RootCause::Trunc, end),
        Damage::NotJson(error) if error.truncated => (RootCause::Trunc, end),
        _ => (RootCause::Malformed, start),
    };
    (cause, format!("the {part} is damaged: {}", shown(damage)), at)
}

/// What the damage is, without repeating what can't be shown.
fn shown(damage: &Damage) -> String {
    match damage {
        Damage::NotJson(error) if error.truncated => "its JSON ends too early".to_owned(),
        Damage::NotJson(_) => "it does not hold a JSON object".to_owned(),
        other => other.to_string(),
    }
}

fn is_in_a_jwt(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=')
}

fn character(c: char) -> (RootCause, String) {
    match c {
        '+' | '/' => (RootCause::EncB64, format!("`{c}`, which is of standard base64")),
        '%' => (RootCause::EncWs, "a percent-encoding".to_owned()),
        '\r' | '\n' => (RootCause::EncWs, "a line break".to_owned()),
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {
            (RootCause::EncWs, "an invisible character".to_owned())
        }
        c if c.is_whitespace() => (RootCause::EncWs, "white space".to_owned()),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => {
            (RootCause::EncDash, "a typographic dash".to_owned())
        }
        '\u{2018}'..='\u{201f}' => (RootCause::EncDash, "a typographic quote".to_owned()),
        '"' | '\'' | '`' | '{' | '}' | '<' | '>' => (RootCause::EncWrap, format!("`{c}`")),
        '…' | '*' => (RootCause::Trunc, format!("`{c}` in place of what was left out")),
        c => (RootCause::Malformed, format!("{c:?}, which base64url has not")),
    }
}

fn why(cause: RootCause) -> &'static str {
    match cause {
        RootCause::EncWs => {
            "base64url has no white space; it gets in where a line is wrapped, or a file's last line \
             break is sent along"
        }
        RootCause::EncWrap => {
            "the token was put in with what stood around it in the program or shell"
        }
        RootCause::EncDash => {
            "forums, mail and word processors turn hyphens and quotes into typographic ones"
        }
        RootCause::EncPad => "a JWT's base64url has no `=` (RFC 7515 §2)",
        RootCause::EncB64 => "a JWT is in base64url, with `-` and `_` (RFC 7515 §2)",
        RootCause::Trunc => "a part of it got lost on its way",
        _ => {
            "a JWT is three base64url parts with dots between them, of which the first two hold JSON \
             objects"
        }
    }
}

fn fix(cause: RootCause) -> &'static str {
    match cause {
        RootCause::EncPad => "strip the `=` from each part before it is signed",
        RootCause::EncB64 => "encode header, payload and signature with the URL-safe alphabet",
        RootCause::EncWrap => "send the token alone: in Python `.decode()` turns `b'…'` into text",
        RootCause::Trunc => "copy the whole token from where it was made",
        _ => "send the assertion as the library made it, with nothing around it or in it",
    }
}
