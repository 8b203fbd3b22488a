//! The page where a person says who it is, and the one where it chooses a role.

use nhs_auth_mock::{NewIdToken, Role, SelectedRole, User};
use serde_json::Value;

use crate::browser::{self, Form, Redirect};
use crate::http::Reply;
use crate::relying_party::RelyingParty;
use crate::world::World;

const NURSE: &str = "656005750105";
const WITH_ROLE: (&str, &str) = ("scope", "openid nationalrbacaccess selectedrole");

/// The sign-in page of a request with those parameters.
async fn page(client: &RelyingParty<'_>, more: &[(&str, &str)]) -> Reply {
    let page = browser::open(client.world, &client.authorization_url(more)).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

#[tokio::test]
async fn a_test_client_of_the_hosted_mock_can_fill_the_form_in() {
    let world = World::new().await;
    for client in [RelyingParty::cis2(&world).await, RelyingParty::nhs_login(&world).await] {
        let page = page(&client, &[]).await;
        let form = Form::on(&page);
        assert!(form.attribute("action").starts_with(&world.platform.base_url()));
        assert_eq!(form.attribute("method"), "post");
        let inputs: Vec<_> = form
            .controls
            .iter()
            .filter(|control| control.get("type").unwrap() != "submit")
            .collect();
        assert_eq!(inputs.len(), 1);
        assert_eq!((inputs[0]["name"].as_str(), inputs[0]["value"].as_str()), ("username", ""));
        // It works where no script runs, and brings none.
        assert!(!page.text().contains("<script"), "{}", page.text());
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn somebody_who_is_not_known_sees_the_page_again() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let form = Form::on(&page(&client, &[]).await);
    // A patient is no healthcare worker.
    for (username, told) in [
        ("nobody", "There is no user of that name here"),
        ("9912003071", "There is no user of that name here"),
        ("", "Enter a user name"),
        ("   ", "Enter a user name"),
    ] {
        let again = form.submit(&world, &[("username", username)]).await;
        assert_eq!((again.status, again.header("location")), (200, None), "{username:?}");
        assert!(again.text().contains(told), "{username:?}");
        assert_eq!(Form::on(&again).attribute("action"), form.attribute("action"));
    }
    let back = browser::redirect(&form.submit(&world, &[("username", " 656005750105 ")]).await);
    assert_eq!(back.parameter("state"), "state-1", "the sign-in went on as it began");
}

#[tokio::test]
async fn whoever_is_on_the_page_signs_in_by_a_button() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    world.platform.create_user(User::cis2("one-more", 3).name("One", "More"));
    let page = page(&client, &[]).await;
    for told in [NURSE, "One More", "AAL3", "AAL2", "AAL1"] {
        assert!(page.text().contains(told), "{told}");
    }
    assert!(!page.text().contains("9912003071"), "patients are elsewhere");
    // The text field comes first, and is empty.
    let values = [("username", ""), ("username", "one-more")];
    let back = browser::redirect(&Form::on(&page).submit(&world, &values).await);
    let reply = client.redeem_by_secret(back.parameter("code")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn the_buttons_work_after_a_name_was_mistyped() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let form = Form::on(&page(&client, &[]).await);
    let again = Form::on(&form.submit(&world, &[("username", "65600575010")]).await);
    // A browser sends the field with what is typed in it, and then the button.
    let both = [("username", "65600575010"), ("username", "656005750104")];
    let reply = again.submit(&world, &both).await;
    assert_eq!(reply.status, 302, "{}", reply.text());
}

#[tokio::test]
async fn a_name_is_text_and_not_markup() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let name = "<script>alert(1)</script>\" onclick=\"x";
    world.platform.create_user(User::cis2(name, 3).name("<b>", "&amp;"));
    let page = page(&client, &[]).await;
    assert!(!page.text().contains("<script>") && !page.text().contains("<b>"));
    let again = Form::on(&page).submit(&world, &[("username", "<i>x")]).await;
    assert!(!again.text().contains("<i>"));
    let back = browser::redirect(&Form::on(&page).submit(&world, &[("username", name)]).await);
    assert!(!back.parameter("code").is_empty());
}

#[tokio::test]
async fn whoever_gives_up_is_sent_back_and_can_not_change_its_mind() {
    let world = World::new().await;
    for client in [RelyingParty::cis2(&world).await, RelyingParty::nhs_login(&world).await] {
        let form = Form::on(&page(&client, &[]).await);
        let back: Redirect = browser::redirect(&form.submit(&world, &[("cancel", "cancel")]).await);
        assert_eq!(
            (back.parameter("error"), back.parameter("state")),
            ("access_denied", "state-1")
        );
        let late = form.submit(&world, &[("username", NURSE)]).await;
        assert_eq!((late.status, late.header("location")), (400, None));
    }
}

#[tokio::test]
async fn a_page_signs_in_once_and_for_half_an_hour() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let form = Form::on(&page(&client, &[]).await);
    assert_eq!(form.submit(&world, &[("username", NURSE)]).await.status, 302);
    assert_eq!(form.submit(&world, &[("username", NURSE)]).await.status, 400);
    for (seconds, status) in [(1790, 302), (1800, 400)] {
        let form = Form::on(&page(&client, &[]).await);
        world.advance(seconds);
        let reply = form.submit(&world, &[("username", NURSE)]).await;
        assert_eq!(reply.status, status, "{seconds} s");
    }
}

