//! The control API's part in sign-in: ID tokens and logout tokens without a browser, clients,
//! products and users.

use serde_json::{Value, json};

use crate::browser;
use crate::combined::{self, NURSE};
use crate::exchange::Exchange;
use crate::jwt::{self, Jwt};
use crate::key::Key;
use crate::relying_party::{CLIENT_KID, REDIRECT_URI, RelyingParty, discovery};
use crate::world::World;

const NONE: Value = Value::Null;

/// The ID token that the control API makes of that body.
async fn id_token(world: &World, body: &Value) -> String {
    let made = world.control("POST", "/id-tokens", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made.as_object().unwrap().len(), 1);
    made["id_token"].as_str().unwrap().to_owned()
}

/// The rule that an exchange of it meets.
async fn exchanged(world: &World, id_token: &str) -> &'static str {
    let subject = Jwt::new(json!({}), json!({}));
    Exchange::new(world, subject).with("subject_token", id_token).send(world).await;
    world.rule()
}

#[tokio::test]
async fn an_id_token_as_its_provider_issues_it() {
    let world = World::new().await;
    for (body, sub, level, issuer) in [
        (
            json!({"provider": "cis2"}),
            Some("656005750104"),
            ("authentication_assurance_level", json!(3)),
            world.platform.cis2_url(),
        ),
        (
            json!({"provider": "cis2", "username": "656005750109"}),
            Some("656005750109"),
            ("authentication_assurance_level", json!(2)),
            world.platform.cis2_url(),
        ),
        (
            json!({"provider": "nhs-login"}),
            None,
            ("identity_proofing_level", json!("P9")),
            world.platform.nhs_login_url(),
        ),
        (
            json!({"provider": "nhs-login", "username": "9912003073", "realm": "NHS-Login-mock-int"}),
            None,
            ("identity_proofing_level", json!("P0")),
            world.platform.base_url() + "/realms/NHS-Login-mock-int",
        ),
    ] {
        let token = id_token(&world, &body).await;
        let document = discovery(&world, &issuer).await;
        let key_set = browser::open(&world, document["jwks_uri"].as_str().unwrap()).await;
        assert!(jwt::verifies(&token, &key_set.json()), "{body}");
        let read = Jwt::read(&token);
        let claims = read.claims();
        assert_eq!((&claims["iss"], &claims[level.0]), (&json!(issuer), &level.1), "{body}");
        if let Some(sub) = sub {
            assert_eq!(claims["sub"], sub);
        }
        assert_eq!(exchanged(&world, &token).await, "none", "{body}");
    }
}

#[tokio::test]
async fn claims_and_headers_in_place_of_its_own_and_null_for_none() {
    let world = World::new().await;
    let body = json!({
        "provider": "cis2",
        "claims": {"sub": "another", "more": {"a": [1, "b"]}, "exp": null, "aud": ["x"]},
        "headers": {"alg": "RS512", "typ": null, "kid": "kid/+="},
    });
    let read = Jwt::read(&id_token(&world, &body).await);
    assert_eq!(read.headers(), &json!({"alg": "RS512", "kid": "kid/+="}));
    let claims = read.claims();
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("another"), &json!(["x"])));
    assert_eq!(claims["more"], json!({"a": [1, "b"]}));
    assert_eq!(claims.get("exp"), None);
    assert!(claims["iss"].is_string(), "the others stay");

    for (part, member, rule) in [
        ("headers", "kid", "S3"),
        ("headers", "typ", "S4"),
        ("headers", "alg", "S5"),
        ("claims", "exp", "S6"),
        ("claims", "iss", "S9"),
        ("claims", "aud", "S10"),
        ("claims", "identity_proofing_level", "S15"),
    ] {
        let mut body = json!({"provider": "nhs-login"});
        body[part] = json!({member: null});
        let token = id_token(&world, &body).await;
        assert_eq!(exchanged(&world, &token).await, rule, "{member}");
    }
    let rs512 = json!({"provider": "cis2", "headers": {"alg": "RS512"}});
    assert_eq!(exchanged(&world, &id_token(&world, &rs512).await).await, "none");
}

