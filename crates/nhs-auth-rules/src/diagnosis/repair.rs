//! Undoes what a paste does to a token: before it is judged, and saying what was undone.

use std::collections::BTreeMap;

use super::{Repair, RootCause};
use crate::Jwt;

/// How many ways to read the typographic dashes are tried.
const MOST_READINGS: usize = 81;

/// Nothing that was a token is longer, in bytes: what is, is left as it is.
const LONGEST: usize = 64 * 1024;

/// A token after its repair.
#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) text: String,
    pub(super) repairs: Vec<Repair>,
}

/// One thing undone, before those of a kind are told together.
struct Undone {
    cause: RootCause,
    what: &'static str,
    offset: usize,
    before: String,
    after: String,
}

/// Repairs a token. Of several ways to read a dash that one is taken which `is_good` says the most
/// for: 0 is nothing, and more is better.
pub(super) fn token(input: &str, given: &str, score: impl Fn(&str) -> u8) -> Repaired {
    // A last line break is what files and terminals end with, and no damage.
    let whole =
        given.strip_suffix('\n').map_or(given, |rest| rest.strip_suffix('\r').unwrap_or(rest));
    if whole.len() > LONGEST || Jwt::decode(whole).is_well_formed() {
        return Repaired { text: whole.to_owned(), repairs: Vec::new() };
    }
    let mut undone = Vec::new();
    let (start, inside) = unwrapped(whole, &mut undone);
    let pieces = pieces(inside, start, &mut undone);
    let text = best_reading(&pieces, &mut undone, score);
    let repairs = told_together(input, undone);
    Repaired { text, repairs }
}

/// What is left without what was put around it, and where that starts.
fn unwrapped<'t>(given: &'t str, undone: &mut Vec<Undone>) -> (usize, &'t str) {
    const PAIRS: [(&str, &str); 10] = [
        ("b'", "'"),
        ("b\"", "\""),
        ("{{", "}}"),
        ("${", "}"),
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("“", "”"),
        ("‘", "’"),
        ("<", ">"),
    ];
    const PREFIXES: [&str; 5] =
        ["Authorization:", "Bearer ", "bearer ", "client_assertion=", "subject_token="];
    let (mut start, mut end) = (0, given.len());
    loop {
        let text = &given[start..end];
        let front = text.len() - text.trim_start().len();
        let back = text.trim_end().len();
        if front > 0 || back < text.len() {
            if front > 0 {
                undone.push(Undone::space(start, &text[..front]));
            }
            if back < text.len() && back >= front {
                undone.push(Undone::space(start + back, &text[back..]));
            }
            (start, end) = (start + front, start + back.max(front));
            continue;
        }
        if let Some(prefix) = PREFIXES.iter().find(|prefix| text.starts_with(**prefix)) {
            undone.push(Undone::wrap(start, prefix));
            start += prefix.len();
            continue;
        }
        if let Some((open, close)) = PAIRS.iter().find(|(open, close)| {
            text.len() >= open.len() + close.len()
                && text.starts_with(open)
                && text.ends_with(close)
        }) {
            undone.push(Undone::wrap(start, open));
            undone.push(Undone::wrap(end - close.len(), close));
            (start, end) = (start + open.len(), end - close.len());
            continue;
        }
        // A quote, comma or semicolon that came along with a copied line.
        if let Some(last) =
            text.chars().next_back().filter(|c| matches!(c, ',' | ';' | '"' | '\'' | '”' | '’'))
        {
            end -= last.len_utf8();
            undone.push(Undone::wrap(end, &last.to_string()));
            continue;
        }
        if let Some(first) = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '“' | '‘'))
        {
            undone.push(Undone::wrap(start, &first.to_string()));
            start += first.len_utf8();
            continue;
        }
        return (start, text);
    }
}

impl Undone {
    fn new(cause: RootCause, what: &'static str, offset: usize, before: &str, after: &str) -> Self {
        let shown = before.chars().take(12).collect();
        Self { cause, what, offset, before: shown, after: after.to_owned() }
    }

