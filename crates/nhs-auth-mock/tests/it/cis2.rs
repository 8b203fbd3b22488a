//! CIS2 in the shape of the real one.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth_mock::{MockPlatform, NewIdToken, User};
use serde_json::{Value, json};

use crate::browser;
use crate::combined;
use crate::exchange::Exchange;
use crate::jwt::{self, Jwt};
use crate::relying_party::{REDIRECT_URI, RelyingParty, discovery};
use crate::world::World;

const NURSE: &str = "656005750105";

#[tokio::test]
async fn what_it_says_of_itself() {
    let world = World::new().await;
    let issuer = world.platform.cis2_url();
    assert!(issuer.ends_with("/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare"));
    let document = discovery(&world, &issuer).await;
    for (member, value) in [
        ("issuer", json!(issuer)),
        ("authorization_endpoint", json!(format!("{issuer}/authorize"))),
        ("token_endpoint", json!(format!("{issuer}/access_token"))),
        ("userinfo_endpoint", json!(format!("{issuer}/userinfo"))),
        ("jwks_uri", json!(format!("{issuer}/connect/jwk_uri"))),
        ("response_types_supported", json!(["code"])),
        ("id_token_signing_alg_values_supported", json!(["RS256"])),
        ("token_endpoint_auth_methods_supported", json!(["client_secret_post", "private_key_jwt"])),
        ("token_endpoint_auth_signing_alg_values_supported", json!(["RS256", "RS512"])),
    ] {
        assert_eq!(document[member], value, "{member}");
    }
    let has = |member: &str, value: &str| {
        let values = document[member].as_array().unwrap();
        assert!(values.contains(&json!(value)), "{member}: {value}");
    };
    for scope in ["openid", "profile", "email", "nhsperson", "nationalrbacaccess", "selectedrole"] {
        has("scopes_supported", scope);
    }
    for acr in ["AAL3_ANY", "AAL2_OR_AAL3_ANY", "AAL2_ANY", "AAL1_USERPASS", "AAL3_FIDO2"] {
        has("acr_values_supported", acr);
    }
    // No client has been seen to end a session there.
    assert_eq!(document.get("end_session_endpoint"), None);
}

#[tokio::test]
async fn its_key_set() {
    let world = World::new().await;
    let url = world.platform.cis2_url() + "/connect/jwk_uri";
    let reply = browser::open(&world, &url).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let key = &reply.json()["keys"][0];
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&json!("RSA"), &json!("RS256"), &json!("sig"))
    );
    assert!(key.get("d").is_none(), "the private part stays here");
    let id_token = world.platform.id_token(&NewIdToken::cis2()).unwrap();
    assert_eq!(Jwt::read(&id_token).headers()["kid"], key["kid"]);
    assert!(jwt::verifies(&id_token, &reply.json()));
    assert!(!jwt::verifies(&jwt::damaged(&id_token), &reply.json()));
}

#[tokio::test]
async fn a_healthcare_worker_signs_in() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let back = client.back(NURSE, &[]).await;
    assert_eq!((back.to.as_str(), back.parameter("state")), (REDIRECT_URI, "state-1"));
    let code = back.parameter("code");
    let now_s = world.platform.now().0 / 1000;
    let reply = client.redeem_by_secret(code).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")));
    let body = reply.json();
    let members: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "id_token", "scope", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3599)));
    assert_eq!(body["scope"], "openid profile");

    let id_token = Jwt::read(body["id_token"].as_str().unwrap());
    let headers = id_token.headers();
    assert_eq!((&headers["alg"], &headers["typ"]), (&json!("RS256"), &json!("JWT")));
    let claims = id_token.claims();
    for (claim, value) in [
        ("iss", json!(world.platform.cis2_url())),
        ("aud", json!(client.client_id)),
        ("azp", json!(client.client_id)),
        ("sub", json!(NURSE)),
        ("subname", json!(NURSE)),
        ("nonce", json!("nonce-1")),
        ("realm", json!("/NHSIdentity/Healthcare")),
        ("tokenName", json!("id_token")),
        ("tokenType", json!("JWTToken")),
        ("amr", json!(["N3_SMARTCARD"])),
        ("authentication_assurance_level", json!(3)),
        ("id_assurance_level", json!(3)),
        ("at_hash", json!(left_half(&body["access_token"]))),
        ("c_hash", json!(left_half(&json!(code)))),
        ("s_hash", json!(left_half(&json!("state-1")))),
    ] {
        assert_eq!(claims[claim], value, "{claim}");
    }
    for claim in ["sid", "acr", "auditTrackingId", "org.forgerock.openidconnect.ops"] {
        assert!(claims[claim].is_string(), "{claim}");
    }
    let seconds = |claim: &str| claims[claim].as_i64().unwrap();
    assert!((now_s - 60..=now_s + 60).contains(&seconds("iat")));
    assert!((now_s - 60..=now_s).contains(&seconds("auth_time")));
    assert_eq!(seconds("exp") - seconds("iat"), 3600);
    assert_eq!(claims.get("selected_roleid"), None, "nobody asked for a role");
}

