//! Every row by itself, every pair for the order, and the rules' own examples.

use serde_json::{Value as Json, json};

use super::{LOGOUT_EVENT, RULES};
use crate::staged::example::{self, overlay, parameters};
use crate::staged::{self, Fixed, Staged, leave_out};
use crate::{
    Evidence, Form, IdentityProvider, Jwks, Jwt, KeySetRecord, Rule, SessionRecord,
    SignatureAlgorithm,
};

const KID: &str = "provider-2027";
const PLATFORM: &str = "123456789012.apps.national";

/// A logout in which everything is right until a test breaks it.
#[derive(Clone)]
struct Case {
    parameter: &'static str,
    header: Json,
    payload: Json,
    /// In place of the logout token that the header and the payload make.
    compact: Option<&'static str>,
    provider: Option<IdentityProvider>,
    key_set: Option<String>,
    signature_is_good: bool,
    session: SessionRecord,
}

impl Case {
    fn good() -> Self {
        Self {
            parameter: "logout_token",
            header: json!({"alg": "RS256", "typ": "JWT", "kid": KID}),
            payload: json!({
                "iss": "https://am.nhsidentity.spineservices.nhs.uk:443/openam", "aud": PLATFORM,
                "sub": "656005750104", "sid": "a8a6c2a0-7f0d-4f52-9f3a-4d5b1c0e7a55",
                "events": {LOGOUT_EVENT: {}},
            }),
            compact: None,
            provider: Some(IdentityProvider::Cis2),
            key_set: Some(key_set(KID)),
            signature_is_good: true,
            session: SessionRecord::Known,
        }
    }
}

impl Staged for Case {
    fn rules(&self) -> &'static [Rule] {
        RULES
    }

    fn broken_for(mut self, rule: &str) -> Self {
        match rule {
            "L1" => self.parameter = "token",
            "L2" => self.compact = Some("not a JWT"),
            "L3" => self.payload["aud"] = json!("clinic"),
            "L4" => self.provider = None,
            "L5" => leave_out(&mut self.payload, "sid"),
            "L6" => self.payload["events"] = json!({}),
            "L7" => self.payload["nonce"] = json!("n-0S6"),
            "L8" => self.key_set = Some(key_set("provider-2026")),
            "L9" => self.signature_is_good = false,
            "L10" => self.session = SessionRecord::Unknown,
            other => panic!("no test breaks {other}"),
        }
        self
    }

    fn judge<T>(&self, judge: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let made = staged::compact(&self.header, &self.payload);
        let compact = self.compact.unwrap_or(&made);
        let jwt = Jwt::decode(compact);
        let form = Form::from_iter([(self.parameter, compact)]);
        let key_set = self.key_set.as_deref().map(Jwks::parse);
        judge(&Evidence {
            form: Some(&form),
            logout_token: Some(&jwt),
            provider: Some(self.provider),
            provider_client_id: Some(PLATFORM),
            provider_key_set: Some(
                key_set.as_ref().map_or(KeySetRecord::Unreachable, KeySetRecord::Fetched),
            ),
            provider_verifier: Some(&Fixed {
                algorithm: SignatureAlgorithm::Rs256,
                is_good: self.signature_is_good,
            }),
            session: Some(self.session),
            ..Evidence::default()
        })
    }
}

fn key_set(kid: &str) -> String {
    json!({"keys": [{"kty": "RSA", "kid": kid}]}).to_string()
}

#[test]
fn a_good_token_is_accepted_and_has_no_finding() {
    staged::a_good_one_is_accepted_and_has_no_finding(&Case::good());
}

#[test]
fn each_rule_fails_by_itself() {
    staged::each_rule_fails_by_itself(&Case::good());
}

#[test]
fn of_any_two_the_earlier_answers() {
    staged::of_any_two_the_earlier_answers(&Case::good());
}

#[test]
fn with_nothing_to_go_by_no_rule_passes_or_fails() {
    staged::with_nothing_to_go_by_no_rule_passes_or_fails(RULES);
}

