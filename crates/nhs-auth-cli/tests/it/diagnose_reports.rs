//! Whole reports: by the published schema, and as people see them.
//!
//! The texts stand in `reports/`. After a change that is meant, write them anew and read the
//! difference: `NHS_AUTH_TEST_WRITE_REPORTS=1 cargo test -p nhs-auth-cli --test it reports`.

use std::fs;

use serde_json::Value;

use crate::installed::{project, python};
use crate::scene::{binary_in, run};

/// A name for the report, and the vector that it is about.
const REPORTS: [(&str, &str); 6] = [
    ("aud-slash", "an aud with a slash at its end"),
    ("exp-milliseconds", "an exp in milliseconds"),
    ("application-id", "the application ID for the API key"),
    ("kid-hyphen", "a kid without its hyphen"),
    ("other-key", "another key"),
    ("typographic-dash", "a dash that a forum made typographic"),
];

fn vectors() -> Value {
    let text = fs::read_to_string(project("tests/vectors/client-assertions.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn report(vectors: &Value, case: &Value, more: &[(&str, &str)], format: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jwks.json"), vectors["jwks"].to_string()).unwrap();
    let mut command = binary_in(folder.path());
    command.args(["diagnose", "--jwks", "jwks.json", "--env", "int", "--at", "1800000000"]);
    command.arg("--assertion").arg(case["assertion"].as_str().unwrap()).args(format);
    run(command.envs(more.iter().copied()), "").stdout
}

#[test]
fn reports_are_as_people_know_them() {
    let vectors = vectors();
    let cases = vectors["refused"].as_array().unwrap();
    for (file, name) in REPORTS {
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        for (ending, environment) in [("txt", &[][..]), ("ansi", &[("CLICOLOR_FORCE", "1")][..])] {
            let path =
                project("crates/nhs-auth-cli/tests/it/reports").join(format!("{file}.{ending}"));
            let shown = report(&vectors, case, environment, &[]);
            if is_to_be_written() {
                fs::write(&path, &shown).unwrap();
            }
            let known = fs::read_to_string(&path).unwrap_or_default();
            assert!(shown == known, "{} differs from\n{shown}", path.display());
            assert_eq!(shown.contains('\u{1b}'), ending == "ansi");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "asked for by whoever runs the tests")]
fn is_to_be_written() -> bool {
    std::env::var_os("NHS_AUTH_TEST_WRITE_REPORTS").is_some()
}

#[test]
fn every_report_is_valid_by_the_published_schema() {
    let vectors = vectors();
    let mut documents = Vec::new();
    for case in
        vectors["refused"].as_array().unwrap().iter().chain(vectors["accepted"].as_array().unwrap())
    {
        let report = report(&vectors, case, &[], &["--output", "json"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        documents.push(report.to_string());
    }
    let mut validator = python();
    validator.arg(project("tests/interop/validate_json.py"));
    validator.arg(project("docs/reference/diagnosis.schema.json"));
    let valid = run(&mut validator, &documents.join("\n")).exits(0);
    assert_eq!(valid.stdout.trim(), documents.len().to_string());
}
