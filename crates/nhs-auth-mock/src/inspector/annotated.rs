//! A text with places underlined, and under each line what there is to say of it.

use maud::{Markup, html};
use nhs_auth_rules::diagnosis::Severity;
use nhs_auth_rules::{Span, UnixMillis};

use super::prose::with_code;
use crate::clock::rfc3339;

/// The claims that are times (RFC 7519 §4.1, OpenID Connect Core §2).
const TIMES: [&str; 5] = ["exp", "iat", "nbf", "auth_time", "updated_at"];

/// The most that a label is indented, in characters: narrow screens have few.
const MOST_INDENT: usize = 16;

/// A place that is underlined.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) span: Span,
    pub(super) severity: Severity,
    /// What to say there; may be empty.
    pub(super) label: String,
}

/// Which lines of a text are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    All,
    /// Those with a mark on them.
    Marked,
}

/// The text, marked. Times in it are told as dates too, seen from `now` if that is known.
pub(super) fn text(text: &str, marks: &[Mark], lines: Lines, now: Option<UnixMillis>) -> Markup {
    let marks: Vec<_> = marks.iter().map(|mark| on_one_line(text, mark)).collect();
    let mut start = 0;
    let lines = text.split_inclusive('\n').filter_map(|line| {
        let span = Span::new(start, start + line.trim_end_matches('\n').len());
        start += line.len();
        let here: Vec<_> = marks.iter().filter(|mark| holds(span, mark.span)).collect();
        (lines == Lines::All || !here.is_empty()).then_some((span, here))
    });
    html! {
        pre.code { code {
            @for (index, (span, marks)) in lines.enumerate() {
                @if index > 0 { "\n" }
                (line(text, span, &marks))
                @if let Some(time) = time(&text[span.start..span.end], now) {
                    " " span.time { (time) }
                }
                @for mark in said(&marks) {
                    "\n" (indent(mark.span.start - span.start))
                    span class={ "label " (mark.severity.name()) } { "↑ " (with_code(&mark.label)) }
                }
            }
        } }
    }
}

/// One line, its marks underlined; marks that overlap are underlined as one.
fn line(text: &str, line: Span, marks: &[&Mark]) -> Markup {
    let mut marks = marks.to_vec();
    marks.sort_by_key(|mark| (mark.span.start, mark.span.end));
    let mut pieces = Vec::new();
    let mut at = line.start;
    for mark in marks {
        let start = mark.span.start.max(at);
        if start < mark.span.end {
            pieces.push((&text[at..start], None));
            pieces.push((&text[start..mark.span.end], Some(mark.severity)));
            at = mark.span.end;
        }
    }
    pieces.push((&text[at..line.end], None));
    html! {
        @for (piece, severity) in pieces {
            @match severity {
                Some(severity) => mark class=(severity.name()) { (piece) },
                None => (piece),
            }
        }
    }
}

/// What is wrong with a whole object is said where it begins.
fn on_one_line(text: &str, mark: &Mark) -> Mark {
    let inside = text.get(mark.span.start..mark.span.end).unwrap_or_default();
    let length = inside.find('\n').unwrap_or(inside.len());
    Mark { span: Span::new(mark.span.start, mark.span.start + length), ..mark.clone() }
}

fn holds(line: Span, mark: Span) -> bool {
    line.start <= mark.start && mark.end <= line.end && !mark.is_empty()
}

/// The marks that have something to say, each thing once.
fn said<'m>(marks: &[&'m Mark]) -> Vec<&'m Mark> {
    let mut said: Vec<&Mark> = Vec::new();
    for mark in marks {
        if !mark.label.is_empty() && said.iter().all(|other| other.label != mark.label) {
            said.push(mark);
        }
    }
    said
}

/// The space before what is said of a place: up to it, unless that is far.
fn indent(column: usize) -> String {
    " ".repeat(column.min(MOST_INDENT))
}