/// `selected_roleid` of a sign-in with a role asked for, in the ID token and in the user info.
async fn selected(client: &RelyingParty<'_>, username: &str) -> [Option<Value>; 2] {
    let signed_in = client.sign_in(username, &[WITH_ROLE]).await;
    let info = client.user_info(signed_in.access_token()).await.json();
    [signed_in.id_token.claims(), &info].map(|claims| claims.get("selected_roleid").cloned())
}

#[tokio::test]
async fn an_only_role_is_chosen_without_a_question() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let signed_in = client.sign_in(NURSE, &[WITH_ROLE]).await;
    let info = client.user_info(signed_in.access_token()).await.json();
    let role = &info["nhsid_nrbac_roles"][0]["person_roleid"];
    assert!(role.is_string());
    assert_eq!(signed_in.claim("selected_roleid"), role);
    assert_eq!(&info["selected_roleid"], role);
}

#[tokio::test]
async fn of_several_roles_the_user_chooses_one() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let roles = [
        Role::new("100000000001", r#""Clinical":"Provision":"Nurse""#, "S8000:G8000:R8001"),
        Role::new("100000000002", r#""Admin":"Support":"Clerk""#, "S8001:G8002:R8008"),
    ];
    let [first, second] = roles;
    world.platform.create_user(User::cis2("both", 3).role(first).role(second));
    for scope in [WITH_ROLE, ("scope", "openid changedrole nationalrbacaccess")] {
        let form = Form::on(&page(&client, &[scope]).await);
        let question = form.submit(&world, &[("username", "both")]).await;
        assert_eq!(question.status, 200);
        let form = Form::on(&question);
        assert!(form.attribute("action").starts_with(&world.platform.base_url()));
        assert!(form.controls.iter().all(|it| it.contains_key("value") || it["type"] == "submit"));
        assert_eq!(form.choices("role"), ["100000000001", "100000000002"]);
        assert_eq!(Form::all(&question).len(), 1, "two can be seen at a glance");
        // Without a choice, and with another's, it is asked again.
        for values in [&[][..], &[("role", "800000000020")][..], &[("role", "")][..]] {
            let again = form.submit(&world, values).await;
            assert_eq!(Form::on(&again).choices("role").len(), 2, "{values:?}");
        }
        let back = browser::redirect(&form.submit(&world, &[("role", "100000000002")]).await);
        let reply = client.redeem_by_secret(back.parameter("code")).await.json();
        let access_token = reply["access_token"].as_str().unwrap();
        let info = client.user_info(access_token).await.json();
        assert_eq!(info["selected_roleid"], "100000000002");
    }
}

#[tokio::test]
async fn many_roles_can_be_searched() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let form = Form::on(&page(&client, &[WITH_ROLE]).await);
    let question = form.submit(&world, &[("username", "many-roles")]).await;
    assert!(Form::on(&question).choices("role").len() > 5);
    let forms = Form::all(&question);
    let search = forms.iter().find(|form| form.attribute("role") == "search").unwrap();
    let found = search.submit(&world, &[("q", "nurse")]).await;
    assert_eq!(found.status, 200);
    let choices = Form::on(&found).choices("role");
    assert!(!choices.is_empty() && choices.len() < Form::on(&question).choices("role").len());
    let nothing = search.submit(&world, &[("q", "astronaut")]).await;
    assert_eq!(Form::on(&nothing).choices("role"), [""; 0]);
    let back = browser::redirect(&Form::on(&found).submit(&world, &[("role", &choices[0])]).await);
    assert_eq!(client.redeem_by_secret(back.parameter("code")).await.status, 200);
}

#[tokio::test]
async fn without_a_role_one_goes_on_without() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    assert_eq!(selected(&client, "no-roles").await, [None, None]);
}

#[tokio::test]
async fn nobody_is_asked_where_the_scope_does_not_want_a_role() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let signed_in = client.sign_in("two-roles", &[("scope", "openid nationalrbacaccess")]).await;
    assert_eq!(signed_in.id_token.claims().get("selected_roleid"), None);
    let info = client.user_info(signed_in.access_token()).await.json();
    assert_eq!(info["nhsid_nrbac_roles"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_role_may_arrive_empty_or_not_at_all() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let role =
        || Role::new("100000000001", r#""Clinical":"Provision":"Nurse""#, "S8000:G8000:R8001");
    let chosen = Some(Value::from("100000000001"));
    for (setting, expected) in [
        (SelectedRole::Chosen, chosen),
        (SelectedRole::Empty, Some(Value::from(""))),
        (SelectedRole::Absent, None),
    ] {
        let user = User::cis2("odd", 3).role(role()).selected_roleid(setting);
        world.platform.create_user(user);
        assert_eq!(selected(&client, "odd").await, [expected.clone(), expected.clone()]);
        let minted = world.platform.id_token(&NewIdToken::cis2().username("odd")).unwrap();
        let claims = crate::jwt::Jwt::read(&minted).claims().clone();
        assert_eq!(claims.get("selected_roleid"), expected.as_ref());
    }
    assert_eq!(
        selected(&client, "empty-role").await,
        [Some(Value::from("")), Some(Value::from(""))]
    );
}
