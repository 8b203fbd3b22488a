//! The report as programs read it: schema 1, documented in `docs/reference/diagnosis.md`.

use nhs_auth_rules::Span;
use nhs_auth_rules::diagnosis::{Diagnosed, Fix, Report};
use serde_json::{Value, json};

/// The version of what is written here. It changes when a member changes its meaning or goes.
const SCHEMA: u32 = 1;

pub(super) fn of(report: &Report) -> Value {
    let repairs = report.repairs.iter().map(|repair| {
        json!({
            "input": repair.input,
            "cause": repair.cause.code(),
            "message": repair.message,
            "offset": repair.offset,
            "before": repair.before,
            "after": repair.after,
        })
    });
    let unchecked = report
        .unchecked
        .iter()
        .map(|unchecked| json!({ "rule": unchecked.rule.id.as_str(), "needs": unchecked.needs }));
    let platform_only = report
        .platform_only
        .iter()
        .map(|question| json!({ "question": question.question, "how": question.how }));
    json!({
        "schema": SCHEMA,
        "findings": report.findings.iter().map(|it| finding(report, it)).collect::<Vec<_>>(),
        "repairs": repairs.collect::<Vec<_>>(),
        "unchecked": unchecked.collect::<Vec<_>>(),
        "platform_only": platform_only.collect::<Vec<_>>(),
    })
}

fn finding(report: &Report, finding: &Diagnosed) -> Value {
    let answer = finding.answer().map(|answer| {
        json!({
            "status": answer.status,
            "error": answer.error,
            "error_description": answer.error_description,
        })
    });
    let spans = finding.labels.iter().map(|label| {
        let source = report.source(label.source);
        let mut span = span(&source.name, &source.text, label.span);
        span["label"] = label.text.clone().into();
        span
    });
    json!({
        "rule": finding.rule.map(|rule| rule.id.as_str()),
        "cause": finding.cause.code(),
        "severity": finding.severity.name(),
        "confidence": finding.confidence.name(),
        "first": finding.first,
        "answer": answer,
        "message": finding.message,
        "why": finding.why,
        "spans": spans.collect::<Vec<_>>(),
        "fix": finding.fixes.iter().map(|it| fix(report, it)).collect::<Vec<_>>(),
    })
}

fn fix(report: &Report, fix: &Fix) -> Value {
    let patch = fix.patch.as_ref().map(|patch| {
        let source = report.source(patch.source);
        let mut change = span(&source.name, &source.text, patch.span);
        change["replacement"] = patch.replacement.clone().into();
        change
    });
    json!({ "text": fix.text, "command": fix.command, "patch": patch })
}

fn span(source: &str, text: &str, span: Span) -> Value {
    json!({
        "source": source,
        "start": span.start,
        "end": span.end,
        "text": text.get(span.start..span.end),
    })
}
