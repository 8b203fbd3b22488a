//! What must not leave this machine in a support bundle, wherever in a text it stands.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

/// A run of so many characters of a token or a key is taken out.
const TOKEN_WINDOW: usize = 16;

/// The same of an API key, of which four characters at each end may be seen.
const KEY_WINDOW: usize = 8;

/// No thumbprint is longer, be it in hexadecimal. What is, may be a token or a key.
const LONGEST_RUN: usize = 64;

/// The members of a private JWK (RFC 7518 §6.3.2 and §6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The values that are taken out, and nothing that could be printed by accident.
#[derive(Default)]
pub(super) struct Redaction {
    /// API keys and what stands in their place: masked.
    keys: Vec<String>,
    /// Taken out as a whole.
    whole: Vec<String>,
    token_windows: HashSet<u64>,
    key_windows: HashSet<u64>,
}

impl Redaction {
    /// An API key, or an identifier in its place.
    pub(super) fn key(&mut self, key: &str) {
        let key = key.trim();
        if key.chars().count() < 4 {
            return;
        }
        self.keys.push(key.to_owned());
        // The longest first, so that none is hidden inside what another left.
        self.keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
        self.keys.dedup();
        if key.len() >= 20 && key.contains(|c: char| c.is_ascii_digit()) {
            add_windows(&mut self.key_windows, key, KEY_WINDOW);
        }
    }

    /// A token, or another text of which nothing may be seen.
    pub(super) fn token(&mut self, token: &str) {
        add_windows(&mut self.token_windows, token, TOKEN_WINDOW);
        let joined: String = token.chars().filter(|c| is_base64(*c) || *c == '.').collect();
        add_windows(&mut self.token_windows, &joined, TOKEN_WINDOW);
        if (4..TOKEN_WINDOW).contains(&joined.len()) {
            self.whole.push(joined);
        }
    }

    /// A short value of which nothing may be seen, such as a name.
    pub(super) fn value(&mut self, value: &str) {
        if value.chars().count() >= 4 {
            self.whole.push(value.to_owned());
            self.whole.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }

    /// What in a request looks like a credential.
    pub(super) fn words_of(&mut self, text: &str) {
        let is_around = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
        text.split(is_around).filter(|word| word.contains("://")).for_each(|url| self.url(url));
        for text in [text, &percent_decoded(text)] {
            let is_between = |c: char| c.is_whitespace() || "&=?\"'{}[],;<>()`".contains(c);
            for word in text.split(is_between).filter(|word| looks_random(word)) {
                self.token(word);
            }
        }
    }

    /// The private members of a key set.
    pub(super) fn key_set(&mut self, document: &str) {
        match serde_json::from_str(document) {
            Ok(value) => self.private_members(&value),
            Err(_) => self.words_of(document),
        }
    }

    fn private_members(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if PRIVATE.contains(&name.as_str()) => self.token(text),
                        value => self.private_members(value),
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.private_members(element);
                }
            }
            _ => {}
        }
    }

    /// The credentials in a URL: a user's name and password, and the values of its query.
    pub(super) fn url(&mut self, url: &str) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((user, _)) = authority.rsplit_once('@') {
            user.split(':').for_each(|part| self.value(part));
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let values = query.split(['&', '#']).filter_map(|it| it.split_once('=')).map(|it| it.1);
        // A word of the protocol has neither digits nor capitals.
        let is_word = |value: &str| value.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        values.filter(|value| !is_word(value)).for_each(|value| self.value(value));
    }

    /// The text without any of it.
    pub(super) fn text(&self, text: &str) -> String {
        if text.contains("-----BEGIN") {
            return "(a PEM, left out)".to_owned();
        }
        let mut text = text.to_owned();
        for key in &self.keys {
            if text.contains(key) {
                text = text.replace(key, &masked(key));
            }
        }
        for value in &self.whole {
            if text.contains(value) {
                text = text.replace(value, "(left out)");
            }
        }
        let text = without_windows(&text, &self.token_windows, TOKEN_WINDOW);
        let text = without_windows(&text, &self.key_windows, KEY_WINDOW);
        without_long_runs(&text)
    }

    /// The value without any of it, the names of members included.
    pub(super) fn json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(elements) => {
                Value::Array(elements.into_iter().map(|element| self.json(element)).collect())
            }
            Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (self.text(&name), self.json(value)))
                    .collect(),
            ),
            Value::Number(number) => {
                let text = number.to_string();
                let redacted = self.text(&text);
                if redacted == text { Value::Number(number) } else { Value::String(redacted) }
            }
            other => other,
        }
    }
}

