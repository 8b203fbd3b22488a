//! Every row by itself, and every pair for the order.

mod examples;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::RULES;
use crate::staged::{self, Fixed, Staged, leave_out};
use crate::{
    ApplicationRecord, Evidence, Form, ID_TOKEN_TYPE, IdentityProvider, Inquiry, Jwks, Jwt,
    KeySetRecord, Outcome, Place, Rule, SignatureAlgorithm, Step, TOKEN_EXCHANGE_GRANT, UnixMillis,
    findings,
};

const NOW_S: i64 = 1_800_000_000;
const KID: &str = "provider-2027";

/// A token exchange of an NHS login token for delegated access, in which everything is right until
/// a test breaks it.
#[derive(Clone)]
struct Case {
    form: Vec<(&'static str, &'static str)>,
    header: Json,
    payload: Json,
    delegated_header: Json,
    delegated_payload: Json,
    /// In place of the delegated token that those two make.
    act_sub: Option<Json>,
    /// In place of the subject token that all of these make.
    compact: Option<String>,
    provider: Option<IdentityProvider>,
    key_set: Option<String>,
    algorithm: SignatureAlgorithm,
    signature_is_good: bool,
    scope: &'static str,
}

impl Case {
    fn good() -> Self {
        Self {
            form: vec![
                ("grant_type", TOKEN_EXCHANGE_GRANT),
                ("subject_token_type", ID_TOKEN_TYPE),
                ("subject_token", "taken from `compact`"),
            ],
            header: json!({"alg": "RS512", "typ": "JWT", "kid": KID}),
            payload: json!({
                "iss": "https://auth.login.nhs.uk", "aud": "clinic", "exp": NOW_S + 3600,
                "nhs_number": "9912003071", "identity_proofing_level": "P9", "act": {},
            }),
            delegated_header: json!({"alg": "RS512", "typ": "JWT", "kid": KID}),
            delegated_payload: json!({
                "iss": "https://auth.login.nhs.uk", "aud": "clinic", "exp": NOW_S - 3600,
                "nhs_number": "9912003072",
            }),
            act_sub: None,
            compact: None,
            provider: Some(IdentityProvider::NhsLogin),
            key_set: Some(key_set(KID)),
            algorithm: SignatureAlgorithm::Rs512,
            signature_is_good: true,
            scope: "urn:nhsd:apim:user-nhs-login:P9:hello-world",
        }
    }

    /// The same of a CIS2 token, which carries no other.
    fn cis2() -> Self {
        let mut case = Self::good();
        case.header["alg"] = json!("RS256");
        case.algorithm = SignatureAlgorithm::Rs256;
        case.payload = json!({
            "iss": "https://am.nhsidentity.spineservices.nhs.uk:443/openam", "aud": "clinic",
            "exp": NOW_S + 3600, "authentication_assurance_level": "3",
        });
        case.act_sub = Some(Json::Null);
        case.provider = Some(IdentityProvider::Cis2);
        case.scope = "urn:nhsd:apim:user-nhs-cis2:aal3:hello-world";
        case
    }

    fn compact(&self) -> String {
        if let Some(compact) = &self.compact {
            return compact.clone();
        }
        let mut payload = self.payload.clone();
        match &self.act_sub {
            None => {
                let inner = staged::compact(&self.delegated_header, &self.delegated_payload);
                payload["act"] = json!({"sub": inner});
            }
            Some(Json::Null) => {}
            Some(act_sub) => payload["act"] = json!({"sub": act_sub}),
        }
        staged::compact(&self.header, &payload)
    }
}

