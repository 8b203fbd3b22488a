//! Every row by itself, and every pair of neighbours for the order.

mod examples;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::RULES;
use crate::staged::{self, Fixed, Staged, ids};
use crate::{
    ApplicationRecord, CLIENT_ASSERTION_TYPE, Evidence, Form, ID_TOKEN_TYPE, Inquiry, JtiHistory,
    Jwks, Jwt, KeySetRecord, Outcome, Quota, Rule, SignatureAlgorithm, Step, UnixMillis, findings,
};

const NOW_S: i64 = 1_800_000_000;
const API_KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";
const TOKEN_URL: &str = "https://int.api.service.nhs.uk/oauth2/token";

/// A request in which everything is right until a test breaks it.
#[derive(Clone)]
struct Case {
    form: BTreeMap<&'static str, String>,
    header: Json,
    payload: Json,
    /// In place of the assertion that the header and the payload make.
    compact: Option<String>,
    jti: JtiHistory,
    known: bool,
    application: ApplicationRecord,
    quota: Quota,
    key_set: Option<String>,
    signature_is_good: bool,
}

impl Case {
    fn good() -> Self {
        Self {
            form: BTreeMap::from([
                ("grant_type", "client_credentials".to_owned()),
                ("client_assertion_type", CLIENT_ASSERTION_TYPE.to_owned()),
                ("client_assertion", "taken from `compact`".to_owned()),
            ]),
            header: json!({"alg": "RS512", "typ": "JWT", "kid": "test-1"}),
            payload: json!({
                "iss": API_KEY, "sub": API_KEY, "aud": TOKEN_URL,
                "jti": "3f1c1e9e-31f2-4b54-9d0b-2b7f7e0d5a11", "exp": NOW_S + 150,
            }),
            compact: None,
            jti: JtiHistory::New,
            known: true,
            application: ApplicationRecord {
                approved: true,
                callback_url: None,
                company_active: true,
                developer_active: true,
                has_key_set: true,
                scopes: Some(vec!["urn:nhsd:apim:app:level3:hello-world".to_owned()]),
            },
            quota: Quota::Within,
            key_set: Some(r#"{"keys":[{"kty":"RSA","kid":"test-1"}]}"#.to_owned()),
            signature_is_good: true,
        }
    }
}

impl Staged for Case {
    fn rules(&self) -> &'static [Rule] {
        RULES
    }

