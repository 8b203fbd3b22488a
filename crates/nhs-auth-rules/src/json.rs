//! JSON that remembers where everything stands.
//!
//! A judge of somebody else's token must say which bytes are wrong, must see that a name stands
//! twice, and must take a value of the wrong type as a finding and not as a parse error. So an
//! object is read one level at a time, and each value stays the text that it was.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::Span;

/// What a JSON text is not: the parser's message and the byte where it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyntaxError {
    /// What the parser found, without the position.
    pub message: String,
    /// Offset of the byte at which it stopped; at most the text's length.
    pub offset: usize,
    /// Whether the text ends too early, as a cut-off one does.
    pub truncated: bool,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.message, self.offset)
    }
}

impl std::error::Error for SyntaxError {}

/// The kinds of JSON value (RFC 8259 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "JSON has these six")]
pub enum Kind {
    /// `[…]`
    Array,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
    /// A number.
    Number,
    /// `{…}`
    Object,
    /// A string.
    String,
}

/// One JSON value: its text, and where that starts in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Value<'a> {
    /// Reads a whole document that is one JSON value.
    ///
    /// # Errors
    ///
    /// [`SyntaxError`] when it isn't JSON (RFC 8259).
    pub fn parse(document: &'a str) -> Result<Self, SyntaxError> {
        let raw: &RawValue = from_str(document)?;
        Ok(Self { text: raw.get(), start: offset_in(document, raw.get()) })
    }

    /// The value's own text, as it was written.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Where the value stands in the document.
    pub fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    /// What kind of value it is.
    pub fn kind(&self) -> Kind {
        match self.text.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// The string's content, escapes resolved; `None` for another kind.
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let inner = &self.text[1..self.text.len() - 1];
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        // A lone surrogate (`"\ud800"`) is legal JSON text and no Rust string: it stays as written.
        Some(Cow::Owned(serde_json::from_str(self.text).unwrap_or_else(|_| inner.to_owned())))
    }

    /// The number, as a JavaScript engine reads it (`1e400` is infinity); `None` for another kind.
    pub fn as_number(&self) -> Option<f64> {
        (self.kind() == Kind::Number).then(|| self.text.parse().unwrap_or(f64::NAN))
    }

    /// The elements of an array; `None` for another kind.
    pub fn elements(&self) -> Option<Vec<Value<'a>>> {
        (self.kind() == Kind::Array).then(|| {
            let raws: Elements<'a> = serde_json::from_str(self.text).unwrap_or_default();
            raws.0.into_iter().map(|raw| self.inside(raw)).collect()
        })
    }

    /// The members of an object; `None` for another kind.
    pub fn as_object(&self) -> Option<Object> {
        (self.kind() == Kind::Object).then(|| Object::read(self.text, self.start).ok()).flatten()
    }

    fn inside(&self, raw: &'a str) -> Value<'a> {
        Value { text: raw, start: self.start + offset_in(self.text, raw) }
    }
}

/// A JSON object: its text, and every member with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    text: String,
    /// Where `text` starts in the document that it was taken from.
    start: usize,
    members: Vec<Member>,
}

/// One member of an [`Object`]. Spans count from the document's start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The name, escapes resolved.
    pub name: String,
    /// The name with its quotes.
    pub name_span: Span,
    /// The value.
    pub value_span: Span,
}

impl Object {
    /// Reads a document that is one JSON object.
    ///
    /// # Errors
    ///
    /// [`SyntaxError`] when the text isn't JSON, or is JSON of another kind.
    pub fn parse(document: &str) -> Result<Self, SyntaxError> {
        Self::read(document, 0)
    }

    fn read(text: &str, start: usize) -> Result<Self, SyntaxError> {
        let raw: Members<'_> = from_str(text)?;
        let mut members = Vec::with_capacity(raw.0.len());
        let mut from = text.find('{').map_or(0, |brace| brace + 1);
        for (name, value) in raw.0 {
            let at = offset_in(text, value);
            members.push(Member {
                name: name.into_owned(),
                name_span: name_span(text, from, at).shifted(start),
                value_span: Span::new(at, at + value.len()).shifted(start),
            });
            from = at + value.len();
        }
        Ok(Self { text: text.to_owned(), start, members })
    }

    /// The object's text, as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every member, in the order of the text, doubles included.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The value of `name`. Where a name stands twice the last one counts, as in `JSON.parse`.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.members.iter().rfind(|member| member.name == name).map(|member| self.value(member))
    }

    /// The value of one of this object's members.
    pub fn value(&self, member: &Member) -> Value<'_> {
        let Span { start, end } = member.value_span;
        Value { text: &self.text[start - self.start..end - self.start], start }
    }

    /// The whole object's place: what to point at when a member is missing.
    pub fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }
}

/// The name that ends before the value at `value_at`: what stands between is only `,`, the
/// name in its quotes, `:` and white space, because the parser has accepted it.
fn name_span(text: &str, from: usize, value_at: usize) -> Span {
    let between = &text[from..value_at];
    let open = between.find('"').unwrap_or(0);
    let close = between.rfind('"').map_or(between.len(), |quote| quote + 1);
    Span::new(from + open, from + close)
}

