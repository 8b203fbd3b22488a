//! The provider as CIS2 or as NHS login, and an application that signs its users in there.

use nhs_auth::{
    BegunSignIn, Callback, Cis2, Cis2Client, Cis2ClientId, Cis2SignIn, Cis2User, ClientKey,
    ClientSecret, Issuer, Kid, NhsLogin, NhsLoginClient, NhsLoginClientId, RedirectUri, SignIn,
    SignInError, SigningAlgorithm,
};
use serde_json::{Value, json};

use super::process::OidcProvider;
use crate::platform::{jwks, key};

pub(super) const CIS2_CLIENT: &str = "111111111111.222222222222.apps.supplier";
const NHS_LOGIN_CLIENT: &str = "my-client";
const REDIRECT_URI: &str = "https://app.example.org/callback";
const SECRET: &str = "a-secret-of-the-tests-and-of-nobody-else";

/// A provider in the shape of CIS2, and a client of it.
pub(super) struct Cis2Scene {
    pub(super) provider: OidcProvider,
    pub(super) cis2: Cis2,
}

impl Cis2Scene {
    /// With a client that signs by that algorithm, and is registered with it.
    pub(super) fn signing(algorithm: SigningAlgorithm) -> Self {
        Self::registered(algorithm, with_key(algorithm), false)
    }

    pub(super) fn new() -> Self {
        Self::signing(SigningAlgorithm::Rs512)
    }

    pub(super) fn with_secret() -> Self {
        let client = Cis2Client::with_secret(cis2_client(), redirect_uri(), secret());
        let metadata = json!({
            "token_endpoint_auth_method": "client_secret_post", "client_secret": SECRET,
        });
        Self::of(metadata, client, false)
    }

    pub(super) fn requiring_pkce() -> Self {
        let algorithm = SigningAlgorithm::Rs512;
        Self::registered(algorithm, with_key(algorithm), true)
    }

    /// With a client that is registered with one algorithm and signs with another.
    pub(super) fn signing_with_another() -> Self {
        Self::registered(SigningAlgorithm::Rs256, with_key(SigningAlgorithm::Rs512), false)
    }

    fn registered(algorithm: SigningAlgorithm, client: Cis2Client, pkce_required: bool) -> Self {
        // The key set says what each key is for, which is RS512 at the platform.
        let jwks = jwks().replace("RS512", algorithm.name());
        Self::of(key_metadata(&jwks, algorithm.name()), client, pkce_required)
    }

    fn of(authentication: Value, client: Cis2Client, pkce_required: bool) -> Self {
        let usual = json!({
            "client_id": CIS2_CLIENT,
            "redirect_uris": [REDIRECT_URI],
            "id_token_signed_response_alg": "RS256",
            "require_auth_time": true,
            "backchannel_logout_uri": "https://app.example.org/logout",
            "backchannel_logout_session_required": true,
        });
        let provider = OidcProvider::start(&json!({
            "clients": [merged(usual, authentication)],
            "accounts": {
                "nurse": worker("Nia Nurse", 3),
                "doctor": worker("Dee Doctor", 3),
                "clerk": worker("Cleo Clerk", 2),
            },
            "pkce_required": pkce_required,
        }));
        let cis2 = Cis2::new(Issuer::parse(provider.issuer()).unwrap(), client);
        Self { provider, cis2 }
    }

    pub(super) async fn begin(&self) -> BegunSignIn {
        self.cis2.begin(&Cis2SignIn::new()).await.unwrap()
    }

    /// The whole of a sign-in.
    pub(super) async fn sign_in(&mut self, who: &str) -> Result<SignIn<Cis2User>, SignInError> {
        let begun = self.begin().await;
        let query = self.provider.sign_in(&begun.url, who);
        self.cis2.complete(begun.pending, &callback(&query)).await
    }

    /// The end of a sign-in whose callback was changed on its way.
    pub(super) async fn sign_in_with(
        &mut self,
        change: impl FnOnce(String) -> String,
    ) -> SignInError {
        let begun = self.begin().await;
        let query = change(self.provider.sign_in(&begun.url, "nurse"));
        self.cis2.complete(begun.pending, &callback(&query)).await.unwrap_err()
    }

    /// The end of a sign-in whose token answer is forged.
    pub(super) async fn forged(&mut self, forgery: Value) -> SignInError {
        self.provider.forge_next(&forgery);
        self.sign_in("nurse").await.unwrap_err()
    }
}

/// A provider in the shape of NHS login that signs with that algorithm, and a client of it.
pub(super) fn nhs_login(id_token_algorithm: &str) -> (OidcProvider, NhsLogin) {
    let usual = json!({
        "client_id": NHS_LOGIN_CLIENT,
        "redirect_uris": [REDIRECT_URI],
        "id_token_signed_response_alg": id_token_algorithm,
    });
    let provider = OidcProvider::start(&json!({
        "clients": [merged(usual, key_metadata(&jwks(), "RS512"))],
        "accounts": {"patient": {
            "vot": "P9.Cp.Cd", "identity_proofing_level": "P9", "family_name": "Patient",
            "birthdate": "1970-01-01", "nhs_number": "9912003071",
        }},
    }));
    let id = NhsLoginClientId::parse(NHS_LOGIN_CLIENT).unwrap();
    let client = NhsLoginClient::new(id, redirect_uri(), kid(), key()).unwrap();
    let nhs_login = NhsLogin::new(Issuer::parse(provider.issuer()).unwrap(), client);
    (provider, nhs_login)
}

/// The query of a redirect URI, read.
pub(super) fn callback(query: &str) -> Callback {
    Callback::parse(query).unwrap()
}

fn worker(name: &str, level: u32) -> Value {
    json!({
        "name": name, "nhsid_useruid": "555021935107", "selected_roleid": "role-1",
        "acr": "AAL3_ANY", "authentication_assurance_level": level, "id_assurance_level": "3",
        "nhsid_nrbac_roles": [{"person_roleid": "role-1", "org_code": "A83003"}],
    })
}

fn with_key(algorithm: SigningAlgorithm) -> Cis2Client {
    let key = ClientKey::new(kid(), key()).with_algorithm(algorithm);
    Cis2Client::with_key(cis2_client(), redirect_uri(), key)
}

fn key_metadata(jwks: &str, algorithm: &str) -> Value {
    json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": algorithm,
        "jwks": serde_json::from_str::<Value>(jwks).unwrap(),
    })
}

fn merged(mut one: Value, other: Value) -> Value {
    let (Some(all), Value::Object(more)) = (one.as_object_mut(), other) else { unreachable!() };
    all.extend(more);
    one
}

fn cis2_client() -> Cis2ClientId {
    Cis2ClientId::parse(CIS2_CLIENT).unwrap()
}

fn redirect_uri() -> RedirectUri {
    RedirectUri::parse(REDIRECT_URI).unwrap()
}

fn secret() -> ClientSecret {
    ClientSecret::new(SECRET.to_owned())
}

fn kid() -> Kid {
    Kid::parse("int-1").unwrap()
}
