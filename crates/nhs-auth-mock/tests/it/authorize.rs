//! `/authorize`: what it refuses, in which order and by which way, and where it sends the browser.

use nhs_auth_mock::MockPlatform;
use nhs_auth_rules::Environment;

use crate::browser::{self, Redirect};
use crate::client_rows::{self, Request, Row, application_rows, rate_limit_row};
use crate::combined::{self, CALLBACK, NURSE, PATIENT, STATE, authorization_request};
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::world::World;

const fn unauthorized(rule: &'static str, description: &'static str) -> Refusal {
    Refusal::new(rule, 401, "invalid_request", description)
}

/// The rows in the platform's order; those of status 302 are answered by a redirect.
const ROWS: &[Row] = &{
    let [not_approved, no_developer, no_company, no_product] =
        application_rows(["B3", "B4", "B5", "B6"]);
    [
        (unauthorized("B1", "client_id is missing"), |request: &mut Request| {
            request.remove("client_id");
        }),
        (unauthorized("B2", "client_id is invalid"), |request| {
            request.set("client_id", "5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35");
        }),
        not_approved,
        no_developer,
        no_company,
        no_product,
        rate_limit_row("B7"),
        (Refusal::bad_request("B8", "redirect_uri is missing"), |request| {
            request.remove("redirect_uri");
        }),
        (Refusal::bad_request("B9", "redirect_uri is invalid"), |request| {
            request.set("redirect_uri", "https://app.example/callback/");
        }),
        (Refusal::new("B10", 302, "invalid_request", "state is missing"), |request| {
            request.remove("state");
        }),
        (Refusal::new("B11", 302, "invalid_request", "response_type is missing"), |request| {
            request.remove("response_type");
        }),
        (
            Refusal::new("B12", 302, "unsupported_response_type", "response_type is invalid"),
            |request| request.set("response_type", "token"),
        ),
    ]
};

fn assert_refused(world: &World, refusal: &Refusal, request: &Request, reply: &Reply) {
    if refusal.status != 302 {
        return client_rows::assert_answer(world, refusal, reply);
    }
    let redirect = browser::redirect(reply);
    assert_eq!(redirect.to, CALLBACK);
    let mut expected = vec![
        ("error".to_owned(), refusal.error.to_owned()),
        ("error_description".to_owned(), refusal.description.to_owned()),
    ];
    // There is none to give back where it is what is missing.
    expected.extend(request.parameters.get("state").map(|it| ("state".to_owned(), it.clone())));
    assert_eq!(redirect.parameters, expected.into_iter().collect());
    assert!(reply.body.is_empty());
    let latest = world.latest();
    assert_eq!((latest.status, latest.error.as_deref()), (302, Some(refusal.error)));
    assert_eq!(latest.error_description.as_deref(), Some(refusal.description));
}

#[tokio::test]
async fn each_row_alone_and_before_every_later_one() {
    let world = client_rows::world().await;
    let good = Request::new(authorization_request(&world, "nhs-cis2"));
    let send = async |request: &Request| {
        combined::authorize(&world, "/oauth2", &request.parameters()).await
    };
    client_rows::assert_in_order(&world, ROWS, &good, send, |refusal, request, reply| {
        assert_refused(&world, refusal, request, reply);
    })
    .await;
    assert_eq!(send(&good).await.status, 302);
    assert_eq!(world.rule(), "none");
}

#[tokio::test]
async fn a_redirect_uri_is_compared_to_the_letter() {
    let world = combined::world().await;
    for wrong in [
        "",
        "https://APP.example/callback",
        "https://app.example/callback?x=1",
        "https://app.example/",
        "https://evil.example/callback",
        "http://app.example/callback",
    ] {
        let mut request = Request::new(authorization_request(&world, "nhs-cis2"));
        request.set("redirect_uri", wrong);
        let reply = combined::authorize(&world, "/oauth2", &request.parameters()).await;
        assert_eq!((reply.status, reply.header("location")), (400, None), "{wrong}");
        assert_eq!(world.rule(), "B9");
    }
    // An application that has registered none can't be sent back to.
    let world = World::with_app(nhs_auth_mock::NewApp::new("test")).await;
    let request = authorization_request(&world, "nhs-cis2");
    combined::authorize(&world, "/oauth2", &request).await;
    assert_eq!(world.rule(), "B9");
}

