//! Token exchange: what it gives, to whom, and which tokens it refuses.

use nhs_auth_mock::NewApp;
use serde_json::json;

use crate::assertion::KID;
use crate::exchange::Exchange;
use crate::id_token::PROVIDER_KID;
use crate::jwt::{self, Jwt};
use crate::key::Key;
use crate::provider::Trusting;
use crate::refusal::Refusal;

const APPLICATION: &str = "/hello-world/hello/application";
const USER: &str = "/hello-world/hello/user";

const WRONG_ISSUER: Refusal =
    Refusal::bad_request("S11", "Missing or non-matching 'iss' claim in subject_token JWT");
const BAD_SIGNATURE: Refusal =
    Refusal::new("S14", 401, "public_key error", "JWT signature verification failed");

fn app() -> NewApp {
    NewApp::new("test").jwks(Key::usual().jwks(KID))
}

#[tokio::test]
async fn tokens_are_given_as_the_platform_gives_them() {
    let it = Trusting::new(app()).await;
    for (token, refresh_token_expires_in) in
        [(it.cis2_id_token(), "43199"), (it.nhs_login_id_token(), "3599")]
    {
        let reply = Exchange::new(&it.world, token).send(&it.world).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let body = reply.json();
        let text = |name: &str| body[name].as_str().unwrap();
        let (access_token, refresh_token) = (text("access_token"), text("refresh_token"));
        let expected = format!(
            r#"{{"access_token":"{access_token}","expires_in":"599","token_type":"Bearer","#
        ) + r#""issued_token_type":"urn:ietf:params:oauth:token-type:access_token","#
            + &format!(
                r#""refresh_token":"{refresh_token}","refresh_token_expires_in":"{refresh_token_expires_in}","refresh_count":"0"}}"#
            );
        assert_eq!(reply.text(), expected);
        assert!(access_token.len() == 28);
        assert!(access_token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(access_token, refresh_token);
    }
}

#[tokio::test]
async fn a_users_token_opens_what_is_for_users_and_nothing_else() {
    let it = Trusting::new(app()).await;
    for token in [it.cis2_id_token(), it.nhs_login_id_token()] {
        let reply = Exchange::new(&it.world, token).send(&it.world).await;
        let access_token = reply.json()["access_token"].as_str().unwrap().to_owned();
        let user = it.world.call(USER, &access_token).await;
        assert_eq!((user.status, user.text()), (200, r#"{"message":"Hello User!"}"#));
        let application = it.world.call(APPLICATION, &access_token).await;
        assert_eq!((application.status, it.world.rule()), (401, "G5"));
        it.world.advance(600);
        let expired = it.world.call(USER, &access_token).await;
        assert_eq!((expired.status, it.world.rule()), (401, "G3"));
    }
}

#[tokio::test]
async fn an_access_tokens_life_may_be_shortened() {
    let it = Trusting::new(app()).await;
    for (wanted, given) in [("60000", "59"), ("600001", "599")] {
        let exchange = Exchange::new(&it.world, it.cis2_id_token());
        let reply = exchange.with("_access_token_expiry_ms", wanted).send(&it.world).await;
        assert_eq!(reply.json()["expires_in"], given);
    }
}

#[tokio::test]
async fn an_application_without_access_of_its_own_may_exchange() {
    let scopes = ["urn:nhsd:apim:user-nhs-cis2:aal3:hello-world"];
    let it = Trusting::new(app().scopes(scopes)).await;
    let reply = Exchange::new(&it.world, it.cis2_id_token()).send(&it.world).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_level_opens_its_own_scopes_and_no_lower_ones() {
    for (number, allowed) in [(1, "aal1"), (2, "aal2"), (3, "aal3")] {
        let scope = format!("urn:nhsd:apim:user-nhs-cis2:{allowed}:hello-world");
        let it = Trusting::new(app().scopes([scope])).await;
        for level in 1..=3 {
            for claim in [json!(level), json!(level.to_string())] {
                let token = it.cis2_id_token().claim("authentication_assurance_level", claim);
                let reply = Exchange::new(&it.world, token).send(&it.world).await;
                if level == number {
                    assert_eq!(reply.status, 200, "{}", reply.text());
                } else {
                    Refusal::no_scope("S16").assert(&it.world, &reply);
                }
            }
        }
    }
    for allowed in ["P0", "P5", "P9"] {
        let scope = format!("urn:nhsd:apim:user-nhs-login:{allowed}:hello-world");
        let it = Trusting::new(app().scopes([scope])).await;
        for level in ["P0", "P5", "P9"] {
            let token = it.nhs_login_id_token().claim("identity_proofing_level", level);
            let reply = Exchange::new(&it.world, token).send(&it.world).await;
            if level == allowed {
                assert_eq!(reply.status, 200, "{}", reply.text());
            } else {
                Refusal::no_scope("S16").assert(&it.world, &reply);
            }
        }
    }
}

#[tokio::test]
async fn a_level_that_is_missing_or_odd() {
    let it = Trusting::new(app()).await;
    let cis2 = |claim| it.cis2_id_token().claim("authentication_assurance_level", claim);
    let nhs_login = |claim| it.nhs_login_id_token().claim("identity_proofing_level", claim);
    let no_scope = Some(Refusal::no_scope("S16"));
    let cases: Vec<(Jwt, Option<Refusal>)> = vec![
        (it.cis2_id_token().without_claim("authentication_assurance_level"), no_scope),
        (cis2(json!(null)), no_scope),
        (cis2(json!(4)), no_scope),
        (cis2(json!("aal3")), no_scope),
        (nhs_login(json!("P9.Cp.Cd")), None),
        (nhs_login(json!("p9")), no_scope),
        (nhs_login(json!("")), no_scope),
        (nhs_login(json!(null)), Some(Refusal::unknown_error("S15"))),
    ];
    for (token, refusal) in cases {
        let told = token.claims().to_string();
        let reply = Exchange::new(&it.world, token).send(&it.world).await;
        match refusal {
            Some(refusal) => refusal.assert(&it.world, &reply),
            None => assert_eq!(reply.status, 200, "{told}: {}", reply.text()),
        }
    }
}

#[tokio::test]
async fn the_scopes_of_another_level_are_not_in_the_token() {
    let scopes = [
        "urn:nhsd:apim:user-nhs-cis2:aal3:another-api",
        "urn:nhsd:apim:user-nhs-cis2:aal2:hello-world",
    ];
    let it = Trusting::new(app().scopes(scopes)).await;
    for (level, status) in [(3, 401), (2, 200)] {
        let token = it.cis2_id_token().claim("authentication_assurance_level", level);
        let reply = Exchange::new(&it.world, token).send(&it.world).await;
        let access_token = reply.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(it.world.call(USER, &access_token).await.status, status, "AAL{level}");
    }
    assert_eq!(it.world.rule(), "none");
}

#[tokio::test]
async fn the_issuer_is_compared_to_the_letter() {
    let it = Trusting::new(app()).await;
    let (cis2, nhs_login) = (it.cis2.issuer, it.nhs_login.issuer);
    for (wrong, token) in [
        (cis2.replace(":443", ""), it.cis2_id_token()),
        (cis2.to_uppercase(), it.cis2_id_token()),
        (cis2.replace("NHSIdentity", "nhsidentity"), it.cis2_id_token()),
        (format!("{cis2}/"), it.cis2_id_token()),
        (format!("{nhs_login}/"), it.nhs_login_id_token()),
        (nhs_login.replace("https", "HTTPS"), it.nhs_login_id_token()),
        (nhs_login.replace("https", "http"), it.nhs_login_id_token()),
        (format!(" {nhs_login}"), it.nhs_login_id_token()),
        ("https://auth.login.nhs.uk".to_owned(), it.nhs_login_id_token()),
    ] {
        let reply = Exchange::new(&it.world, token.claim("iss", wrong)).send(&it.world).await;
        WRONG_ISSUER.assert(&it.world, &reply);
    }
    let array = it.nhs_login_id_token().claim("iss", json!([nhs_login]));
    let reply = Exchange::new(&it.world, array).send(&it.world).await;
    WRONG_ISSUER.assert(&it.world, &reply);
}

#[tokio::test]
async fn a_token_in_anothers_name_is_refused() {
    let it = Trusting::new(app()).await;
    // The key of this kid is NHS login's own as well; it is the other provider's issuer that
    // decides what the level is.
    let token = it.nhs_login_id_token().claim("iss", it.cis2.issuer);
    let reply = Exchange::new(&it.world, token).send(&it.world).await;
    Refusal::no_scope("S16").assert(&it.world, &reply);
    it.cis2.site.serve("200 OK", &Key::other().jwks("provider-2"));
    let token = it.cis2_id_token().header("kid", "provider-2");
    let reply = Exchange::new(&it.world, token).send(&it.world).await;
    BAD_SIGNATURE.assert(&it.world, &reply);
}

#[tokio::test]
async fn either_provider_may_sign_with_rs256_and_with_rs512() {
    let it = Trusting::new(app()).await;
    for token in [it.cis2_id_token(), it.nhs_login_id_token()] {
        for algorithm in ["RS256", "RS512"] {
            let token = token.clone().header("alg", algorithm);
            let reply = Exchange::new(&it.world, token).send(&it.world).await;
            assert_eq!(reply.status, 200, "{algorithm}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn a_signature_that_is_none_is_refused() {
    let it = Trusting::new(app()).await;
    let key_set = Key::provider().jwks(PROVIDER_KID);
    let good = it.cis2_id_token().sign(Key::provider());
    let (message, _) = good.rsplit_once('.').unwrap();
    for token in [
        it.cis2_id_token().unsigned(),
        it.cis2_id_token().sign_hs256(&Key::provider().pem()),
        it.cis2_id_token().sign_hs256(&key_set),
        it.cis2_id_token().header("alg", "PS256").sign(Key::provider()),
        it.cis2_id_token().header("alg", "rs512").sign(Key::provider()),
        jwt::damaged(&good),
        format!("{message}."),
    ] {
        let exchange = Exchange::new(&it.world, it.cis2_id_token()).with("subject_token", token);
        BAD_SIGNATURE.assert(&it.world, &exchange.send(&it.world).await);
    }
}

#[tokio::test]
async fn what_is_no_jwt_is_malformed() {
    const MALFORMED: Refusal = Refusal::bad_request("S2", "Malformed JWT in subject_token");
    let it = Trusting::new(app()).await;
    let good = it.cis2_id_token().sign(Key::provider());
    let (message, _) = good.rsplit_once('.').unwrap();
    for token in [
        String::new(),
        message.to_owned(),
        format!("{good}.x"),
        format!("Bearer {good}"),
        format!("\"{good}\""),
        good.replacen('.', "=.", 1),
        "e30.bm90IEpTT04.c2ln".to_owned(),
    ] {
        let exchange = Exchange::new(&it.world, it.cis2_id_token()).with("subject_token", token);
        MALFORMED.assert(&it.world, &exchange.send(&it.world).await);
    }
}

#[tokio::test]
async fn an_id_token_may_be_exchanged_again() {
    let it = Trusting::new(app()).await;
    let token = it.cis2_id_token();
    let mut access_tokens = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let reply = Exchange::new(&it.world, token.clone()).send(&it.world).await;
        access_tokens.insert(reply.json()["access_token"].as_str().unwrap().to_owned());
    }
    assert_eq!(access_tokens.len(), 3);
    it.world.advance(3600);
    let reply = Exchange::new(&it.world, token).send(&it.world).await;
    assert_eq!((reply.status, it.world.rule()), (400, "S8"));
}
