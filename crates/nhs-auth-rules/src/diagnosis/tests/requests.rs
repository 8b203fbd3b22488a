//! Requests, in the forms that people have them in.

use super::fixture::*;
use crate::diagnosis::RootCause as Cause;
use crate::diagnosis::{Inputs, JwksInput, Report};
use crate::{CLIENT_ASSERTION_TYPE, ID_TOKEN_TYPE};

fn body(assertion: &str) -> String {
    format!(
        "grant_type=client_credentials&client_assertion_type={}&client_assertion={assertion}",
        CLIENT_ASSERTION_TYPE.replace(':', "%3A")
    )
}

fn judge_request(request: &str) -> Report {
    let jwks = Key::usual().jwks(KID);
    judge(&Inputs {
        request: Some(request),
        jwks: Some(JwksInput::Document(&jwks)),
        environment: None,
        token_url: Some(TOKEN_URL),
        ..inputs()
    })
}

fn raw(content_type: &str, body: &str) -> String {
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: int.api.service.nhs.uk\r\nContent-Type: {content_type}\r\n\r\n{body}"
    )
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_good_request_in_every_form_is_clean() {
    let body = body(&good().signed());
    let har = serde_json::json!({"request": {
        "method": "POST", "url": TOKEN_URL,
        "headers": [{"name": "Content-Type", "value": FORM}],
        "postData": {"mimeType": FORM, "text": body},
    }});
    for request in [
        body.clone(),
        raw(FORM, &body),
        format!("curl -X POST '{TOKEN_URL}' \\\n  -H 'Content-Type: {FORM}' \\\n  -d '{body}'"),
        har.to_string(),
        format!("const url = '{TOKEN_URL}';\nconst jwt = \"{}\";\n", good().signed()),
    ] {
        assert_clean(&judge_request(&request));
    }
}

#[test]
fn each_parameter_that_is_wrong() {
    let good = body(&good().signed());
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    for (form, rule) in [
        (with("grant_type=client_credentials&", ""), "R7b"),
        (with("client_credentials", "Client_Credentials"), "R7"),
        (with("client_credentials", "%22client_credentials%22"), "R7"),
        (with("%3A", "%253A"), "A1"),
        (with("client_assertion_type", "client_assertion_typ"), "A1"),
        (with("client_assertion=", "clientAssertion="), "A2"),
        (
            with("client_credentials", "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"),
            "R6",
        ),
    ] {
        assert_one(&judge_request(&raw(FORM, &form)), Cause::ReqForm, rule);
    }
    let exchange = format!("{good}&subject_token_type={ID_TOKEN_TYPE}");
    let report = judge_request(&raw(FORM, &exchange));
    assert_eq!(report.first().unwrap().rule.unwrap().id.as_str(), "A1b");
    let doubled = format!("{good}&grant_type=client_credentials");
    assert_warning(&judge_request(&raw(FORM, &doubled)), Cause::ReqForm);
    let password = with("client_credentials", "password");
    assert_one(&judge_request(&raw(FORM, &password)), Cause::WrongPattern, "R7");
}

#[test]
fn the_content_type_and_the_method() {
    let good = body(&good().signed());
    for content_type in ["application/json", "application/x-www-form-urlencoded; charset=utf-8"] {
        assert_one(&judge_request(&raw(content_type, &good)), Cause::ReqContentType, "R1");
    }
    let get = raw(FORM, &good).replacen("POST", "GET", 1);
    assert_one(&judge_request(&get), Cause::ReqForm, "R8");
}

#[test]
fn what_was_sent_is_judged_as_it_was_sent() {
    let padded = body(&format!("{}%3D%3D", good().signed()));
    assert_one(&judge_request(&raw(FORM, &padded)), Cause::EncPad, "A3");
    let spaced = body(&good().signed().replacen('.', "+.", 1));
    assert_one(&judge_request(&raw(FORM, &spaced)), Cause::EncWs, "A3");
}

#[test]
fn an_assertion_as_access_token_and_an_environment_that_is_another() {
    let request = format!(
        "GET /hello-world/hello/application HTTP/1.1\nHost: int.api.service.nhs.uk\nAuthorization: Bearer {}\n\n",
        good().signed()
    );
    let report = judge(&Inputs { request: Some(&request), environment: None, ..inputs() });
    assert_one(&report, Cause::WrongPattern, "G2");
    let signed = good().signed();
    let report = judge(&Inputs {
        assertions: vec![&signed],
        token_url: Some(TOKEN_URL),
        environment: Some(crate::Environment::PROD),
        ..inputs()
    });
    assert_warning(&report, Cause::EnvMismatch);
}

#[test]
fn parameters_in_the_url_are_none_of_the_forms() {
    let curl = format!("curl -X POST '{TOKEN_URL}?{}'", body(&good().signed()));
    assert_one(&judge_request(&curl), Cause::ReqContentType, "R1");
}