/// Four characters at each end, as the developer portal's users compare them.
pub(super) fn masked(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    if characters.len() < 16 {
        return "…".to_owned();
    }
    let (head, tail) = (&characters[..4], &characters[characters.len() - 4..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/' | '=')
}

/// Long, with a digit or in mixed case, and no URL.
fn looks_random(word: &str) -> bool {
    let has = |is: fn(char) -> bool| word.contains(is);
    word.len() >= TOKEN_WINDOW
        && !word.contains("://")
        && !word.starts_with("urn")
        && (has(|c| c.is_ascii_digit())
            || has(|c| c.is_ascii_uppercase()) && has(|c| c.is_ascii_lowercase()))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).filter(|_| *first == b'%');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hash(window: &[char]) -> u64 {
    let mut hasher = DefaultHasher::new();
    window.hash(&mut hasher);
    hasher.finish()
}

fn add_windows(windows: &mut HashSet<u64>, text: &str, size: usize) {
    let characters: Vec<char> = text.chars().collect();
    windows.extend(characters.windows(size).map(hash));
}

/// The text without the runs that are in the set.
fn without_windows(text: &str, windows: &HashSet<u64>, size: usize) -> String {
    if windows.is_empty() {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let mut is_out = vec![false; characters.len()];
    for (at, window) in characters.windows(size).enumerate() {
        if windows.contains(&hash(window)) {
            is_out[at..at + size].fill(true);
        }
    }
    let mut left = String::with_capacity(text.len());
    let mut was_out = false;
    for (c, out) in characters.into_iter().zip(is_out) {
        match (out, was_out) {
            (false, _) => left.push(c),
            (true, false) => left.push('…'),
            (true, true) => {}
        }
        was_out = out;
    }
    left
}

fn without_long_runs(text: &str) -> String {
    let is_in_run = |c: char| is_base64(c) && c != '/';
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_in_run(c)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        if run.len() > LONGEST_RUN {
            let _ = write!(left, "({} characters)", run.len());
        } else {
            left.push_str(run);
        }
        let next = behind.find(is_in_run).unwrap_or(behind.len());
        left.push_str(&behind[..next]);
        rest = &behind[next..];
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "aB3dEf9hIjKlMn0pQrStUvWxYz012345";

    #[test]
    fn of_a_key_its_ends_are_left_and_of_a_piece_of_it_nothing() {
        let mut redaction = Redaction::default();
        redaction.key(KEY);
        assert_eq!(redaction.text(&format!("iss is `{KEY}`.")), "iss is `aB3d…2345`.");
        assert_eq!(redaction.text(&format!("it starts {}…", &KEY[..20])), "it starts ……");
    }

    #[test]
    fn of_a_token_nothing_is_left_however_it_was_wrapped() {
        let mut redaction = Redaction::default();
        redaction.token("eyJhbGciOiJSUzUxMiJ9.\neyJpc3MiOiJhIn0\n.c2lnbmF0dXJlLXNpZ25hdHVyZQ");
        for piece in ["eyJhbGciOiJSUzUxMiJ9", "c2lnbmF0dXJlLXNpZ25hdHVyZQ", "eyJpc3MiOiJhIn0.c2ln"]
        {
            assert_eq!(redaction.text(&format!("<{piece}>")), "<…>");
        }
    }

    #[test]
    fn words_of_a_protocol_are_left_in_a_request() {
        let mut redaction = Redaction::default();
        redaction.words_of(
            "POST /oauth2/token\nContent-Type: application/x-www-form-urlencoded\n\n\
             grant_type=client_credentials&client_secret=s3cret-s3cret-s3cret&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
        );
        for kept in
            ["client_credentials", "application/x-www-form-urlencoded", "client-assertion-type"]
        {
            assert_eq!(redaction.text(kept), kept);
        }
        assert_eq!(redaction.text("s3cret-s3cret-s3cret"), "…");
    }

    #[test]
    fn what_is_longer_than_any_thumbprint_goes() {
        let redaction = Redaction::default();
        assert_eq!(redaction.text(&"a".repeat(64)), "a".repeat(64));
        assert_eq!(redaction.text(&format!("n={}", "a".repeat(65))), "(67 characters)");
        assert_eq!(redaction.text("-----BEGIN PRIVATE KEY-----"), "(a PEM, left out)");
    }
}