/// `at_hash` and its like (OpenID Connect Core §3.1.3.6).
fn left_half(text: &Value) -> String {
    let hash = digest(&SHA256, text.as_str().unwrap().as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

#[tokio::test]
async fn the_level_is_the_users_and_a_number_or_a_text() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    world.platform.create_user(User::cis2("as-text", 2).level_as_text());
    for (username, level) in [
        ("656005750104", json!(3)),
        ("656005750105", json!(3)),
        ("656005750106", json!(3)),
        ("656005750107", json!(3)),
        ("656005750108", json!(3)),
        ("656005750109", json!(2)),
        ("656005750110", json!(1)),
        ("656005750111", json!(2)),
        ("656005750112", json!(2)),
        ("as-text", json!("2")),
    ] {
        let signed_in = client.sign_in(username, &[]).await;
        assert_eq!(signed_in.claim("authentication_assurance_level"), &level, "{username}");
        let acr = signed_in.claim("acr").as_str().unwrap();
        assert!(acr.starts_with(&format!("AAL{}", level.to_string().trim_matches('"'))), "{acr}");
    }
}

#[tokio::test]
async fn the_documented_users_have_their_roles() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    for (username, code) in [
        ("656005750104", "R8008"),
        ("656005750107", "R8000"),
        ("656005750108", "R0260"),
        ("656005750109", "R8000"),
        ("656005750111", "R0260"),
        ("656005750112", "R8008"),
    ] {
        let signed_in = client.sign_in(username, &[("scope", "openid nationalrbacaccess")]).await;
        let info = client.user_info(signed_in.access_token()).await.json();
        let roles = info["nhsid_nrbac_roles"].as_array().unwrap();
        assert_eq!(roles.len(), 1, "{username}");
        assert!(roles[0]["role_code"].as_str().unwrap().ends_with(code), "{username}: {roles:?}");
    }
}

#[tokio::test]
async fn an_acr_that_was_asked_for_comes_back() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    for (asked, username, acr) in [
        ("AAL3_ANY", "656005750104", "AAL3_ANY"),
        ("AAL2_OR_AAL3_ANY", "656005750104", "AAL2_OR_AAL3_ANY"),
        ("AAL2_OR_AAL3_ANY", "656005750109", "AAL2_OR_AAL3_ANY"),
        ("AAL3_FIDO2", "656005750104", "AAL3_FIDO2"),
        ("AAL1_USERPASS", "656005750110", "AAL1_USERPASS"),
    ] {
        let signed_in = client.sign_in(username, &[("acr_values", asked)]).await;
        assert_eq!(signed_in.claim("acr"), acr, "{username} {asked}");
    }
    // A user who reaches none of them is for the client to notice.
    let signed_in = client.sign_in("656005750109", &[("acr_values", "AAL3_ANY")]).await;
    assert_eq!(signed_in.claim("acr"), "AAL2_ANY");
}

#[tokio::test]
async fn the_user_info_tells_what_the_scope_says() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    for (scope, told, untold) in [
        ("openid", &["sub"][..], &["name", "nhsid_useruid", "email", "nhsid_nrbac_roles"][..]),
        (
            "openid profile",
            &["sub", "name", "family_name", "given_name", "uid"],
            &["email", "nhsid_nrbac_roles"],
        ),
        ("openid email", &["email"], &["name"]),
        (
            "openid nhsperson",
            &["nhsid_useruid", "title", "idassurancelevel", "display_name"],
            &["name"],
        ),
        ("openid nationalrbacaccess", &["nhsid_nrbac_roles"], &["nhsid_user_orgs"]),
        ("openid associatedorgs", &["nhsid_user_orgs"], &["nhsid_nrbac_roles"]),
    ] {
        let signed_in = client.sign_in(NURSE, &[("scope", scope)]).await;
        let reply = client.user_info(signed_in.access_token()).await;
        assert_eq!(reply.status, 200);
        let info = reply.json();
        assert_eq!(&info["sub"], signed_in.claim("sub"), "one and the same user");
        for name in told {
            assert!(!info[name].is_null(), "{scope}: {name} is not in {info}");
        }
        for name in untold {
            assert_eq!(info.get(name), None, "{scope}");
        }
    }
}

