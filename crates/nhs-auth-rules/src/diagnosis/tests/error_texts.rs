//! Every text of an error leads to its causes, in today's and in its older wordings.

use super::fixture::*;
use crate::diagnosis::RootCause as Cause;
use crate::diagnosis::{Confidence, Inputs, JwksInput, Severity, causes_of_error};
use crate::{all, explain};

/// Texts that the platform, its gateway and the sign-in services are known to answer with.
const TEXTS: &[(&str, Cause)] = &[
    ("JWT token has expired", Cause::ExpExpired),
    ("Unsupported JWT Algorithm", Cause::Alg),
    ("jti claim must be unique", Cause::JtiReuse),
    ("Invalid exp claim in JWT - JWT has expired", Cause::ExpExpired),
    ("Invalid 'kid' header in JWT - no matching public key", Cause::KidMismatch),
    ("Invalid iss/sub claims in JWT", Cause::IsssubWrongid),
    ("Misconfigured public key - contact us", Cause::NoPublicKey),
    ("You need to register a public key ...", Cause::Unknown),
    ("Content-Type header must be application/x-www-urlencoded", Cause::ReqContentType),
    ("Malformed JWT in client_assertion", Cause::EncWs),
    ("Missing subject_token", Cause::ReqForm),
    ("Malformed JWT in subject_token", Cause::SubjectToken),
    ("Missing 'kid' header in subject_token JWT", Cause::SubjectToken),
    ("Invalid 'typ' header in subject_token JWT - must be 'JWT'", Cause::SubjectToken),
    ("Missing 'alg' header in subject_token JWT", Cause::SubjectToken),
    ("Missing 'exp' claim in subject_token JWT", Cause::SubjectToken),
    ("Invalid 'exp' claim in subject_token JWT - must be an integer", Cause::SubjectToken),
    ("Invalid 'exp' claim in subject_token JWT - JWT has expired", Cause::SubjectToken),
    ("Missing 'iss' claim in subject_token JWT", Cause::IssMissing),
    ("Missing 'aud' claim in subject_token JWT", Cause::SubjectToken),
    ("Missing 'kid' header in act.sub JWT", Cause::SubjectToken),
    ("Missing 'nhs_number' claim in act.sub JWT", Cause::SubjectToken),
    ("Missing or non-matching 'iss' claim in subject_token JWT", Cause::SubjectToken),
    ("Invalid 'kid' header in subject_token JWT - no matching public key", Cause::SubjectToken),
    ("client_id is missing", Cause::ReqForm),
    ("client_id is invalid", Cause::IsssubWrongid),
    ("redirect_uri is missing", Cause::RedirectUri),
    ("redirect_uri is invalid", Cause::RedirectUri),
    ("state is missing", Cause::ReqForm),
    ("response_type is invalid", Cause::ReqForm),
    ("Invalid state parameter.", Cause::StateUnknown),
    ("Invalid 'aud' claim in external ID token JWT", Cause::SubjectToken),
    ("client_id or client_secret is invalid", Cause::ClientSecret),
    ("client_secret is missing", Cause::ClientSecret),
    ("authorization_code is missing", Cause::ReqForm),
    ("authorization_code is invalid", Cause::CodeInvalid),
    ("refresh_token is missing", Cause::ReqForm),
    ("refresh_token is invalid", Cause::RefreshToken),
    ("refresh token refresh period has expired", Cause::RefreshToken),
    ("Malformed JWT in logout_token", Cause::LogoutToken),
    ("Missing/invalid aud claim in JWT", Cause::LogoutToken),
    ("Missing sid claim in JWT", Cause::LogoutToken),
    ("Unable to verify JWT", Cause::LogoutToken),
    ("SID not found", Cause::LogoutToken),
    ("Invalid client identifier {0}", Cause::KeyUnknown),
    ("Unresolved variable : app.asid", Cause::AppAttrs),
    ("JWT is not valid", Cause::UnknownCis2),
    ("Audience validation failed", Cause::Aud),
    ("Client authentication failed", Cause::UnknownCis2),
    ("JWT 'iss' and 'sub' claims must be equal to the client_id", Cause::SubNeClientid),
    ("The provided access grant is invalid, expired, or revoked.", Cause::CodeInvalid),
    ("invalid_client", Cause::KeyMismatch),
    ("invalid_grant", Cause::RedirectUri),
    (
        "The developer app associated with the API key is not approved or revoked",
        Cause::NotApproved,
    ),
];

#[test]
fn every_answer_of_every_rule_has_a_cause() {
    for rule in all().filter(|rule| !rule.answer.error_description.is_empty()) {
        let causes = causes_of_error(rule.answer.error_description);
        assert!(!causes.is_empty(), "{}: {}", rule.id, rule.answer.error_description);
        // The rule itself, or one of the same answer, is among them.
        let is_named = causes
            .iter()
            .filter_map(|cause| cause.rule)
            .any(|named| named.answer.error_description == rule.answer.error_description);
        assert!(is_named, "{} {causes:#?}", rule.id);
        let body = format!(
            r#"{{"error":"{}","error_description":"{}","message_id":"x"}}"#,
            rule.answer.error, rule.answer.error_description
        );
        // A gateway's error code says more than its text.
        if !rule.answer.error.starts_with("keymanagement") {
            assert_eq!(causes_of_error(&body)[0].cause, causes[0].cause, "{body}");
        }
    }
}