/// The date of a time claim that is alone on its line.
fn time(line: &str, now: Option<UnixMillis>) -> Option<String> {
    let (name, value) = line.trim().trim_end_matches(',').split_once(": ")?;
    let name = name.strip_prefix('"')?.strip_suffix('"')?;
    if !TIMES.contains(&name) {
        return None;
    }
    let seconds: i64 = value.trim_matches('"').split('.').next()?.parse().ok()?;
    let millis = seconds.checked_mul(1000)?;
    if jiff::Timestamp::from_millisecond(millis).is_err() {
        return Some("after the year 9999".to_owned());
    }
    let date = rfc3339(UnixMillis(millis)).replace(".000Z", "Z");
    let Some(now) = now else { return Some(date) };
    Some(format!("{date}, {}", distance(seconds - now.0.div_euclid(1000))))
}

/// How far away something is: in seconds while they matter, and then in larger units.
fn distance(seconds: i64) -> String {
    let (number, unit) = match seconds.unsigned_abs() {
        s if s < 600 => (s, "s"),
        s if s < 120 * 60 => (s / 60, "min"),
        s if s < 48 * 3600 => (s / 3600, "h"),
        s => (s / 86_400, "days"),
    };
    match seconds {
        0 => "at that moment".to_owned(),
        1.. => format!("{number} {unit} after the request"),
        _ => format!("{number} {unit} before the request"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(start: usize, end: usize, label: &str) -> Mark {
        Mark { span: Span::new(start, end), severity: Severity::Error, label: label.to_owned() }
    }

    fn shown(text: &str, marks: &[Mark], lines: Lines) -> String {
        super::text(text, marks, lines, Some(UnixMillis(1_800_000_000_000))).into_string()
    }

    #[test]
    fn marks_are_underlined_and_everything_is_escaped() {
        let html = shown("{\n  \"kid\": \"<script>\"\n}", &[mark(11, 21, "not <b>")], Lines::All);
        assert!(
            html.contains(r#"<mark class="error">&quot;&lt;script&gt;&quot;</mark>"#),
            "{html}"
        );
        assert!(
            html.contains("\n         <span class=\"label error\">↑ not &lt;b&gt;</span>"),
            "{html}"
        );
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
    }

    #[test]
    fn marks_that_overlap_or_repeat_lose_no_text() {
        let marks = [mark(0, 4, "a"), mark(2, 6, "b"), mark(3, 4, "a"), mark(5, 5, "no place")];
        let html = shown("01234567", &marks, Lines::All);
        let plain = html.replace("</mark>", "").replace("<mark class=\"error\">", "");
        assert!(plain.contains("01234567"), "{html}");
        assert_eq!(html.matches('↑').count(), 2, "{html}");
    }

    #[test]
    fn a_mark_on_several_lines_is_said_on_the_first() {
        let html = shown("{\n  \"a\": 1\n}", &[mark(0, 12, "something is missing")], Lines::Marked);
        assert!(html.contains("<mark class=\"error\">{</mark>\n"), "{html}");
        assert!(!html.contains("&quot;a&quot;"), "{html}");
    }

    #[test]
    fn times_are_told_as_dates() {
        for (line, says) in [
            ("{\n  \"exp\": 1800000150,\n}", "2027-01-15T08:02:30Z, 150 s after the request"),
            ("\"iat\": 1799999999", "2027-01-15T07:59:59Z, 1 s before the request"),
            ("\"exp\": \"1800000000.5\"", "2027-01-15T08:00:00Z, at that moment"),
            ("\"exp\": 1800000150000", "after the year 9999"),
        ] {
            assert!(shown(line, &[], Lines::All).contains(says), "{line}");
        }
        for line in ["\"exp\": null", "\"xexp\": 1800000150", "\"exp\": 99999999999999999999"] {
            assert!(!shown(line, &[], Lines::All).contains("class=\"time\""), "{line}");
        }
    }
}
