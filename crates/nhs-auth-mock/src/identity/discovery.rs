//! The discovery documents (OpenID Connect Discovery §3), with what the real ones say.

use nhs_auth_rules::IdentityProvider;
use serde_json::{Value, json};

use super::realm::{Endpoint, Realm};

/// What a provider says of itself. `origin` is the scheme and host that its endpoints have.
pub(super) fn document(realm: Realm, issuer: &str, origin: &str) -> Value {
    let base = [origin, &realm.path()].concat();
    let url = |endpoint| format!("{base}{}", realm.endpoint_path(endpoint));
    let (algorithm, methods, scopes) = match (realm.provider, realm.is_hosted()) {
        (IdentityProvider::NhsLogin, false) => ("RS512", vec!["private_key_jwt"], NHS_LOGIN_SCOPES),
        (IdentityProvider::NhsLogin, true) => ("RS512", hosted_methods(), NHS_LOGIN_SCOPES),
        (_, true) => ("RS256", hosted_methods(), CIS2_SCOPES),
        _ => ("RS256", vec!["client_secret_post", "private_key_jwt"], CIS2_SCOPES),
    };
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": url(Endpoint::Authorize),
        "token_endpoint": url(Endpoint::Token),
        "userinfo_endpoint": url(Endpoint::UserInfo),
        "jwks_uri": url(Endpoint::Jwks),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported":
            if realm.is_nhs_login() { json!(["RS512"]) } else { json!(["RS256", "RS512"]) },
        "scopes_supported": scopes,
    });
    if realm.is_nhs_login() {
        document["vtr_values_supported"] = json!([
            "P0.Cp", "P0.Cp.Cd", "P0.Cp.Ck", "P0.Cm", "P5.Cp", "P5.Cp.Cd", "P5.Cp.Ck", "P5.Cm",
            "P9.Cp", "P9.Cp.Cd", "P9.Cp.Ck", "P9.Cm"
        ]);
        if !realm.is_hosted() {
            document["grant_types_supported"] = json!(["authorization_code", "refresh_token"]);
        }
    } else {
        document["acr_values_supported"] = json!(ACR_VALUES);
        document["backchannel_logout_supported"] = json!(true);
        document["backchannel_logout_session_supported"] = json!(true);
    }
    document
}

fn hosted_methods() -> Vec<&'static str> {
    vec!["client_secret_basic", "client_secret_post", "private_key_jwt"]
}

const NHS_LOGIN_SCOPES: &[&str] = &[
    "openid",
    "basic_demographics",
    "client_metadata",
    "email",
    "gp_integration_credentials",
    "gp_registration_details",
    "landline",
    "nhs_app_credentials",
    "phone",
    "profile",
    "profile_extended",
];

const CIS2_SCOPES: &[&str] = &[
    "openid",
    "profile",
    "email",
    "nhsperson",
    "nationalrbacaccess",
    "associatedorgs",
    "professionalmemberships",
    "organisationalmemberships",
    "selectedrole",
    "changedrole",
];

const ACR_VALUES: &[&str] = &[
    "AAL3_ANY",
    "AAL2_OR_AAL3_ANY",
    "AAL2_ANY",
    "AAL1_USERPASS",
    "AAL3_IOS",
    "AAL3_FIDO2",
    "AAL3_N3_SMARTCARD",
    "AAL3_CIS2_SMARTCARD",
    "AAL3_SMARTCARD",
    "AAL2_TOTP",
    "AAL2_NHSMAIL",
];
