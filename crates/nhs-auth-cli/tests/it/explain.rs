//! `nhs-auth explain`.

use serde_json::Value;

use crate::scene::{binary_in, run};

#[test]
fn a_rule_by_its_name_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let explained = run(binary_in(folder.path()).args(["explain", "a14"]), "").exits(0);
    assert!(explained.stdout.starts_with("A14: `exp` is at most five minutes away\n"));
    assert!(explained.stdout.contains("400 invalid_request \"Invalid 'exp' claim"));
    assert!(explained.stdout.lines().filter(|line| line.starts_with("  ")).count() > 3);
    assert!(explained.stdout.contains("\nthis fails\n  \"exp\": 1800000400   // now is 18"));
    assert!(explained.stdout.contains("\nthis passes\n  \"exp\": 1800000150   // now plus "));
    assert_eq!(explained.stderr, "");
}

#[test]
fn every_rule_as_json() {
    let folder = tempfile::tempdir().unwrap();
    for rule in nhs_auth_rules::all() {
        let arguments = ["explain", rule.id.as_str(), "--output", "json"];
        let explained = run(binary_in(folder.path()).args(arguments), "").exits(0);
        let answer: Value = serde_json::from_str(&explained.stdout).unwrap();
        assert_eq!((&answer["rule"], &answer["fix"]), (&rule.id.as_str().into(), &rule.fix.into()));
        assert_eq!(answer["example"]["failing"], rule.example.failing);
        assert_eq!(answer["example"]["mended"], rule.example.mended);
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let failed = run(binary_in(folder.path()).args(["explain", "A99"]), "").exits(2);
    assert!(failed.stderr.contains("A1, A1b, A2"), "{}", failed.stderr);
}
