//! Clients that nobody here wrote, at the platform in a box: PyPI's pytest-nhsd-apim and Authlib,
//! npm's openid-client. They are told another host, and nothing else.

use std::process::Command;

use serde_json::{Value, json};

use crate::installed::{node, project, python};
use crate::running_mock::RunningMock;
use crate::scene::{Run, run};

const HEALTHCARE_WORKER: &str = "656005750104";
const PATIENT: &str = "9912003071";

/// What a script printed.
fn printed(run: Run) -> Value {
    serde_json::from_str(&run.exits(0).stdout).unwrap()
}

fn at_the_box(mut command: Command, script: &str, arguments: &[&str]) -> Run {
    let mock = RunningMock::start();
    command.arg(project("tests/interop").join(script)).arg(mock.base_url()).args(arguments);
    run(&mut command, "")
}

fn nhsd_apim(arguments: &[&str]) -> Value {
    let arrived = printed(at_the_box(python(), "nhsd_apim_authenticators.py", arguments));
    assert_eq!(arrived["token"]["token_type"], "Bearer");
    assert_eq!(arrived["token"]["expires_in"], "599");
    arrived
}

#[test]
fn pytest_nhsd_apim_gets_a_token_by_client_credentials() {
    let arrived = nhsd_apim(&["client-credentials"]);
    assert_eq!(arrived["greeting"], json!({"status": 200, "message": "Hello Application!"}));
}

#[test]
fn pytest_nhsd_apim_signs_users_in_by_authorization_code() {
    for (scope, username, lifetime) in
        [("nhs-cis2", HEALTHCARE_WORKER, "43199"), ("nhs-login", PATIENT, "3599")]
    {
        let arrived = nhsd_apim(&["authorization-code", scope, username]);
        assert_eq!(arrived["greeting"], json!({"status": 200, "message": "Hello User!"}));
        assert_eq!(arrived["token"]["refresh_token_expires_in"], lifetime);
        assert_eq!(arrived["token"]["refresh_count"], "0");
    }
}

#[test]
fn pytest_nhsd_apim_exchanges_the_hosted_mocks_id_tokens() {
    for (realm, username, lifetime) in
        [("Cis2-mock-int", HEALTHCARE_WORKER, "43199"), ("NHS-Login-mock-int", PATIENT, "3599")]
    {
        let arrived = nhsd_apim(&["token-exchange", realm, username]);
        assert_eq!(arrived["greeting"], json!({"status": 200, "message": "Hello User!"}));
        assert_eq!(arrived["token"]["refresh_token_expires_in"], lifetime);
        let issued = &arrived["token"]["issued_token_type"];
        assert_eq!(issued, "urn:ietf:params:oauth:token-type:access_token");
    }
}

#[test]
fn authlib_signs_a_healthcare_worker_in_at_cis2() {
    for method in ["client_secret_post", "private_key_jwt"] {
        let arguments = [method, HEALTHCARE_WORKER];
        let arrived = printed(at_the_box(python(), "authlib_cis2.py", &arguments));
        let (claims, userinfo) = (&arrived["claims"], &arrived["userinfo"]);
        assert_eq!(claims["aud"], arrived["client_id"]);
        assert_eq!(claims["acr"], "AAL3_ANY");
        assert_eq!(claims["sub"], userinfo["sub"]);
        assert!(userinfo["nhsid_nrbac_roles"][0]["person_roleid"].is_string(), "{userinfo}");
    }
}

#[test]
fn cis2_refuses_the_lifetime_of_authlibs_assertions() {
    let arguments = ["private_key_jwt", HEALTHCARE_WORKER, "--default-lifetime"];
    let refused = at_the_box(python(), "authlib_cis2.py", &arguments).exits(1);
    assert_eq!(refused.stderr, "invalid_client: JWT is not valid\n");
}

#[test]
fn nhs_login_refuses_the_audience_of_openid_clients_assertions() {
    let arguments = ["nhs-login", PATIENT, "--default-audience"];
    let refused = at_the_box(node(), "openid_client.mjs", &arguments).exits(1);
    assert!(refused.stderr.starts_with("invalid_client: "), "{}", refused.stderr);
}

#[test]
fn openid_client_signs_users_in_at_both_providers() {
    for (provider, username) in [("cis2", HEALTHCARE_WORKER), ("nhs-login", PATIENT)] {
        let arrived = printed(at_the_box(node(), "openid_client.mjs", &[provider, username]));
        let (claims, userinfo) = (&arrived["claims"], &arrived["userinfo"]);
        assert_eq!(claims["aud"], arrived["client_id"]);
        assert_eq!(claims["sub"], userinfo["sub"]);
        if provider == "cis2" {
            assert_eq!(claims["acr"], "AAL3_ANY");
        } else {
            assert_eq!(claims["vot"], "P9.Cp.Cd");
            assert_eq!(claims["identity_proofing_level"], "P9");
            assert_eq!(userinfo["nhs_number"].as_str().map(str::len), Some(10));
        }
    }
}
