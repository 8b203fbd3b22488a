//! `nhs-auth diagnose`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::scene::{Run, binary_in, run};

/// The vectors that another implementation made, in a folder: good and bad assertions of one time.
struct Bench {
    folder: TempDir,
    vectors: Value,
}

impl Bench {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/vectors/client-assertions.json");
        let vectors: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("jwks.json"), vectors["jwks"].to_string()).unwrap();
        fs::write(
            folder.path().join("good.jwt"),
            vectors["accepted"][0]["assertion"].as_str().unwrap(),
        )
        .unwrap();
        Self { folder, vectors }
    }

    fn good(&self) -> &str {
        self.vectors["accepted"][0]["assertion"].as_str().unwrap()
    }

    fn refused(&self, name: &str) -> &str {
        let refused = self.vectors["refused"].as_array().unwrap();
        refused.iter().find(|case| case["name"] == name).unwrap()["assertion"].as_str().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], stdin: &str) -> Run {
        let mut command = binary_in(self.folder.path());
        run(command.arg("diagnose").args(arguments), stdin)
    }

    fn json(&self, arguments: &[&str], exit: i32) -> Value {
        let run = self.run(&[arguments, &["--output", "json"]].concat()).exits(exit);
        serde_json::from_str(&run.stdout).unwrap()
    }
}

const AT: [&str; 6] = ["--jwks", "jwks.json", "--env", "int", "--at", "1800000000"];

fn causes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|it| it["cause"].as_str().unwrap()).collect()
}

fn first(report: &Value) -> Option<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["first"] == true)?["rule"].as_str()
}

#[test]
fn a_good_assertion_has_nothing_wrong_with_it() {
    let bench = Bench::new();
    let report = bench.json(&[&["--assertion", "good.jwt"], &AT[..]].concat(), 0);
    assert_eq!((&report["schema"], causes(&report).len()), (&1.into(), 0), "{report:#}");
    assert!(!report["platform_only"].as_array().unwrap().is_empty());
    let shown = bench.run(&[&["--assertion", "good.jwt"], &AT[..]].concat()).exits(0);
    assert!(shown.stdout.ends_with("nothing is wrong with what was given\n"), "{}", shown.stdout);
}

#[test]
fn the_first_finding_is_the_rule_that_the_vectors_name() {
    let bench = Bench::new();
    for case in bench.vectors["refused"].as_array().unwrap() {
        let (name, assertion) = (&case["name"], case["assertion"].as_str().unwrap());
        if name == "a dash that a forum made typographic" || name == "padding" {
            continue; // These are repaired, and good then.
        }
        let report = bench.json(&[&["--assertion", assertion], &AT[..]].concat(), 1);
        assert_eq!(first(&report), case["rule"].as_str(), "{name}: {report:#}");
    }
}

#[test]
fn damage_by_the_way_is_undone_and_told_and_is_no_error() {
    let bench = Bench::new();
    let damaged = bench.refused("a dash that a forum made typographic");
    let report = bench.json(&[&["--assertion", damaged], &AT[..]].concat(), 0);
    let repair = &report["repairs"][0];
    assert_eq!(
        (&repair["input"], &repair["cause"]),
        (&"client_assertion".into(), &"enc-dash".into())
    );
    assert_eq!(&repair["before"], "–");
    assert!(
        repair["offset"].is_u64() && repair["after"].is_string() && repair["message"].is_string()
    );

    for mangled in [
        format!("Bearer {}\n", bench.good()),
        format!("b'{}'", bench.good()),
        bench
            .good()
            .chars()
            .collect::<Vec<_>>()
            .chunks(76)
            .map(String::from_iter)
            .collect::<Vec<_>>()
            .join("\n"),
    ] {
        let fixed = bench
            .run_with(&[&["--assertion", "-", "--fixed"], &AT[..]].concat(), &mangled)
            .exits(0);
        assert_eq!(fixed.stdout.trim_end(), bench.good());
    }
}

#[test]
fn an_error_text_leads_to_its_causes_without_proving_any() {
    let bench = Bench::new();
    for text in [
        "Invalid 'kid' header in client_assertion JWT - no matching public key",
        r#"{"error":"invalid_client","error_description":"JWT is not valid"}"#,
        "Invalid exp claim in JWT - JWT has expired",
        "FORBIDDEN",
    ] {
        let report = bench.json(&["--error", text], 0);
        let findings = report["findings"].as_array().unwrap();
        assert!(!findings.is_empty(), "{text}");
        assert!(
            findings.iter().all(|it| it["severity"] != "error" && it["confidence"] != "certain")
        );
    }
}

#[test]
fn inputs_are_recognised_by_their_look() {
    let bench = Bench::new();
    assert!(causes(&bench.json(&["jwks.json"], 0)).is_empty());
    let report =
        bench.json(&["good.jwt", "jwks.json", "--env", "int", "--at", "2027-01-15T08:00:00Z"], 0);
    assert!(causes(&report).is_empty(), "{report:#}");
    let piped = bench
        .run_with(&["-", "--output", "json"], "Invalid 'iss'/'sub' claims in client_assertion JWT")
        .exits(0);
    assert!(piped.stdout.contains("isssub-wrongid"), "{}", piped.stdout);
    let opaque = ["--subject-token", "aB3daB3daB3daB3daB3daB3daB3d", "--profile", "token-exchange"];
    assert_eq!(causes(&bench.json(&opaque, 1)), ["subject-token"]);
    let report = bench.json(&["--api-key", "991b96c6-f571-4f65-abc8-18caeeba65ed"], 1);
    assert_eq!(causes(&report), ["isssub-wrongid"]);
}

