//! Token exchange, CIS2 and NHS login.

use serde_json::json;

use super::fixture::*;
use crate::diagnosis::RootCause as Cause;
use crate::diagnosis::{Diagnosed, Inputs, JwksInput, Profile, Report};
use crate::{Environment, ID_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT};

const CIS2_CLIENT: &str = "123456789012.apps.supplier";
const CIS2_URL: &str = "https://am.nhsint.auth-ptl.cis2.spineservices.nhs.uk:443/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare/access_token";
const CIS2_ISSUER: &str = "https://am.nhsint.auth-ptl.cis2.spineservices.nhs.uk:443/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare";

fn id_token() -> Assertion {
    Assertion {
        header: json!({"alg": "RS256", "typ": "JWT", "kid": "b/O6Ov+y0="}),
        payload: json!({
            "iss": CIS2_ISSUER, "aud": CIS2_CLIENT, "sub": "1", "exp": NOW + 3600,
            "authentication_assurance_level": "3",
        }),
    }
}

fn exchange(subject_token: &str) -> Report {
    judge(&Inputs {
        subject_token: Some(subject_token),
        profile: Profile::TokenExchange,
        ..inputs()
    })
}

/// The rules that fail, the one that the platform names first in front.
fn rules(report: &Report) -> Vec<&'static str> {
    let ids = |finding: &&Diagnosed| finding.rule.unwrap().id.as_str();
    let rules: Vec<_> = errors(report).iter().map(ids).collect();
    let first = report.first().map(|finding| ids(&finding));
    assert_eq!(first, rules.first().copied(), "{report:#?}");
    rules
}

fn nhs_login() -> Assertion {
    id_token()
        .header("alg", "RS512")
        .claim("iss", "https://auth.aos.signin.nhs.uk")
        .claim("nhs_number", "9912003071")
        .claim("identity_proofing_level", "P9")
}

#[test]
fn a_good_id_token_is_clean() {
    assert_clean(&exchange(&id_token().signed()));
    assert_clean(&exchange(&nhs_login().signed()));
}

#[test]
fn each_row_of_the_subject_token() {
    for (token, rule) in [
        (id_token().without("kid"), "S3"),
        (id_token().header("typ", "at+jwt"), "S4"),
        (id_token().without("alg"), "S5"),
        (id_token().without("exp"), "S6"),
        (id_token().claim("exp", "1800003600"), "S7"),
        (id_token().claim("exp", NOW - 1), "S8"),
        (id_token().without("iss"), "S9"),
        (id_token().without("aud"), "S10"),
        (id_token().claim("iss", CIS2_ISSUER.replace("nhsint", "nhsdep")), "S11"),
        (id_token().claim("iss", CIS2_ISSUER.replace(":443", "")), "S11"),
        (nhs_login().claim("iss", "https://auth.login.nhs.uk"), "S11"),
        (nhs_login().claim("iss", "https://example.org"), "S11"),
        (nhs_login().claim("iss", 7), "S11"),
        (id_token().header("alg", "ES256"), "S14"),
        (nhs_login().without("identity_proofing_level"), "S15"),
    ] {
        let report = exchange(&token.signed());
        assert_eq!(rules(&report), [rule], "{report:#?}");
        assert_eq!(errors(&report)[0].labels.len(), 1, "{report:#?}");
    }
}

#[test]
fn every_row_that_fails_is_named_at_once_in_the_platforms_order() {
    let token = nhs_login()
        .without("typ")
        .header("alg", "none")
        .without("identity_proofing_level")
        .claim("exp", NOW - 7200)
        .claim("iss", "https://auth.login.nhs.uk");
    let report = exchange(&token.signed());
    assert_eq!(rules(&report), ["S4", "S8", "S11", "S14", "S15"]);
    let expired =
        "the subject token expired 2 hours before the request: the user must sign in again";
    assert_eq!(errors(&report)[1].message, expired);
}

#[test]
fn what_is_wrong_with_the_assertion_is_named_before() {
    let jwks = Key::usual().jwks(KID);
    let (assertion, token) =
        (good().claim("aud", "x").signed(), id_token().without("kid").signed());
    let report = judge(&Inputs {
        assertions: vec![&assertion],
        jwks: Some(JwksInput::Document(&jwks)),
        subject_token: Some(&token),
        ..inputs()
    });
    assert_eq!(rules(&report), ["A21", "S3"]);
}

