//! Applications, made and changed in a browser.

use serde_json::{Value, json};

use crate::assertion::KID;
use crate::key::Key;
use crate::world::World;

const NONE: Value = Value::Null;

#[tokio::test]
async fn an_app_is_made_changed_and_deleted_by_forms() {
    let world = World::new().await;
    let form = world.page("/_mock/inspector/apps").await;
    for name in
        ["name", "jwks", "jwks_url", "scopes", "products", "callback_url", "rate_limit", "approved"]
    {
        assert!(form.contains(&format!("name=\"{name}\"")), "{name}");
    }
    let jwks = Key::usual().jwks(KID);
    let scopes = "urn:nhsd:apim:app:level3:hello-world\r\n\r\n urn:nhsd:apim:app:level3:other ";
    let fields = [
        ("name", "made in a browser"),
        ("jwks", &*jwks),
        ("jwks_url", ""),
        ("subscribed", "yes"),
        ("scopes", scopes),
        ("products", "records\r\nhello-world"),
        ("callback_url", "https://a.test/cb"),
        ("rate_limit", "7"),
        ("approved", "yes"),
        ("developer_active", "yes"),
        ("company_active", "yes"),
    ];
    let made = world.submit("/_mock/inspector/apps", &fields).await;
    assert_eq!(made.status, 303);
    let page = made.header("location").unwrap().to_owned();
    assert!(world.page(&page).await.contains("The app is made."));
    let path = page.split('?').next().unwrap().to_owned();
    let api = path.replace("/_mock/inspector", "");
    let app = world.control("GET", &api, &NONE).await.json();
    assert_eq!(app["name"], "made in a browser");
    assert_eq!(app["jwks"].to_string(), jwks);
    assert_eq!(app["callback_url"], "https://a.test/cb");
    assert_eq!((&app["rate_limit"], &app["approved"]), (&json!(7), &json!(true)));
    assert_eq!(
        app["scopes"],
        json!(["urn:nhsd:apim:app:level3:hello-world", "urn:nhsd:apim:app:level3:other"])
    );
    assert_eq!(app["products"], json!(["records", "hello-world"]));
    let key = app["api_key"].as_str().unwrap();
    let assertion = world.assertion().claim("iss", key).claim("sub", key);
    assert_eq!(world.ask(assertion).await.status, 200);

    // What isn't ticked is not sent; what is emptied is removed.
    let fields =
        [("name", "changed"), ("jwks", ""), ("jwks_url", "https://a.test/k"), ("scopes", "")];
    let changed = world.submit(&path, &fields).await;
    assert_eq!(changed.header("location"), Some(format!("{path}?done=saved").as_str()));
    let app = world.control("GET", &api, &NONE).await.json();
    assert_eq!((&app["name"], &app["jwks_url"]), (&json!("changed"), &json!("https://a.test/k")));
    assert_eq!((&app["scopes"], &app["approved"]), (&NONE, &json!(false)));
    assert!(app.get("jwks").is_none() && app.get("rate_limit").is_none());
    assert!(app.get("callback_url").is_none());

    assert_eq!(world.submit(&format!("{path}/delete"), &[]).await.header("location"), Some("/"));
    assert_eq!(world.control("GET", &api, &NONE).await.status, 404);
    for path in [path.clone(), format!("{path}/delete")] {
        assert_eq!(world.submit(&path, &[("name", "x")]).await.status, 404);
    }
    assert_eq!(world.get(&path, &[]).await.status, 404);
}

#[tokio::test]
async fn what_is_refused_is_said_and_nothing_typed_is_lost() {
    let world = World::new().await;
    let path = format!("/_mock/inspector/apps/{}", world.app.application_id());
    for action in ["/_mock/inspector/apps", &path] {
        for (fields, says) in [
            (
                [("rate_limit", "many"), ("jwks", "")],
                "<code>rate_limit</code> must be a whole number",
            ),
            ([("jwks_url", "https://a.test/"), ("jwks", "{}")], "one key set"),
        ] {
            let fields = [&fields[..], &[("name", "half typed")]].concat();
            let reply = world.submit(action, &fields).await;
            assert_eq!(reply.status, 400);
            let page = reply.text();
            assert!(page.contains(says) && page.contains("role=\"alert\""), "{page}");
            assert!(page.contains("half typed") && page.contains(fields[0].1), "{page}");
        }
    }
    let apps = world.control("GET", "/apps", &NONE).await.json();
    assert_eq!(apps["apps"].as_array().unwrap().len(), 1);
    assert_eq!(apps["apps"][0]["name"], "test");
}

#[tokio::test]
async fn a_key_set_is_looked_over() {
    let world = World::new().await;
    let path = format!("/_mock/inspector/apps/{}", world.app.application_id());
    world.submit(&path, &[("name", "test"), ("jwks", r#"{"keys":[{"kty":"RSA"}]}"#)]).await;
    let page = world.page(&path).await;
    assert!(page.contains("class=\"finding error\"") && page.contains("(no kid)"), "{page}");
}

#[tokio::test]
async fn an_app_of_any_id_has_a_page() {
    let id = "../a b?c#d/é";
    let app = nhs_auth_mock::NewApp::new("odd").application_id(id);
    let world = World::with_app(app).await;
    let page = world.page("/").await;
    let link = page.split("<h3><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(world.page(link).await.contains(id));
}
