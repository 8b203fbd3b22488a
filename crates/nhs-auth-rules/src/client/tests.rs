//! The groups B, C and F: every row by itself, every pair for the order, and the rules' own
//! examples.

use std::collections::BTreeMap;

use crate::staged::example::{self, parameters, seconds_between, setting};
use crate::staged::{self, Staged};
use crate::{
    ApplicationRecord, CodeRecord, Evidence, Form, Quota, RefreshTokenRecord, Rule, SecretRecord,
    authorization_code, authorize, limits, refresh_token,
};

const API_KEY: &str = "ExampleApiKeyExampleApiKey000001";
const CALLBACK: &str = "https://clinic.example/callback";

/// A client's request of one of the groups, in which everything is right until a test breaks it.
#[derive(Clone)]
struct Case {
    rules: &'static [Rule],
    form: BTreeMap<&'static str, &'static str>,
    application: ApplicationRecord,
    quota: Quota,
    secret: SecretRecord,
    code: CodeRecord,
    refresh_token: RefreshTokenRecord,
}

impl Case {
    fn sign_in() -> Self {
        Self::of(
            authorize::RULES,
            &[("redirect_uri", CALLBACK), ("state", "pYd3uJ0s"), ("response_type", "code")],
        )
    }

    fn code() -> Self {
        Self::of(
            authorization_code::RULES,
            &[("client_secret", "given"), ("redirect_uri", CALLBACK), ("code", "given")],
        )
    }

    fn refresh() -> Self {
        Self::of(refresh_token::RULES, &[("client_secret", "given"), ("refresh_token", "given")])
    }

    fn of(rules: &'static [Rule], form: &[(&'static str, &'static str)]) -> Self {
        let mut form: BTreeMap<_, _> = form.iter().copied().collect();
        form.insert("client_id", API_KEY);
        Self {
            rules,
            form,
            application: ApplicationRecord {
                approved: true,
                callback_url: Some(CALLBACK.to_owned()),
                company_active: true,
                developer_active: true,
                has_key_set: false,
                scopes: Some(Vec::new()),
            },
            quota: Quota::Within,
            secret: SecretRecord::Right,
            code: CodeRecord::Live,
            refresh_token: RefreshTokenRecord::Live,
        }
    }

    fn each() -> [Self; 3] {
        [Self::sign_in(), Self::code(), Self::refresh()]
    }
}

impl Staged for Case {
    fn rules(&self) -> &'static [Rule] {
        self.rules
    }

    fn broken_for(mut self, rule: &str) -> Self {
        match rule {
            "B1" | "C1" | "F1" => drop(self.form.remove("client_id")),
            "B2" | "C2" | "F2" => drop(self.form.insert("client_id", "another")),
            "B3" | "C3" | "F3" => self.application.approved = false,
            "B4" | "C4" | "F4" => self.application.developer_active = false,
            "B5" | "C5" | "F5" => self.application.company_active = false,
            "B6" | "C6" | "F6" => self.application.scopes = None,
            "C7" | "F7" => drop(self.form.remove("client_secret")),
            "C8" | "F8" => self.secret = SecretRecord::Wrong,
            "B7" | "C9" | "F9" => self.quota = Quota::Exceeded,
            "B8" | "C10" => drop(self.form.remove("redirect_uri")),
            "B9" | "C11" => drop(self.form.insert("redirect_uri", "https://clinic.example")),
            "B10" => drop(self.form.remove("state")),
            "B11" => drop(self.form.remove("response_type")),
            "B12" => drop(self.form.insert("response_type", "token")),
            "C12" => drop(self.form.remove("code")),
            "C13" => self.code = CodeRecord::Unknown,
            "F10" => drop(self.form.remove("refresh_token")),
            "F11" => self.refresh_token = RefreshTokenRecord::Unknown,
            "F12" => self.refresh_token = RefreshTokenRecord::Expired,
            other => panic!("no test breaks {other}"),
        }
        self
    }

    fn judge<T>(&self, judge: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let form: Form = self.form.iter().map(|(name, value)| (*name, *value)).collect();
        let is_known = form.get("client_id") == Some(API_KEY);
        judge(&Evidence {
            form: Some(&form),
            application: Some(is_known.then_some(&self.application)),
            quota: Some(self.quota),
            client_secret: Some(self.secret),
            authorization_code: Some(self.code),
            refresh_token: Some(self.refresh_token),
            ..Evidence::default()
        })
    }
}

