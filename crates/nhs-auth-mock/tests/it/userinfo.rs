//! `/userinfo`: CIS2's, for a combined sign-in with CIS2 and for nothing else.

use crate::combined::{self, NURSE, PATIENT, Person, text};
use crate::exchange::Exchange;
use crate::gateway::{EXPIRED, NO_TOKEN, UNKNOWN, assert_fault};
use crate::provider::Trusting;
use crate::refusal::Refusal;

const USER_INFO: &str = "/oauth2/userinfo";

const OTHER_SIGN_IN: Refusal = Refusal::bad_request(
    "U1",
    "The Userinfo endpoint is only supported for Combined Auth integrations. Currently this is \
     only for NHS CIS2 authentications - for more guidance see \
     https://digital.nhs.uk/developer/guides-and-documentation/security-and-authorisation/\
     user-restricted-restful-apis-nhs-cis2-combined-authentication-and-authorisation",
);

#[tokio::test]
async fn what_cis2_says_of_the_user() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    let reply = world.call(USER_INFO, &tokens.access_token).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let latest = world.latest();
    assert_eq!(latest.application_id.as_deref(), Some(world.app.application_id()));
    let info = reply.json();
    for name in ["sub", "uid", "nhsid_useruid"] {
        assert_eq!(info[name], NURSE.username, "{name}");
    }
    for name in ["name", "given_name", "family_name", "display_name", "title", "email"] {
        assert!(info[name].is_string(), "{name}");
    }
    assert_eq!(info["idassurancelevel"], "3");
    let role = &info["nhsid_nrbac_roles"][0];
    for name in ["person_orgid", "person_roleid", "org_code", "role_name", "role_code"] {
        assert!(role[name].is_string(), "{name}: {role}");
    }
    assert_eq!(info["nhsid_user_orgs"][0]["org_code"], role["org_code"]);
    // Optional members are absent and not null.
    assert!(!reply.text().contains("null"), "{}", reply.text());
}

#[tokio::test]
async fn a_refreshed_token_does_as_well() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    let first = world.call(USER_INFO, &tokens.access_token).await;
    let refreshed = combined::refresh(&world, &tokens.refresh_token).await;
    let again = world.call(USER_INFO, &text(&refreshed, "access_token")).await;
    assert_eq!((again.status, again.text()), (200, first.text()));
}

#[tokio::test]
async fn without_a_live_token_the_gateway_answers() {
    let world = combined::world().await;
    let reply = world.get(USER_INFO, &[]).await;
    assert_fault(&reply, NO_TOKEN.0, NO_TOKEN.1);
    assert_eq!(world.rule(), "G1");
    assert_fault(&world.call(USER_INFO, "").await, NO_TOKEN.0, NO_TOKEN.1);
    assert_fault(&world.call(USER_INFO, "unknown").await, UNKNOWN.0, UNKNOWN.1);
    assert_eq!(world.rule(), "G2");

    let tokens = combined::signed_in(&world, NURSE).await;
    assert_fault(&world.call(USER_INFO, &tokens.refresh_token).await, UNKNOWN.0, UNKNOWN.1);
    world.advance(600);
    assert_fault(&world.call(USER_INFO, &tokens.access_token).await, EXPIRED.0, EXPIRED.1);
    assert_eq!(world.rule(), "G3");
}

#[tokio::test]
async fn a_session_that_was_ended_is_unknown() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    let logout_token = world.platform.logout_token(&tokens.sid);
    let form = [("logout_token", logout_token.as_str())];
    assert_eq!(world.post_to("/oauth2/backchannel_logout", &form).await.status, 200);
    assert_fault(&world.call(USER_INFO, &tokens.access_token).await, UNKNOWN.0, UNKNOWN.1);
}

#[tokio::test]
async fn other_live_tokens_are_refused() {
    let it = Trusting::new(combined::app()).await;
    for subject in [it.cis2_id_token(), it.nhs_login_id_token()] {
        let exchanged = Exchange::new(&it.world, subject).send(&it.world).await;
        let reply = it.world.call(USER_INFO, &text(&exchanged, "access_token")).await;
        OTHER_SIGN_IN.assert(&it.world, &reply);
    }
    let own = it.world.token().await;
    OTHER_SIGN_IN.assert(&it.world, &it.world.call(USER_INFO, &own).await);

    let world = combined::world().await;
    let tokens = combined::signed_in(&world, PATIENT).await;
    OTHER_SIGN_IN.assert(&world, &world.call(USER_INFO, &tokens.access_token).await);
    world.advance(600);
    let reply = world.call(USER_INFO, &tokens.access_token).await;
    assert_fault(&reply, EXPIRED.0, EXPIRED.1);
}

#[tokio::test]
async fn somebody_without_a_role_has_an_empty_list_of_them() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, Person { username: "no-roles", ..NURSE }).await;
    let info = world.call(USER_INFO, &tokens.access_token).await.json();
    assert_eq!(info["nhsid_nrbac_roles"], serde_json::json!([]));
}