#[test]
fn what_was_sent_without_a_subject_token_lacks_one() {
    let sent = |form: &str| judge(&Inputs { request: Some(form), ..inputs() });
    let exchange = format!("grant_type={TOKEN_EXCHANGE_GRANT}&subject_token_type={ID_TOKEN_TYPE}");
    let report = sent(&format!("{exchange}&subjectToken=x"));
    let lacks =
        errors(&report).into_iter().find(|finding| finding.rule.unwrap().id.as_str() == "S1");
    assert_eq!(lacks.unwrap().message, "there is no `subject_token`, but a `subjectToken`");
    let report = sent(&format!("{exchange}&subject_token="));
    assert!(rules(&report).contains(&"S2"), "{report:#?}");
}

#[test]
fn without_an_environment_nobody_can_tell_whom_it_trusts() {
    let unchecked = |iss: &str, environment| {
        let token = nhs_login().claim("iss", iss).signed();
        let report = judge(&Inputs {
            subject_token: Some(&token),
            profile: Profile::TokenExchange,
            environment,
            ..inputs()
        });
        assert_clean(&report);
        assert_eq!(report.platform_only.len(), 1, "{report:#?}");
        report.unchecked.iter().map(|it| it.rule.id.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(unchecked("https://auth.aos.signin.nhs.uk", None), ["S11"]);
    assert_eq!(unchecked("http://127.0.0.1:9000", None), ["S11", "S15", "S16"]);
    assert_eq!(unchecked("https://auth.aos.signin.nhs.uk", Some(Environment::INT)), [""; 0]);
}

#[test]
fn a_mock_stands_in_for_one_provider() {
    let rules_at = |realm: &str, environment: Environment| {
        let iss = format!("https://identity.ptl.api.platform.nhs.uk/realms/{realm}");
        let token =
            nhs_login().claim("iss", iss).claim("authentication_assurance_level", 3).signed();
        rules(&judge(&Inputs {
            subject_token: Some(&token),
            profile: Profile::TokenExchange,
            environment: Some(environment),
            ..inputs()
        }))
    };
    // Behind dev's usual base path are CIS2's mock and the real NHS login.
    assert_eq!(rules_at("Cis2-mock-internal-dev", Environment::DEV), [""; 0]);
    assert_eq!(rules_at("NHS-Login-mock-internal-dev", Environment::DEV), ["S11"]);
    assert_eq!(rules_at("NHS-Login-mock-sandbox", Environment::SANDBOX), [""; 0]);
    assert_eq!(rules_at("another", Environment::SANDBOX), ["S11"]);
    assert_eq!(rules_at("Cis2-mock-int", Environment::INT), ["S11"]);
}

#[test]
fn a_cis2_token_without_a_level_keeps_no_scope() {
    let report = exchange(&id_token().without("authentication_assurance_level").signed());
    assert_warning(&report, Cause::NotSubscribed);
    let rule = report.findings[0].rule.unwrap();
    assert_eq!(rule.id.as_str(), "S16");
}

#[test]
fn an_opaque_token_and_one_that_is_something_else() {
    let report = exchange("9SrRLSaXxM65UGJRlXRa6lqf604a");
    let first = report.first().unwrap();
    assert_eq!(first.cause, Cause::SubjectToken);
    assert_eq!(first.answer().unwrap().error_description, "Malformed JWT in subject_token");
    // CIS2's access tokens have no aud.
    let access = id_token().claim("tokenName", "access_token").without("aud").signed();
    assert_eq!(rules(&exchange(&access)), ["S10"]);
    // The platform doesn't look at what kind of token it is, if it has everything.
    let access = id_token().claim("tokenName", "access_token").signed();
    assert_warning(&exchange(&access), Cause::SubjectToken);
    let report = exchange(&good().signed());
    assert_eq!(rules(&report), ["S11"]);
    assert!(errors(&report)[0].message.contains("is a client assertion"), "{report:#?}");
    assert!(errors(&report)[0].fixes[0].text.contains("`id_token`"), "{report:#?}");
}

#[test]
fn each_row_of_the_delegated_token() {
    let inner = || nhs_login().claim("nhs_number", "9912003072").claim("exp", NOW - 1);
    let carrying = |sub: &str| nhs_login().claim("act", json!({"sub": sub})).signed();
    assert_clean(&exchange(&carrying(&inner().signed())));
    for (inner, rule) in [
        (inner().without("kid"), "D2"),
        (inner().header("typ", "at+jwt"), "D3"),
        (inner().without("alg"), "D4"),
        (inner().without("exp"), "D5"),
        (inner().claim("exp", "1800003600"), "D6"),
        (inner().without("iss"), "D7"),
        (inner().without("aud"), "D8"),
        (inner().without("nhs_number"), "D9"),
    ] {
        let inner = inner.signed();
        let report = exchange(&carrying(&inner));
        assert_eq!(rules(&report), [rule], "{report:#?}");
        let label = &errors(&report)[0].labels[0];
        assert!(report.source(label.source).name.starts_with("act.sub"), "{report:#?}");
        assert!(!format!("{report:?}").contains(&inner));
    }
    let report = exchange(&carrying("9912003072"));
    assert_eq!(rules(&report), ["D1"], "{report:#?}");
    let label = &errors(&report)[0].labels[0];
    let source = report.source(label.source);
    assert_eq!(&source.text[label.span.start..label.span.end], r#""9912003072""#);
}

fn cis2() -> Assertion {
    good().claim("iss", CIS2_CLIENT).claim("sub", CIS2_CLIENT).claim("aud", CIS2_URL)
}

fn judge_profile(profile: Profile, assertion: &str) -> Report {
    let jwks = Key::usual().jwks(KID);
    judge(&Inputs {
        assertions: vec![assertion],
        jwks: Some(JwksInput::Document(&jwks)),
        profile,
        environment: Some(Environment::INT),
        ..inputs()
    })
}

#[test]
fn cis2s_own_rules() {
    assert_clean(&judge_profile(Profile::Cis2, &cis2().without("typ").signed()));
    assert_clean(&judge_profile(Profile::Cis2, &cis2().claim("exp", NOW + 900).signed()));
    for (assertion, cause) in [
        (cis2().claim("iss", API_KEY).claim("sub", API_KEY), Cause::IsssubWrongid),
        (cis2().claim("aud", CIS2_URL.replace(":443", "")), Cause::Aud),
        (cis2().claim("aud", CIS2_ISSUER), Cause::Aud),
        (cis2().claim("exp", NOW + 3600), Cause::ExpLong),
        (cis2().claim("exp", (NOW + 150).to_string()), Cause::ExpType),
        (cis2().claim("iat", NOW.to_string()), Cause::ExpType),
        (cis2().claim("nbf", NOW.to_string()), Cause::ExpType),
        (cis2().without("iss"), Cause::IssMissing),
        (cis2().without("sub"), Cause::SubMissing),
        (cis2().header("kid", "other"), Cause::KidMismatch),
    ] {
        let report = judge_profile(Profile::Cis2, &assertion.signed());
        assert_one(&report, cause, "");
    }
    let lost =
        judge_profile(Profile::Cis2, &cis2().claim("aud", CIS2_URL.replace(":443", "")).signed());
    assert!(errors(&lost)[0].message.contains("lacks the port `:443`"), "{lost:#?}");
}

#[test]
fn the_client_id_of_the_form() {
    let jwks = Key::usual().jwks(KID);
    let request = format!(
        "grant_type=authorization_code&client_id=999999999999.apps.supplier&client_assertion={}",
        cis2().signed()
    );
    let report = judge(&Inputs {
        request: Some(&request),
        jwks: Some(JwksInput::Document(&jwks)),
        profile: Profile::Cis2,
        ..inputs()
    });
    assert_one(&report, Cause::SubNeClientid, "");
}

#[test]
fn nhs_logins_own_rules() {
    let own = || {
        good()
            .claim("iss", "client")
            .claim("sub", "client")
            .claim("aud", "https://auth.aos.signin.nhs.uk/token")
    };
    assert_clean(&judge_profile(Profile::NhsLogin, &own().signed()));
    assert_clean(&judge_profile(Profile::NhsLogin, &own().without("jti").signed()));
    for (assertion, cause) in [
        (own().claim("aud", "https://auth.aos.signin.nhs.uk"), Cause::Aud),
        (own().claim("exp", "1800000150"), Cause::ExpType),
        (own().claim("iss", CIS2_CLIENT).claim("sub", CIS2_CLIENT), Cause::IsssubWrongid),
    ] {
        assert_one(&judge_profile(Profile::NhsLogin, &assertion.signed()), cause, "");
    }
}

#[test]
fn a_foreign_audience_is_seen_without_an_environment() {
    let jwks = Key::usual().jwks(KID);
    let causes = |aud: &str| {
        let assertion = good().claim("iss", "client").claim("sub", "client").claim("aud", aud);
        let assertion = assertion.signed();
        let report = judge(&Inputs {
            assertions: vec![&assertion],
            jwks: Some(JwksInput::Document(&jwks)),
            environment: None,
            token_url: None,
            profile: Profile::NhsLogin,
            ..inputs()
        });
        report.findings.iter().map(|finding| finding.cause).collect::<Vec<_>>()
    };
    assert_eq!(causes("https://example.org/token"), [Cause::Aud]);
    assert_eq!(causes("https://auth.login.nhs.uk/token"), []);
}
