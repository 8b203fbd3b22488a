//! What the diagnosis found, each finding with the place that it is about.

use maud::{Markup, html};
use nhs_auth_rules::diagnosis::{Confidence, Diagnosed, Fix, Patch, Report, Severity};
use nhs_auth_rules::{Fault, Rule};

use super::annotated::{self, Lines, Mark};
use super::prose::{sentence, with_code};

/// One finding, whole.
pub(super) fn finding(report: &Report, finding: &Diagnosed) -> Markup {
    html! {
        article class={ "finding " (finding.severity.name()) } {
            h3 { (severity(finding.severity)) " " (sentence(&finding.message)) }
            @for (name, text, marks) in snippets(report, finding) {
                figure {
                    figcaption { (name) }
                    (annotated::text(text, &marks, Lines::Marked, None))
                }
            }
            @if !finding.why.is_empty() { p { (sentence(&finding.why)) } }
            (fixes(report, &finding.fixes))
            p.code-name {
                "Cause: " (finding.cause.code())
                @if finding.confidence != Confidence::Certain { " · " (finding.confidence.name()) }
            }
        }
    }
}

/// What a rule says of its refusal, where the diagnosis has nothing of its own to say.
pub(super) fn refusal(rule: &Rule, fault: Option<&Fault>) -> Markup {
    html! {
        article.finding.error {
            h3 {
                (severity(Severity::Error)) " "
                @match fault {
                    Some(fault) => (sentence(&fault.message)),
                    None => { "This does not hold: " (with_code(rule.title)) "." }
                }
            }
            p { (sentence(rule.why)) }
            div.fixes { h4 { "How to mend it" } p { (sentence(rule.fix)) } }
        }
    }
}

/// The places in a source that findings are about.
pub(super) fn marks(report: &Report, source: usize, findings: &[&Diagnosed]) -> Vec<Mark> {
    let labels = findings
        .iter()
        .flat_map(|finding| finding.labels.iter().map(|label| (finding.severity, label)));
    labels
        .filter(|(_, label)| report.source(label.source).id.index() == source)
        .map(|(severity, label)| Mark { span: label.span, severity, label: label.text.clone() })
        .collect()
}

/// For each source that a finding points into: its name, its text, and the places.
fn snippets<'r>(report: &'r Report, finding: &Diagnosed) -> Vec<(&'r str, &'r str, Vec<Mark>)> {
    let mut sources: Vec<_> = finding.labels.iter().map(|label| label.source.index()).collect();
    sources.dedup();
    let of_source = |index: usize| {
        let source = &report.sources[index];
        (source.name.as_str(), source.text.as_str(), marks(report, index, &[finding]))
    };
    sources.into_iter().map(of_source).collect()
}

fn fixes(report: &Report, fixes: &[Fix]) -> Markup {
    html! {
        @if !fixes.is_empty() {
            div.fixes {
                h4 { "How to mend it" }
                @for fix in fixes {
                    p { (sentence(&fix.text)) }
                    @if let Some(patch) = &fix.patch { (change(report, patch)) }
                    @if let Some(command) = &fix.command {
                        pre.code { code { "$ " (command) } }
                    }
                }
            }
        }
    }
}

fn change(report: &Report, patch: &Patch) -> Markup {
    let text = &report.source(patch.source).text;
    let before = text.get(patch.span.start..patch.span.end).unwrap_or_default();
    html! {
        dl.change {
            div { dt { "Now" } dd { del { (before) } } }
            div { dt { "Mended" } dd { ins { (patch.replacement) } } }
        }
    }
}

fn severity(severity: Severity) -> Markup {
    let (sign, word) = match severity {
        Severity::Error => ("✕", "Error"),
        Severity::Warning => ("!", "Warning"),
        Severity::Note => ("i", "Note"),
    };
    html! {
        span class={ "severity " (severity.name()) } {
            span aria-hidden="true" { (sign) } " " (word)
        }
    }
}
