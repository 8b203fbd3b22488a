//! JSON laid out to be read, its members in the order that they were written in.

use nhs_auth_rules::json::{Kind, Object, Value};

use super::secrets::{Secrets, is_secret_name, looks_like_a_token};

/// How deep it is laid out; what is deeper is left out.
const DEPTH: usize = 12;

/// The members of a private key (RFC 7518 §6.3.2 and §6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The document, one member a line; `None` where it is no JSON.
pub(super) fn pretty(document: &str, secrets: Secrets) -> Option<String> {
    let value = Value::parse(document).ok()?;
    let mut printer = Printer { secrets, text: String::new() };
    printer.value(&value, 0, false);
    Some(printer.text)
}

/// Where the value of the outermost object's member stands in what [`pretty`] or the diagnosis
/// has laid out: what is on the member's line.
pub(super) fn member_place(text: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let opening = format!("\n  \"{name}\": ");
    let start = text.find(&opening)? + opening.len();
    let line = text[start..].lines().next()?;
    Some(start..start + line.trim_end_matches(',').len())
}

/// Whether a document holds what is not shown unasked, such as a private key.
pub(super) fn has_secret(document: &str) -> bool {
    match pretty(document, Secrets::Masked) {
        Some(masked) => pretty(document, Secrets::Shown).is_some_and(|whole| whole != masked),
        None => looks_like_a_token(document),
    }
}

struct Printer {
    secrets: Secrets,
    text: String,
}

impl Printer {
    fn value(&mut self, value: &Value<'_>, depth: usize, is_secret: bool) {
        match value.kind() {
            Kind::Object | Kind::Array if depth >= DEPTH => self.text.push('…'),
            Kind::Object => {
                if let Some(object) = value.as_object() {
                    self.object(&object, depth);
                }
            }
            Kind::Array => self.array(&value.elements().unwrap_or_default(), depth, is_secret),
            _ if self.secrets.are_shown() => self.text.push_str(value.text()),
            _ if is_secret || looks_like_a_token(value.text()) => {
                let plain = value.as_str().unwrap_or(value.text().into());
                let masked = self.secrets.secret(&plain);
                self.text.extend(["\"", &masked, "\""]);
            }
            _ => self.text.push_str(value.text()),
        }
    }

    fn object(&mut self, object: &Object, depth: usize) {
        if object.members().is_empty() {
            self.text.push_str("{}");
            return;
        }
        let is_key = object.get("kty").is_some();
        self.text.push('{');
        for (index, member) in object.members().iter().enumerate() {
            self.text.push_str(if index == 0 { "" } else { "," });
            self.line(depth + 1);
            let start = object.span().start;
            let name = &object.text()[member.name_span.start - start..member.name_span.end - start];
            self.text.extend([name, ": "]);
            let name = member.name.as_str();
            let is_secret = is_secret_name(name) || (is_key && PRIVATE.contains(&name));
            self.value(&object.value(member), depth + 1, is_secret);
        }
        self.line(depth);
        self.text.push('}');
    }

    fn array(&mut self, elements: &[Value<'_>], depth: usize, is_secret: bool) {
        let is_flat = elements.iter().all(|e| !matches!(e.kind(), Kind::Object | Kind::Array));
        self.text.push('[');
        for (index, element) in elements.iter().enumerate() {
            match (index, is_flat) {
                (0, true) => {}
                (_, true) => self.text.push_str(", "),
                (0, false) => self.line(depth + 1),
                (_, false) => {
                    self.text.push(',');
                    self.line(depth + 1);
                }
            }
            self.value(element, depth + 1, is_secret);
        }
        if !is_flat {
            self.line(depth);
        }
        self.text.push(']');
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_secrets_their_silence() {
        let document = r#"{"b":1,"access_token":"hush","a":[1,"x"],"k":{"kty":"RSA","d":"hush"},
            "nested":[{"client_secret":["hush"]}],"e":{}}"#;
        let text = pretty(document, Secrets::Masked).unwrap();
        assert!(!text.contains("hush"), "{text}");
        assert!(text.starts_with("{\n  \"b\": 1,\n  \"access_token\": \"(masked"), "{text}");
        assert!(text.contains("  \"a\": [1, \"x\"],\n") && text.ends_with("\n  \"e\": {}\n}"));
        assert_eq!(pretty(document, Secrets::Shown).unwrap().matches("hush").count(), 3);
        assert_eq!(pretty("{", Secrets::Masked), None);
        assert!(has_secret(r#"{"keys":[{"kty":"RSA","d":"x"}]}"#));
        assert!(!has_secret(r#"{"keys":[{"kty":"RSA","n":"x"}]}"#));
    }

    #[test]
    fn a_member_is_found_on_its_line() {
        let text = pretty(r#"{"x":{"jti":1},"jti":"a","l":[{}]}"#, Secrets::Masked).unwrap();
        assert_eq!(&text[member_place(&text, "jti").unwrap()], "\"a\"");
        assert_eq!(&text[member_place(&text, "l").unwrap()], "[");
        assert_eq!(member_place(&text, "y"), None);
    }

    #[test]
    fn nesting_without_end_is_cut_short() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(pretty(&deep, Secrets::Masked).unwrap().len() < 1000);
    }
}
