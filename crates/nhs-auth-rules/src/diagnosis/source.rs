//! The texts that a report shows: decoded JSON one member a line, without what is secret.

use std::fmt::Write as _;

use super::{Source, SourceId};
use crate::Span;
use crate::json::{Kind, Object, Value};
use crate::quotable::is_base64;

/// How deep objects are laid out; what is deeper stays on one line.
const DEPTH: usize = 6;

/// How long a string may be before its middle is left out.
const LONGEST: usize = 120;

/// The members of a private key (RFC 7518 §6.3.2 and §6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A source, and where each of its values stood in the document that it was made from.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) id: SourceId,
    length: usize,
    /// From the document to the text that is shown.
    places: Vec<(Span, Span)>,
}

impl Shown {
    /// Where a value of the document stands in the text that is shown: the value itself, or the
    /// smallest that holds it.
    pub(super) fn span(&self, original: Span) -> Span {
        let holds =
            |(from, _): &&(Span, Span)| from.start <= original.start && original.end <= from.end;
        self.places
            .iter()
            .filter(holds)
            .min_by_key(|(from, _)| from.end - from.start)
            .map_or(Span::new(0, self.length), |(_, to)| *to)
    }
}

/// The sources of a report while it is written.
#[derive(Debug, Default)]
pub(super) struct Sources(pub(super) Vec<Source>);

impl Sources {
    /// A decoded JSON object.
    pub(super) fn object(&mut self, name: &str, object: &Object) -> Shown {
        let text = object.text();
        self.document(name, text, false)
    }

    /// A key set; its private members are not shown.
    pub(super) fn key_set(&mut self, name: &str, document: &str) -> Shown {
        self.document(name, document, true)
    }

    /// A few characters around a place in a text that can't be shown as a whole. Long runs of
    /// what may be key or token are masked.
    pub(super) fn excerpt(&mut self, name: &str, text: &str, at: usize) -> (SourceId, Span) {
        let masked = masked(text);
        let index = text.char_indices().take_while(|(offset, _)| *offset < at).count();
        let from = index.saturating_sub(24);
        let shown: Vec<char> = masked[from.min(masked.len())..].iter().take(48).copied().collect();
        let position = index - from;
        let offset: usize = shown.iter().take(position).map(|c| c.len_utf8()).sum();
        let width = shown.get(position).map_or(0, |c| c.len_utf8());
        let id = self.push(name, shown.into_iter().collect());
        (id, Span::new(offset, offset + width))
    }

    /// A short text that is no secret, such as a URL.
    pub(super) fn plain(&mut self, name: &str, text: &str) -> (SourceId, Span) {
        let shown: String = masked(text).into_iter().take(200).collect();
        let span = Span::new(0, shown.len());
        (self.push(name, shown), span)
    }

    fn document(&mut self, name: &str, document: &str, is_key_set: bool) -> Shown {
        let mut printer = Printer { is_key_set, text: String::new(), places: Vec::new() };
        if let Ok(value) = Value::parse(document) {
            printer.value(&value, 0, false);
        }
        let Printer { text, places, .. } = printer;
        let length = text.len();
        Shown { id: self.push(name, text), length, places }
    }

    fn push(&mut self, name: &str, text: String) -> SourceId {
        let id = SourceId(self.0.len());
        self.0.push(Source { id, name: name.to_owned(), text });
        id
    }
}

/// The characters, with every long run of base64 masked.
fn masked(text: &str) -> Vec<char> {
    const RUN: usize = 20;
    let mut characters: Vec<char> = text.chars().collect();
    let mut start = 0;
    while start < characters.len() {
        let run = characters[start..].iter().take_while(|c| is_base64(**c)).count();
        // An environment's host is no secret; a token's parts are longer than its labels.
        if run > RUN {
            characters[start..start + run].fill('*');
        }
        start += run.max(1);
    }
    for c in &mut characters {
        if c.is_control() {
            *c = '␤';
        }
    }
    characters
}

struct Printer {
    is_key_set: bool,
    text: String,
    places: Vec<(Span, Span)>,
}

impl Printer {
    fn value(&mut self, value: &Value<'_>, depth: usize, is_private: bool) {
        let start = self.text.len();
        match value.kind() {
            _ if is_private => self.text.push_str(r#""(private, not shown)""#),
            Kind::Object if depth < DEPTH => self.object(value, depth),
            Kind::Array if depth < DEPTH => self.array(value, depth),
            Kind::Object => self.text.push_str("{…}"),
            Kind::Array => self.text.push_str("[…]"),
            Kind::String => self.string(value.text()),
            _ => self.text.extend(value.text().chars().take(LONGEST)),
        }
        self.places.push((value.span(), Span::new(start, self.text.len())));
    }

    fn object(&mut self, value: &Value<'_>, depth: usize) {
        let Some(object) = value.as_object() else { return };
        if object.members().is_empty() {
            self.text.push_str("{}");
            return;
        }
        let is_key = self.is_key_set || object.get("kty").is_some();
        self.text.push('{');
        for (index, member) in object.members().iter().enumerate() {
            self.text.push_str(if index == 0 { "" } else { "," });
            self.line(depth + 1);
            let start = self.text.len();
            let name = &object.text()[member.name_span.start - object.span().start
                ..member.name_span.end - object.span().start];
            self.string(name);
            self.places.push((member.name_span, Span::new(start, self.text.len())));
            self.text.push_str(": ");
            let is_private = is_key && PRIVATE.contains(&member.name.as_str());
            self.value(&object.value(member), depth + 1, is_private);
        }
        self.line(depth);
        self.text.push('}');
    }

    fn array(&mut self, value: &Value<'_>, depth: usize) {
        let elements = value.elements().unwrap_or_default();
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
            self.value(element, depth + 1, false);
        }
        if !is_flat {
            self.line(depth);
        }
        self.text.push(']');
    }

    /// A string as it was written, quotes included.
    fn string(&mut self, text: &str) {
        let length = text.chars().count();
        if text.contains("-----BEGIN") || text.trim_start_matches('"').starts_with("eyJ") {
            let _ = write!(self.text, r#""(a token or key of {length} characters, not shown)""#);
        } else if length > LONGEST {
            self.text.extend(text.chars().take(24));
            self.text.push('…');
            self.text.extend(text.chars().skip(length - 12));
        } else {
            self.text.extend(text.chars().map(|c| if c.is_control() { '␡' } else { c }));
        }
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}