#[test]
fn a_wrapped_token_is_taken_for_one() {
    let bench = Bench::new();
    fs::write(bench.folder.path().join("wrapped"), format!("{{{{{}}}}}", bench.good())).unwrap();
    let report = bench.json(&[&["wrapped"], &AT[..]].concat(), 0);
    assert_eq!(report["repairs"][0]["cause"], "enc-wrap", "{report:#}");
}

#[test]
fn one_fact_is_one_error() {
    let bench = Bench::new();
    let nested = format!("{{\"keys\":[{}]}}", bench.vectors["jwks"]);
    let judged = ["--assertion", "good.jwt", "--env", "int", "--at", "1800000000", "--jwks"];
    let report = bench.json(&[&judged[..], &[&nested]].concat(), 1);
    assert_eq!((causes(&report), first(&report)), (vec!["jwks-shape"], Some("A19")));
    let todo = r#"{"keys":[{"kty":"RSA","kid":"int-1","n":"todo","e":"AQAB"}]}"#;
    let report = bench.json(&[&judged[..], &[todo]].concat(), 1);
    assert_eq!((causes(&report), first(&report)), (vec!["jwks-shape"], Some("A20")));
    let json = "POST /oauth2/token HTTP/1.1\r\nHost: int.api.service.nhs.uk\r\n\
                Content-Type: application/json\r\n\r\n{\"grant_type\":\"client_credentials\"}";
    let report = bench.json(&["--request", json], 1);
    assert_eq!((causes(&report), first(&report)), (vec!["req-content-type"], Some("R1")));
}

#[test]
fn a_key_file_that_is_something_else_is_a_finding() {
    let bench = Bench::new();
    let report = bench.json(&["--private-key", "jwks.json"], 1);
    assert_eq!(causes(&report), ["pem"]);
}

#[test]
fn published_private_members_are_an_emergency() {
    let bench = Bench::new();
    let leaked = r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB","d":"c2VjcmV0"}]}"#;
    let report = bench.json(&["--jwks", leaked], 1);
    assert!(causes(&report).contains(&"jwk-private"), "{report:#}");
    assert!(!report.to_string().contains("c2VjcmV0"));
}

#[test]
fn what_can_not_be_used_exits_2() {
    let bench = Bench::new();
    for arguments in [
        &[][..],
        &["--assertion", "nowhere.jwt"],
        &["--private-key", "nowhere.pem"],
        &["nowhere"],
        &["--error", "x y", "--at", "yesterday"],
        &["--error", "x y", "--profile", "nonsense"],
        &["--private-key", "-----BEGIN PRIVATE KEY-----\nMIIE"],
    ] {
        let failed = bench.run(arguments).exits(2);
        assert!(failed.stdout.is_empty() && !failed.stderr.contains("MIIE"), "{failed:?}");
    }
}

#[test]
fn sarif_for_ci() {
    let bench = Bench::new();
    let wrong = bench.refused("RS256");
    let run = bench.run(&[&["--assertion", wrong, "--sarif"], &AT[..]].concat()).exits(1);
    let sarif: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"alg".into(), &"error".into()));
    assert_eq!(result["properties"]["platformRule"], "A4");
}

#[test]
fn as_a_person_sees_it() {
    let bench = Bench::new();
    let wrong = bench.refused("an aud with a slash at its end");
    let arguments = [&["--assertion", wrong], &AT[..]].concat();
    let plain = bench.run(&arguments).exits(1).stdout;
    let start: Vec<_> = plain.lines().take(7).collect();
    let underline = format!(
        "  |          {} must be `https://int.api.service.nhs.uk/oauth2/token`",
        "^".repeat(46)
    );
    assert_eq!(
        start[1..],
        [
            " --> client_assertion (payload):4:10",
            "  |",
            r#"4 |   "aud": "https://int.api.service.nhs.uk/oauth2/token/","#,
            &underline,
            "  |",
            r#"  = note: the platform answers 401 invalid_request "Missing or invalid 'aud'"#,
        ]
    );
    assert!(start[0].starts_with("error[A21 aud]: "), "{}", start[0]);
    assert!(!plain.contains('\u{1b}'), "no colour through a pipe");

    let mut command = binary_in(bench.folder.path());
    command.arg("diagnose").args(&arguments).env("CLICOLOR_FORCE", "1");
    let coloured = run(&mut command, "").exits(1).stdout;
    assert!(coloured.contains('\u{1b}'));
}

#[test]
fn no_signature_is_ever_shown() {
    let bench = Bench::new();
    let wrong = bench.refused("another key");
    let signature = wrong.rsplit('.').next().unwrap();
    for format in [&[][..], &["--output", "json"], &["--sarif"], &["-vvv"]] {
        let run = bench.run(&[&["--assertion", wrong], &AT[..], format].concat()).exits(1);
        for part in [&signature[..20], &signature[signature.len() - 20..]] {
            assert!(!run.stdout.contains(part) && !run.stderr.contains(part), "{format:?}");
        }
    }
}
