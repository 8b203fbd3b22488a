//! `POST /token`.

use serde_json::json;

use super::peer::Message;
use super::platform::Platform;
use super::sidecar::{Sidecar, app_named, request, route};
use super::upstream::Upstream;
use nhs_auth_server::{ProxyRoutes, RouteAccess};

/// One that has its first token.
async fn started() -> Sidecar {
    let sidecar = Sidecar::start().await;
    sidecar.platform.until_asked(1).await;
    sidecar
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

async fn asked(sidecar: &Sidecar, kind: &str, body: &str) -> Message {
    let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    let headers = format!("{kind}Content-Length: {}\r\n", body.len());
    sidecar.own_answer(request("POST", "/token", &headers, body)).await
}

fn is_token(answer: &Message, token: &str) {
    let mut body = answer.json();
    assert_eq!(answer.status(), 200, "{body}");
    assert_eq!(answer.head.value("content-type"), Some("application/json"));
    assert_eq!(answer.head.value("cache-control"), Some("no-store"));
    let left = body.as_object_mut().unwrap().remove("expires_in").unwrap();
    assert!((590..=599).contains(&left.as_u64().unwrap()), "{left}");
    assert_eq!(body, json!({"access_token": token, "token_type": "Bearer"}));
}

fn is_refusal(answer: &Message, status: u16, error: &str, description: &str) {
    let body = answer.json();
    assert_eq!((answer.status(), &body["error"]), (status, &error.into()), "{body}");
    let told = body["error_description"].as_str().unwrap();
    assert!(told.contains(description), "{told}");
    assert!(!told.contains("hush"), "{told}");
}

#[tokio::test]
async fn a_token_can_be_asked_for_in_all_the_usual_ways() {
    let sidecar = started().await;
    for (kind, body) in [
        ("", ""),
        (JSON, ""),
        (JSON, "{}"),
        ("application/json; charset=utf-8", r#"{"app":"app"}"#),
        (JSON, r#"{"target":"app","identity_provider":"nhs","skip_cache":false}"#),
        (JSON, r#"{"grant_type":"client_credentials","subject_token":null}"#),
        (FORM, "identity_provider=nhs&target=app"),
        (FORM, "grant_type=client_credentials&skip_cache=false"),
        (FORM, ""),
    ] {
        is_token(&asked(&sidecar, kind, body).await, "token-1");
    }
    // One for this caller alone: the one that is kept stays.
    is_token(&asked(&sidecar, JSON, r#"{"skip_cache":true}"#).await, "token-2");
    is_token(&asked(&sidecar, FORM, "skip_cache=true").await, "token-3");
    is_token(&asked(&sidecar, "", "").await, "token-1");
    assert!(sidecar.upstream.is_left_alone().await);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_users_token_is_exchanged_and_kept() {
    let sidecar = started().await;
    let exchanged = |answer: Message, token: &str| {
        let body = answer.json();
        assert_eq!((answer.status(), &body["access_token"]), (200, &token.into()), "{body}");
        assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        let mut names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["access_token", "expires_in", "issued_token_type", "token_type"]);
    };
    exchanged(asked(&sidecar, JSON, r#"{"subject_token":"user-1"}"#).await, "token-2");
    assert!(sidecar.platform.last().contains("subject_token=user-1"));
    for (kind, body) in [
        (JSON, r#"{"user_token":"user-1","target":"app"}"#),
        (FORM, "identity_provider=nhs&user_token=user-1"),
        (
            FORM,
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=user-1\
                &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token",
        ),
    ] {
        exchanged(asked(&sidecar, kind, body).await, "token-2");
    }
    exchanged(asked(&sidecar, JSON, r#"{"subject_token":"user-2"}"#).await, "token-3");
    exchanged(
        asked(&sidecar, JSON, r#"{"subject_token":"user-1","skip_cache":true}"#).await,
        "token-4",
    );
    assert_eq!(sidecar.platform.asked(), 4);
    sidecar.stop().await;
}

/// Whoever wants a user's token must never be given the application's in its place.
#[tokio::test]
async fn an_exchange_without_a_users_token_is_refused() {
    let sidecar = started().await;
    for body in [
        r#"{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange"}"#,
        r#"{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","subject_token":null}"#,
        r#"{"subject_token_type":"urn:ietf:params:oauth:token-type:id_token"}"#,
    ] {
        is_refusal(&asked(&sidecar, JSON, body).await, 400, "invalid_request", "`subject_token`");
    }
    is_refusal(
        &asked(&sidecar, JSON, r#"{"subject_token":" "}"#).await,
        400,
        "invalid_request",
        "empty",
    );
    assert_eq!(sidecar.platform.asked(), 1);
    sidecar.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_without_repeating_it() {
    let sidecar = started().await;
    for (kind, body, status, error, description) in [
        ("text/plain", "{}", 415, "invalid_request", "application/json"),
        (JSON, "{", 400, "invalid_request", "line 1"),
        (JSON, r#"["hush"]"#, 400, "invalid_request", "can't be read"),
        (JSON, r#""hush""#, 400, "invalid_request", "can't be read"),
        (JSON, r#"{"subject_token":["hush"]}"#, 400, "invalid_request", "can't be read"),
        (JSON, r#"{"app":7}"#, 400, "invalid_request", "can't be read"),
        (JSON, r#"{"skip_cache":"yes"}"#, 400, "invalid_request", "can't be read"),
        (JSON, r#"{"scope":"hush"}"#, 400, "invalid_request", "unknown field `scope`"),
        (JSON, r#"{"app":"a","target":"b"}"#, 400, "invalid_request", "duplicate field"),
        (FORM, "app=a&app=b", 400, "invalid_request", "twice"),
        (FORM, "password=hush", 400, "invalid_request", "unknown field `password`"),
        (
            JSON,
            r#"{"app":"other"}"#,
            400,
            "invalid_request",
            "there is no application `other`: there are `app`",
        ),
        (JSON, r#"{"grant_type":"password"}"#, 400, "unsupported_grant_type", "client credentials"),
        (
            JSON,
            r#"{"subject_token":"hush","subject_token_type":"jwt"}"#,
            400,
            "invalid_request",
            "id_token",
        ),
        (JSON, &format!("{{\"app\":\"{}\"}}", "x".repeat(70_000)), 413, "invalid_request", "65536"),
    ] {
        is_refusal(&asked(&sidecar, kind, body).await, status, error, description);
    }
    for method in ["GET", "PUT", "DELETE"] {
        let answer = sidecar.own_answer(request(method, "/token", "", "")).await;
        assert_eq!((answer.status(), answer.head.value("allow")), (405, Some("POST")));
    }
    let counted = r#"nhs_auth_proxy_requests_total{route="/token",outcome="token",class="4xx"}"#;
    assert!(sidecar.metric(counted).await > 3.0);
    assert_eq!(sidecar.platform.asked(), 1);
    sidecar.stop().await;
}

#[tokio::test]
async fn the_platforms_own_words_are_passed_on() {
    let sidecar = started().await;
    let refusal = r#"{"error":"invalid_grant","error_description":"Subject token is invalid","message_id":"m-1"}"#;
    sidecar.platform.say("400 Bad Request", "", refusal);
    let answer = asked(&sidecar, JSON, r#"{"subject_token":"user-1"}"#).await;
    is_refusal(&answer, 400, "invalid_grant", "Subject token is invalid");
    assert_eq!(answer.json()["message_id"], "m-1");
    // A refusal of one user's is not another's.
    assert_eq!(asked(&sidecar, JSON, r#"{"subject_token":"user-1"}"#).await.status(), 200);

    sidecar.platform.say(
        "401 Unauthorized",
        "",
        r#"{"error":"invalid_request","error_description":"Missing kid"}"#,
    );
    let answer = asked(&sidecar, JSON, r#"{"skip_cache":true}"#).await;
    is_refusal(&answer, 401, "invalid_request", "Missing kid");
    sidecar.stop().await;

    let sidecar = Sidecar::start().await;
    sidecar.platform.say("503 Service Unavailable", "Retry-After: 60\r\n", "<html>");
    let answer = asked(&sidecar, "", "").await;
    is_refusal(&answer, 503, "temporarily_unavailable", "503");
    assert!(answer.head.value("retry-after").is_some());
    sidecar.stop().await;
}

#[tokio::test]
async fn where_there_are_several_applications_one_has_to_be_named() {
    let (platform, upstream) = (Platform::start().await, Upstream::start().await);
    let routes = vec![route("/", &upstream.url(), RouteAccess::Open)];
    let apps = vec![app_named("one", &platform), app_named("two", &platform)];
    let routes = ProxyRoutes::new(routes, apps).unwrap();
    let sidecar = Sidecar::of(routes, platform, upstream, |builder| builder).await;
    is_refusal(&asked(&sidecar, "", "").await, 400, "invalid_request", "`one`, `two`");
    let token = async |body| asked(&sidecar, JSON, body).await.json()["access_token"].clone();
    let two = token(r#"{"app":"two"}"#).await;
    assert_ne!(token(r#"{"target":"one"}"#).await, two);
    assert_eq!(token(r#"{"app":"two"}"#).await, two);
    sidecar.stop().await;
}
