//! The platform's hosted mocks of the providers: their paths, their client and their users, so
//! that what was written for them works with only the host changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nhs_auth_rules::Environment;
use serde_json::{Value, json};

use crate::browser::{self, Form};
use crate::exchange::Exchange;
use crate::http::Reply;
use crate::jwt::{self, Jwt};
use crate::world::{FORM, World, encoded};

const CREDENTIALS: &str = "/mock-jwks/keycloak-client-credentials";
const REDIRECT_URI: &str = "https://clinic.example/anywhere";

/// The hosted client of one provider, in a realm of it.
struct Hosted<'a> {
    world: &'a World,
    realm: &'static str,
    client: Value,
}

impl<'a> Hosted<'a> {
    async fn new(world: &'a World, provider: &str, realm: &'static str) -> Self {
        let apikey = ("apikey", world.app.api_key());
        let credentials = world.get(CREDENTIALS, &[apikey]).await;
        assert_eq!(credentials.status, 200, "{}", credentials.text());
        Self { world, realm, client: credentials.json()[provider].clone() }
    }

    fn path(&self, endpoint: &str) -> String {
        format!("/realms/{}/protocol/openid-connect/{endpoint}", self.realm)
    }

    fn member(&self, name: &str) -> &str {
        self.client[name].as_str().unwrap()
    }

    /// What a test client does: `auth`, the form, and what comes back.
    async fn code(&self, username: &str) -> String {
        let query = encoded(&[
            ("client_id", self.member("client_id")),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "1234567890"),
        ]);
        let page = self.world.get(&format!("{}?{query}", self.path("auth")), &[]).await;
        let form = Form::on(&page);
        assert!(form.attribute("action").starts_with(&self.world.platform.base_url()));
        let back = browser::redirect(&form.submit(self.world, &[("username", username)]).await);
        assert_eq!((back.to.as_str(), back.parameter("state")), (REDIRECT_URI, "1234567890"));
        back.parameter("code").to_owned()
    }

    async fn redeem(&self, code: &str, secret: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", self.member("client_id")),
            ("client_secret", secret),
            ("redirect_uri", REDIRECT_URI),
            ("code", code),
        ];
        self.world.post_to(&self.path("token"), &form).await
    }

    async fn id_token(&self, username: &str) -> String {
        let code = self.code(username).await;
        let reply = self.redeem(&code, self.member("client_secret")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["id_token"].as_str().unwrap().to_owned()
    }
}

/// What an exchange at that base path meets.
async fn exchanged(world: &World, base_path: &'static str, id_token: &str) -> Reply {
    let subject = Jwt::new(json!({}), json!({}));
    let exchange = Exchange::new(world, subject).at(base_path).with("subject_token", id_token);
    exchange.send(world).await
}

#[tokio::test]
async fn the_clients_are_told_to_who_has_an_api_key() {
    let world = World::new().await;
    let reply = world.get(CREDENTIALS, &[("apikey", world.app.api_key())]).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let told = reply.json();
    for provider in ["cis2", "nhs-login"] {
        for member in ["client_id", "client_secret", "redirect_uri"] {
            assert!(!told[provider][member].as_str().unwrap().is_empty(), "{provider} {member}");
        }
    }
    for headers in [&[][..], &[("apikey", "unknown")][..]] {
        let reply = world.get(CREDENTIALS, headers).await;
        assert_eq!(reply.status, 401);
        assert!(!reply.text().contains("client_secret"));
    }
}

