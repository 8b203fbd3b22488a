//! What goes wrong on purpose at an identity provider: ID tokens that have expired, or that name
//! another issuer, and key sets that can't be had.

use nhs_auth_mock::{Fault, FaultKind, NewIdToken};
use serde_json::json;

use crate::exchange::Exchange;
use crate::jwt::Jwt;
use crate::key::Key;
use crate::relying_party::RelyingParty;
use crate::world::World;

const NURSE: &str = "656005750105";
const PATIENT: &str = "9912003071";

/// The rule that an exchange of the next sign-in's ID token meets, and the fault on record.
async fn exchanged(
    client: &RelyingParty<'_>,
    username: &str,
) -> (&'static str, Option<&'static str>) {
    let code = client.code(username, &[]).await;
    let reply = if username == PATIENT {
        client.redeem_by(&code, &client.assertion().sign(Key::usual())).await
    } else {
        client.redeem_by_secret(&code).await
    };
    assert_eq!(reply.status, 200, "{}", reply.text());
    let fault = client.world.latest().fault;
    let body = reply.json();
    let id_token = body["id_token"].as_str().unwrap();
    let subject = Jwt::new(json!({}), json!({}));
    Exchange::new(client.world, subject).with("subject_token", id_token).send(client.world).await;
    (client.world.rule(), fault)
}

#[tokio::test]
async fn an_id_token_that_was_spoilt_where_it_was_issued() {
    let world = World::new().await;
    for (client, username) in [
        (RelyingParty::cis2(&world).await, NURSE),
        (RelyingParty::nhs_login(&world).await, PATIENT),
    ] {
        for (kind, rule) in
            [(FaultKind::ExpiredIdToken, "S8"), (FaultKind::WrongIssuerIdToken, "S11")]
        {
            let url = client.endpoint("token_endpoint");
            let path = url.strip_prefix(&world.platform.base_url()).unwrap();
            world.platform.add_fault(Fault::new(kind).path(path).times(1));
            assert_eq!(exchanged(&client, username).await, (rule, Some(kind.name())));
            assert_eq!(exchanged(&client, username).await, ("none", None));
        }
    }
}

#[tokio::test]
async fn a_providers_key_set_that_can_not_be_fetched_stops_an_exchange() {
    let world = World::new().await;
    world.platform.add_fault(Fault::new(FaultKind::UnreachableProviderJwks).times(1));
    let exchanged = async || {
        let id_token = world.platform.id_token(&NewIdToken::cis2()).unwrap();
        let subject = Jwt::new(json!({}), json!({}));
        Exchange::new(&world, subject).with("subject_token", id_token).send(&world).await
    };
    let reply = exchanged().await;
    assert_eq!((reply.status, world.rule()), (500, "S12"), "{}", reply.text());
    assert_eq!(exchanged().await.status, 200);
}
