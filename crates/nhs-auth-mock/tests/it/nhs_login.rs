//! NHS login in the shape of the real one.

use nhs_auth_mock::{NewIdToken, User};
use serde_json::json;

use crate::browser;
use crate::jwt::{self, Jwt};
use crate::relying_party::{REDIRECT_URI, RelyingParty, discovery};
use crate::world::{FORM, World};

const PATIENT: &str = "9912003071";

#[tokio::test]
async fn what_it_says_of_itself() {
    let world = World::new().await;
    let issuer = world.platform.nhs_login_url();
    let document = discovery(&world, &issuer).await;
    for (member, value) in [
        ("issuer", json!(issuer)),
        ("authorization_endpoint", json!(format!("{issuer}/authorize"))),
        ("token_endpoint", json!(format!("{issuer}/token"))),
        ("userinfo_endpoint", json!(format!("{issuer}/userinfo"))),
        ("jwks_uri", json!(format!("{issuer}/.well-known/jwks.json"))),
        ("response_types_supported", json!(["code"])),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!(["RS512"])),
        ("token_endpoint_auth_methods_supported", json!(["private_key_jwt"])),
        ("token_endpoint_auth_signing_alg_values_supported", json!(["RS512"])),
    ] {
        assert_eq!(document[member], value, "{member}");
    }
    let mut scopes: Vec<_> = document["scopes_supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scope| scope.as_str().unwrap())
        .collect();
    scopes.sort_unstable();
    let expected = [
        "basic_demographics",
        "client_metadata",
        "email",
        "gp_integration_credentials",
        "gp_registration_details",
        "landline",
        "nhs_app_credentials",
        "openid",
        "phone",
        "profile",
        "profile_extended",
    ];
    assert_eq!(scopes, expected);
    for absent in ["end_session_endpoint", "code_challenge_methods_supported"] {
        assert_eq!(document.get(absent), None);
    }
}

#[tokio::test]
async fn its_key_set() {
    let world = World::new().await;
    let url = world.platform.nhs_login_url() + "/.well-known/jwks.json";
    let key_set = browser::open(&world, &url).await.json();
    let key = &key_set["keys"][0];
    assert_eq!((&key["kty"], &key["alg"]), (&json!("RSA"), &json!("RS512")));
    let id_token = world.platform.id_token(&NewIdToken::nhs_login()).unwrap();
    assert!(jwt::verifies(&id_token, &key_set));
    let cis2 = world.platform.id_token(&NewIdToken::cis2()).unwrap();
    assert_ne!(Jwt::read(&cis2).headers()["kid"], key["kid"], "each has a key of its own");
}

#[tokio::test]
async fn a_patient_signs_in() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let back = client.back(PATIENT, &[]).await;
    assert_eq!((back.to.as_str(), back.parameter("state")), (REDIRECT_URI, "state-1"));
    let signed_in = client.sign_in(PATIENT, &[]).await;
    let body = &signed_in.body;
    let members: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"]
    );
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(300)));
    assert_eq!(signed_in.access_token().split('.').count(), 3, "it is a JWT");

    let headers = signed_in.id_token.headers();
    assert_eq!((&headers["alg"], &headers["typ"]), (&json!("RS512"), &json!("JWT")));
    let claims = signed_in.id_token.claims();
    for (claim, value) in [
        ("iss", json!(world.platform.nhs_login_url())),
        ("aud", json!(client.client_id)),
        ("nonce", json!("nonce-1")),
        ("nhs_number", json!(PATIENT)),
        ("identity_proofing_level", json!("P9")),
        ("token_use", json!("id")),
    ] {
        assert_eq!(claims[claim], value, "{claim}");
    }
    for claim in ["sub", "jti", "vot", "vtm", "family_name", "birthdate"] {
        assert!(claims[claim].is_string(), "{claim}");
    }
    let seconds = |claim: &str| claims[claim].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 3600);
    assert!(seconds("auth_time") <= seconds("iat"));
    for unsupported in ["acr", "amr", "azp", "authentication_assurance_level", "sid"] {
        assert_eq!(claims.get(unsupported), None);
    }
    let again = client.sign_in(PATIENT, &[]).await;
    assert_eq!(again.claim("sub"), &claims["sub"], "it is the same person");
    assert_ne!(again.claim("jti"), &claims["jti"]);
}

#[tokio::test]
async fn the_documented_users_have_their_levels() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    for (username, level) in [("9912003071", "P9"), ("9912003072", "P5"), ("9912003073", "P0")] {
        let signed_in = client.sign_in(username, &[]).await;
        assert_eq!(signed_in.claim("identity_proofing_level"), level);
        let is_known = level != "P0";
        assert_eq!(signed_in.id_token.claims().get("nhs_number").is_some(), is_known, "{level}");
        let info = client.user_info(signed_in.access_token()).await.json();
        assert_eq!(info.get("family_name").is_some(), is_known, "{level}");
    }
}

#[tokio::test]
async fn the_id_token_tells_what_the_scope_says() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    for (scope, told, untold) in [
        (
            "openid profile",
            &["nhs_number", "birthdate", "family_name", "identity_proofing_level"][..],
            &["email", "given_name"][..],
        ),
        (
            "openid basic_demographics",
            &["birthdate", "family_name", "identity_proofing_level"],
            &["nhs_number"],
        ),
        (
            "openid",
            &["vot", "vtm"],
            &["nhs_number", "birthdate", "family_name", "identity_proofing_level"],
        ),
        ("openid email", &["vot"], &["identity_proofing_level"]),
    ] {
        let signed_in = client.sign_in(PATIENT, &[("scope", scope)]).await;
        let claims = signed_in.id_token.claims();
        for name in told {
            assert!(!claims[name].is_null(), "{scope}: {name}");
        }
        for name in untold {
            assert_eq!(claims.get(name), None, "{scope}: {name}");
        }
    }
}