    fn wrap(offset: usize, before: &str) -> Self {
        Self::new(
            RootCause::EncWrap,
            "what stood around the token was taken away",
            offset,
            before,
            "",
        )
    }

    fn space(offset: usize, before: &str) -> Self {
        Self::new(RootCause::EncWs, "white space was taken out", offset, before, "")
    }
}

/// A token in the making: what is certain, and dashes that can be read in several ways.
enum Piece {
    Certain(char),
    Dash { offset: usize, found: char, readings: &'static [&'static str] },
}

fn pieces(text: &str, start: usize, undone: &mut Vec<Undone>) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let offset = start + at;
        let mut undo = |cause, what, before: &str, after: &str| {
            undone.push(Undone::new(cause, what, offset, before, after));
        };
        match c {
            '\u{2013}' => {
                pieces.push(Piece::Dash { offset, found: c, readings: &["--", "-"] });
            }
            '\u{2014}' | '\u{2015}' => {
                pieces.push(Piece::Dash { offset, found: c, readings: &["---", "-", "--"] });
            }
            '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2212}' => {
                undo(
                    RootCause::EncDash,
                    "a typographic hyphen was made plain",
                    &c.to_string(),
                    "-",
                );
                pieces.push(Piece::Certain('-'));
            }
            '\u{2018}'..='\u{201f}' | '"' | '\'' | '`' => {
                undo(
                    RootCause::EncDash,
                    "a quote inside the token was taken out",
                    &c.to_string(),
                    "",
                );
            }
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {
                undo(RootCause::EncWs, "an invisible character was taken out", &c.to_string(), "");
            }
            '\\' if matches!(characters.peek(), Some((_, 'n' | 'r'))) => {
                let next = characters.next().map_or('n', |(_, next)| next);
                undo(
                    RootCause::EncWs,
                    "a literal line break was taken out",
                    &format!("\\{next}"),
                    "",
                );
            }
            '%' => {
                let digits = text.get(at + 1..at + 3);
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(byte) if byte.is_ascii() => {
                        let (before, after) = (&text[at..at + 3], char::from(byte));
                        let after = if after.is_ascii_whitespace() || after == '=' {
                            String::new()
                        } else {
                            after.to_string()
                        };
                        undo(RootCause::EncWs, "a percent-encoding was undone", before, &after);
                        pieces.extend(after.chars().map(|c| match c {
                            '+' => Piece::Certain('-'),
                            '/' => Piece::Certain('_'),
                            c => Piece::Certain(c),
                        }));
                        characters.next();
                        characters.next();
                    }
                    _ => pieces.push(Piece::Certain(c)),
                }
            }
            c if c.is_whitespace() => {
                let what = if matches!(c, '\n' | '\r') {
                    "a line break was taken out"
                } else {
                    "white space was taken out"
                };
                undo(RootCause::EncWs, what, &c.to_string(), "");
            }
            '+' => {
                undo(RootCause::EncB64, "standard base64 was made base64url", "+", "-");
                pieces.push(Piece::Certain('-'));
            }
            '/' => {
                undo(RootCause::EncB64, "standard base64 was made base64url", "/", "_");
                pieces.push(Piece::Certain('_'));
            }
            '=' => undo(RootCause::EncPad, "padding was taken away", "=", ""),
            c => pieces.push(Piece::Certain(c)),
        }
    }
    pieces
}

