//! A client of an identity provider, as an application has it that signs users in itself.

use nhs_auth_mock::NewClient;
use nhs_auth_rules::CLIENT_ASSERTION_TYPE;
use serde_json::{Value, json};

use crate::assertion::new_jti;
use crate::browser::{self, Redirect};
use crate::http::Reply;
use crate::jwt::{self, Jwt};
use crate::key::Key;
use crate::world::World;

/// The name of the client's key.
pub(crate) const CLIENT_KID: &str = "client-1";

/// Where the client wants the browser back.
pub(crate) const REDIRECT_URI: &str = "https://clinic.example/signed-in";

/// A client, and what the provider says of itself.
pub(crate) struct RelyingParty<'a> {
    pub(crate) world: &'a World,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) discovery: Value,
}

/// What a code became.
pub(crate) struct SignedIn {
    pub(crate) body: Value,
    pub(crate) id_token: Jwt,
}

impl<'a> RelyingParty<'a> {
    /// Registers the client with the provider of that issuer.
    pub(crate) async fn register(world: &'a World, issuer: &str, client: NewClient) -> Self {
        let client = client.redirect_uri(REDIRECT_URI);
        let registered = world.platform.create_client(client).unwrap();
        Self {
            world,
            client_id: registered.client_id().to_owned(),
            client_secret: registered.client_secret().to_owned(),
            discovery: discovery(world, issuer).await,
        }
    }

    /// A client of CIS2 with a secret.
    pub(crate) async fn cis2(world: &'a World) -> Self {
        Self::register(world, &world.platform.cis2_url(), NewClient::cis2()).await
    }

    /// A client of NHS login with a key.
    pub(crate) async fn nhs_login(world: &'a World) -> Self {
        let client = NewClient::nhs_login().jwks(Key::usual().jwks(CLIENT_KID));
        Self::register(world, &world.platform.nhs_login_url(), client).await
    }

    pub(crate) fn endpoint(&self, name: &str) -> &str {
        self.discovery[name].as_str().unwrap()
    }

    /// A good authorization request with those parameters on top; an empty one is left out.
    pub(crate) fn authorization_url(&self, more: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
        ];
        let usual = usual.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let parameters: Vec<_> =
            usual.chain(more).filter(|(_, value)| !value.is_empty()).copied().collect();
        let query = crate::world::encoded(&parameters);
        format!("{}?{query}", self.endpoint("authorization_endpoint"))
    }

    /// Where the browser is sent after that user has signed in.
    pub(crate) async fn back(&self, username: &str, more: &[(&str, &str)]) -> Redirect {
        browser::sign_in(self.world, &self.authorization_url(more), username).await
    }

    pub(crate) async fn code(&self, username: &str, more: &[(&str, &str)]) -> String {
        self.back(username, more).await.parameter("code").to_owned()
    }

    /// A request to the token endpoint.
    pub(crate) async fn ask(&self, form: &[(&str, &str)]) -> Reply {
        let url = self.endpoint("token_endpoint");
        let path = url.strip_prefix(&self.world.platform.base_url()).unwrap();
        self.world.post_to(path, form).await
    }

    /// A request for the tokens of a code, with the client's credentials.
    pub(crate) async fn redeem(&self, code: &str, credentials: &[(&str, &str)]) -> Reply {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
        ];
        form.extend(credentials);
        self.ask(&form).await
    }

    /// The tokens of a code, for the client's secret.
    pub(crate) async fn redeem_by_secret(&self, code: &str) -> Reply {
        self.redeem(code, &[("client_id", &self.client_id), ("client_secret", &self.client_secret)])
            .await
    }

    /// The tokens of a code, for an assertion.
    pub(crate) async fn redeem_by(&self, code: &str, assertion: &str) -> Reply {
        self.redeem(code, &with_assertion(assertion)).await
    }

    /// An assertion that the provider takes (RFC 7523 §3).
    pub(crate) fn assertion(&self) -> Jwt {
        Jwt::new(
            json!({"alg": "RS512", "typ": "JWT", "kid": CLIENT_KID}),
            json!({
                "iss": self.client_id,
                "sub": self.client_id,
                "aud": self.endpoint("token_endpoint"),
                "jti": new_jti(),
                "exp": self.world.platform.now().0 / 1000 + 150,
            }),
        )
    }

    /// A whole sign-in, and the ID token's signature checked.
    pub(crate) async fn sign_in(&self, username: &str, more: &[(&str, &str)]) -> SignedIn {
        let code = self.code(username, more).await;
        let methods = &self.discovery["token_endpoint_auth_methods_supported"];
        let reply = if methods[0] == "private_key_jwt" {
            self.redeem_by(&code, &self.assertion().sign(Key::usual())).await
        } else {
            self.redeem_by_secret(&code).await
        };
        assert_eq!(reply.status, 200, "{}", reply.text());
        let body = reply.json();
        let id_token = body["id_token"].as_str().unwrap();
        let key_set = browser::open(self.world, self.endpoint("jwks_uri")).await;
        assert!(jwt::verifies(id_token, &key_set.json()));
        SignedIn { id_token: Jwt::read(id_token), body }
    }

    /// The user info that an access token opens.
    pub(crate) async fn user_info(&self, access_token: &str) -> Reply {
        let url = self.endpoint("userinfo_endpoint");
        let path = url.strip_prefix(&self.world.platform.base_url()).unwrap();
        self.world.call(path, access_token).await
    }
}

impl SignedIn {
    pub(crate) fn access_token(&self) -> &str {
        self.body["access_token"].as_str().unwrap()
    }

    pub(crate) fn claim(&self, name: &str) -> &Value {
        &self.id_token.claims()[name]
    }
}

/// The form of a client with an assertion.
pub(crate) fn with_assertion(assertion: &str) -> [(&'static str, &str); 2] {
    [("client_assertion_type", CLIENT_ASSERTION_TYPE), ("client_assertion", assertion)]
}

/// What the provider of that issuer says of itself.
pub(crate) async fn discovery(world: &World, issuer: &str) -> Value {
    let url = format!("{issuer}/.well-known/openid-configuration");
    let reply = browser::open(world, &url).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    reply.json()
}
