//! The rules' own examples, judged: the failing one breaks its rule and no other, and the mended
//! one breaks none.

use serde_json::json;

use super::{Case, RULES};
use crate::staged::Staged;
use crate::staged::example::{members, overlay, parameters, setting};
use crate::{JtiHistory, Jwt, Rule, findings};

/// What a rule's example is a piece of.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Form,
    Header,
    Payload,
    Attempts,
    Scopes,
}

const JUDGED: &[(&str, Piece)] = &[
    ("A1", Piece::Form),
    ("A1b", Piece::Form),
    ("A2", Piece::Form),
    ("A4", Piece::Header),
    ("A5", Piece::Payload),
    ("A6", Piece::Header),
    ("A7", Piece::Header),
    ("A8", Piece::Payload),
    ("A9", Piece::Payload),
    ("A10", Piece::Payload),
    ("A11", Piece::Payload),
    ("A12", Piece::Payload),
    ("A13", Piece::Attempts),
    ("A14", Piece::Payload),
    ("A15", Piece::Payload),
    ("A19", Piece::Header),
    ("A20b", Piece::Payload),
    ("A21", Piece::Payload),
    ("A22", Piece::Scopes),
];

const KID: &str = "clinic-2027-01";
const KEY: &str = "ExampleApiKeyExampleApiKey000001";

fn case(rule: &Rule, piece: Piece, example: &'static str) -> Case {
    let mut case = Case::good();
    case.header["kid"] = json!(KID);
    case.payload["iss"] = json!(KEY);
    case.payload["sub"] = json!(KEY);
    case.key_set = Some(json!({"keys": [{"kty": "RSA", "kid": KID}]}).to_string());
    match piece {
        Piece::Form => {
            if rule.id.as_str() == "A2" {
                case.form.remove("client_assertion");
            }
            case.form.extend(parameters(example).map(|(name, value)| (name, value.to_owned())));
        }
        Piece::Header => overlay(&mut case.header, &rule.example, example),
        Piece::Payload => {
            overlay(&mut case.payload, &rule.example, example);
            case.known = case.payload["sub"] == json!(KEY) || rule.id.as_str() == "A10";
        }
        Piece::Attempts => {
            let attempts: Vec<_> = example.lines().map(members).collect();
            let [first, retry] = attempts.as_slice() else { panic!("two attempts: {example}") };
            case.jti = if first == retry { JtiHistory::Seen } else { JtiHistory::New };
        }
        Piece::Scopes => {
            case.application.scopes = Some(vec![setting(example, "scopes of the APIs").to_owned()]);
        }
    }
    case
}

#[test]
fn the_failing_one_breaks_its_rule_alone_and_the_mended_one_none() {
    for (id, piece) in JUDGED {
        let rule = crate::explain(id).unwrap();

        let failing = case(rule, *piece, rule.example.failing);
        assert_eq!(failing.first(), *id);
        assert_eq!(failing.all(), [*id], "{id} alone");

        let mended = case(rule, *piece, rule.example.mended);
        assert_eq!(mended.first(), "accepted", "{id} mended");
        assert_eq!(mended.all(), [""; 0], "{id} mended");
    }
}

#[test]
fn the_malformed_assertion_is_malformed_and_the_mended_one_is_not() {
    let rule = RULES.iter().find(|rule| rule.id.as_str() == "A3").unwrap();
    let fails = |example: &str| {
        let jwt = Jwt::decode(example.strip_prefix("client_assertion=").unwrap());
        let evidence = crate::Evidence { assertion: Some(&jwt), ..crate::Evidence::default() };
        findings(std::slice::from_ref(rule), &evidence).any(|finding| finding.outcome.is_fail())
    };
    assert!(fails(rule.example.failing));
    assert!(!fails(rule.example.mended));
}
