//! The rules' own examples, judged.

use serde_json::json;

use super::Case;
use crate::staged::example::{self, members, overlay, parameters, setting};
use crate::{Example, IdentityProvider, Rule};

/// Puts one of a rule's texts into a token exchange.
fn stage(rule: &Rule, text: &'static str) -> Case {
    let example = &rule.example;
    match rule.id.as_str() {
        "S1" => {
            let mut case = Case::good();
            case.form.truncate(2);
            case.form.extend(parameters(text));
            case
        }
        "S2" => {
            let mut case = Case::good();
            let (_, compact) = parameters(text).next().unwrap();
            if example.failing == text {
                case.compact = Some(compact.to_owned());
            } else {
                assert!(crate::Jwt::decode(compact).is_well_formed());
            }
            case
        }
        "S3" | "S4" | "S5" | "S13" | "S14" => in_the_header(example, text),
        "S11" => {
            let mut case = in_the_payload(example, text);
            let is_productions = case.payload["iss"] == json!("https://auth.login.nhs.uk");
            case.provider = is_productions.then_some(IdentityProvider::NhsLogin);
            case
        }
        "S12" => {
            let mut case = Case::good();
            case.key_set = case.key_set.filter(|_| text.ends_with("200"));
            case
        }
        "S16" => {
            let mut case = Case::cis2();
            let level = setting(text, "authentication_assurance_level of the user");
            case.payload["authentication_assurance_level"] = json!(level);
            case.scope = setting(text, "scopes of the APIs");
            case
        }
        "D1" => {
            let mut case = Case::good();
            let act_sub = members(text)["act"]["sub"].clone();
            let is_jwt = crate::Jwt::decode(act_sub.as_str().unwrap()).is_well_formed();
            case.act_sub = (!is_jwt).then_some(act_sub);
            case
        }
        "D2" | "D3" | "D4" => {
            let mut case = Case::good();
            overlay(&mut case.delegated_header, example, text);
            case
        }
        "D5" | "D6" | "D7" | "D8" | "D9" => {
            let mut case = Case::good();
            overlay(&mut case.delegated_payload, example, text);
            case
        }
        _ => in_the_payload(example, text),
    }
}

fn in_the_header(example: &Example, text: &str) -> Case {
    let mut case = Case::good();
    overlay(&mut case.header, example, text);
    case
}

fn in_the_payload(example: &Example, text: &str) -> Case {
    let mut case = Case::good();
    overlay(&mut case.payload, example, text);
    case
}

#[test]
fn the_failing_one_breaks_its_rule_alone_and_the_mended_one_none() {
    example::break_their_rule_alone(super::RULES, stage);
}