#[test]
fn every_known_wording_has_its_cause_in_any_quotes_and_case() {
    for (text, first) in TEXTS {
        let causes = causes_of_error(text);
        if *first == Cause::Unknown {
            assert!(causes.is_empty(), "{text}");
            continue;
        }
        assert_eq!(causes.first().map(|cause| cause.cause), Some(*first), "{text}");
        for other in
            [text.to_uppercase(), text.replace('\'', "\u{2019}"), format!("  \"{text}\"\n")]
        {
            let found = causes_of_error(&other);
            assert_eq!(found.first().map(|cause| cause.cause), Some(*first), "{other}");
        }
    }
    let fault = r#"{"fault":{"faultstring":"Invalid Access Token","detail":{"errorcode":"keymanagement.service.invalid_access_token"}}}"#;
    assert_eq!(causes_of_error(fault)[0].cause, Cause::AccessTokenUnknown);
    assert!(causes_of_error("all is well").is_empty());
}

#[test]
fn each_cause_in_the_table_says_what_it_is_and_what_to_do() {
    for (text, _) in TEXTS {
        for cause in causes_of_error(text) {
            assert!(cause.message.len() > 10 && !cause.message.ends_with('.'), "{cause:?}");
            assert!(cause.fix.len() > 5 && !cause.fix.ends_with('.'), "{cause:?}");
            assert_ne!(cause.confidence, Confidence::Certain);
        }
    }
}

#[test]
fn an_error_alone_gives_no_error() {
    let error = explain("A15").unwrap().answer.error_description;
    let report = judge(&Inputs { error: Some(error), ..inputs() });
    assert!(report.findings.len() >= 4 && !report.has_error(), "{report:#?}");
    assert!(report.findings.iter().all(|finding| !finding.first));
    assert_eq!(report.findings[0].cause, Cause::IsssubWrongid);
    assert!(!report.unchecked.is_empty());
}

#[test]
fn an_error_asks_for_what_would_tell() {
    let asked = |id: &str| {
        let error = explain(id).unwrap().answer.error_description;
        let report = judge(&Inputs { error: Some(error), ..inputs() });
        let needs: Vec<_> = report.unchecked.iter().map(|it| it.needs.clone()).collect();
        needs.join("; ")
    };
    assert!(asked("A19").contains("the registered key set"), "{}", asked("A19"));
    assert_eq!(asked("S3"), "the subject token and the environment");
    assert_eq!(asked("D9"), "the subject token and the environment");
    for id in ["B9", "C8", "F11", "I1", "L10", "G2", "U1"] {
        assert_eq!(asked(id), "", "{id}");
    }
}

#[test]
fn every_text_of_a_new_flow_leads_to_its_rule() {
    for (id, text) in [
        ("S8", "Invalid 'exp' claim in subject_token JWT - JWT has expired"),
        ("D4", "Missing 'alg' header in act.sub JWT"),
        ("B11", "response_type is missing"),
        ("C8", "client_id or client_secret is invalid"),
        ("F12", "refresh token refresh period has expired"),
        ("I6", "Invalid 'kid' header in external ID token JWT - no matching public key"),
        ("L7", "Prohibited nonce claim in JWT"),
    ] {
        let rule = causes_of_error(text)[0].rule.unwrap();
        assert_eq!(rule.answer, explain(id).unwrap().answer, "{text} leads to {}", rule.id);
    }
}

#[test]
fn a_good_assertion_beside_an_error_leaves_what_only_the_platform_knows() {
    let jwks = Key::usual().jwks(KID);
    let signed = good().signed();
    let judged = |id: &str| {
        judge(&Inputs {
            assertions: vec![&signed],
            jwks: Some(JwksInput::Document(&jwks)),
            error: Some(explain(id).unwrap().answer.error_description),
            ..inputs()
        })
    };
    let report = judged("A19");
    assert!(!report.has_error());
    let cache = report.findings.iter().find(|f| f.cause == Cause::JwksCache).unwrap();
    assert_eq!((cache.severity, cache.confidence), (Severity::Warning, Confidence::Likely));
    assert!(cache.message.contains("wait until 09:00 UTC"), "{}", cache.message);
    assert!(report.findings.iter().all(|finding| finding.cause != Cause::KidMismatch));
    let report = judged("A15");
    let causes: Vec<_> = report.findings.iter().map(|finding| finding.cause).collect();
    assert!(causes.contains(&Cause::NotApproved) && causes.contains(&Cause::NotSubscribed));
    let report = judged("A3");
    assert!(report.findings.iter().any(|f| f.cause == Cause::SubjectToken), "{report:#?}");
}