#[test]
fn answers_are_to_the_letter() {
    assert_eq!(
        staged::answers(RULES),
        [
            "L1 400 invalid_request: Missing client_assertion",
            "L2 400 invalid_request: Malformed JWT in logout_token",
            "L3 400 invalid_request: Missing/invalid aud claim in JWT",
            "L4 400 invalid_request: Missing/invalid iss claim in JWT",
            "L5 400 invalid_request: Missing sid claim in JWT",
            "L6 400 invalid_request: Missing/invalid events claim in JWT",
            "L7 400 invalid_request: Prohibited nonce claim in JWT",
            "L8 400 bad_request: Unable to verify JWT",
            "L9 400 bad_request: Unable to verify JWT",
            "L10 501 not_implemented: SID not found",
        ]
    );
}

#[test]
fn the_claims_as_the_platform_takes_them() {
    for (name, value, rule) in [
        ("aud", json!([PLATFORM]), "accepted"),
        ("aud", json!([PLATFORM, "clinic"]), "accepted"),
        ("aud", json!(["clinic", PLATFORM]), "L3"),
        ("aud", json!([]), "L3"),
        ("aud", json!(null), "L3"),
        ("sid", json!(null), "L5"),
        ("sid", json!(""), "accepted"),
        ("events", json!(LOGOUT_EVENT), "L6"),
        ("events", json!([LOGOUT_EVENT]), "L6"),
        ("events", json!({LOGOUT_EVENT: null}), "accepted"),
        ("nonce", json!(null), "accepted"),
        ("nonce", json!(""), "L7"),
    ] {
        let mut case = Case::good();
        case.payload[name] = value.clone();
        assert_eq!(case.first(), rule, "{name} {value}");
    }
    for (name, rule) in [("aud", "L3"), ("iss", "L4"), ("events", "L6")] {
        let mut case = Case::good();
        leave_out(&mut case.payload, name);
        assert_eq!(case.first(), rule, "{name}");
    }
}

#[test]
fn nhs_login_has_no_logout() {
    let case = Case { provider: Some(IdentityProvider::NhsLogin), ..Case::good() };
    assert_eq!(case.all(), ["L4"]);
}

#[test]
fn whatever_keeps_a_token_from_being_verified_has_one_answer() {
    let unreachable = Case { key_set: None, ..Case::good() };
    assert_eq!(unreachable.all(), ["L8"]);
    for (name, value, rule) in [
        ("kid", json!(null), "L8"),
        ("kid", json!(7), "L8"),
        ("alg", json!(null), "L9"),
        ("alg", json!("RS384"), "L9"),
        ("alg", json!(256), "L9"),
    ] {
        let mut case = Case::good();
        case.header[name] = value.clone();
        assert_eq!(case.all(), [rule], "{name} {value}");
    }
}

#[test]
fn an_empty_token_is_malformed_rather_than_missing() {
    let case = Case { compact: Some(""), ..Case::good() };
    assert_eq!(case.first(), "L2");
}

/// Puts one of a rule's texts into a logout.
fn stage(rule: &Rule, text: &'static str) -> Case {
    let mut case = Case::good();
    match rule.id.as_str() {
        "L1" => case.parameter = parameters(text).next().unwrap().0,
        "L2" => {
            let (_, compact) = parameters(text).next().unwrap();
            if rule.example.failing == text {
                case.compact = Some(compact);
            } else {
                assert!(Jwt::decode(compact).is_well_formed());
            }
        }
        "L4" => {
            overlay(&mut case.payload, &rule.example, text);
            let is_cis2 = case.payload["iss"].as_str().unwrap().starts_with("https://am.");
            case.provider = is_cis2.then_some(IdentityProvider::Cis2);
        }
        "L8" | "L9" => overlay(&mut case.header, &rule.example, text),
        "L10" => {
            let is_first = text.lines().count() == 1;
            case.session = if is_first { SessionRecord::Known } else { SessionRecord::Unknown };
        }
        _ => overlay(&mut case.payload, &rule.example, text),
    }
    case
}

#[test]
fn the_failing_example_breaks_its_rule_alone_and_the_mended_one_none() {
    example::break_their_rule_alone(RULES, stage);
}