#[tokio::test]
async fn an_error_goes_behind_the_query_that_a_redirect_uri_has() {
    const WITH_QUERY: &str = "https://app.example/callback?tenant=a%20b";
    let world = World::with_app(combined::app().callback_url(WITH_QUERY)).await;
    let mut request = Request::new(authorization_request(&world, "nhs-cis2"));
    request.set("redirect_uri", WITH_QUERY);
    request.remove("response_type");
    let redirect =
        browser::redirect(&combined::authorize(&world, "/oauth2", &request.parameters()).await);
    assert_eq!(redirect.to, CALLBACK);
    assert_eq!(redirect.parameter("tenant"), "a b");
    assert_eq!(redirect.parameter("error"), "invalid_request");
    assert_eq!(redirect.parameter("state"), STATE);
}

/// Where a good request with those further parameters is sent.
async fn sent_to_provider(
    world: &World,
    base_path: &str,
    more: &[(&'static str, &str)],
) -> Redirect {
    let mut request = Request::new(authorization_request(world, "nhs-cis2"));
    request.remove("scope");
    for (name, value) in more {
        request.set(name, value);
    }
    browser::redirect(&combined::authorize(world, base_path, &request.parameters()).await)
}

#[tokio::test]
async fn a_healthcare_worker_is_sent_to_cis2() {
    let world = combined::world().await;
    let cis2 = world.platform.cis2_url() + "/authorize";
    for (more, acr_values) in [
        (&[][..], "AAL3_ANY"),
        (&[("scope", "nhs-cis2")][..], "AAL3_ANY"),
        (&[("scope", "anything else")][..], "AAL3_ANY"),
        (&[("acr_values", "AAL2_OR_AAL3_ANY")][..], "AAL2_OR_AAL3_ANY"),
    ] {
        let redirect = sent_to_provider(&world, "/oauth2", more).await;
        assert_eq!(redirect.to, cis2);
        assert_eq!(redirect.parameter("scope"), "openid nationalrbacaccess");
        assert_eq!(redirect.parameter("max_age"), "300");
        assert_eq!(redirect.parameter("acr_values"), acr_values);
        assert_eq!(redirect.parameter("response_type"), "code");
        let callback = world.platform.base_url() + "/oauth2/callback";
        assert_eq!(redirect.parameter("redirect_uri"), callback);
        // The platform is the client there, and the state is its own.
        let client_id = redirect.parameter("client_id");
        assert!(client_id.ends_with(".apps.national"), "{client_id}");
        assert_ne!(redirect.parameter("state"), STATE);
    }
}

#[tokio::test]
async fn a_patient_is_sent_to_nhs_login() {
    let world = combined::world().await;
    let redirect = sent_to_provider(&world, "/oauth2", &[("scope", "nhs-login")]).await;
    assert_eq!(redirect.to, world.platform.nhs_login_url() + "/authorize");
    assert_eq!(redirect.parameter("scope"), "openid profile");
    assert_eq!(redirect.parameter("max_age"), "300");
    assert_eq!(redirect.parameters.get("acr_values"), None);
    // NHS login demands one.
    assert!(!redirect.parameter("nonce").is_empty());
    assert_ne!(redirect.parameter("client_id"), world.app.api_key());
}

#[tokio::test]
async fn each_sign_in_has_a_state_of_its_own() {
    let world = combined::world().await;
    let first = sent_to_provider(&world, "/oauth2", &[]).await;
    let second = sent_to_provider(&world, "/oauth2", &[]).await;
    assert_ne!(first.parameter("state"), second.parameter("state"));
}

#[tokio::test]
async fn the_base_path_chooses_the_provider() {
    let int = World::with(MockPlatform::builder().environment(Environment::INT)).await;
    let app = int.platform.create_app(combined::app());
    let world = World { app, ..int };
    let base_url = world.platform.base_url();
    for (base_path, scope, provider) in [
        ("/oauth2", "nhs-cis2", world.platform.cis2_url() + "/authorize"),
        ("/oauth2", "nhs-login", world.platform.nhs_login_url() + "/authorize"),
        (
            "/oauth2-mock",
            "nhs-cis2",
            format!("{base_url}/realms/Cis2-mock-int/protocol/openid-connect/auth"),
        ),
        (
            "/oauth2-mock",
            "nhs-login",
            format!("{base_url}/realms/NHS-Login-mock-int/protocol/openid-connect/auth"),
        ),
    ] {
        let redirect = sent_to_provider(&world, base_path, &[("scope", scope)]).await;
        assert_eq!(redirect.to, provider, "{base_path} {scope}");
        let callback = format!("{base_url}{base_path}/callback");
        assert_eq!(redirect.parameter("redirect_uri"), callback);
        let person = if scope == "nhs-login" { PATIENT } else { NURSE };
        let back = browser::sign_in(&world, &redirect.url, person.username).await;
        assert_eq!(back.to, callback);
        let to_application = browser::redirect(&browser::open(&world, &back.url).await);
        assert_eq!(to_application.to, CALLBACK);
    }
}
