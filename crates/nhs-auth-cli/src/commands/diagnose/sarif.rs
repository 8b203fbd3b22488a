//! The report as SARIF 2.1.0, for CI.

use nhs_auth_rules::diagnosis::{Diagnosed, Report, RootCause, Severity};
use serde_json::{Value, json};

pub(super) fn of(report: &Report) -> Value {
    let rules = RootCause::ALL
        .iter()
        .map(|cause| json!({ "id": cause.code(), "shortDescription": { "text": cause.title() } }));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "nhs-auth",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "results": report.findings.iter().map(|it| result(report, it)).collect::<Vec<_>>(),
        }],
    })
}

fn result(report: &Report, finding: &Diagnosed) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let locations = finding.labels.iter().map(|label| {
        let source = report.source(label.source);
        json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&source.name) },
                "region": {
                    "byteOffset": label.span.start,
                    "byteLength": label.span.len(),
                },
            },
            "message": { "text": label.text },
        })
    });
    json!({
        "ruleId": finding.cause.code(),
        "level": level,
        "message": { "text": finding.message },
        "locations": locations.collect::<Vec<_>>(),
        "properties": {
            "confidence": finding.confidence.name(),
            "first": finding.first,
            "platformRule": finding.rule.map(|rule| rule.id.as_str()),
        },
    })
}

/// A source is a decoded text and no file; its name makes a relative reference.
fn uri(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
