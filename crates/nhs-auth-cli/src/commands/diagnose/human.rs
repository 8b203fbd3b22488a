//! The report as people read it: as rustc would say it.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use nhs_auth_rules::diagnosis::{Diagnosed, Fix, Report, Severity};

use crate::console::HEADING;

/// How wide a terminal is taken to be, in columns.
const WIDTH: usize = 80;

pub(super) fn of(report: &Report) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii).term_width(WIDTH);
    let mut text = String::new();
    for finding in &report.findings {
        let _ = write!(text, "{}\n\n", renderer.render(&groups(report, finding)));
    }
    list(&mut text, "undone before judging", repairs(report));
    list(&mut text, "could not be checked", unchecked(report));
    list(&mut text, "only the platform knows", platform_only(report));
    let _ = writeln!(text, "{}", summary(report));
    text
}

fn groups<'a>(report: &'a Report, finding: &'a Diagnosed) -> Vec<Group<'a>> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let id = match finding.rule {
        Some(rule) => format!("{} {}", rule.id, finding.cause.code()),
        None => finding.cause.code().to_owned(),
    };
    let mut main =
        level.primary_title(&*finding.message).id(id).elements(snippets(report, finding));
    if let Some(answer) = answer(finding) {
        main = main.element(Level::NOTE.message(folded(&answer)));
    }
    if !finding.why.is_empty() {
        main = main.element(Level::NOTE.message(folded(&finding.why)));
    }
    let mut groups = vec![main];
    groups.extend(finding.fixes.iter().map(|fix| help(report, fix)));
    groups
}

/// One snippet for each source that the finding points into.
fn snippets<'a>(
    report: &'a Report,
    finding: &'a Diagnosed,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut sources: Vec<_> = finding.labels.iter().map(|label| label.source).collect();
    sources.dedup();
    let of_source = |id| {
        let source = report.source(id);
        let labels = finding.labels.iter().filter(move |label| label.source == id);
        let annotations = labels.enumerate().map(|(i, label)| {
            let kind = if i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            kind.span(Range::from(label.span)).label(&*label.text)
        });
        Snippet::source(&*source.text).path(&*source.name).annotations(annotations)
    };
    sources.into_iter().map(of_source).collect()
}

fn answer(finding: &Diagnosed) -> Option<String> {
    let answer = finding.answer().filter(|answer| !answer.error.is_empty())?;
    let sure = if finding.first { ", and this is what it names first" } else { "" };
    Some(format!(
        "the platform answers {} {} {:?}{sure}",
        answer.status, answer.error, answer.error_description
    ))
}

fn help<'a>(report: &'a Report, fix: &'a Fix) -> Group<'a> {
    let mut group = Group::with_title(Level::HELP.secondary_title(&*fix.text));
    if let Some(patch) = &fix.patch {
        let source = report.source(patch.source);
        let change = Patch::new(Range::from(patch.span), &*patch.replacement);
        group = group.element(Snippet::source(&*source.text).path(&*source.name).patch(change));
    }
    if let Some(command) = &fix.command {
        group = group.element(Level::HELP.no_name().message(format!("$ {command}")));
    }
    group
}

fn repairs(report: &Report) -> Vec<String> {
    let told = report.repairs.iter().map(|repair| {
        format!(
            "{}, byte {}: {} ({})",
            repair.input,
            repair.offset,
            repair.message,
            repair.cause.code()
        )
    });
    told.collect()
}

/// Grouped by what is missing: one more input often settles several.
fn unchecked(report: &Report) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for unchecked in &report.unchecked {
        let id = unchecked.rule.id.as_str();
        match groups.iter_mut().find(|(needs, _)| *needs == unchecked.needs) {
            Some((_, ids)) => ids.push(id),
            None => groups.push((&unchecked.needs, vec![id])),
        }
    }
    groups
        .into_iter()
        .map(|(needs, ids)| format!("{}: for want of {needs}", ids.join(", ")))
        .collect()
}

fn platform_only(report: &Report) -> Vec<String> {
    let told = report.platform_only.iter();
    told.map(|question| format!("{} {}", question.question, question.how)).collect()
}

fn list(text: &mut String, heading: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{HEADING}{heading}{HEADING:#}");
    for line in lines {
        let _ = writeln!(text, "{}", wrapped(&line));
    }
    text.push('\n');
}

/// A list's item.
fn wrapped(line: &str) -> String {
    format!("  - {}", lines(line, WIDTH - 4).join("\n    "))
}

/// A note, as wide as is left beside what stands in front of it.
fn folded(text: &str) -> String {
    lines(text, WIDTH - 12).join("\n")
}

fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn summary(report: &Report) -> String {
    let count = |severity| report.findings.iter().filter(|it| it.severity == severity).count();
    let told = |number: usize, name: &str| match number {
        0 => None,
        1 => Some(format!("1 {name}")),
        _ => Some(format!("{number} {name}s")),
    };
    let parts: Vec<_> = [
        told(count(Severity::Error), "error"),
        told(count(Severity::Warning), "warning"),
        told(count(Severity::Note), "note"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        "nothing is wrong with what was given".to_owned()
    } else {
        parts.join(", ")
    }
}
