//! From the text of an error to what may have caused it.

use super::error_table::{Row, rows};
use super::{Confidence, RootCause};
use crate::Rule;
use crate::json::{Kind, Value};

/// How much of a text is looked at.
const LONGEST: usize = 64 * 1024;

/// One thing that an error's text may stand for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PossibleCause {
    /// The root cause.
    pub cause: RootCause,
    /// The rule whose answer the text is, if it is one's.
    pub rule: Option<&'static Rule>,
    /// How well it explains the text alone: likely or possible.
    pub confidence: Confidence,
    /// What it means here: lower case, no full stop.
    pub message: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Since when, or until when, the platform used this wording, where that says something.
    pub dated: Option<&'static str>,
}

/// What an error may stand for, the likeliest first. Takes a whole body, or the text alone, in any
/// case and with any quotes. Empty for a text that isn't known.
pub fn causes_of_error(text: &str) -> Vec<PossibleCause> {
    let Some(row) = row(text) else { return of_the_rulebook(text) };
    let by_text = of_the_rulebook(text).into_iter().find_map(|cause| cause.rule);
    row.causes
        .iter()
        .map(|&(cause, rule, confidence, message, fix)| PossibleCause {
            cause,
            rule: rule.and_then(crate::explain).or(by_text),
            confidence,
            message,
            fix,
            dated: row.dated,
        })
        .collect()
}

/// A text that only the rulebook has: its rule says what there is to say.
fn of_the_rulebook(text: &str) -> Vec<PossibleCause> {
    let whole = plain(&words(text));
    let is_its_text = |rule: &&'static Rule| {
        let own = plain(rule.answer.error_description);
        !own.is_empty() && whole.contains(&own)
    };
    let mut rules: Vec<_> = crate::all().filter(is_its_text).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.answer.error_description.len()));
    rules
        .into_iter()
        .map(|rule| PossibleCause {
            cause: RootCause::Unknown,
            rule: Some(rule),
            confidence: Confidence::Likely,
            message: rule.why,
            fix: rule.fix,
            dated: None,
        })
        .collect()
}

/// The row whose text the error has in it; of several the longest, which says the most.
fn row(text: &str) -> Option<&'static Row> {
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST).last()?;
    let cut = if text.len() > LONGEST { &text[..end] } else { text };
    let whole = plain(&words(cut));
    rows()
        .flat_map(|row| row.texts.iter().map(move |text| (row, *text)))
        .filter(|(_, text)| whole.contains(&plain(text)))
        .max_by_key(|(row, text)| (text.len(), row.causes.len()))
        .map(|(row, _)| row)
}

/// The strings of a JSON body; another text as it is.
fn words(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim();
    match Value::parse(text) {
        Ok(value) => {
            let mut words = String::new();
            collect(&value, 8, &mut words);
            words
        }
        Err(_) => text.replace("\\u0027", "'").replace('+', " ").replace("%20", " "),
    }
}

fn collect(value: &Value<'_>, depth: usize, words: &mut String) {
    match value.kind() {
        Kind::String => {
            words.push_str(&value.as_str().unwrap_or_default());
            words.push_str(" | ");
        }
        Kind::Object if depth > 0 => {
            let Some(object) = value.as_object() else { return };
            for member in object.members() {
                collect(&object.value(member), depth - 1, words);
            }
        }
        Kind::Array if depth > 0 => {
            for element in value.elements().unwrap_or_default() {
                collect(&element, depth - 1, words);
            }
        }
        _ => {}
    }
}

/// A text without what people change when they copy it: case, quotes, dashes between words, spaces.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\'' | '"' | '`' | '\\' | '\u{2018}'..='\u{201f}' => {}
            '\u{2010}'..='\u{2015}' => plain.push('-'),
            c if c.is_whitespace() => plain.push(' '),
            c => plain.push(c),
        }
    }
    let words: Vec<&str> =
        plain.split(' ').filter(|word| !word.is_empty() && *word != "-").collect();
    words.join(" ")
}
