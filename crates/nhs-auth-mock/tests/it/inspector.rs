//! The inspector: what its pages say of requests.

mod apps;
mod live;
mod safety;
mod users;

use nhs_auth_mock::{Fault, FaultKind, NewApp, NewClient};
use nhs_auth_rules::{Rule, assertion, request};
use serde_json::json;

use crate::assertion::KID;
use crate::http::Reply;
use crate::key::Key;
use crate::key_sets::world_of;
use crate::site::Site;
use crate::world::{FORM, World, encoded, form};

impl World {
    /// A page of the inspector.
    async fn page(&self, path: &str) -> String {
        let reply = self.get(path, &[]).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        reply.text().to_owned()
    }

    /// The page of the latest request.
    async fn opened(&self) -> String {
        self.page(&format!("/_mock/inspector/requests/{}", self.latest().id)).await
    }

    /// A form as a browser sends it from one of the inspector's pages.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let origin = self.platform.base_url();
        let headers = [FORM, ("Origin", origin.as_str())];
        self.send("POST", path, &headers, encoded(fields).as_bytes()).await
    }
}

/// How many elements of a list have that class.
fn count(page: &str, class: &str) -> usize {
    page.matches(&format!("<li class=\"{class}\"")).count()
}

#[tokio::test]
async fn the_first_page_has_the_apps_and_the_requests() {
    let world = World::new().await;
    let empty = world.page("/").await;
    assert!(empty.contains("No requests yet"), "{empty}");
    world.token().await;
    world.ask(world.assertion().without_header("typ")).await;
    world.get("/hello-world/hello/world?x=1", &[]).await;
    assert_eq!(world.platform.inspector_url(), world.platform.base_url() + "/");

    let page = world.page("/").await;
    for text in [
        world.app.application_id(),
        world.app.api_key(),
        &world.platform.token_url(),
        "/hello-world/hello/world",
        "<span class=\"rule\">A7</span>",
        "<b>400</b> Refused",
        "<b>200</b> OK",
        KID,
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    // The newest stands first, and the pages themselves are in no list.
    let ids: Vec<_> =
        page.match_indices("data-id=\"").map(|(at, _)| &page[at + 9..at + 10]).collect();
    assert_eq!(ids, ["3", "2", "1"]);
    assert_eq!(world.platform.requests().len(), 3);
}

#[tokio::test]
async fn the_list_is_narrowed_and_turned_over() {
    let world = World::new().await;
    let other = world.platform.create_app(NewApp::new("other"));
    world.get("/hello-world/hello/application", &[("apikey", other.api_key())]).await;
    world.get("/hello-world/hello/application", &[("apikey", world.app.api_key())]).await;
    world.get("/hello-world/hello/application", &[("apikey", "nobody's")]).await;
    for (query, rows) in [
        (String::new(), 3),
        (format!("?app={}", other.application_id()), 1),
        ("?failed=yes".to_owned(), 1),
        ("?q=invalidapikey".to_owned(), 1),
        ("?q=hello+200".to_owned(), 2),
        (format!("?failed=yes&app={}", other.application_id()), 0),
        ("?before=3".to_owned(), 2),
    ] {
        assert_eq!(count(&world.page(&format!("/{query}")).await, "row"), rows, "{query}");
    }
    assert_eq!(world.get("/?before=x", &[]).await.status, 400);

    for _ in 0..200 {
        world.get("/hello-world/hello/world", &[]).await;
    }
    let newest = world.page("/?q=hello").await;
    assert_eq!(count(&newest, "row"), 200);
    assert!(newest.contains("href=\"/?q=hello&amp;before=4\""), "there is a link to the older");
    let older = world.page("/?q=hello&before=4").await;
    assert_eq!(count(&older, "row"), 3);
    assert!(!older.contains("data-events"), "older pages don't grow");
}

#[tokio::test]
async fn an_accepted_request_has_passed_every_rule() {
    let world = World::new().await;
    world.token().await;
    let page = world.opened().await;
    assert!(page.contains("Accepted"));
    assert_eq!(count(&page, "pass"), request::RULES.len() + assertion::RULES.len());
    assert_eq!((count(&page, "fail"), count(&page, "not-reached")), (0, 0));
    // The assertion is decoded, and its times are told.
    assert!(page.contains("&quot;alg&quot;: &quot;RS512&quot;"), "{page}");
    assert!(page.contains("after the request"), "{page}");
}

#[tokio::test]
async fn a_refused_request_stops_at_its_rule() {
    let world = World::new().await;
    world.ask(world.assertion().header("kid", "test1")).await;
    let page = world.opened().await;
    let before = assertion::RULES.iter().take_while(|rule| rule.id.as_str() != "A19").count();
    assert_eq!(count(&page, "pass"), request::RULES.len() + before);
    assert_eq!(count(&page, "fail"), 1);
    assert_eq!(count(&page, "not-reached"), assertion::RULES.len() - before - 1);
    let failed = page.split("<li class=\"fail\"").nth(1).unwrap();
    let failed = failed.split("</li>").next().unwrap();
    assert!(failed.contains("A19") && failed.contains("fail</span>"), "{failed}");
    // The claim at fault is underlined, where it is explained and where it stands.
    let underlined = "&quot;kid&quot;: <mark class=\"error\">&quot;test1&quot;</mark>";
    assert_eq!(page.matches(underlined).count(), 2, "{page}");
    assert!(
        page.contains("<ins>&quot;test-1&quot;</ins>") && page.contains("kid-mismatch"),
        "{page}"
    );
}

#[tokio::test]
async fn each_refusal_is_explained_by_what_it_is_about() {
    let world = World::new().await;
    let other = world.platform.create_app(NewApp::new("nothing").not_subscribed());
    let no_key = world.platform.create_app(NewApp::new("no key"));
    let of = |key: &str| world.assertion().claim("iss", key).claim("sub", key);
    let slash = world.platform.token_url() + "/";
    for (assertion, rule, says) in [
        (world.assertion().claim("aud", slash), "A21", "it has a slash at its end"),
        (world.assertion().claim("exp", 1), "A5", "1970-01-01T00:00:01Z"),
        (world.assertion().claim("exp", "9"), "A5", "<mark class=\"error\">&quot;9&quot;</mark>"),
        (world.assertion().without_claim("jti"), "A11", "<mark class=\"error\">{</mark>"),
        (of(world.app.application_id()), "A15", "an application ID and not an API key"),
        (of(other.api_key()), "A15b", "not subscribed to any API"),
        (of(no_key.api_key()), "A17", "has no public key registered"),
    ] {
        world.ask(assertion).await;
        assert_eq!(world.rule(), rule);
        let page = world.opened().await;
        assert!(page.contains(&format!("Refused by rule <a href=\"#refused-by\">{rule}</a>")));
        assert!(page.contains(says), "{rule}, {says}: {page}");
    }
}

#[tokio::test]
async fn a_jti_that_came_again_leads_to_where_it_came_first() {
    let world = World::new().await;
    let assertion = world.assertion();
    world.ask(assertion.clone()).await;
    world.get("/hello-world/hello/world", &[]).await;
    for again in [assertion.clone(), assertion.claim("iat", 1)] {
        world.ask(again).await;
        let page = world.opened().await;
        assert!(page.contains("Refused by rule <a href=\"#refused-by\">A13</a>"), "{page}");
        assert!(page.contains("/_mock/inspector/requests/1\">in an earlier request"), "{page}");
        assert!(page.contains("&quot;jti&quot;: <mark class=\"error\">"), "{page}");
    }
}

#[tokio::test]
async fn a_key_set_at_a_url_is_explained_by_what_was_fetched() {
    let site = Site::new("200 OK", &Key::usual().jwks("hosted-1")).await;
    let world = world_of(&site).await;
    world.ask(world.assertion().header("kid", "hosted1")).await;
    let page = world.opened().await;
    assert!(page.contains("<ins>&quot;hosted-1&quot;</ins>"), "{page}");
}

#[tokio::test]
async fn what_no_rule_judged_is_told_too() {
    let world = World::new().await;
    world.platform.add_fault(Fault::new(FaultKind::BadGateway).times(1));
    world.ask(world.assertion()).await;
    let page = world.opened().await;
    assert!(
        page.contains("A fault stood in the platform’s place") && page.contains("502 Bad Gateway")
    );
    assert!(page.contains("&quot;alg&quot;"), "the assertion is decoded all the same");
    assert_eq!(count(&page, "pass"), 0);

    world.platform.add_fault(Fault::new(FaultKind::Reset).times(1));
    let sent = crate::http::send(&world.platform.base_url(), "GET", "/gone", &[], b"").await;
    assert!(sent.is_err());
    assert!(world.opened().await.contains("There was none."));

    world.call("/hello-world/hello/application", "nonsense").await;
    let page = world.opened().await;
    assert!(page.contains("The gateway") && page.contains("one of this environment's"), "{page}");
    let gateway: Vec<&Rule> = nhs_auth_rules::gateway::RULES.iter().collect();
    assert_eq!((count(&page, "pass"), count(&page, "fail")), (1, 1));
    assert!(count(&page, "not-reached") < gateway.len() - 2, "the rules of API keys are not its");
}

#[tokio::test]
async fn a_form_in_another_shape_is_read_all_the_same() {
    let world = World::new().await;
    let assertion = world.assertion().sign(Key::usual());
    let pairs = form(&assertion);
    let body = json!({"grant_type": pairs[0].1, "client_assertion": assertion}).to_string();
    let headers = [("Content-Type", "application/json")];
    world.send("POST", "/oauth2/token", &headers, body.as_bytes()).await;
    let page = world.opened().await;
    assert!(page.contains("Refused by rule <a href=\"#refused-by\">R1</a>"), "{page}");
    assert!(page.contains("&quot;client_assertion&quot;: &quot;(masked"), "{page}");

    world.send("POST", "/oauth2/token", &[FORM], b"grant_type=x&grant_type=y&empty=").await;
    let page = world.opened().await;
    assert_eq!(page.matches("<dt>grant_type</dt>").count(), 1, "{page}");
    assert!(page.contains("<code>x</code>") && page.contains("empty</span>"), "{page}");
}

#[tokio::test]
async fn what_a_provider_saw_and_does_not_say_is_told() {
    let world = World::new().await;
    let client = NewClient::cis2().jwks(Key::usual().jwks(KID));
    world.platform.create_client(client).unwrap();
    // The mistake that people make most at CIS2: the platform's API key in its assertion.
    let assertion = world.assertion().sign(Key::usual());
    let mut form = form(&assertion).to_vec();
    form[0].1 = "authorization_code";
    let path = "/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare/access_token";
    let reply = world.send("POST", path, &[FORM], encoded(&form).as_bytes()).await;
    assert_eq!(reply.error().1, "JWT is not valid");
    let page = world.opened().await;
    assert!(page.contains("are an API key of the platform"), "{page}");
}

#[tokio::test]
async fn a_fault_that_only_changed_how_a_request_was_served_did_not_answer_it() {
    let world = World::new().await;
    world.platform.add_fault(Fault::clock_off_by_ms(-1));
    world.ask(world.assertion()).await;
    let page = world.opened().await;
    assert!(page.contains("Accepted") && page.contains("<code>clock</code>"), "{page}");
    assert!(!page.contains("stood in the platform"), "{page}");
}
