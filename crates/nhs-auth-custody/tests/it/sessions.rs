//! The sessions of two instances of a server, which share a store.

use nhs_auth::{
    Cis2, Cis2Client, Cis2ClientId, Cis2SignIn, ClientSecret, IdentityProvider, Issuer,
    RedirectUri, SealingKey, SessionLimits, Sessions,
};
use nhs_auth_mock::{MockPlatform, NewClient};

use crate::box_browser::sign_in;
use crate::server::Server;

/// The sessions of one more instance.
async fn sessions(server: &Server) -> Sessions {
    let secret = "a secret that all instances of it share".into();
    let seal = SealingKey::derived_from(&secret).unwrap();
    Sessions::new(server.store().await, seal, SessionLimits::CIS2)
}

fn cis2(platform: &MockPlatform) -> Cis2 {
    let party = platform.create_client(NewClient::cis2()).unwrap();
    let client = Cis2Client::with_secret(
        Cis2ClientId::parse(party.client_id()).unwrap(),
        RedirectUri::parse("https://app.example.org/callback").unwrap(),
        ClientSecret::new(party.client_secret()),
    );
    Cis2::new(Issuer::in_the_box(IdentityProvider::Cis2, &platform.base_url()).unwrap(), client)
}

/// That none of these texts is in the server, in a name or a value.
async fn assert_has_none_of(server: &Server, texts: &[&str]) {
    let names = server.names().await;
    assert!(!names.is_empty());
    for name in names {
        let value: Vec<u8> = server.ask(&[b"DUMP", name.as_bytes()]).await;
        let kept = [name.as_bytes(), &value].concat();
        for text in texts {
            let is_there = kept.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!is_there, "{text} is in {name}");
        }
    }
}

#[tokio::test]
async fn a_user_signs_in_at_one_instance_and_is_known_at_the_other() {
    let server = Server::start().await;
    // What is dumped is as it is kept.
    let () = server.ask(&[b"CONFIG", b"SET", b"rdbcompression", b"no"]).await;
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    let (one, other) = (sessions(&server).await, sessions(&server).await);

    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let state = begun.pending.state().to_owned();
    let name = one.begin(begun.pending).await.unwrap();
    assert_has_none_of(&server, &[&state, name.expose(), "nonce"]).await;

    let callback = sign_in(&begun.url, "656005750105").await;
    let (at_one, at_other) = tokio::join!(one.take_pending(&name), other.take_pending(&name));
    let (at_one, at_other) = (at_one.unwrap(), at_other.unwrap());
    assert!(at_one.is_some() != at_other.is_some(), "one of them gets it");
    let signed_in = cis2.complete(at_one.or(at_other).unwrap(), &callback).await.unwrap();

    let name = one.start(&signed_in).await.unwrap();
    let session = other.find(&name).await.unwrap().unwrap();
    assert_eq!(session.name(), Some("Blake Example"));
    let id_token = signed_in.id_token.expose();
    let sid = signed_in.id_token.session_id().unwrap();
    let secret = [name.expose(), id_token, sid, "Blake Example", "656005750105"];
    assert_has_none_of(&server, &secret).await;

    let role = session.roles().first().unwrap().person_roleid.clone();
    other.choose_role(&name, &role).await.unwrap();
    let session = one.find(&name).await.unwrap().unwrap();
    assert_eq!(session.role().map(|role| role.person_roleid.clone()), Some(role));
    other.end(&name).await.unwrap();
    assert!(one.find(&name).await.unwrap().is_none());
    assert_eq!(server.names().await, Vec::<String>::new());
}
