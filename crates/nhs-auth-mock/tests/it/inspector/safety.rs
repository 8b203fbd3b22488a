//! What the inspector keeps to itself, and from whom.

use nhs_auth_mock::NewApp;
use serde_json::json;

use crate::assertion::KID;
use crate::key::Key;
use crate::world::{FORM, World, encoded, form};

const PAGES: [&str; 8] = [
    "/",
    "/?q=x&show=secrets",
    "/_mock/inspector/apps",
    "/_mock/inspector/requests/1",
    "/_mock/inspector/style.css",
    "/_mock/inspector/live.js",
    "/_mock/inspector/icon.svg",
    "/_mock/inspector/nothing/here",
];

#[tokio::test]
async fn every_answer_is_guarded() {
    let world = World::new().await;
    world.token().await;
    let mut replies = Vec::new();
    for path in PAGES {
        replies.push(world.get(path, &[]).await);
        replies.push(world.get(path, &[("Origin", "https://evil.test")]).await);
        replies.push(world.send("POST", path, &[], b"").await);
        replies.push(world.send("DELETE", "/_mock/inspector/apps", &[], b"").await);
    }
    // The platform has a POST to `/` for itself.
    replies.retain(|reply| !reply.text().contains("message_id\":"));
    assert_eq!(replies.len(), 4 * PAGES.len() - 2);
    for reply in replies {
        assert_eq!(
            reply.header("content-security-policy"),
            Some(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                 img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            )
        );
        assert_eq!(reply.header("referrer-policy"), Some("same-origin"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"));
    }
    // Nothing of it is among the platform's requests but that POST.
    let paths: Vec<_> = world.platform.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/oauth2/token", "/", "/"]);
}

#[tokio::test]
async fn the_pages_obey_their_own_policy() {
    let world = World::new().await;
    world.ask(world.assertion().header("kid", "x")).await;
    for path in ["/", "/_mock/inspector/apps", "/_mock/inspector/requests/1"] {
        let page = world.page(path).await;
        for inline in [" style=", "<style", " onclick=", " onload=", "javascript:", "data:"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
        let scripts: Vec<_> = page.match_indices("<script").map(|(at, _)| &page[at..]).collect();
        assert!(scripts.iter().all(|script| script.starts_with("<script src=\"/_mock/inspector/")));
        for (at, _) in page.match_indices("href=\"") {
            assert!(page[at + 6..].starts_with(['/', '#']), "{path}: {}", &page[at..at + 40]);
        }
    }
    for (path, content_type) in [
        ("style.css", "text/css; charset=utf-8"),
        ("live.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let reply = world.get(&format!("/_mock/inspector/{path}"), &[]).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)));
        assert!(!reply.text().contains("url(http") && !reply.text().contains("@import"));
    }
}

#[tokio::test]
async fn a_foreign_page_or_name_sees_nothing() {
    let world = World::new().await;
    world.token().await;
    let base_url = world.platform.base_url();
    let localhost = base_url.replace("http://127.0.0.1", "localhost");
    let foreign = format!("evil.test:{}", world.platform.address().port());
    for path in PAGES.into_iter().chain(["/_mock/inspector/events"]) {
        for (name, value) in [
            ("Origin", "https://evil.test"),
            ("Origin", "null"),
            ("Host", "evil.test"),
            ("Host", foreign.as_str()),
        ] {
            let reply = world.get(path, &[(name, value)]).await;
            assert_eq!(reply.status, 403, "{path} {name}: {value}");
            assert!(!reply.text().contains(world.app.api_key()), "{path} {name}: {value}");
        }
    }
    assert_eq!(world.get("/", &[("Host", &localhost)]).await.status, 200);
    assert_eq!(world.get("/", &[("Origin", &base_url)]).await.status, 200);
}

#[tokio::test]
async fn a_form_is_taken_from_the_pages_own_alone() {
    let world = World::new().await;
    let base_url = world.platform.base_url();
    let path = format!("/_mock/inspector/apps/{}/delete", world.app.application_id());
    let kept: [&[(&str, &str)]; 6] = [
        &[],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Origin", "https://evil.test")],
        &[("Origin", "null"), ("Sec-Fetch-Site", "same-origin")],
        &[("Origin", &base_url), ("Host", "evil.test")],
    ];
    for headers in kept {
        assert_eq!(world.send("POST", &path, headers, b"").await.status, 403, "{headers:?}");
    }
    assert!(world.page("/").await.contains(world.app.application_id()));
    let taken: [&[(&str, &str)]; 3] = [
        &[("Sec-Fetch-Site", "same-origin")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", &base_url), ("Sec-Fetch-Site", "same-origin")],
    ];
    for headers in taken {
        let made = world.send("POST", "/_mock/inspector/apps", headers, b"name=x").await;
        assert_eq!(made.status, 303, "{headers:?}");
    }
}

#[tokio::test]
async fn a_page_has_no_secret_in_it_until_it_is_asked_for() {
    let world = World::new().await;
    let signed = world.assertion().sign(Key::usual());
    let token = {
        let reply = world.present(&signed).await;
        reply.json()["access_token"].as_str().unwrap().to_owned()
    };
    let signature = signed.rsplit('.').next().unwrap();
    let secret = world.app.client_secret();
    let hushed = "hush-4f1c9b77";
    let bearer =
        [("Authorization", format!("Bearer {token}")), ("Cookie", format!("sid={hushed}"))];
    let bearer: Vec<_> = bearer.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.get(&format!("/hello-world/hello/application?code={hushed}"), &bearer).await;
    let mut parameters = form(&signed).to_vec();
    parameters.extend([
        ("client_secret", hushed),
        ("refresh_token", hushed),
        ("code", hushed),
        ("subject_token", &signed),
        ("unheard_of", &signed),
    ]);
    world.post(&parameters).await;
    world.send("POST", "/oauth2/token", &[], format!("{{\"code\":\"{hushed}\"}}").as_bytes()).await;
    world.send("POST", "/oauth2/token", &[], format!("<p>{token}</p>").as_bytes()).await;
    let status = [("apikey", hushed)];
    world.get("/oauth2/_status", &status).await;

    let secrets = [&token, signature, &signature[100..140], secret, hushed];
    let mut paths = vec!["/".to_owned()];
    paths.extend((1..=6).map(|id| format!("/_mock/inspector/requests/{id}")));
    paths.push(format!("/_mock/inspector/apps/{}", world.app.application_id()));
    let mut seen = String::new();
    for path in paths {
        let masked = world.page(&path).await;
        for secret in secrets {
            assert!(!masked.contains(secret), "{path}: {secret}: {masked}");
        }
        assert!(masked.contains("Show secrets") && masked.contains("?show=secrets"), "{path}");
        let shown = world.page(&format!("{path}?show=secrets")).await;
        assert!(shown.contains("Mask secrets"), "{path}");
        seen.push_str(&shown);
    }
    for secret in secrets {
        assert!(seen.contains(secret), "{secret} is shown when it is asked for");
    }
}

#[tokio::test]
async fn a_private_key_that_was_uploaded_is_masked_too() {
    let mut jwk = Key::usual().jwk(KID);
    jwk["d"] = json!("hush-d-hush");
    let jwks = json!({"keys": [jwk]}).to_string();
    let world = World::with_app(NewApp::new("careless").jwks(&jwks)).await;
    let path = format!("/_mock/inspector/apps/{}", world.app.application_id());
    let masked = world.page(&path).await;
    assert!(!masked.contains("hush-d-hush") && masked.contains("private"), "{masked}");
    assert!(world.page(&format!("{path}?show=secrets")).await.contains("hush-d-hush"));
    // What the form doesn't show it doesn't change.
    world.submit(&path, &[("name", "renamed"), ("approved", "yes")]).await;
    let api = format!("/apps/{}", world.app.application_id());
    let shown = world.control("GET", &api, &serde_json::Value::Null).await.json();
    assert_eq!((&shown["name"], shown["jwks"].to_string()), (&json!("renamed"), jwks));
}

#[tokio::test]
async fn whatever_is_sent_stays_text() {
    let script = "<script>alert(1)</script>\"'&";
    let world = World::with_app(NewApp::new(script).callback_url(script)).await;
    let jwks = Key::usual().jwks(script);
    let path = format!("/_mock/inspector/apps/{}", world.app.application_id());
    let all = [("name", script), ("jwks", &jwks), ("callback_url", script), ("subscribed", "yes")];
    assert_eq!(world.submit(&path, &all).await.status, 303);
    world.ask(world.assertion().header("kid", script).claim(script, script)).await;
    world.get("/x%3Cscript%3E?%3Cscript%3E=%3Cscript%3E", &[("X-Y", script)]).await;
    world.post(&[(script, script)]).await;
    let query = encoded(&[("q", script), ("app", script)]);
    let mut paths = vec!["/".to_owned(), format!("/?{query}"), path];
    paths.extend((1..=3).map(|id| format!("/_mock/inspector/requests/{id}")));
    for path in paths {
        let separator = if path.contains('?') { '&' } else { '?' };
        for path in [path.clone(), format!("{path}{separator}show=secrets")] {
            let page = world.page(&path).await;
            assert!(!page.contains("<script>"), "{path}: {page}");
            assert!(!page.contains("\"'&\""), "{path}: {page}");
        }
    }
    let headers = [FORM, ("Sec-Fetch-Site", "none")];
    let wrong = encoded(&[("name", script), ("rate_limit", script)]);
    let reply = world.send("POST", "/_mock/inspector/apps", &headers, wrong.as_bytes()).await;
    assert_eq!(reply.status, 400);
    assert!(!reply.text().contains("<script>") && reply.text().contains("&lt;script&gt;"));
}
