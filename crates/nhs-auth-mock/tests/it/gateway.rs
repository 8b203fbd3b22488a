//! Hello World, and the gateway in front of it.

use nhs_auth_mock::NewApp;
use serde_json::json;

use crate::assertion::KID;
use crate::http::Reply;
use crate::key::Key;
use crate::world::World;

const APPLICATION: &str = "/hello-world/hello/application";
const USER: &str = "/hello-world/hello/user";

/// The gateway's fault, to the letter.
pub(crate) fn assert_fault(reply: &Reply, code: &str, text: &str) {
    assert_eq!(reply.status, 401);
    let body =
        format!(r#"{{"fault":{{"faultstring":"{text}","detail":{{"errorcode":"{code}"}}}}}}"#);
    assert_eq!(reply.text(), body);
    let challenge =
        format!(r#"Bearer realm="null",error="invalid_token",error_description="{code}: {text}""#);
    assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()));
}

pub(crate) const NO_TOKEN: (&str, &str) = ("oauth.v2.InvalidAccessToken", "Invalid access token");
pub(crate) const UNKNOWN: (&str, &str) =
    ("keymanagement.service.invalid_access_token", "Invalid Access Token");
pub(crate) const EXPIRED: (&str, &str) =
    ("keymanagement.service.access_token_expired", "Access Token expired");

#[tokio::test]
async fn hello_to_those_who_may() {
    let world = World::new().await;
    let reply = world.get("/hello-world/hello/world", &[]).await;
    assert_eq!(reply.text(), r#"{"message":"Hello World!"}"#);
    let token = world.token().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let authorization = format!("{scheme} {token}");
        let reply = world.get(APPLICATION, &[("Authorization", &authorization)]).await;
        assert_eq!(reply.text(), r#"{"message":"Hello Application!"}"#);
    }
    let id = world.app.application_id();
    assert_eq!(world.latest().application_id.as_deref(), Some(id));
    let api_key = [("apikey", world.app.api_key())];
    let reply = world.get(APPLICATION, &api_key).await;
    assert_eq!(reply.text(), r#"{"message":"Hello Application!"}"#);
}

#[tokio::test]
async fn the_names_of_a_request_come_back() {
    let world = World::new().await;
    let names = [("X-Request-ID", "r-1"), ("X-Correlation-ID", "c-1")];
    for path in ["/hello-world/hello/world", APPLICATION, USER] {
        let reply = world.get(path, &names).await;
        assert_eq!(reply.header("x-request-id"), Some("r-1"), "{path}");
        assert_eq!(reply.header("x-correlation-id"), Some("c-1"), "{path}");
    }
}

#[tokio::test]
async fn no_token_and_an_unknown_one() {
    let world = World::new().await;
    for path in [APPLICATION, USER] {
        assert_fault(&world.get(path, &[]).await, NO_TOKEN.0, NO_TOKEN.1);
        assert_eq!(world.rule(), "G1");
        for empty in ["Bearer", "Bearer ", "Basic eA==", "token"] {
            let reply = world.get(path, &[("Authorization", empty)]).await;
            assert_fault(&reply, NO_TOKEN.0, NO_TOKEN.1);
        }
        let reply = world.call(path, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa").await;
        assert_fault(&reply, UNKNOWN.0, UNKNOWN.1);
        assert_eq!(world.rule(), "G2");
    }
}

#[tokio::test]
async fn a_token_expires_by_the_platforms_clock_and_is_remembered() {
    let world = World::new().await;
    let token = world.token().await;
    world.advance(595);
    assert_eq!(world.call(APPLICATION, &token).await.status, 200);
    world.advance(5);
    for _ in 0..2 {
        let reply = world.call(APPLICATION, &token).await;
        assert_fault(&reply, EXPIRED.0, EXPIRED.1);
        assert_eq!(world.rule(), "G3");
        assert_eq!(world.latest().error.as_deref(), Some(EXPIRED.0));
        world.advance(3600);
    }
    world.advance(2 * 86_400);
    assert_fault(&world.call(APPLICATION, &token).await, UNKNOWN.0, UNKNOWN.1);
}

#[tokio::test]
async fn an_applications_token_is_no_users() {
    let world = World::new().await;
    let token = world.token().await;
    let reply = world.call(USER, &token).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["fault"]["detail"]["errorcode"], "steps.oauth.v2.InsufficientScope");
}

#[tokio::test]
async fn a_token_of_an_app_without_the_api_or_without_the_app() {
    let app = NewApp::new("test")
        .jwks(Key::usual().jwks(KID))
        .scopes(["urn:nhsd:apim:app:level3:another-api"]);
    let world = World::with_app(app).await;
    let token = world.token().await;
    assert_fault(
        &world.call(APPLICATION, &token).await,
        "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound",
        "Invalid API call as no apiproduct match found",
    );
    let path = format!("/apps/{}", world.app.application_id());
    world.control("DELETE", &path, &json!(null)).await;
    assert_fault(&world.call(APPLICATION, &token).await, UNKNOWN.0, UNKNOWN.1);
}

#[tokio::test]
async fn an_api_key_that_will_not_do() {
    let world = World::new().await;
    let reply = world.get(APPLICATION, &[("apikey", "unknown")]).await;
    assert_fault(&reply, "oauth.v2.InvalidApiKey", "Invalid ApiKey");
    for app in [
        NewApp::new("no API").not_subscribed(),
        NewApp::new("not approved").approved(false),
        NewApp::new("users alone").scopes(["urn:nhsd:apim:user-nhs-cis2:aal3:hello-world"]),
    ] {
        let app = world.platform.create_app(app);
        let reply = world.get(APPLICATION, &[("apikey", app.api_key())]).await;
        assert_fault(
            &reply,
            "oauth.v2.InvalidApiKeyForGivenResource",
            "Invalid ApiKey for given resource",
        );
    }
    // A token that is tried decides, whatever the key.
    let headers = [("apikey", world.app.api_key()), ("Authorization", "Bearer x")];
    assert_fault(&world.get(APPLICATION, &headers).await, UNKNOWN.0, UNKNOWN.1);
}