    fn broken_for(mut self, rule: &str) -> Self {
        match rule {
            "A1" => drop(self.form.insert("client_assertion_type", "jwt-bearer".to_owned())),
            "A1b" => drop(self.form.insert("subject_token_type", ID_TOKEN_TYPE.to_owned())),
            "A2" => drop(self.form.remove("client_assertion")),
            "A3" => self.compact = Some("not a JWT".to_owned()),
            "A4" => self.header["alg"] = json!("RS256"),
            "A5" => self.payload["exp"] = json!(NOW_S - 1),
            "A6" => self.header["kid"] = json!(""),
            "A7" => drop(self.header.as_object_mut().unwrap().remove("typ")),
            "A8" => drop(self.payload.as_object_mut().unwrap().remove("exp")),
            "A9" => self.payload["exp"] = json!((NOW_S + 150).to_string()),
            "A10" => self.payload["iss"] = json!("another"),
            "A11" => drop(self.payload.as_object_mut().unwrap().remove("jti")),
            "A12" => self.payload["jti"] = json!(7),
            "A13" => self.jti = JtiHistory::Seen,
            "A14" => self.payload["exp"] = json!(NOW_S + 311),
            "A15" => self.known = false,
            "A15b" => self.application.approved = false,
            "A16" => self.quota = Quota::Exceeded,
            "A17" => self.application.has_key_set = false,
            "A18" => self.key_set = None,
            "A19" => self.key_set = Some(r#"{"keys":[{"kty":"RSA","kid":"test1"}]}"#.to_owned()),
            "A20" => self.signature_is_good = false,
            "A20b" => self.payload["nbf"] = json!(NOW_S + 11),
            "A21" => self.payload["aud"] = json!(format!("{TOKEN_URL}/")),
            "A22" => self.application.scopes = Some(Vec::new()),
            other => panic!("no test breaks {other}"),
        }
        self
    }

    fn judge<T>(&self, judge: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let compact = self.compact.clone();
        let compact = compact.unwrap_or_else(|| staged::compact(&self.header, &self.payload));
        let verifier =
            Fixed { algorithm: SignatureAlgorithm::Rs512, is_good: self.signature_is_good };
        let form: Form = self.form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let key_set = self.key_set.as_deref().map(Jwks::parse);
        let jwt = Jwt::decode(&compact);
        judge(&Evidence {
            method: Some("POST"),
            content_type: Some(Some("application/x-www-form-urlencoded")),
            form: Some(&form),
            assertion: Some(&jwt),
            now: Some(UnixMillis(NOW_S * 1000)),
            token_url: Some(TOKEN_URL),
            jti: Some(self.jti),
            application: Some(self.known.then_some(&self.application)),
            quota: Some(self.quota),
            key_set: Some(
                key_set.as_ref().map_or(KeySetRecord::Unreachable, KeySetRecord::Fetched),
            ),
            verifier: Some(&verifier),
            ..Evidence::default()
        })
    }
}

#[test]
fn a_good_request_is_accepted_and_has_no_finding() {
    staged::a_good_one_is_accepted_and_has_no_finding(&Case::good());
}

#[test]
fn the_order_is_the_platforms() {
    assert_eq!(
        ids(RULES),
        [
            "A1", "A1b", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12",
            "A13", "A14", "A15", "A15b", "A16", "A17", "A18", "A19", "A20", "A20b", "A21", "A22",
        ]
    );
}

#[test]
fn each_rule_fails_by_itself() {
    staged::each_rule_fails_by_itself(&Case::good());
}

/// Where two faults sit in one value, the pair can't be had by breaking both.
fn both_broken(earlier: &'static str, later: &'static str) -> Case {
    let mut case = Case::good();
    match (earlier, later) {
        // Without an assertion there is none to be malformed.
        ("A2", "A3") => return case.broken_for("A3").broken_for("A2"),
        // A malformed assertion has no algorithm: one that is only damaged at its end has.
        ("A3", "A4") => {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
            case.compact = Some(format!("{header}.e30.c2ln="));
            return case;
        }
        // A missing exp has no type; a falsy one that is no number has.
        ("A8", "A9") => {
            // Only `NaN`-like values pass row 5, and none of those is falsy in JSON: 0, null, ""
            // and false are expired first. So row 8 is met by absence alone, and row 9 by presence.
            return case.broken_for("A9").broken_for("A8");
        }
        ("A11", "A12") => case.payload["jti"] = json!(0),
        _ => return case.broken_for(later).broken_for(earlier),
    }
    case
}

#[test]
fn of_two_neighbours_the_earlier_answers() {
    for pair in ids(RULES).windows(2) {
        let (earlier, later) = (pair[0], pair[1]);
        let case = both_broken(earlier, later);
        assert_eq!(case.first(), earlier, "{earlier} before {later}");
    }
}

#[test]
fn of_any_two_the_earlier_answers_where_both_can_be_had() {
    staged::of_any_two_the_earlier_answers(&Case::good());
}

#[test]
fn all_findings_are_shown_at_once_in_their_order() {
    let case = ["A7", "A10", "A14", "A19", "A21"].into_iter().fold(Case::good(), Case::broken_for);
    assert_eq!(case.all(), ["A7", "A10", "A14", "A19", "A21"]);
}

#[test]
fn answers_are_to_the_letter() {
    let answer = |id: &str| crate::explain(id).unwrap().answer;
    assert_eq!(answer("A4").status, 400);
    assert_eq!(
        answer("A4").error_description,
        "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be 'RS512'"
    );
    assert_eq!(
        answer("A1").error_description,
        "Missing or invalid client_assertion_type - must be \
         'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'"
    );
    assert_eq!((answer("A17").status, answer("A17").error), (403, "public_key error"));
    assert_eq!(
        answer("A17").error_description,
        "You need to register a public key to use this authentication method - please contact \
         support to configure"
    );
    assert_eq!(
        answer("A18").error_description,
        "The JWKS endpoint, for your client_assertion can't be reached"
    );
    assert_eq!((answer("A20").status, answer("A20").error), (401, "public_key error"));
    assert_eq!((answer("A22").status, answer("A22").error), (401, "unauthorized_client"));
    assert_eq!(answer("A15"), answer("a15B"));
}

/// `exp` of every kind: which row answers.
#[test]
fn exp_as_javascript_takes_it() {
    for (exp, rule) in [
        (json!(NOW_S), "accepted"),
        (json!(NOW_S + 310), "accepted"),
        (json!(NOW_S + 311), "A14"),
        (json!(NOW_S - 1), "A5"),
        (json!(null), "A5"),
        (json!(0), "A5"),
        (json!(""), "A5"),
        (json!("1700000000"), "A5"),
        (json!((NOW_S + 150).to_string()), "A9"),
        (json!("soon"), "A9"),
        (json!(1.5), "A5"),
        (json!(1_800_000_150.5), "accepted"),
        (json!(1e30), "A14"),
        (json!((NOW_S + 150) * 1000), "A14"),
        (json!(true), "A5"),
        (json!(false), "A5"),
        (json!([]), "A5"),
        (json!([NOW_S + 150]), "A9"),
        (json!([1, 2]), "A9"),
        (json!({}), "A9"),
        (json!("2026-11-21T12:00:00Z"), "A9"),
    ] {
        let mut case = Case::good();
        case.payload["exp"] = exp.clone();
        assert_eq!(case.first(), rule, "exp {exp}");
    }
}

#[test]
fn the_other_claims_as_javascript_takes_them() {
    type Members<'a> = &'a [(&'a str, Json)];
    let cases: &[(Members<'_>, &str)] = &[
        (&[("iss", json!(null)), ("sub", json!(null))], "A10"),
        (&[("iss", json!("")), ("sub", json!(""))], "A10"),
        (&[("iss", json!(0)), ("sub", json!(0))], "A10"),
        (&[("iss", json!(5)), ("sub", json!("5"))], "accepted"),
        (&[("iss", json!([API_KEY]))], "accepted"),
        (&[("iss", json!({})), ("sub", json!({}))], "A10"),
        (&[("iss", json!(API_KEY.to_uppercase()))], "A10"),
        (&[("jti", json!(null))], "A11"),
        (&[("jti", json!(""))], "A11"),
        (&[("jti", json!(0))], "A11"),
        (&[("jti", json!(1.5))], "A12"),
        (&[("jti", json!([]))], "A12"),
        (&[("jti", json!({"a": 1}))], "A12"),
        (&[("jti", json!("~"))], "accepted"),
        (&[("aud", json!([TOKEN_URL, "https://example.org"]))], "accepted"),
        (&[("aud", json!([]))], "A21"),
        (&[("aud", json!(null))], "A21"),
        (&[("nbf", json!(NOW_S + 10))], "accepted"),
        (&[("nbf", json!("soon"))], "accepted"),
    ];
    for (members, rule) in cases {
        let mut case = Case::good();
        for (name, value) in *members {
            case.payload[*name] = value.clone();
        }
        assert_eq!(case.first(), *rule, "{members:?}");
    }
}

#[test]
fn the_header_as_javascript_takes_it() {
    for (name, value, rule) in [
        ("alg", json!(null), "A4"),
        ("alg", json!("rs512"), "A4"),
        ("alg", json!("none"), "A4"),
        ("typ", json!("jwt"), "accepted"),
        ("typ", json!("Jwt"), "accepted"),
        ("typ", json!("at+jwt"), "A7"),
        ("typ", json!(["JWT"]), "A7"),
        ("kid", json!(null), "A6"),
        ("kid", json!(0), "A6"),
        ("kid", json!(7), "A19"),
        ("kid", json!("Test-1"), "A19"),
    ] {
        let mut case = Case::good();
        case.header[name] = value.clone();
        assert_eq!(case.first(), rule, "{name} {value}");
    }
}

#[test]
fn an_empty_assertion_is_malformed_rather_than_missing() {
    let mut case = Case::good();
    case.form.insert("client_assertion", String::new());
    case.compact = Some(String::new());
    assert_eq!(case.first(), "A3");
}

#[test]
fn with_nothing_to_go_by_no_rule_passes_or_fails() {
    staged::with_nothing_to_go_by_no_rule_passes_or_fails(RULES);
}

#[test]
fn an_inquiry_goes_on_from_where_it_stopped() {
    Case::good().judge(|complete| {
        let mut inquiry = Inquiry::new(RULES);
        let mut evidence = Evidence { jti: None, key_set: None, ..*complete };
        assert!(
            matches!(inquiry.resume(&evidence), Step::Needs(rule, _) if rule.id.as_str() == "A13")
        );
        evidence.jti = complete.jti;
        assert!(
            matches!(inquiry.resume(&evidence), Step::Needs(rule, _) if rule.id.as_str() == "A18")
        );
        evidence.key_set = complete.key_set;
        assert!(matches!(inquiry.resume(&evidence), Step::Accepted));
    });
}

proptest! {
    #[test]
    fn whatever_arrives_no_rule_panics_and_spans_stay_inside(
        compact in "[A-Za-z0-9_.=-]*|\\PC*",
        header in "\\PC*",
        payload in "(\\{\"exp\":\\PC*\\})|\\PC*",
        key_set in "\\PC*",
    ) {
        let mut case = Case::good();
        let made = format!("{}.{}.", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&payload));
        case.key_set = Some(key_set);
        for compact in [compact, made] {
            case.compact = Some(compact.clone());
            case.judge(|evidence| {
                let jwt = evidence.assertion.unwrap();
                for finding in findings(RULES, evidence) {
                    if let Outcome::Fail(fault) = finding.outcome {
                        let length = match fault.place {
                            crate::Place::Assertion => compact.len(),
                            crate::Place::Header => jwt.header.content.as_ref().unwrap().text().len(),
                            crate::Place::Payload => jwt.payload.content.as_ref().unwrap().text().len(),
                            _ => 0,
                        };
                        assert!(fault.span.end <= length, "{}", finding.rule.id);
                    }
                }
            });
        }
    }
}