#[tokio::test]
async fn a_logout_token_for_a_session() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    let made = world.control("POST", "/logout-tokens", &json!({"sid": tokens.sid})).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let token = made["logout_token"].as_str().unwrap();
    let read = Jwt::read(token);
    assert_eq!(read.headers()["alg"], "RS256");
    let claims = read.claims();
    assert_eq!(claims["iss"], world.platform.cis2_url());
    assert_eq!((&claims["sid"], &claims["sub"]), (&json!(tokens.sid), &json!(NURSE.username)));
    let event = "http://schemas.openid.net/event/backchannel-logout";
    assert_eq!(claims["events"], json!({event: {}}));
    assert_eq!(claims.get("nonce"), None);
    for claim in ["iat", "exp"] {
        assert!(claims[claim].is_i64(), "{claim}");
    }
    let key_set = browser::open(&world, &(world.platform.cis2_url() + "/connect/jwk_uri")).await;
    assert!(jwt::verifies(token, &key_set.json()));

    let body = json!({"sid": "s", "claims": {"nonce": "n", "iat": null}});
    let made = world.control("POST", "/logout-tokens", &body).await.json();
    let claims = Jwt::read(made["logout_token"].as_str().unwrap()).claims().clone();
    assert_eq!((&claims["nonce"], claims.get("iat")), (&json!("n"), None));
}