#[test]
fn a_good_request_is_accepted_and_has_no_finding() {
    for good in Case::each() {
        staged::a_good_one_is_accepted_and_has_no_finding(&good);
    }
}

#[test]
fn each_rule_fails_by_itself() {
    for good in Case::each() {
        staged::each_rule_fails_by_itself(&good);
    }
}

#[test]
fn of_any_two_the_earlier_answers() {
    for good in Case::each() {
        staged::of_any_two_the_earlier_answers(&good);
    }
}

#[test]
fn with_nothing_to_go_by_no_rule_passes_or_fails() {
    for good in Case::each() {
        staged::with_nothing_to_go_by_no_rule_passes_or_fails(good.rules);
    }
}

const NOT_APPROVED: &str = "401 access_denied: The developer app associated with the API key is not \
                            approved or revoked";
const DEVELOPER: &str = "401 access_denied: The developer who created the developer app that has \
                         the API key you are using has an inactive status";
const COMPANY: &str = "401 access_denied: The company associated with the developer app that has \
                       the API key you are using has an inactive status";
const NOT_SUBSCRIBED: &str = "401 access_denied: API Key supplied does not have access to this \
                              resource. Please check the API Key you are using belongs to an app \
                              which has sufficient access to access this resource.";
const RATE: &str = "429 too_many_requests: Rate limit exceeded";

#[test]
fn the_answers_to_a_sign_in_are_to_the_letter() {
    assert_eq!(
        staged::answers(authorize::RULES),
        [
            "B1 401 invalid_request: client_id is missing",
            "B2 401 invalid_request: client_id is invalid",
            &format!("B3 {NOT_APPROVED}"),
            &format!("B4 {DEVELOPER}"),
            &format!("B5 {COMPANY}"),
            &format!("B6 {NOT_SUBSCRIBED}"),
            &format!("B7 {RATE}"),
            "B8 400 invalid_request: redirect_uri is missing",
            "B9 400 invalid_request: redirect_uri is invalid",
            "B10 302 invalid_request: state is missing",
            "B11 302 invalid_request: response_type is missing",
            "B12 302 unsupported_response_type: response_type is invalid",
        ]
    );
}

#[test]
fn the_answers_to_a_code_are_to_the_letter() {
    assert_eq!(
        staged::answers(authorization_code::RULES),
        [
            "C1 401 invalid_request: client_id is missing",
            "C2 401 invalid_client: client_id or client_secret is invalid",
            &format!("C3 {NOT_APPROVED}"),
            &format!("C4 {DEVELOPER}"),
            &format!("C5 {COMPANY}"),
            &format!("C6 {NOT_SUBSCRIBED}"),
            "C7 401 invalid_request: client_secret is missing",
            "C8 401 invalid_client: client_id or client_secret is invalid",
            &format!("C9 {RATE}"),
            "C10 400 invalid_request: redirect_uri is missing",
            "C11 400 invalid_request: redirect_uri is invalid",
            "C12 400 invalid_request: authorization_code is missing",
            "C13 400 invalid_grant: authorization_code is invalid",
        ]
    );
}