#[tokio::test]
async fn the_user_info_is_for_who_has_an_access_token() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let signed_in = client.sign_in(NURSE, &[]).await;
    for wrong in ["", "unknown", signed_in.body["id_token"].as_str().unwrap()] {
        let reply = client.user_info(wrong).await;
        assert_eq!((reply.status, reply.error().0.as_str()), (401, "invalid_token"));
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer "));
    }
    world.advance(3590);
    assert_eq!(client.user_info(signed_in.access_token()).await.status, 200);
    world.advance(10);
    assert_eq!(client.user_info(signed_in.access_token()).await.status, 401);
}

#[tokio::test]
async fn a_request_that_can_not_be_served_is_sent_back() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    for (more, error) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "")], "invalid_request"),
        ([("scope", "profile")], "invalid_scope"),
        ([("prompt", "none")], "login_required"),
    ] {
        let reply = browser::open(&world, &client.authorization_url(&more)).await;
        let back = browser::redirect(&reply);
        assert_eq!(back.to, REDIRECT_URI);
        assert_eq!((back.parameter("error"), back.parameter("state")), (error, "state-1"));
    }
    // Where it can't be known whose the address is, nobody is sent there.
    for more in [
        [("redirect_uri", "https://evil.example/")],
        [("redirect_uri", "https://clinic.example/signed-in/")],
        [("redirect_uri", "")],
        [("client_id", "unknown")],
        [("client_id", "")],
    ] {
        let reply = browser::open(&world, &client.authorization_url(&more)).await;
        assert_eq!((reply.status, reply.header("location")), (400, None), "{more:?}");
    }
    let prompted = client.sign_in(NURSE, &[("prompt", "login"), ("max_age", "300")]).await;
    assert_eq!(prompted.claim("sub"), NURSE);
}

#[tokio::test]
async fn pkce_is_optional_and_checked_where_it_is_used() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let verifier = "a-verifier-of-forty-three-characters-or-more";
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let pkce = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    for (given, status) in [(verifier, 200), ("another", 400), ("", 400)] {
        let code = client.code(NURSE, &pkce).await;
        let credentials = [
            ("client_id", client.client_id.as_str()),
            ("client_secret", &client.client_secret),
            ("code_verifier", given),
        ];
        assert_eq!(client.redeem(&code, &credentials).await.status, status, "{given}");
    }
}

#[tokio::test]
async fn an_issuer_with_the_port_443_is_what_the_id_token_says_and_the_platform_trusts() {
    const REAL: &str = "https://am.nhsint.auth-ptl.cis2.spineservices.nhs.uk:443/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare";
    let platform = MockPlatform::builder().cis2_issuer(REAL).start().await.unwrap();
    let app = platform.create_app(combined::app());
    let world = World { platform, app };
    let client = RelyingParty::cis2(&world).await;
    assert_eq!(client.discovery["issuer"], REAL);
    let signed_in = client.sign_in(NURSE, &[]).await;
    assert_eq!(signed_in.claim("iss"), REAL);

    let exchanged = async |id_token: &str| {
        let subject = Jwt::new(json!({}), json!({}));
        Exchange::new(&world, subject).with("subject_token", id_token).send(&world).await;
        world.rule()
    };
    assert_eq!(exchanged(signed_in.body["id_token"].as_str().unwrap()).await, "none");
    for wrong in [REAL.replace(":443", ""), world.platform.cis2_url()] {
        let token = NewIdToken::cis2().claim("iss", json!(wrong));
        assert_eq!(exchanged(&world.platform.id_token(&token).unwrap()).await, "S11", "{wrong}");
    }
    combined::signed_in(&world, combined::NURSE).await;
}
