//! State that outlives the platform.

use nhs_auth_mock::{MockPlatform, NewApp, NewClient, NewIdToken, User};
use nhs_auth_rules::{ID_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT};
use serde_json::json;

use crate::assertion::KID;
use crate::combined::{self, NURSE};
use crate::key::Key;
use crate::world::{FORM, World, encoded, form};

async fn exchange(world: &World, id_token: &str) -> crate::http::Reply {
    let assertion = world.assertion().sign(Key::usual());
    let mut form = form(&assertion).to_vec();
    form[0].1 = TOKEN_EXCHANGE_GRANT;
    form.extend([("subject_token_type", ID_TOKEN_TYPE), ("subject_token", id_token)]);
    world.post(&form).await
}

fn refresh<'a>(world: &'a World, token: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", world.app.api_key()),
        ("client_secret", world.app.client_secret()),
        ("refresh_token", token),
    ]
}

#[tokio::test]
async fn what_a_client_would_miss_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let started = async || MockPlatform::builder().state_file(&path).start().await.unwrap();

    let platform = started().await;
    let app = platform.create_app(NewApp::new("kept").jwks(Key::usual().jwks(KID)).products(["p"]));
    platform.create_product(
        "p",
        ["urn:nhsd:apim:app:level3:hello-world", "urn:nhsd:apim:user-nhs-cis2:aal2:hello-world"],
    );
    platform.create_user(User::cis2("somebody", 2));
    platform.create_client(NewClient::cis2().client_id("rp").client_secret("s")).unwrap();
    let world = World { platform, app };
    world.advance(3600);
    let assertion = world.assertion();
    let burnt = assertion.clone().sign(Key::usual());
    let token = world.present(&burnt).await.json()["access_token"].as_str().unwrap().to_owned();
    let id_token = world.platform.id_token(&NewIdToken::cis2().username("somebody")).unwrap();
    let user = exchange(&world, &id_token).await.json();
    let (user_token, refresh_token) = (
        user["access_token"].as_str().unwrap().to_owned(),
        user["refresh_token"].as_str().unwrap().to_owned(),
    );
    let offset = world.platform.now().0;
    let World { platform, app } = world;
    platform.shutdown().await.unwrap();

    let world = World { platform: started().await, app };
    assert!(world.platform.now().0 >= offset, "the clock goes on where it was");
    assert_eq!(world.call("/hello-world/hello/application", &token).await.status, 200);
    assert_eq!(world.call("/hello-world/hello/user", &user_token).await.status, 200);
    let again = world.assertion().claim("jti", assertion.jti());
    world.ask(again).await;
    assert_eq!(world.rule(), "A13", "a burnt jti stays burnt");
    let refreshed = world.post(&refresh(&world, &refresh_token)).await;
    assert_eq!((refreshed.status, refreshed.json()["refresh_count"].as_str()), (200, Some("1")));
    assert_eq!(
        world.post(&refresh(&world, &refresh_token)).await.error().1,
        "refresh_token is invalid"
    );
    let kids = world
        .get("/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare/connect/jwk_uri", &[])
        .await;
    let kid = nhs_auth_rules::Jwt::decode(&id_token).header.content.unwrap();
    let kid = kid.get("kid").unwrap().as_str().unwrap().into_owned();
    assert_eq!(kids.json()["keys"][0]["kid"], json!(kid), "the provider's key is the same");
    let clients = world.control("GET", "/clients", &json!(null)).await.json();
    assert!(clients["clients"].as_array().unwrap().iter().any(|it| it["client_id"] == "rp"));
}

#[tokio::test]
async fn an_app_of_the_configuration_keeps_its_random_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let mut keys = Vec::new();
    for _ in 0..2 {
        let builder = MockPlatform::builder().state_file(&path).app(NewApp::new("configured"));
        let platform = builder.start().await.unwrap();
        keys.push(platform.first_apps()[0].api_key().to_owned());
        let base = platform.base_url();
        let apps = crate::http::send(&base, "GET", "/_mock/apps", &[], b"").await.unwrap().json();
        assert_eq!(apps["apps"].as_array().unwrap().len(), 1);
        platform.shutdown().await.unwrap();
    }
    assert_eq!(keys[0], keys[1]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone_and_a_damaged_one_is_not_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let platform = MockPlatform::builder().state_file(&path).start().await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    platform.shutdown().await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");

    for damage in ["", "{\"schema\": 1", "{}", "<html>"] {
        std::fs::write(&path, damage).unwrap();
        let error = MockPlatform::builder().state_file(&path).start().await.unwrap_err();
        assert!(error.to_string().contains("state.json"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damage);
    }
}

#[tokio::test]
async fn a_session_that_has_ended_has_ended_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let started = async || MockPlatform::builder().state_file(&path).start().await.unwrap();
    let platform = started().await;
    let app = platform.create_app(combined::app());
    let world = World { platform, app };
    let tokens = combined::signed_in(&world, NURSE).await;
    let other = combined::signed_in(&world, NURSE).await;
    let logout = world.platform.logout_token(&tokens.sid);
    let body = encoded(&[("logout_token", logout.as_str())]);
    let ended = world.send("POST", "/oauth2/backchannel_logout", &[FORM], body.as_bytes()).await;
    assert_eq!(ended.status, 200, "{}", ended.text());
    let World { platform, app } = world;
    platform.shutdown().await.unwrap();

    let world = World { platform: started().await, app };
    let user = "/hello-world/hello/user";
    assert_eq!(world.call(user, &tokens.access_token).await.status, 401);
    assert_eq!(world.call(user, &other.access_token).await.status, 200);
    let refreshed = world.post(&refresh(&world, &tokens.refresh_token)).await;
    assert_eq!(refreshed.error().1, "refresh_token is invalid");
    // The other session can still be ended: on another port now, so by a token of there.
    let sid = json!({"sid": other.sid});
    let logout = world.control("POST", "/logout-tokens", &sid).await.json();
    let body = encoded(&[("logout_token", logout["logout_token"].as_str().unwrap())]);
    let ended = world.send("POST", "/oauth2/backchannel_logout", &[FORM], body.as_bytes()).await;
    assert_eq!(ended.status, 200, "{}", ended.text());
}

#[tokio::test]
async fn the_configuration_goes_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    for (key, callback) in [("k1", "https://a.test/1"), ("k2", "https://a.test/2")] {
        let app = NewApp::new("mine").api_key(key).callback_url(callback);
        let builder = MockPlatform::builder().state_file(&path).app(app);
        let platform = builder.start().await.unwrap();
        assert_eq!(platform.first_apps()[0].api_key(), key);
        let base = platform.base_url();
        let apps = crate::http::send(&base, "GET", "/_mock/apps", &[], b"").await.unwrap().json();
        let apps = apps["apps"].as_array().unwrap();
        assert_eq!(apps.len(), 1);
        assert_eq!(
            (&apps[0]["api_key"], &apps[0]["callback_url"]),
            (&json!(key), &json!(callback))
        );
        platform.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_deleted_is_not_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let started = async || MockPlatform::builder().state_file(&path).start().await.unwrap();
    let platform = started().await;
    let base = platform.base_url();
    platform.create_client(NewClient::cis2().client_id("gone")).unwrap();
    let delete = "/_mock/clients/cis2/gone";
    let deleted = crate::http::send(&base, "DELETE", delete, &[], b"").await.unwrap();
    assert_eq!(deleted.status, 204);
    platform.shutdown().await.unwrap();
    let platform = started().await;
    let clients = crate::http::send(&platform.base_url(), "GET", "/_mock/clients", &[], b"").await;
    assert!(!clients.unwrap().text().contains("gone"));
}
