//! Every row by itself, every pair for the order, and the rules' own examples.

use serde_json::{Value as Json, json};

use super::RULES;
use crate::staged::example::{self, overlay, parameters, setting};
use crate::staged::{self, Fixed, Staged, leave_out};
use crate::{
    ApplicationRecord, Evidence, Form, IdentityProvider, Jwks, Jwt, KeySetRecord, Rule,
    SignInRecord, SignatureAlgorithm, UnixMillis,
};

const KID: &str = "provider-2027";
const PLATFORM: &str = "123456789012.apps.national";

/// A browser that comes back from NHS login, in which everything is right until a test breaks it.
#[derive(Clone)]
struct Case {
    state: Option<&'static str>,
    sign_in: SignInRecord,
    header: Json,
    payload: Json,
    /// In place of the ID token that the header and the payload make.
    compact: Option<&'static str>,
    provider: Option<IdentityProvider>,
    key_set: Option<String>,
    signature_is_good: bool,
    scope: &'static str,
}

impl Case {
    fn good() -> Self {
        Self {
            state: Some("pYd3uJ0s"),
            sign_in: SignInRecord::Waiting,
            header: json!({"alg": "RS512", "typ": "JWT", "kid": KID}),
            payload: json!({
                "iss": "https://auth.aos.signin.nhs.uk", "aud": PLATFORM,
                "exp": 1_800_003_600, "nhs_number": "9912003071", "identity_proofing_level": "P9",
            }),
            compact: None,
            provider: Some(IdentityProvider::NhsLogin),
            key_set: Some(key_set(KID)),
            signature_is_good: true,
            scope: "urn:nhsd:apim:user-nhs-login:P9:hello-world",
        }
    }
}

impl Staged for Case {
    fn rules(&self) -> &'static [Rule] {
        RULES
    }

    fn broken_for(mut self, rule: &str) -> Self {
        match rule {
            "I1" => self.sign_in = SignInRecord::Unknown,
            "I2" => self.compact = Some("null"),
            "I3" => self.payload["aud"] = json!("clinic"),
            "I4" => self.provider = None,
            "I5" => self.key_set = None,
            "I6" => self.key_set = Some(key_set("provider-2026")),
            "I7" => self.signature_is_good = false,
            "I7b" => self.payload["exp"] = json!(1_799_999_999),
            "I8" => leave_out(&mut self.payload, "identity_proofing_level"),
            "I9" => self.scope = "urn:nhsd:apim:user-nhs-login:P5:hello-world",
            other => panic!("no test breaks {other}"),
        }
        self
    }

    fn judge<T>(&self, judge: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let made = staged::compact(&self.header, &self.payload);
        let jwt = Jwt::decode(self.compact.unwrap_or(&made));
        let query: Form = self.state.map(|state| ("state", state)).into_iter().collect();
        let key_set = self.key_set.as_deref().map(Jwks::parse);
        let application = ApplicationRecord {
            approved: true,
            callback_url: None,
            company_active: true,
            developer_active: true,
            has_key_set: true,
            scopes: Some(vec![self.scope.to_owned()]),
        };
        judge(&Evidence {
            form: Some(&query),
            sign_in: Some(self.sign_in),
            id_token: Some(&jwt),
            now: Some(UnixMillis(1_800_000_000_000)),
            application: Some(Some(&application)),
            provider: Some(self.provider),
            provider_client_id: Some(PLATFORM),
            provider_key_set: Some(
                key_set.as_ref().map_or(KeySetRecord::Unreachable, KeySetRecord::Fetched),
            ),
            provider_verifier: Some(&Fixed {
                algorithm: SignatureAlgorithm::Rs512,
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
fn a_good_sign_in_is_accepted_and_has_no_finding() {
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
    let unknown_error = "500 unknown_error: An unknown error occurred processing this request. \
                         Contact us for assistance diagnosing this issue: \
                         https://digital.nhs.uk/developer/help-and-support quoting Message ID";
    assert_eq!(
        staged::answers(RULES),
        [
            "I1 400 invalid_request: Invalid state parameter.",
            "I2 400 invalid_request: Malformed JWT in External ID token",
            "I3 400 invalid_request: Invalid 'aud' claim in external ID token JWT",
            "I4 400 invalid_request: Invalid iss claim in external ID token JWT",
            &format!("I5 {unknown_error}"),
            "I6 401 invalid_request: Invalid 'kid' header in external ID token JWT - no matching \
             public key",
            "I7 401 public_key error: JWT signature verification failed",
            &format!("I7b {unknown_error}"),
            &format!("I8 {unknown_error}"),
            "I9 401 unauthorized_client: you have tried to request authorization but your \
             application is not configured to use this authorization grant type",
        ]
    );
}

#[test]
fn without_a_state_there_is_no_sign_in() {
    let case = Case { state: None, ..Case::good() };
    assert_eq!(case.first(), "I1");
}

#[test]
fn a_missing_kid_is_one_that_nobody_has() {
    for kid in [json!(null), json!(""), json!(7)] {
        let mut case = Case::good();
        case.header["kid"] = kid.clone();
        assert_eq!(case.first(), "I6", "{kid}");
        assert_eq!(case.broken_for("I5").all(), ["I5"], "{kid}");
    }
}

#[test]
fn an_array_of_the_platforms_client_id_alone_is_for_the_platform() {
    for (aud, rule) in [
        (json!([PLATFORM]), "accepted"),
        (json!([PLATFORM, "clinic"]), "I3"),
        (json!([]), "I3"),
        (json!(null), "I3"),
        (json!({}), "I3"),
    ] {
        let mut case = Case::good();
        case.payload["aud"] = aud.clone();
        assert_eq!(case.first(), rule, "{aud}");
    }
    let mut case = Case::good();
    leave_out(&mut case.payload, "aud");
    assert_eq!(case.all(), ["I3"]);
}

#[test]
fn a_token_without_an_issuer_is_of_no_provider() {
    let mut case = Case::good();
    leave_out(&mut case.payload, "iss");
    assert_eq!(case.all(), ["I4"]);
}

/// Puts one of a rule's texts into a sign-in.
fn stage(rule: &Rule, text: &'static str) -> Case {
    let mut case = Case::good();
    match rule.id.as_str() {
        "I1" => {
            let is_begun = text.contains("/authorize");
            case.sign_in = if is_begun { SignInRecord::Waiting } else { SignInRecord::Unknown };
        }
        "I2" => {
            let (_, compact) = parameters(text).next().unwrap();
            if rule.example.failing == text {
                case.compact = Some(compact);
            } else {
                assert!(Jwt::decode(compact).is_well_formed());
            }
        }
        "I4" => {
            overlay(&mut case.payload, &rule.example, text);
            let is_integrations = case.payload["iss"] == json!("https://auth.aos.signin.nhs.uk");
            case.provider = is_integrations.then_some(IdentityProvider::NhsLogin);
        }
        "I5" => case.key_set = case.key_set.filter(|_| text.ends_with("200")),
        "I6" | "I7" => overlay(&mut case.header, &rule.example, text),
        "I9" => {
            leave_out(&mut case.payload, "identity_proofing_level");
            let level = setting(text, "authentication_assurance_level of the user");
            case.payload["authentication_assurance_level"] = json!(level);
            case.scope = setting(text, "scopes of the APIs");
            case.provider = Some(IdentityProvider::Cis2);
        }
        _ => overlay(&mut case.payload, &rule.example, text),
    }
    case
}

#[test]
fn the_failing_example_breaks_its_rule_alone_and_the_mended_one_none() {
    example::break_their_rule_alone(RULES, stage);
}
