//! Which provider's ID tokens a base path takes, environment by environment.

use nhs_auth_mock::MockPlatform;
use nhs_auth_rules::Environment;
use serde_json::{Value, json};

use crate::combined;
use crate::exchange::Exchange;
use crate::jwt::Jwt;
use crate::refusal::Refusal;
use crate::world::World;

const WRONG_ISSUER: Refusal =
    Refusal::bad_request("S11", "Missing or non-matching 'iss' claim in subject_token JWT");

async fn world_of(environment: Environment) -> World {
    let platform = MockPlatform::builder().environment(environment).start().await.unwrap();
    let app = platform.create_app(combined::app());
    World { platform, app }
}

/// An ID token of that provider; of a hosted mock where a realm is named.
async fn id_token(world: &World, provider: &str, realm: Option<&str>) -> String {
    let mut body = json!({"provider": provider});
    if let Some(realm) = realm {
        body["realm"] = json!(realm);
    }
    let made = world.control("POST", "/id-tokens", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id_token"].as_str().unwrap().to_owned()
}

/// Whether the base path takes that token.
async fn takes(world: &World, base_path: &'static str, id_token: &str) -> bool {
    let subject = Jwt::new(json!({}), json!({}));
    let exchange = Exchange::new(world, subject).at(base_path).with("subject_token", id_token);
    let reply = exchange.send(world).await;
    if reply.status != 200 {
        WRONG_ISSUER.assert(world, &reply);
    }
    reply.status == 200
}

#[tokio::test]
async fn int_takes_the_real_ones_at_one_path_and_the_mocks_at_the_other() {
    let world = world_of(Environment::INT).await;
    for (provider, realm) in [("cis2", "Cis2-mock-int"), ("nhs-login", "NHS-Login-mock-int")] {
        let real = id_token(&world, provider, None).await;
        let mock = id_token(&world, provider, Some(realm)).await;
        assert!(takes(&world, "/oauth2", &real).await);
        assert!(!takes(&world, "/oauth2", &mock).await);
        assert!(!takes(&world, "/oauth2-mock", &real).await);
        assert!(takes(&world, "/oauth2-mock", &mock).await);
    }
    let elsewhere = id_token(&world, "cis2", Some("Cis2-mock-ref")).await;
    assert!(!takes(&world, "/oauth2-mock", &elsewhere).await, "another environment's mock");
}

#[tokio::test]
async fn dev_takes_each_combination_at_a_path_of_its_own() {
    let world = world_of(Environment::DEV).await;
    let cis2 = id_token(&world, "cis2", None).await;
    let cis2_mock = id_token(&world, "cis2", Some("Cis2-mock-dev")).await;
    let nhs_login = id_token(&world, "nhs-login", None).await;
    let nhs_login_mock = id_token(&world, "nhs-login", Some("NHS-Login-mock-dev")).await;
    for (base_path, trusted) in [
        ("/oauth2", [false, true, true, false]),
        ("/oauth2-dep", [false, false, false, true]),
        ("/oauth2-mock-dep", [false, true, false, true]),
    ] {
        for (token, is_trusted) in
            [&cis2, &cis2_mock, &nhs_login, &nhs_login_mock].into_iter().zip(trusted)
        {
            let issuer = Jwt::read(token).claims()["iss"].to_string();
            assert_eq!(takes(&world, base_path, token).await, is_trusted, "{base_path} {issuer}");
        }
    }
}

#[tokio::test]
async fn cis2s_deployment_environment_is_trusted_at_a_path_of_its_own() {
    let world = world_of(Environment::DEV).await;
    let real = world.platform.cis2_url();
    let origin = world.platform.base_url();
    let deployment = real.replace(&origin, &format!("{origin}/deployment"));
    let body = json!({"provider": "cis2", "claims": {"iss": deployment}});
    let made = world.control("POST", "/id-tokens", &body).await.json();
    let token = made["id_token"].as_str().unwrap();
    assert!(takes(&world, "/oauth2-dep", token).await);
    assert!(!takes(&world, "/oauth2", token).await);
    assert!(!takes(&world, "/oauth2-mock-dep", token).await);
}

#[tokio::test]
async fn an_environment_has_its_own_base_paths_and_no_other() {
    const ALL: [&str; 6] =
        ["/oauth2", "/oauth2-mock", "/oauth2-dep", "/oauth2-mock-dep", "/oauth2-int", "/oauth3"];
    for (name, own) in [
        ("prod", &["/oauth2"][..]),
        ("int", &["/oauth2", "/oauth2-mock"]),
        ("dev", &["/oauth2", "/oauth2-dep", "/oauth2-mock-dep"]),
        ("sandbox", &["/oauth2", "/oauth2-mock"]),
        ("ref", &["/oauth2", "/oauth2-mock"]),
        ("internal-dev", &["/oauth2", "/oauth2-mock"]),
        ("internal-qa", &["/oauth2", "/oauth2-mock", "/oauth2-int"]),
    ] {
        let world = world_of(Environment::named(name).unwrap()).await;
        for base_path in ALL {
            for endpoint in ["/token", "/authorize", "/callback", "/userinfo", "/_ping"] {
                let method = if endpoint == "/token" { "POST" } else { "GET" };
                let path = format!("{base_path}{endpoint}");
                let reply = world.send(method, &path, &[], b"").await;
                let is_there = reply.status != 404;
                assert_eq!(is_there, own.contains(&base_path), "{name} {path}");
                if !is_there {
                    let not_found = ("invalid_request".to_owned(), "Not Found".to_owned());
                    assert_eq!(reply.error(), not_found);
                }
            }
        }
    }
}

#[tokio::test]
async fn production_and_the_mock_only_environments() {
    let prod = world_of(Environment::PROD).await;
    let real = id_token(&prod, "cis2", None).await;
    let mock = id_token(&prod, "cis2", Some("Cis2-mock-int")).await;
    assert!(takes(&prod, "/oauth2", &real).await);
    assert!(!takes(&prod, "/oauth2", &mock).await);

    let sandbox = world_of(Environment::SANDBOX).await;
    let real = id_token(&sandbox, "nhs-login", None).await;
    let mock = id_token(&sandbox, "nhs-login", Some("NHS-Login-mock-sandbox")).await;
    for base_path in ["/oauth2", "/oauth2-mock"] {
        assert!(!takes(&sandbox, base_path, &real).await);
        assert!(takes(&sandbox, base_path, &mock).await);
    }

    let qa = world_of(Environment::named("internal-qa").unwrap()).await;
    let real = id_token(&qa, "nhs-login", None).await;
    let mock = id_token(&qa, "nhs-login", Some("NHS-Login-mock-internal-qa")).await;
    assert!(takes(&qa, "/oauth2-int", &real).await && !takes(&qa, "/oauth2-int", &mock).await);
    assert!(!takes(&qa, "/oauth2", &real).await && takes(&qa, "/oauth2", &mock).await);
}

#[tokio::test]
async fn where_nothing_is_said_both_paths_trust_all_of_the_boxs_own() {
    let world = World::new().await;
    for base_path in ["/oauth2", "/oauth2-mock"] {
        for (provider, realm) in [
            ("cis2", None),
            ("nhs-login", None),
            ("cis2", Some("Cis2-mock-int")),
            ("cis2", Some("Cis2-mock-sandbox")),
            ("nhs-login", Some("NHS-Login-mock-int")),
        ] {
            let token = id_token(&world, provider, realm).await;
            assert!(takes(&world, base_path, &token).await, "{base_path} {realm:?}");
        }
        let own = world.platform.cis2_url();
        for wrong in [
            json!(format!("{own}/")),
            json!(own.to_uppercase()),
            json!(own.replace("Healthcare", "healthcare")),
            json!(own.replace("http:", "https:")),
            json!(format!("{}/realms/cis2-mock-int", world.platform.base_url())),
            json!(world.platform.base_url()),
            json!(format!("{}/oauth2", world.platform.base_url())),
            json!(["http://127.0.0.1"]),
            Value::from(7),
        ] {
            let body = json!({"provider": "cis2", "claims": {"iss": wrong}});
            let made = world.control("POST", "/id-tokens", &body).await.json();
            let token = made["id_token"].as_str().unwrap();
            assert!(!takes(&world, base_path, token).await, "{base_path} {wrong}");
        }
    }
}

#[tokio::test]
async fn a_logout_is_of_the_cis2_that_the_base_path_trusts() {
    let world = world_of(Environment::INT).await;
    let tokens = combined::signed_in(&world, combined::NURSE).await;
    let logout_token = world.platform.logout_token(&tokens.sid);
    let form = [("logout_token", logout_token.as_str())];
    let reply = world.post_to("/oauth2-mock/backchannel_logout", &form).await;
    assert_eq!((reply.status, world.rule()), (400, "L4"));
    assert_eq!(world.post_to("/oauth2/backchannel_logout", &form).await.status, 200);
}
