//! What the pages don't show until they are asked to.

use std::borrow::Cow;

use nhs_auth_rules::Form;
use percent_encoding::percent_decode_str;

/// The parameter that asks for them, and what it says.
pub(super) const PARAMETER: (&str, &str) = ("show", "secrets");

/// A run of letters and digits that is as long may be a token.
const RUN: usize = 16;

/// Names that say of themselves that their value is a secret.
const NAMES: [&str; 6] =
    ["assertion", "client_assertion", "code", "code_verifier", "id_token_hint", "session_code"];

/// Whether secrets are to be seen. Where they aren't they are not in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    Masked,
    Shown,
}

impl Secrets {
    pub(super) fn asked_for(query: &Form) -> Self {
        let (name, value) = PARAMETER;
        if query.get(name) == Some(value) { Self::Shown } else { Self::Masked }
    }

    pub(super) fn are_shown(self) -> bool {
        self == Self::Shown
    }

    /// A secret.
    pub(super) fn secret(self, value: &str) -> Cow<'_, str> {
        match self {
            Self::Masked if !value.is_empty() => Cow::Owned(masked(value)),
            Self::Masked | Self::Shown => Cow::Borrowed(value),
        }
    }

    /// The value of a parameter or a member of that name, which may be a secret.
    pub(super) fn named<'a>(self, name: &str, value: &'a str) -> Cow<'a, str> {
        if is_secret_name(name) || looks_like_a_token(value) {
            self.secret(value)
        } else {
            Cow::Borrowed(value)
        }
    }

    /// The value of a header field.
    pub(super) fn field<'a>(self, name: &str, value: &'a str) -> Cow<'a, str> {
        match name.to_ascii_lowercase().as_str() {
            "authorization" | "proxy-authorization" => match value.split_once(' ') {
                Some((scheme, credentials)) if !self.are_shown() => {
                    Cow::Owned(format!("{scheme} {}", self.secret(credentials.trim())))
                }
                _ => self.secret(value),
            },
            "cookie" | "set-cookie" => self.secret(value),
            name if is_secret_name(name) => self.secret(value),
            _ => self.url(value),
        }
    }

    /// A URL, or another value that may have parameters in it.
    pub(super) fn url(self, value: &str) -> Cow<'_, str> {
        if self.are_shown() {
            return Cow::Borrowed(value);
        }
        let Some((path, parameters)) = value.split_once(['?', '#']) else {
            return self.path(value);
        };
        let separator = &value[path.len()..=path.len()];
        let parameter = |pair: &str| match pair.split_once('=') {
            Some((name, value)) => {
                let plain = percent_decode_str(name).decode_utf8_lossy();
                format!("{name}={}", self.named(&plain, value))
            }
            None => self.named("", pair).into_owned(),
        };
        let parameters: Vec<_> = parameters.split('&').map(parameter).collect();
        Cow::Owned([&self.path(path), separator, &parameters.join("&")].concat())
    }

    /// A path, in which a segment may be a token or a key set.
    pub(super) fn path(self, path: &str) -> Cow<'_, str> {
        let is_plain = |segment| !looks_like_a_token(segment);
        if self.are_shown() || path.split('/').all(is_plain) {
            return Cow::Borrowed(path);
        }
        let segments: Vec<_> = path.split('/').map(|segment| self.named("", segment)).collect();
        Cow::Owned(segments.join("/"))
    }

    /// Text of any kind: what may be a token is masked, a harmless word now and then too.
    pub(super) fn text(self, text: &str) -> Cow<'_, str> {
        if self.are_shown() {
            return Cow::Borrowed(text);
        }
        let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let run = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(run);
            if word.len() >= RUN && word.bytes().any(|byte| byte.is_ascii_digit()) {
                shown.push_str(&masked(word));
            } else {
                shown.push_str(word);
            }
            let between = behind.find(is_inside).unwrap_or(behind.len());
            shown.push_str(&behind[..between]);
            rest = &behind[between..];
        }
        Cow::Owned(shown)
    }
}

/// Whether a parameter or a member of that name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str())
        || name.ends_with("token")
        || name.contains("secret")
        || name.contains("password")
        || name.contains("passphrase")
}

/// Whether a value is a JWT or a key by its look, wherever it stands.
pub(super) fn looks_like_a_token(value: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let has_jwt = || value.split(|c| !is_inside(c)).any(|run| run.starts_with("eyJ"));
    (value.len() > 40 && has_jwt()) || value.contains("-----BEGIN")
}

fn masked(value: &str) -> String {
    match value.chars().count() {
        1 => "(masked, 1 character)".to_owned(),
        count => format!("(masked, {count} characters)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUSH: &str = "hush0hush1hush2hush3";

    #[test]
    fn what_is_secret_by_its_name_is_masked_wherever_it_stands() {
        for name in
            ["client_secret", "access_token", "refresh_token", "code", "id_token", "Password"]
        {
            assert!(!Secrets::Masked.named(name, HUSH).contains("hush"), "{name}");
            assert_eq!(Secrets::Shown.named(name, HUSH), HUSH);
        }
        for name in ["token_type", "client_assertion_type", "state", "errorcode", "expires_in"] {
            assert_eq!(Secrets::Masked.named(name, HUSH), HUSH, "{name}");
        }
        for (name, value) in [
            ("authorization", format!("Bearer {HUSH}")),
            ("authorization", HUSH.to_owned()),
            ("Set-Cookie", format!("sid={HUSH}; HttpOnly")),
            ("location", format!("https://a.test/cb?code={HUSH}&state=s")),
            ("location", format!("https://a.test/cb#x=1&%61ccess_token={HUSH}")),
            ("x-client-secret", HUSH.to_owned()),
        ] {
            assert!(!Secrets::Masked.field(name, &value).contains("hush"), "{name}: {value}");
            assert_eq!(Secrets::Shown.field(name, &value), value);
        }
        let location = Secrets::Masked.field("location", "https://a.test/cb?code=x&state=s1");
        assert_eq!(location, "https://a.test/cb?code=(masked, 1 character)&state=s1");
    }

    #[test]
    fn what_is_a_token_by_its_look_is_masked_under_any_name() {
        let jwt = format!("eyJ{}", "x".repeat(60));
        assert!(!Secrets::Masked.named("anything", &jwt).contains("eyJ"));
        assert!(!Secrets::Masked.field("x-anything", &jwt).contains("eyJ"));
        assert_eq!(
            Secrets::Masked.url(&format!("/mock-jwks/{jwt}?a=1")),
            "/mock-jwks/(masked, 63 characters)?a=1"
        );
        let text = format!("<p>{HUSH}</p> {{\"access_token\"=\"{HUSH}\"}}");
        let shown = Secrets::Masked.text(&text);
        assert!(!shown.contains("hush") && shown.contains("access_token"), "{shown}");
        assert_eq!(Secrets::Masked.text("a plain sentence, ü"), "a plain sentence, ü");
    }
}