#[tokio::test]
async fn sign_in_and_exchange_as_a_test_client_does() {
    let world = World::new().await;
    for (provider, realm, username, algorithm, level) in [
        (
            "cis2",
            "Cis2-mock-int",
            "656005750104",
            "RS256",
            ("authentication_assurance_level", json!(3)),
        ),
        (
            "nhs-login",
            "NHS-Login-mock-int",
            "9912003071",
            "RS512",
            ("identity_proofing_level", json!("P9")),
        ),
    ] {
        let hosted = Hosted::new(&world, provider, realm).await;
        let id_token = hosted.id_token(username).await;
        let read = Jwt::read(&id_token);
        assert_eq!(read.headers()["alg"], algorithm);
        let claims = read.claims();
        let issuer = format!("{}/realms/{realm}", world.platform.base_url());
        assert_eq!(claims["iss"], issuer);
        assert_eq!(claims["aud"], hosted.client["client_id"]);
        assert_eq!(claims[level.0], level.1);
        // They live for about five minutes.
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        let key_set = world.get(&hosted.path("certs"), &[]).await;
        assert!(jwt::verifies(&id_token, &key_set.json()));
        assert_eq!(exchanged(&world, "/oauth2-mock", &id_token).await.status, 200);
        world.advance(300);
        assert_eq!(exchanged(&world, "/oauth2-mock", &id_token).await.status, 400);
        assert_eq!(world.rule(), "S8");
    }
}

#[tokio::test]
async fn the_tutorials_users_are_in_the_sandbox() {
    let world = World::new().await;
    for (provider, realm) in
        [("cis2", "Cis2-mock-sandbox"), ("nhs-login", "NHS-Login-mock-sandbox")]
    {
        let hosted = Hosted::new(&world, provider, realm).await;
        let id_token = hosted.id_token("tutorialuser").await;
        let reply = exchanged(&world, "/oauth2-mock", &id_token).await;
        let access_token = reply.json()["access_token"].as_str().unwrap().to_owned();
        let hello = world.call("/hello-world/hello/user", &access_token).await;
        assert_eq!(hello.status, 200, "{}", hello.text());
    }
}

#[tokio::test]
async fn the_client_shows_its_secret_in_the_form_or_in_a_header() {
    let world = World::new().await;
    let hosted = Hosted::new(&world, "cis2", "Cis2-mock-int").await;
    let code = hosted.code("656005750104").await;
    let wrong = hosted.redeem(&code, "another").await;
    assert_eq!((wrong.status, wrong.error().0.as_str()), (401, "invalid_client"));
    let credentials = STANDARD.encode(format!(
        "{}:{}",
        hosted.member("client_id"),
        hosted.member("client_secret")
    ));
    let basic = format!("Basic {credentials}");
    let form = encoded(&[
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT_URI),
        ("code", &code),
    ]);
    let headers = [FORM, ("Authorization", basic.as_str())];
    let reply = world.send("POST", &hosted.path("token"), &headers, form.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let access_token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let info = world.call(&hosted.path("userinfo"), &access_token).await;
    assert_eq!((info.status, &info.json()["sub"]), (200, &json!("656005750104")));
    let elsewhere = "/realms/Cis2-mock-ref/protocol/openid-connect/userinfo";
    assert_eq!(world.call(elsewhere, &access_token).await.status, 401, "another realm's");
}

#[tokio::test]
async fn every_environment_but_production_has_its_realms() {
    let world = World::new().await;
    for environment in Environment::ALL {
        for realm in ["Cis2-mock", "NHS-Login-mock"] {
            let realm = format!("/realms/{realm}-{}", environment.name);
            let discovery =
                world.get(&format!("{realm}/.well-known/openid-configuration"), &[]).await;
            if *environment == Environment::PROD {
                assert_eq!(discovery.status, 404);
                continue;
            }
            let document = discovery.json();
            let issuer = world.platform.base_url() + &realm;
            assert_eq!(document["issuer"], issuer);
            for (member, endpoint) in [
                ("authorization_endpoint", "auth"),
                ("token_endpoint", "token"),
                ("userinfo_endpoint", "userinfo"),
                ("jwks_uri", "certs"),
            ] {
                let url = format!("{issuer}/protocol/openid-connect/{endpoint}");
                assert_eq!(document[member], url);
            }
        }
    }
}

#[tokio::test]
async fn a_code_of_one_realm_is_none_of_another() {
    let world = World::new().await;
    let int = Hosted::new(&world, "cis2", "Cis2-mock-int").await;
    let code = int.code("656005750104").await;
    let sandbox = Hosted::new(&world, "cis2", "Cis2-mock-sandbox").await;
    let reply = sandbox.redeem(&code, sandbox.member("client_secret")).await;
    assert_eq!((reply.status, reply.error().0.as_str()), (400, "invalid_grant"));
}