#[test]
fn the_answers_to_a_refresh_token_are_to_the_letter() {
    assert_eq!(
        staged::answers(refresh_token::RULES),
        [
            "F1 401 invalid_request: client_id is missing",
            "F2 401 invalid_client: client_id or client_secret is invalid",
            &format!("F3 {NOT_APPROVED}"),
            &format!("F4 {DEVELOPER}"),
            &format!("F5 {COMPANY}"),
            &format!("F6 {NOT_SUBSCRIBED}"),
            "F7 401 invalid_request: client_secret is missing",
            "F8 401 invalid_client: client_id or client_secret is invalid",
            &format!("F9 {RATE}"),
            "F10 400 invalid_request: refresh_token is missing",
            "F11 401 invalid_grant: refresh_token is invalid",
            "F12 401 invalid_grant: refresh token refresh period has expired",
        ]
    );
}

#[test]
fn an_empty_value_is_there_and_wrong() {
    for (mut case, name, rule) in [
        (Case::sign_in(), "client_id", "B2"),
        (Case::code(), "client_id", "C2"),
        (Case::refresh(), "client_id", "F2"),
        (Case::sign_in(), "redirect_uri", "B9"),
        (Case::code(), "redirect_uri", "C11"),
        (Case::sign_in(), "response_type", "B12"),
        (Case::sign_in(), "state", "accepted"),
    ] {
        case.form.insert(name, "");
        assert_eq!(case.first(), rule, "{name}");
    }
}

#[test]
fn without_a_registered_callback_no_redirect_uri_is_right() {
    for (mut case, rule) in [(Case::sign_in(), "B9"), (Case::code(), "C11")] {
        case.application.callback_url = None;
        assert_eq!(case.all(), [rule]);
    }
}

/// Puts one of a rule's texts into a request of its group.
fn stage(good: &Case, rule: &Rule, text: &'static str) -> Case {
    let mut case = good.clone();
    match rule.id.as_str() {
        "B3" | "C3" | "F3" | "B4" | "C4" | "F4" | "B5" | "C5" | "F5" => {
            case.application.approved = setting(text, "application") == "approved";
            case.application.developer_active = setting(text, "developer") == "active";
            case.application.company_active = setting(text, "company") == "active";
        }
        "B6" | "C6" | "F6" => {
            let has_none = setting(text, "APIs of the application") == "none";
            case.application.scopes = (!has_none).then(Vec::new);
        }
        "B7" | "C9" | "F9" => {
            let name = "requests of the application in the last minute";
            let requests: u32 = setting(text, name).parse().unwrap();
            let is_within = requests <= limits::TOKEN_REQUESTS_A_MINUTE;
            case.quota = if is_within { Quota::Within } else { Quota::Exceeded };
        }
        "C8" | "F8" => {
            let is_right = text.contains("beside this API key");
            case.secret = if is_right { SecretRecord::Right } else { SecretRecord::Wrong };
        }
        "C13" => {
            let is_live = i64::from(seconds_between(text)) < limits::CODE_LIFETIME_S;
            case.code = if is_live { CodeRecord::Live } else { CodeRecord::Unknown };
        }
        "F11" => {
            let sent: Vec<_> = text.lines().filter_map(|line| line.split_once(": ")).collect();
            let is_new = sent[0].1 != sent[1].1;
            case.refresh_token =
                if is_new { RefreshTokenRecord::Live } else { RefreshTokenRecord::Unknown };
        }
        "F12" => {
            let age_ms = i64::from(seconds_between(text)) * 1000;
            let is_live = age_ms < limits::CIS2_REFRESH_WINDOW_MS;
            case.refresh_token =
                if is_live { RefreshTokenRecord::Live } else { RefreshTokenRecord::Expired };
        }
        _ => {
            let example = &rule.example;
            for (name, _) in parameters(example.failing).chain(parameters(example.mended)) {
                case.form.remove(name);
            }
            case.form.extend(parameters(text));
        }
    }
    case
}

#[test]
fn the_failing_example_breaks_its_rule_alone_and_the_mended_one_none() {
    for good in Case::each() {
        example::break_their_rule_alone(good.rules, |rule, text| stage(&good, rule, text));
    }
}