#[tokio::test]
async fn a_logout_token_is_for_the_client_that_signed_the_user_in() {
    let world = combined::world().await;
    let client = RelyingParty::cis2(&world).await;
    let signed_in = client.sign_in("656005750105", &[]).await;
    let combined = combined::signed_in(&world, NURSE).await;
    let platform = "123456789012.apps.national";
    for (sid, aud, sub) in [
        (signed_in.claim("sid").as_str().unwrap(), &*client.client_id, "656005750105"),
        (&*combined.sid, platform, NURSE.username),
        ("nobody's", platform, "656005750104"),
    ] {
        let made = world.control("POST", "/logout-tokens", &json!({"sid": sid})).await.json();
        let claims = Jwt::read(made["logout_token"].as_str().unwrap()).claims().clone();
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!(aud), &json!(sub)), "{sid}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_by_name() {
    let world = World::new().await;
    for (path, body, says) in [
        ("/id-tokens", "", "not JSON"),
        ("/id-tokens", "[]", "object"),
        ("/id-tokens", "{}", "`provider`"),
        ("/id-tokens", r#"{"provider": "CIS2"}"#, "`provider`"),
        ("/id-tokens", r#"{"provider": null}"#, "`provider`"),
        ("/id-tokens", r#"{"provider": 7}"#, "`provider`"),
        ("/id-tokens", r#"{"provider": "cis2", "username": 7}"#, "`username`"),
        ("/id-tokens", r#"{"provider": "cis2", "username": "nobody"}"#, "`nobody`"),
        ("/id-tokens", r#"{"provider": "cis2", "username": "9912003071"}"#, "`9912003071`"),
        ("/id-tokens", r#"{"provider": "cis2", "claims": []}"#, "`claims`"),
        ("/id-tokens", r#"{"provider": "cis2", "headers": "x"}"#, "`headers`"),
        ("/id-tokens", r#"{"provider": "cis2", "realm": "moon"}"#, "`realm`"),
        ("/id-tokens", r#"{"provider": "cis2", "realm": "NHS-Login-mock-int"}"#, "`realm`"),
        ("/id-tokens", r#"{"provider": "cis2", "claim": {}}"#, "`claim`"),
        ("/logout-tokens", "{", "not JSON"),
        ("/logout-tokens", "{}", "`sid`"),
        ("/logout-tokens", r#"{"sid": 7}"#, "`sid`"),
        ("/logout-tokens", r#"{"sid": null}"#, "`sid`"),
        ("/logout-tokens", r#"{"sid": "s", "claims": "x"}"#, "`claims`"),
        ("/logout-tokens", r#"{"sid": "s", "headers": {}}"#, "`headers`"),
        ("/clients", "{", "not JSON"),
        ("/clients", "{}", "`provider`"),
        ("/clients", r#"{"provider": "nhs login"}"#, "`provider`"),
        ("/clients", r#"{"provider": "cis2", "client_id": 7}"#, "`client_id`"),
        ("/clients", r#"{"provider": "cis2", "client_secret": 7}"#, "`client_secret`"),
        ("/clients", r#"{"provider": "cis2", "redirect_uris": "x"}"#, "`redirect_uris`"),
        ("/clients", r#"{"provider": "cis2", "jwks_uri": {}}"#, "`jwks_uri`"),
        ("/clients", r#"{"provider": "cis2", "jwks": {}, "jwks_uri": "x"}"#, "not both"),
        (
            "/clients",
            r#"{"provider": "cis2", "token_endpoint_auth_method": "none"}"#,
            "token_endpoint_auth_method",
        ),
        (
            "/clients",
            r#"{"provider": "cis2", "jwks_uri_signing_algorithm": "ES256"}"#,
            "jwks_uri_signing_algorithm",
        ),
        ("/clients", r#"{"provider": "cis2", "secret": "x"}"#, "`secret`"),
        ("/products", "{}", "`name`"),
        ("/products", r#"{"name": "x"}"#, "`scopes`"),
        ("/products", r#"{"name": "", "scopes": []}"#, "`name`"),
        ("/products", r#"{"name": 7, "scopes": []}"#, "`name`"),
        ("/products", r#"{"name": "x", "scopes": "y"}"#, "`scopes`"),
        ("/products", r#"{"name": "x", "scopes": [], "y": 1}"#, "`y`"),
        ("/users", "{", "not JSON"),
        ("/users", "[]", "object"),
        ("/users", "{}", "`provider`"),
        ("/users", r#"{"provider": "CIS2", "username": "x", "level": 3}"#, "`provider`"),
        ("/users", r#"{"provider": "cis2", "level": 3}"#, "`username`"),
        ("/users", r#"{"provider": "cis2", "username": 7, "level": 3}"#, "`username`"),
        ("/users", r#"{"provider": "cis2", "username": "", "level": 3}"#, "`username`"),
        ("/users", r#"{"provider": "cis2", "username": "x"}"#, "`level`"),
        ("/users", r#"{"provider": "cis2", "username": "x", "level": {}}"#, "`level`"),
        ("/users", r#"{"provider": "cis2", "username": "x", "level": 3, "roles": 1}"#, "`roles`"),
        (
            "/users",
            r#"{"provider": "cis2", "username": "x", "level": 3, "roles": [{}]}"#,
            "`roles`",
        ),
        (
            "/users",
            r#"{"provider": "cis2", "username": "x", "level": 3, "selected_roleid": "x"}"#,
            "`selected_roleid`",
        ),
        (
            "/users",
            r#"{"provider": "cis2", "username": "x", "level": 3, "claims": []}"#,
            "`claims`",
        ),
        (
            "/users",
            r#"{"provider": "cis2", "username": "x", "level": 3, "given_name": 1}"#,
            "`given_name`",
        ),
        (
            "/users",
            r#"{"provider": "cis2", "username": "x", "level": 3, "password": "x"}"#,
            "`password`",
        ),
    ] {
        let reply = world.send("POST", &format!("/_mock{path}"), &[], body.as_bytes()).await;
        assert_eq!(reply.status, 400, "{path} {body}: {}", reply.text());
        let (error, description) = reply.error();
        assert_eq!(error, "invalid_request");
        assert!(description.contains(says), "{path} {body}: {description}");
    }
}

#[tokio::test]
async fn a_client_is_registered_listed_and_removed() {
    let world = World::new().await;
    let issuer = world.platform.cis2_url();
    let with_secret = json!({"provider": "cis2", "redirect_uris": [REDIRECT_URI]});
    let made = world.control("POST", "/clients", &with_secret).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let client_id = made["client_id"].as_str().unwrap();
    assert!(client_id.ends_with(".apps.supplier"), "{client_id}");
    let client = RelyingParty {
        world: &world,
        client_id: client_id.to_owned(),
        client_secret: made["client_secret"].as_str().unwrap().to_owned(),
        discovery: discovery(&world, &issuer).await,
    };
    client.sign_in(NURSE.username, &[]).await;
    let elsewhere = client.authorization_url(&[("redirect_uri", "https://evil.example/")]);
    assert_eq!(browser::open(&world, &elsewhere).await.status, 400);

    let with_key = json!({
        "provider": "cis2",
        "client_id": "1.2.apps.supplier",
        "jwks": {"keys": [Key::usual().jwk(CLIENT_KID)]},
        "jwks_uri_signing_algorithm": "RS256",
    });
    let made = world.control("POST", "/clients", &with_key).await.json();
    assert_eq!(made, json!({"client_id": "1.2.apps.supplier"}), "it needs no secret");
    let keyed = RelyingParty {
        world: &world,
        client_id: "1.2.apps.supplier".to_owned(),
        client_secret: String::new(),
        discovery: client.discovery.clone(),
    };
    let code = keyed.code(NURSE.username, &[]).await;
    let signed = keyed.assertion().header("alg", "RS256").sign(Key::usual());
    assert_eq!(keyed.redeem_by(&code, &signed).await.status, 200);

    let listed = world.control("GET", "/clients", &NONE).await.json();
    let listed = listed["clients"].as_array().unwrap();
    let of_id = |id: &str| {
        let found = listed.iter().find(|it| it["client_id"] == id && it["provider"] == "cis2");
        found.unwrap_or_else(|| panic!("{id} is not in the list")).clone()
    };
    assert_eq!(of_id(client_id)["token_endpoint_auth_method"], "client_secret_post");
    assert_eq!(of_id("1.2.apps.supplier")["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(of_id("1.2.apps.supplier")["jwks_uri_signing_algorithm"], "RS256");
    let platforms_own = listed.iter().any(|it| it["client_id"] == "123456789012.apps.national");
    assert!(!platforms_own, "the platform's own is nobody's to use");

    let path = "/clients/cis2/1.2.apps.supplier";
    assert_eq!(world.control("DELETE", path, &NONE).await.status, 204);
    assert_eq!(world.control("DELETE", path, &NONE).await.status, 404);
    assert_eq!(world.control("DELETE", "/clients/moon/x", &NONE).await.status, 404);
    assert_eq!(browser::open(&world, &keyed.authorization_url(&[])).await.status, 400);
}

#[tokio::test]
async fn a_product_opens_what_its_scopes_say() {
    let world = World::new().await;
    let records = json!({
        "name": "records",
        "scopes": ["urn:nhsd:apim:user-nhs-cis2:aal3:hello-world"],
    });
    let made = world.control("POST", "/products", &records).await;
    assert_eq!((made.status, made.json()), (201, records));
    let listed = world.control("GET", "/products", &NONE).await.json();
    let names: Vec<_> =
        listed["products"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert!(names.contains(&&json!("records")) && names.contains(&&json!("hello-world")));

    let app = json!({"name": "x", "jwks": {"keys": [Key::usual().jwk("test-1")]}, "products": ["records"]});
    let app = world.control("POST", "/apps", &app).await.json();
    let key = app["api_key"].as_str().unwrap();
    let exchanged = async |body: Value| {
        let token = id_token(&world, &body).await;
        let assertion = world.assertion().claim("iss", key).claim("sub", key).sign(Key::usual());
        let subject = Jwt::new(json!({}), json!({}));
        let exchange = Exchange::new(&world, subject).with("subject_token", token);
        exchange.with("client_assertion", assertion).send(&world).await;
        world.rule()
    };
    assert_eq!(exchanged(json!({"provider": "cis2"})).await, "none");
    assert_eq!(exchanged(json!({"provider": "nhs-login"})).await, "S16");

    assert_eq!(world.control("DELETE", "/products/records", &NONE).await.status, 204);
    assert_eq!(world.control("DELETE", "/products/records", &NONE).await.status, 404);
}

#[tokio::test]
async fn a_user_signs_in_as_soon_as_it_is_there() {
    let world = World::new().await;
    let user = json!({
        "provider": "cis2",
        "username": "new-nurse",
        "level": "2",
        "given_name": "Nia",
        "family_name": "Nurse",
        "roles": [{"person_roleid": "1", "role_name": "Nurse", "role_code": "S8000:G8000:R8001"}],
        "claims": {"more": 1},
    });
    let made = world.control("POST", "/users", &user).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["username"], "new-nurse");
    let listed = world.control("GET", "/users", &NONE).await.json();
    let listed = listed["users"].as_array().unwrap().clone();
    assert!(listed.contains(&made.json()));
    for documented in ["656005750104", "9912003073"] {
        assert!(listed.iter().any(|it| it["username"] == documented), "{documented}");
    }
    let client = RelyingParty::cis2(&world).await;
    let more = [("scope", "openid profile nationalrbacaccess selectedrole")];
    let signed_in = client.sign_in("new-nurse", &more).await;
    assert_eq!(signed_in.claim("authentication_assurance_level"), "2");
    assert_eq!(
        (signed_in.claim("selected_roleid"), signed_in.claim("more")),
        (&json!("1"), &json!(1))
    );
    let info = client.user_info(signed_in.access_token()).await.json();
    assert_eq!(info["name"], "Nia Nurse");

    // Of one name there is one: the later.
    let again = json!({"provider": "cis2", "username": "new-nurse", "level": 3});
    assert_eq!(world.control("POST", "/users", &again).await.status, 201);
    let signed_in = client.sign_in("new-nurse", &[]).await;
    assert_eq!(signed_in.claim("authentication_assurance_level"), &json!(3));
}

#[tokio::test]
async fn a_reset_takes_users_clients_products_and_sessions_back() {
    let world = World::new().await;
    let products = world.control("GET", "/products", &NONE).await.json();
    let users = world.control("GET", "/users", &NONE).await.json();
    let clients = world.control("GET", "/clients", &NONE).await.json();
    let changed = json!({"provider": "cis2", "username": "656005750104", "level": 1});
    world.control("POST", "/users", &changed).await;
    world.control("POST", "/clients", &json!({"provider": "cis2"})).await;
    world.control("POST", "/products", &json!({"name": "x", "scopes": []})).await;
    assert_eq!(world.control("POST", "/reset", &NONE).await.status, 204);
    assert_eq!(world.control("GET", "/products", &NONE).await.json(), products);
    assert_eq!(world.control("GET", "/users", &NONE).await.json(), users);
    assert_eq!(world.control("GET", "/clients", &NONE).await.json(), clients);
}

#[tokio::test]
async fn a_page_from_elsewhere_makes_no_token() {
    let world = World::new().await;
    let port = world.platform.address().port();
    for (path, body) in [
        ("/id-tokens", r#"{"provider": "cis2"}"#),
        ("/logout-tokens", r#"{"sid": "s"}"#),
        ("/clients", r#"{"provider": "cis2"}"#),
        ("/products", r#"{"name": "x", "scopes": []}"#),
        ("/users", r#"{"provider": "cis2", "username": "x", "level": 3}"#),
    ] {
        let path = format!("/_mock{path}");
        for header in [
            ("Origin", "https://evil.example".to_owned()),
            ("Origin", "null".to_owned()),
            ("Origin", format!("http://evil.example:{port}")),
            ("Host", format!("evil.example:{port}")),
            ("Host", "127.0.0.1.evil.example".to_owned()),
        ] {
            let headers = [(header.0, header.1.as_str())];
            let reply = world.send("POST", &path, &headers, body.as_bytes()).await;
            assert_eq!((reply.status, reply.error().0.as_str()), (403, "forbidden"), "{path}");
        }
        let own = world.platform.base_url();
        let reply = world.send("POST", &path, &[("Origin", &own)], body.as_bytes()).await;
        assert_eq!(reply.status, 201, "{path}: {}", reply.text());
    }
}

#[tokio::test]
async fn names_may_be_percent_encoded_and_the_platforms_own_client_stays() {
    let world = combined::world().await;
    let product = json!({"name": "a b/ä", "scopes": []});
    assert_eq!(world.control("POST", "/products", &product).await.status, 201);
    assert_eq!(world.control("DELETE", "/products/a%20b%2F%C3%A4", &json!(null)).await.status, 204);

    let own = "123456789012.apps.national";
    let deleted = world.control("DELETE", &format!("/clients/cis2/{own}"), &json!(null)).await;
    assert_eq!(deleted.status, 404);
    let client = json!({"provider": "cis2", "client_id": own, "redirect_uris": []});
    let refused = world.control("POST", "/clients", &client).await;
    assert_eq!(refused.status, 400);
    assert!(refused.error().1.contains("client_id"), "{}", refused.text());
    combined::signed_in(&world, NURSE).await;
}