/// How far into `outer` its slice `inner` starts.
fn offset_in(outer: &str, inner: &str) -> usize {
    (inner.as_ptr() as usize).saturating_sub(outer.as_ptr() as usize)
}

fn from_str<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, SyntaxError> {
    serde_json::from_str(text).map_err(|error| SyntaxError {
        offset: byte_offset(text, error.line(), error.column()),
        truncated: error.is_eof(),
        message: without_position(&error.to_string()),
    })
}

/// serde_json counts lines from 1 and columns in bytes.
fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

fn without_position(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |at| &message[..at]).to_owned()
}

/// The members of an object, each value as the text that it was.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    members.push((name.0, map.next_value::<&'de RawValue>()?.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A member's name, borrowed where it has no escape in it.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The elements of an array, each as the text that it was.
#[derive(Default)]
struct Elements<'a>(Vec<&'a str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(raw) = seq.next_element::<&'de RawValue>()? {
                    elements.push(raw.get());
                }
                Ok(Elements(elements))
            }
        }
        deserializer.deserialize_seq(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_keep_their_order_their_doubles_and_their_places() {
        let document = r#" {"a" : 1, "b\n":[true, "x"] ,"a":{"c":null}} "#;
        let object = Object::parse(document).unwrap();
        let names: Vec<_> = object.members().iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["a", "b\n", "a"]);
        let spelled: Vec<_> = object
            .members()
            .iter()
            .map(|m| (&document[m.name_span.start..m.name_span.end], object.value(m).text()))
            .collect();
        assert_eq!(
            spelled,
            [(r#""a""#, "1"), (r#""b\n""#, r#"[true, "x"]"#), (r#""a""#, r#"{"c":null}"#)]
        );
    }

    #[test]
    fn the_last_of_two_members_counts() {
        let object = Object::parse(r#"{"exp":1,"exp":2}"#).unwrap();
        assert_eq!(object.get("exp").unwrap().text(), "2");
    }

    #[test]
    fn spans_of_nested_values_count_from_the_document() {
        let document = r#"{"keys": [ {"n":"todo"} ]}"#;
        let object = Object::parse(document).unwrap();
        let key = object.get("keys").unwrap().elements().unwrap()[0].as_object().unwrap();
        let n = key.get("n").unwrap();
        assert_eq!(&document[n.span().start..n.span().end], r#""todo""#);
        let name = key.members()[0].name_span;
        assert_eq!(&document[name.start..name.end], r#""n""#);
    }

    #[test]
    fn a_text_that_ends_early_is_told_from_one_that_is_wrong() {
        assert!(Object::parse(r#"{"a":"#).unwrap_err().truncated);
        let wrong = Object::parse("{\n \"a\": x}").unwrap_err();
        assert!(!wrong.truncated);
        assert_eq!(wrong.offset, 8);
    }

    #[test]
    fn a_raw_newline_in_a_string_is_refused() {
        assert!(Object::parse("{\"n\":\"a\nb\"}").is_err());
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_is_lost() {
        let document = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let object = Object::parse(&document).unwrap();
        assert_eq!(object.get("a").unwrap().kind(), Kind::Array);
    }

    proptest! {
        /// A good document, cut and spliced: often JSON still, and often nearly.
        #[test]
        fn whatever_arrives_spans_stay_inside(
            cut in 0_usize..60, length in 0_usize..4, splice in "[\\\\\"{}\\[\\],:0-9a-zé ]{0,3}",
        ) {
            let mut document = String::from(r#"{"keys": [{"n": "é\u00e9", "e": 1e3}], "b": null, "a": {}}"#);
            let start = document.floor_char_boundary(cut.min(document.len()));
            let end = document.floor_char_boundary((start + length).min(document.len()));
            document.replace_range(start..end, &splice);
            if let Ok(object) = Object::parse(&document) {
                for member in object.members() {
                    prop_assert!(document.get(member.name_span.start..member.name_span.end).is_some());
                    let value = object.value(member);
                    prop_assert_eq!(&document[value.span().start..value.span().end], value.text());
                    for element in value.elements().unwrap_or_default() {
                        let span = element.span();
                        prop_assert_eq!(&document[span.start..span.end], element.text());
                    }
                }
            }
        }

        #[test]
        fn any_json_object_comes_back(
            members in proptest::collection::vec((".*", ".*"), 0..8)
        ) {
            let body: Vec<_> = members
                .iter()
                .map(|(k, v)| format!("{} : {}", serde_json::json!(k), serde_json::json!(v)))
                .collect();
            let document = format!("{{{}}}", body.join(" , "));
            let object = Object::parse(&document).unwrap();
            prop_assert_eq!(object.members().len(), members.len());
            for (member, (name, value)) in object.members().iter().zip(&members) {
                prop_assert_eq!(&member.name, name);
                prop_assert_eq!(&*object.value(member).as_str().unwrap(), value);
                let quoted = &document[member.name_span.start..member.name_span.end];
                prop_assert_eq!(&serde_json::from_str::<String>(quoted).unwrap(), name);
            }
        }
    }
}