impl Staged for Case {
    fn rules(&self) -> &'static [Rule] {
        RULES
    }

    fn broken_for(mut self, rule: &str) -> Self {
        match rule {
            "S1" => self.form.truncate(2),
            "S2" => self.compact = Some("4f1c6f0e-1d7a-4a4e".to_owned()),
            "S3" => self.header["kid"] = json!(""),
            "S4" => self.header["typ"] = json!("at+jwt"),
            "S5" => leave_out(&mut self.header, "alg"),
            "S6" => self.payload["exp"] = json!(0),
            "S7" => self.payload["exp"] = json!((NOW_S + 3600).to_string()),
            "S8" => self.payload["exp"] = json!(NOW_S - 1),
            "S9" => leave_out(&mut self.payload, "iss"),
            "S10" => self.payload["aud"] = json!(""),
            "D1" => self.act_sub = Some(json!("9912003072")),
            "D2" => leave_out(&mut self.delegated_header, "kid"),
            "D3" => leave_out(&mut self.delegated_header, "typ"),
            "D4" => leave_out(&mut self.delegated_header, "alg"),
            "D5" => leave_out(&mut self.delegated_payload, "exp"),
            "D6" => self.delegated_payload["exp"] = json!("soon"),
            "D7" => leave_out(&mut self.delegated_payload, "iss"),
            "D8" => leave_out(&mut self.delegated_payload, "aud"),
            "D9" => leave_out(&mut self.delegated_payload, "nhs_number"),
            "S11" => self.provider = None,
            "S12" => self.key_set = None,
            "S13" => self.key_set = Some(key_set("provider-2026")),
            "S14" => self.signature_is_good = false,
            "S15" => leave_out(&mut self.payload, "identity_proofing_level"),
            "S16" => self.scope = "urn:nhsd:apim:user-nhs-login:P5:hello-world",
            other => panic!("no test breaks {other}"),
        }
        self
    }

    fn judge<T>(&self, judge: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let compact = self.compact();
        let form: Form = self.form.iter().copied().collect();
        let key_set = self.key_set.as_deref().map(Jwks::parse);
        let jwt = Jwt::decode(&compact);
        let application = ApplicationRecord {
            approved: true,
            callback_url: None,
            company_active: true,
            developer_active: true,
            has_key_set: true,
            scopes: Some(vec![self.scope.to_owned()]),
        };
        judge(&Evidence {
            form: Some(&form),
            id_token: Some(&jwt),
            now: Some(UnixMillis(NOW_S * 1000)),
            application: Some(Some(&application)),
            provider: Some(self.provider),
            provider_key_set: Some(
                key_set.as_ref().map_or(KeySetRecord::Unreachable, KeySetRecord::Fetched),
            ),
            provider_verifier: Some(&Fixed {
                algorithm: self.algorithm,
                is_good: self.signature_is_good,
            }),
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
    staged::a_good_one_is_accepted_and_has_no_finding(&Case::cis2());
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
fn answers_are_to_the_letter_and_in_the_platforms_order() {
    let unknown_error = "500 unknown_error: An unknown error occurred processing this request. \
                         Contact us for assistance diagnosing this issue: \
                         https://digital.nhs.uk/developer/help-and-support quoting Message ID";
    let no_scope = "401 unauthorized_client: you have tried to request authorization but your \
                    application is not configured to use this authorization grant type";
    assert_eq!(
        staged::answers(RULES),
        [
            "S1 400 invalid_request: Missing subject_token",
            "S2 400 invalid_request: Malformed JWT in subject_token",
            "S3 400 invalid_request: Missing 'kid' header in subject_token JWT",
            "S4 400 invalid_request: Invalid 'typ' header in subject_token JWT - must be 'JWT'",
            "S5 400 invalid_request: Missing 'alg' header in subject_token JWT",
            "S6 400 invalid_request: Missing 'exp' claim in subject_token JWT",
            "S7 400 invalid_request: Invalid 'exp' claim in subject_token JWT - must be an integer",
            "S8 400 invalid_request: Invalid 'exp' claim in subject_token JWT - JWT has expired",
            "S9 400 invalid_request: Missing 'iss' claim in subject_token JWT",
            "S10 401 invalid_request: Missing 'aud' claim in subject_token JWT",
            "D1 400 invalid_request: act.sub JWT is corrupt or unparseable",
            "D2 400 invalid_request: Missing 'kid' header in act.sub JWT",
            "D3 400 invalid_request: Invalid 'typ' header in act.sub JWT - must be 'JWT'",
            "D4 400 invalid_request: Missing 'alg' header in act.sub JWT",
            "D5 400 invalid_request: Missing 'exp' claim in act.sub JWT",
            "D6 400 invalid_request: Invalid 'exp' claim in act.sub JWT - must be an integer",
            "D7 400 invalid_request: Missing 'iss' claim in act.sub JWT",
            "D8 400 invalid_request: Missing 'aud' claim in act.sub JWT",
            "D9 400 invalid_request: Missing 'nhs_number' claim in act.sub JWT",
            "S11 400 invalid_request: Missing or non-matching 'iss' claim in subject_token JWT",
            &format!("S12 {unknown_error}"),
            "S13 401 invalid_request: Invalid 'kid' header in subject_token JWT - no matching \
             public key",
            "S14 401 public_key error: JWT signature verification failed",
            &format!("S15 {unknown_error}"),
            &format!("S16 {no_scope}"),
        ]
    );
}

#[test]
fn the_header_as_javascript_takes_it() {
    for (name, value, rule) in [
        ("kid", json!(null), "S3"),
        ("kid", json!(0), "S3"),
        ("kid", json!(7), "S13"),
        ("kid", json!("Provider-2027"), "S13"),
        ("typ", json!("jwt"), "accepted"),
        ("typ", json!(["JWT"]), "S4"),
        ("typ", json!(null), "S4"),
        ("alg", json!(""), "S5"),
        ("alg", json!(false), "S5"),
        ("alg", json!(512), "S14"),
        ("alg", json!(["RS512"]), "S14"),
        ("alg", json!("none"), "S14"),
        ("alg", json!("PS512"), "S14"),
        ("alg", json!("RS384"), "S14"),
        ("alg", json!("rs512"), "S14"),
    ] {
        let mut case = Case::good();
        case.header[name] = value.clone();
        assert_eq!(case.first(), rule, "{name} {value}");
    }
}

#[test]
fn the_claims_as_javascript_takes_them() {
    for (name, value, rule) in [
        ("exp", json!(NOW_S), "accepted"),
        ("exp", json!(1_799_999_999.999), "S8"),
        ("exp", json!(1e30), "accepted"),
        ("exp", json!(null), "S6"),
        ("exp", json!(""), "S6"),
        ("exp", json!(false), "S6"),
        ("exp", json!("1"), "S7"),
        ("exp", json!(true), "S7"),
        ("exp", json!([]), "S7"),
        ("exp", json!(-1), "S8"),
        ("iss", json!(""), "S9"),
        ("iss", json!(null), "S9"),
        ("aud", json!([]), "accepted"),
        ("aud", json!(0), "S10"),
        ("identity_proofing_level", json!(9), "S15"),
        ("identity_proofing_level", json!(null), "S15"),
        ("identity_proofing_level", json!("P5"), "S16"),
        ("identity_proofing_level", json!(""), "S16"),
        ("identity_proofing_level", json!("P9.Cp"), "accepted"),
    ] {
        let mut case = Case::good();
        case.payload[name] = value.clone();
        assert_eq!(case.first(), rule, "{name} {value}");
    }
}

#[test]
fn the_clock_is_compared_at_milliseconds() {
    let at = |millis| {
        let mut case = Case::good();
        case.payload["exp"] = json!(NOW_S);
        case.judge(|evidence| {
            let evidence = Evidence { now: Some(UnixMillis(millis)), ..*evidence };
            matches!(Inquiry::new(RULES).resume(&evidence), Step::Accepted)
        })
    };
    assert!(at(NOW_S * 1000));
    assert!(!at(NOW_S * 1000 + 1));
}

#[test]
fn the_level_of_cis2_is_taken_as_it_is_written() {
    for (level, rule) in [
        (json!(3), "accepted"),
        (json!("3"), "accepted"),
        (json!(2), "S16"),
        (json!("03"), "S16"),
        (json!(null), "S16"),
    ] {
        let mut case = Case::cis2();
        case.payload["authentication_assurance_level"] = level.clone();
        assert_eq!(case.first(), rule, "{level}");
    }
    let mut case = Case::cis2();
    leave_out(&mut case.payload, "authentication_assurance_level");
    assert_eq!(case.first(), "S16");
}

#[test]
fn a_delegated_token_is_looked_at_beside_an_nhs_number_alone_and_never_verified() {
    let broken = Case::good().broken_for("D2");
    assert_eq!(broken.first(), "D2");

    let mut without_nhs_number = broken.clone();
    without_nhs_number.payload["nhs_number"] = json!("");
    assert_eq!(without_nhs_number.first(), "accepted");

    for act_sub in [json!(7), json!({"sub": "x"}), json!(["x"])] {
        let mut case = Case::good();
        case.act_sub = Some(act_sub);
        assert_eq!(case.first(), "accepted");
    }
    for (act_sub, rule) in [("", "D1"), ("e30.e30", "D1"), ("e30.W10.", "D1"), ("e30.e30.!", "D2")]
    {
        let mut case = Case::good();
        case.act_sub = Some(json!(act_sub));
        assert_eq!(case.first(), rule, "{act_sub}");
    }
}

#[test]
fn a_failure_of_the_delegated_token_hides_the_issuers() {
    let case = ["S10", "D9", "S11"].into_iter().fold(Case::good(), Case::broken_for);
    assert_eq!(case.all(), ["S10", "D9", "S11"]);
    assert_eq!(case.first(), "S10");
}

#[test]
fn an_empty_token_is_malformed_rather_than_missing() {
    let mut case = Case::good();
    case.form[2].1 = "";
    case.compact = Some(String::new());
    assert_eq!(case.first(), "S2");
}

#[test]
fn an_inquiry_asks_for_what_costs_something_when_it_comes_to_it() {
    Case::good().judge(|complete| {
        let mut inquiry = Inquiry::new(RULES);
        let mut evidence = Evidence {
            provider: None,
            provider_key_set: None,
            provider_verifier: None,
            application: None,
            ..*complete
        };
        let mut asked = Vec::new();
        loop {
            match inquiry.resume(&evidence) {
                Step::Accepted => break,
                Step::Refused(rule, _) => panic!("{} refuses", rule.id),
                Step::Needs(rule, _) => asked.push(rule.id.as_str()),
            }
            match asked.last() {
                Some(&"S11") => evidence.provider = complete.provider,
                Some(&"S12") => evidence.provider_key_set = complete.provider_key_set,
                Some(&"S14") => evidence.provider_verifier = complete.provider_verifier,
                Some(&"S16") => evidence.application = complete.application,
                other => panic!("{other:?} has asked already"),
            }
        }
        assert_eq!(asked, ["S11", "S12", "S14", "S16"]);
    });
}

proptest! {
    #[test]
    fn whatever_arrives_no_rule_panics_and_spans_stay_inside(
        compact in "[A-Za-z0-9_.=-]*|\\PC*",
        header in "(\\{\"alg\":\"RS512\",\"kid\":\\PC*\\})|\\PC*",
        payload in "(\\{\"exp\":\\PC*\\})|\\PC*",
        key_set in "\\PC*",
    ) {
        let made = staged::encoded(&header, &payload);
        let mut carrier = Case::good();
        carrier.act_sub = Some(json!(made));
        for token in [compact, made.clone(), carrier.compact()] {
            let mut case = Case::good();
            case.key_set = Some(key_set.clone());
            case.compact = Some(token.clone());
            case.judge(|evidence| {
                let jwt = evidence.id_token.unwrap();
                let delegated = Jwt::decode(&made);
                for finding in findings(RULES, evidence) {
                    let Outcome::Fail(fault) = finding.outcome else { continue };
                    let text = match fault.place {
                        Place::IdToken => &token,
                        Place::IdTokenHeader => jwt.header.content.as_ref().unwrap().text(),
                        Place::IdTokenPayload => jwt.payload.content.as_ref().unwrap().text(),
                        Place::DelegatedToken => &made,
                        Place::DelegatedTokenHeader => {
                            delegated.header.content.as_ref().unwrap().text()
                        }
                        Place::DelegatedTokenPayload => {
                            delegated.payload.content.as_ref().unwrap().text()
                        }
                        _ => "",
                    };
                    assert!(
                        text.get(fault.span.start..fault.span.end).is_some(),
                        "{}", finding.rule.id
                    );
                }
            });
        }
    }
}