#[tokio::test]
async fn the_user_info_is_of_the_same_person_and_leaves_out_what_it_has_not() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let scope = "openid profile email profile_extended";
    let signed_in = client.sign_in(PATIENT, &[("scope", scope)]).await;
    let reply = client.user_info(signed_in.access_token()).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let info = reply.json();
    assert_eq!(&info["sub"], signed_in.claim("sub"));
    for name in ["nhs_number", "birthdate", "family_name", "given_name", "email"] {
        assert!(info[name].is_string(), "{name}");
    }
    let signed_in = client.sign_in(PATIENT, &[("scope", "openid")]).await;
    let reply = client.user_info(signed_in.access_token()).await;
    assert_eq!(reply.json(), json!({"sub": signed_in.claim("sub")}));

    let path = client.endpoint("userinfo_endpoint").strip_prefix(&world.platform.base_url());
    let bearer = format!("Bearer {}", signed_in.access_token());
    let posted = world.send("POST", path.unwrap(), &[FORM, ("Authorization", &bearer)], b"").await;
    assert_eq!((posted.status, posted.text()), (200, reply.text()));

    for wrong in ["", "unknown", signed_in.body["id_token"].as_str().unwrap()] {
        let reply = client.user_info(wrong).await;
        assert_eq!((reply.status, reply.error().0.as_str()), (401, "invalid_token"));
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer "));
    }
    world.advance(295);
    assert_eq!(client.user_info(signed_in.access_token()).await.status, 200);
    world.advance(5);
    assert_eq!(client.user_info(signed_in.access_token()).await.status, 401);
}

#[tokio::test]
async fn the_vector_that_comes_back_is_one_that_was_asked_for() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    for (vtr, username, vot) in [
        ("", "9912003071", "P9.Cp.Cd"),
        (r#"["P9.Cp.Cd"]"#, "9912003071", "P9.Cp.Cd"),
        (r#"["P5.Cp","P9.Cm"]"#, "9912003071", "P9.Cm"),
        (r#"["P5.Cp","P9.Cm"]"#, "9912003072", "P5.Cp"),
        (r#"["P0.Cp.Ck"]"#, "9912003073", "P0.Cp.Ck"),
    ] {
        let signed_in = client.sign_in(username, &[("vtr", vtr)]).await;
        assert_eq!(signed_in.claim("vot"), vot, "{vtr} {username}");
    }
}

#[tokio::test]
async fn a_request_that_can_not_be_served_is_sent_back() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    for (more, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "id_token"), "unsupported_response_type"),
        (("scope", "profile"), "invalid_scope"),
        (("scope", "openid profile basic_demographics"), "invalid_scope"),
        (("nonce", ""), "invalid_request"),
        (("vtr", "P9.Cp.Cd"), "invalid_request"),
        (("vtr", "[\"P9.Cp.Cd\u{201d}]"), "invalid_request"),
        (("vtr", r#"["P7.Cp"]"#), "invalid_request"),
        (("vtr", "[]"), "invalid_request"),
        (("prompt", "none"), "sso_login_required"),
    ] {
        let reply = browser::open(&world, &client.authorization_url(&[more])).await;
        let back = browser::redirect(&reply);
        assert_eq!(back.to, REDIRECT_URI);
        assert_eq!((back.parameter("error"), back.parameter("state")), (error, "state-1"));
    }
    let reply = browser::open(&world, &client.authorization_url(&[("state", "")])).await;
    let back = browser::redirect(&reply);
    assert_eq!(back.parameter("error"), "invalid_request");
    assert_eq!(back.parameters.get("state"), None);
}

#[tokio::test]
async fn a_bad_redirect_uri_is_not_redirected_to() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    for more in [
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "https://clinic.example/signed-in?x=y"),
        ("redirect_uri", ""),
        ("client_id", "unknown"),
    ] {
        let reply = browser::open(&world, &client.authorization_url(&[more])).await;
        assert_eq!((reply.status, reply.header("location")), (400, None), "{more:?}");
    }
}

#[tokio::test]
async fn what_it_does_not_support_is_ignored() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let more = [("max_age", "300"), ("acr_values", "AAL3_ANY"), ("ui_locales", "cy")];
    let signed_in = client.sign_in(PATIENT, &more).await;
    assert_eq!(signed_in.id_token.claims().get("acr"), None);
}

#[tokio::test]
async fn a_request_may_be_posted() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let url = client.authorization_url(&[]);
    let (endpoint, query) = url.split_once('?').unwrap();
    let path = endpoint.strip_prefix(&world.platform.base_url()).unwrap();
    let page = world.send("POST", path, &[FORM], query.as_bytes()).await;
    let form = browser::Form::on(&page);
    let back = browser::redirect(&form.submit(&world, &[("username", PATIENT)]).await);
    assert_eq!(back.parameter("state"), "state-1");
}

#[tokio::test]
async fn a_user_of_a_test_with_claims_of_its_own() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let user =
        User::nhs_login("9000000017", "P5").name("Sam", "Jones").claim("birthdate", json!(null));
    world.platform.create_user(user);
    let signed_in = client.sign_in("9000000017", &[]).await;
    assert_eq!(signed_in.claim("nhs_number"), "9000000017");
    assert_eq!(signed_in.claim("family_name"), "JONES");
    assert_eq!(signed_in.claim("identity_proofing_level"), "P5");
    assert_eq!(signed_in.id_token.claims().get("birthdate"), None);
}
