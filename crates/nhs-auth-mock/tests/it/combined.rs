//! Combined sign-in, step by step, as a person and an application go through it together.

use nhs_auth_mock::NewApp;

use crate::assertion::KID;
use crate::browser::{self, Redirect};
use crate::http::Reply;
use crate::key::Key;
use crate::world::{World, encoded};

/// Where the application wants the browser back.
pub(crate) const CALLBACK: &str = "https://app.example/callback";

/// The application's own `state`, with what has to be escaped.
pub(crate) const STATE: &str = "a state/with?odd&characters=+";

/// Somebody who signs in, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    /// `scope` at `/authorize`.
    pub(crate) scope: &'static str,
    pub(crate) username: &'static str,
    /// How long the tokens can be refreshed after the sign-in, in seconds.
    pub(crate) window_s: u64,
}

/// A healthcare worker, who signs in with CIS2 at level 3.
pub(crate) const NURSE: Person =
    Person { scope: "nhs-cis2", username: "656005750105", window_s: 43_200 };

/// A patient, who signs in with NHS login to P9.
pub(crate) const PATIENT: Person =
    Person { scope: "nhs-login", username: "9912003071", window_s: 3600 };

/// What an application gets for a code.
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) sid: String,
}

pub(crate) fn app() -> NewApp {
    NewApp::new("test").jwks(Key::usual().jwks(KID)).callback_url(CALLBACK)
}

pub(crate) async fn world() -> World {
    World::with_app(app()).await
}

/// A good request to `/authorize`.
pub(crate) fn authorization_request(world: &World, scope: &str) -> [(&'static str, String); 5] {
    [
        ("client_id", world.app.api_key().to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("response_type", "code".to_owned()),
        ("state", STATE.to_owned()),
        ("scope", scope.to_owned()),
    ]
}

/// The answer of `/authorize` to such a request.
pub(crate) async fn authorize(
    world: &World,
    base_path: &str,
    parameters: &[(&str, String)],
) -> Reply {
    let parameters: Vec<_> =
        parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.get(&format!("{base_path}/authorize?{}", encoded(&parameters)), &[]).await
}

/// The sign-in up to where the provider sends the browser back: to the platform, with its code.
pub(crate) async fn back_from_provider(world: &World, person: Person) -> Redirect {
    let parameters = authorization_request(world, person.scope);
    let to_provider = browser::redirect(&authorize(world, "/oauth2", &parameters).await);
    browser::sign_in(world, &to_provider.url, person.username).await
}

/// The whole sign-in: the code that the application is sent.
pub(crate) async fn code(world: &World, person: Person) -> String {
    let back = back_from_provider(world, person).await;
    let to_application = browser::redirect(&browser::open(world, &back.url).await);
    to_application.parameter("code").to_owned()
}

/// The form that redeems a code.
pub(crate) fn redemption(world: &World, code: &str) -> [(&'static str, String); 5] {
    [
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", world.app.api_key().to_owned()),
        ("client_secret", world.app.client_secret().to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("code", code.to_owned()),
    ]
}

/// The form of a refresh.
pub(crate) fn refreshing(world: &World, refresh_token: &str) -> [(&'static str, String); 4] {
    [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", world.app.api_key().to_owned()),
        ("client_secret", world.app.client_secret().to_owned()),
        ("refresh_token", refresh_token.to_owned()),
    ]
}

/// Posts a form to the token endpoint.
pub(crate) async fn post(world: &World, form: &[(&str, String)]) -> Reply {
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.post(&form).await
}

pub(crate) async fn redeem(world: &World, code: &str) -> Reply {
    post(world, &redemption(world, code)).await
}

pub(crate) async fn refresh(world: &World, refresh_token: &str) -> Reply {
    post(world, &refreshing(world, refresh_token)).await
}

/// The tokens of a whole sign-in.
pub(crate) async fn signed_in(world: &World, person: Person) -> Tokens {
    let code = code(world, person).await;
    let reply = redeem(world, &code).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Tokens {
        access_token: text("access_token"),
        refresh_token: text("refresh_token"),
        sid: text("sid"),
    }
}

/// A member of an answer, which is a text.
pub(crate) fn text(reply: &Reply, name: &str) -> String {
    let body = reply.json();
    let text = body[name].as_str().unwrap_or_else(|| panic!("{name}: {}", reply.text()));
    text.to_owned()
}