/// Reads the dashes in every way, and takes the best.
fn best_reading(pieces: &[Piece], undone: &mut Vec<Undone>, score: impl Fn(&str) -> u8) -> String {
    let dashes: Vec<_> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Dash { offset, found, readings } => Some((*offset, *found, *readings)),
            Piece::Certain(_) => None,
        })
        .collect();
    let count: usize = dashes
        .iter()
        .try_fold(1_usize, |count, (.., readings)| count.checked_mul(readings.len()))
        .unwrap_or(usize::MAX);
    // With few dashes each is read by itself; with many, all of a kind are read alike.
    let each = count <= MOST_READINGS;
    let count = if each { count } else { 6 };
    let choices = |number: usize| -> Vec<&'static str> {
        let mut rest = number;
        dashes
            .iter()
            .map(|(_, found, readings)| {
                if each {
                    let choice = rest % readings.len();
                    rest /= readings.len();
                    readings[choice]
                } else if *found == '\u{2013}' {
                    readings[number % 2]
                } else {
                    readings[number / 2 % 3 % readings.len()]
                }
            })
            .collect()
    };
    let mut best: Option<(u8, Vec<&str>, String)> = None;
    for number in 0..count {
        let choices = choices(number);
        let text = with_dashes(pieces, &choices);
        let good = if count == 1 { 0 } else { score(&text) };
        if best.as_ref().is_none_or(|(most, ..)| good > *most) {
            best = Some((good, choices, text));
        }
        if good >= 2 {
            break;
        }
    }
    let (_, choices, text) = best.unwrap_or_default();
    for ((offset, found, _), reading) in dashes.iter().zip(choices) {
        undone.push(Undone::new(
            RootCause::EncDash,
            "a typographic dash was made hyphens again",
            *offset,
            &found.to_string(),
            reading,
        ));
    }
    text
}

fn with_dashes(pieces: &[Piece], choices: &[&str]) -> String {
    let mut choices = choices.iter();
    let mut text = String::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            Piece::Certain(c) => text.push(*c),
            Piece::Dash { .. } => text.push_str(choices.next().unwrap_or(&"-")),
        }
    }
    text
}

/// One repair for all of a kind, at the first of them.
fn told_together(input: &str, mut undone: Vec<Undone>) -> Vec<Repair> {
    undone.sort_by_key(|one| one.offset);
    let mut kinds: BTreeMap<(&str, String, String), (usize, Repair)> = BTreeMap::new();
    for one in undone {
        let key = (one.what, one.before.clone(), one.after.clone());
        kinds
            .entry(key)
            .and_modify(|(count, repair)| {
                *count += 1;
                repair.message = format!("{}, {count} times", one.what);
            })
            .or_insert_with(|| {
                let repair = Repair {
                    input: input.to_owned(),
                    cause: one.cause,
                    message: one.what.to_owned(),
                    offset: one.offset,
                    before: one.before,
                    after: one.after,
                };
                (1, repair)
            });
    }
    let mut repairs: Vec<_> = kinds.into_values().map(|(_, repair)| repair).collect();
    repairs.sort_by_key(|repair| repair.offset);
    repairs
}

/// Repairs a JSON document: invisible characters, and quotes and spaces that are no JSON.
pub(super) fn document(input: &str, given: &str) -> Repaired {
    let is_json = |text: &str| crate::json::Value::parse(text).is_ok();
    let unchanged = || Repaired { text: given.to_owned(), repairs: Vec::new() };
    if is_json(given) {
        return unchanged();
    }
    let mut undone = Vec::new();
    let mut text = String::with_capacity(given.len());
    for (offset, c) in given.char_indices() {
        let (cause, what, after) = match c {
            '\u{feff}' | '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' => {
                (RootCause::EncWs, "an invisible character was taken out", "")
            }
            '\u{a0}' => (RootCause::EncWs, "a no-break space was made a plain one", " "),
            '\u{201c}' | '\u{201d}' => {
                (RootCause::EncDash, "a typographic quote was made straight", "\"")
            }
            c => {
                text.push(c);
                continue;
            }
        };
        undone.push(Undone::new(cause, what, offset, &c.to_string(), after));
        text.push_str(after);
    }
    if undone.is_empty() || !is_json(&text) {
        return unchanged();
    }
    Repaired { text, repairs: told_together(input, undone) }
}
