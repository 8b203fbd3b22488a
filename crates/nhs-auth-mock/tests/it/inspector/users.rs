//! What the pages say of users' sign-ins and tokens.

use nhs_auth_mock::{Fault, FaultKind, NewApp};
use nhs_auth_rules::{CLIENT_ASSERTION_TYPE, ID_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT, subject_token};
use serde_json::{Value, json};

use super::count;
use crate::assertion::KID;
use crate::key::Key;
use crate::world::World;

impl World {
    async fn id_token(&self, asked: &Value) -> String {
        let minted = self.control("POST", "/id-tokens", asked).await;
        assert_eq!(minted.status, 201, "{}", minted.text());
        minted.json()["id_token"].as_str().unwrap().to_owned()
    }

    async fn exchange(&self, id_token: &str) -> u16 {
        let assertion = self.assertion().sign(Key::usual());
        let form = [
            ("grant_type", TOKEN_EXCHANGE_GRANT),
            ("subject_token_type", ID_TOKEN_TYPE),
            ("subject_token", id_token),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        self.post(&form).await.status
    }
}

#[tokio::test]
async fn a_token_exchange_shows_both_its_tokens() {
    let world = World::new().await;
    let id_token = world.id_token(&json!({"provider": "cis2"})).await;
    assert_eq!(world.exchange(&id_token).await, 200);
    let page = world.opened().await;
    assert!(
        page.contains("<h2 id=\"client_assertion\">") && page.contains("<h2 id=\"subject_token\">")
    );
    assert!(
        page.contains("The subject token</h3>") && page.contains("Every rule holds."),
        "{page}"
    );
    assert!(count(&page, "pass") > subject_token::RULES.len());
    for part in id_token.split('.') {
        assert!(!page.contains(part), "{part}");
    }

    let strange = json!({"provider": "cis2", "claims": {"iss": "https://strange.test"}});
    assert_ne!(world.exchange(&world.id_token(&strange).await).await, 200);
    assert_eq!(world.rule(), "S11");
    let page = world.opened().await;
    let underlined =
        "&quot;iss&quot;: <mark class=\"error\">&quot;https://strange.test&quot;</mark>";
    assert!(page.contains(underlined), "{page}");
    assert_eq!(count(&page, "fail"), 1);
}

#[tokio::test]
async fn a_sign_in_that_is_refused_says_why() {
    let app = NewApp::new("web").jwks(Key::usual().jwks(KID)).callback_url("https://a.test/cb");
    let world = World::with_app(app).await;
    let key = world.app.api_key();
    for (query, status, rule, says) in [
        ("client_id=nobody", 401, "B2", "401</b> Refused"),
        ("client_id=KEY&redirect_uri=https://b.test/", 400, "B9", "redirect_uri"),
        ("client_id=KEY&redirect_uri=https://a.test/cb", 302, "B10", "302</b> Refused"),
    ] {
        let query = query.replace("KEY", key);
        let reply = world.get(&format!("/oauth2/authorize?{query}"), &[]).await;
        assert_eq!((reply.status, world.rule()), (status, rule), "{}", reply.text());
        let page = world.opened().await;
        assert!(page.contains("The beginning of a sign-in") && page.contains(says), "{page}");
        assert!(page.contains(&format!("Refused by rule <a href=\"#refused-by\">{rule}</a>")));
    }
    assert_eq!(count(&world.page("/?failed=yes").await, "row"), 3);
}

#[tokio::test]
async fn secrets_of_a_users_sign_in_are_masked() {
    let world = World::new().await;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", world.app.api_key()),
        ("client_secret", world.app.client_secret()),
        ("refresh_token", "hush-of-a-refresh-token"),
    ];
    world.post(&form).await;
    let page = world.opened().await;
    assert!(page.contains("The refresh token</h3>"), "{page}");
    for secret in ["hush-of-a-refresh-token", world.app.client_secret()] {
        assert!(!page.contains(secret), "{secret}: {page}");
    }
}

#[tokio::test]
async fn user_information_is_behind_the_gateway() {
    let world = World::new().await;
    let token = world.token().await;
    world.call("/oauth2/userinfo", &token).await;
    assert_eq!(world.rule(), "U1");
    let page = world.opened().await;
    assert_eq!((count(&page, "pass"), count(&page, "fail")), (3, 1), "{page}");
}

#[tokio::test]
async fn a_fault_that_only_changes_a_request_leaves_it_to_be_judged() {
    let world = World::new().await;
    world.platform.add_fault(Fault::new(FaultKind::UnreachableJwks).times(1));
    world.ask(world.assertion()).await;
    assert_eq!(world.rule(), "A18");
    let page = world.opened().await;
    assert!(page.contains("Refused by rule <a href=\"#refused-by\">A18</a>"), "{page}");
    assert!(page.contains("<code>unreachable-jwks</code> changed how it was served"), "{page}");
    assert!(page.contains("403</b> Refused"), "{page}");
}
