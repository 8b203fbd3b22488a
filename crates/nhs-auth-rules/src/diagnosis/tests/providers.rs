//! Token exchange, CIS2 and NHS login.

use serde_json::json;

use super::fixture::*;
use crate::Environment;
use crate::diagnosis::RootCause as Cause;
use crate::diagnosis::{Inputs, JwksInput, Profile, Report};

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

#[test]
fn a_good_id_token_is_clean() {
    assert_clean(&exchange(&id_token().signed()));
    let nhs_login = id_token()
        .header("alg", "RS512")
        .claim("iss", "https://auth.aos.signin.nhs.uk")
        .claim("identity_proofing_level", "P9");
    assert_clean(&exchange(&nhs_login.signed()));
}

#[test]
fn each_row_of_the_subject_token() {
    for (token, text) in [
        (id_token().without("kid"), "Missing 'kid' header in subject_token JWT"),
        (id_token().without("typ"), "Invalid 'typ' header in subject_token JWT - must be 'JWT'"),
        (id_token().without("alg"), "Missing 'alg' header in subject_token JWT"),
        (id_token().without("exp"), "Missing 'exp' claim in subject_token JWT"),
        (
            id_token().claim("exp", "1800003600"),
            "Invalid 'exp' claim in subject_token JWT - must be an integer",
        ),
        (
            id_token().claim("exp", NOW - 1),
            "Invalid 'exp' claim in subject_token JWT - JWT has expired",
        ),
        (id_token().without("iss"), "Missing 'iss' claim in subject_token JWT"),
        (id_token().without("aud"), "Missing 'aud' claim in subject_token JWT"),
        (
            id_token().claim("iss", CIS2_ISSUER.replace("nhsint", "nhsdep")),
            "Missing or non-matching 'iss' claim in subject_token JWT",
        ),
        (
            id_token().claim("iss", CIS2_ISSUER.replace(":443", "")),
            "Missing or non-matching 'iss' claim in subject_token JWT",
        ),
        (
            id_token()
                .claim("iss", "https://auth.login.nhs.uk")
                .claim("identity_proofing_level", "P9"),
            "Missing or non-matching 'iss' claim in subject_token JWT",
        ),
    ] {
        let report = exchange(&token.signed());
        let first = report.first().unwrap_or_else(|| panic!("{text}: {report:#?}"));
        assert_eq!(first.answer().unwrap().error_description, text, "{report:#?}");
        assert_eq!(errors(&report).len(), 1, "{report:#?}");
    }
}

#[test]
fn an_opaque_token_and_one_that_is_something_else() {
    let report = exchange("9SrRLSaXxM65UGJRlXRa6lqf604a");
    let first = report.first().unwrap();
    assert_eq!(first.cause, Cause::SubjectToken);
    assert_eq!(first.answer().unwrap().error_description, "Malformed JWT in subject_token");
    let access = id_token().claim("tokenName", "access_token").signed();
    assert_eq!(exchange(&access).first().unwrap().cause, Cause::SubjectToken);
}

#[test]
fn a_delegated_token_in_act_sub() {
    let inner = id_token().claim("nhs_number", "9000000009").without("kid").signed();
    let token = id_token()
        .header("alg", "RS512")
        .claim("iss", "https://auth.aos.signin.nhs.uk")
        .claim("identity_proofing_level", "P9")
        .claim("nhs_number", "9000000009")
        .claim("act", json!({"sub": inner}));
    let report = exchange(&token.signed());
    let text = report.first().unwrap().answer().unwrap().error_description;
    assert_eq!(text, "Missing 'kid' header in act.sub JWT");
    assert!(!format!("{report:?}").contains(&inner));
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
