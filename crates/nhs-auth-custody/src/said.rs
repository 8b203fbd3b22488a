//! What others say of a failure, fit to be passed on.

#[cfg(any(feature = "aws", feature = "object-store"))]
use std::error::Error;

/// How much of a service's words is passed on, in characters.
const LONGEST: usize = 240;

/// What a service said, fit to be logged: short, of one line, and without what looks like a token.
pub(crate) fn said(text: &str) -> String {
    let mut words = Vec::new();
    let mut is_token = false;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        let hides = is_token || is_long_and_random(word);
        is_token = word.eq_ignore_ascii_case("bearer");
        words.push(if hides { "…" } else { word });
    }
    let text = words.join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A JWT, or one of Google's opaque tokens, whatever stands around it.
fn is_long_and_random(word: &str) -> bool {
    word.contains("eyJ") || word.contains("ya29.")
}

/// The error of that kind among the causes of another, itself the first of them.
#[cfg(any(feature = "aws", feature = "object-store"))]
pub(crate) fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut error = Some(error);
    while let Some(this) = error {
        if let Some(found) = this.downcast_ref() {
            return Some(found);
        }
        error = this.source();
    }
    None
}

/// What the innermost cause says, such as "Connection refused".
#[cfg(any(feature = "aws", feature = "object-store"))]
pub(crate) fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    said(&innermost.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_one_short_line() {
        assert_eq!(said("one\r\n\u{1b}[31mtwo\t three"), "one [31mtwo three");
        assert_eq!(said(&"é".repeat(300)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_token_is_not_repeated() {
        let told =
            said("the header `Bearer abc.def` or bearer hush and (eyJhbGciOi.a.b) ya29.c0 end");
        for secret in ["hush", "eyJ", "ya29"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(told.ends_with("end"));
    }
}
