//! ID tokens as the identity providers issue them, good unless told otherwise.

use serde_json::json;

use crate::jwt::Jwt;

/// The name of the key that the providers of a test sign with.
pub(crate) const PROVIDER_KID: &str = "provider-1";

/// An ID token of a healthcare worker who signed in at level 3.
pub(crate) fn of_cis2(issuer: &str, now_s: i64) -> Jwt {
    Jwt::new(
        json!({"alg": "RS256", "typ": "JWT", "kid": PROVIDER_KID}),
        json!({
            "iss": issuer,
            "aud": "000000000000.111111111111.apps.supplier",
            "sub": "656005750104",
            "exp": now_s + 3600,
            "iat": now_s,
            "authentication_assurance_level": 3,
        }),
    )
}

/// An ID token of a patient whose identity is proven to P9.
pub(crate) fn of_nhs_login(issuer: &str, now_s: i64) -> Jwt {
    Jwt::new(
        json!({"alg": "RS512", "typ": "JWT", "kid": PROVIDER_KID}),
        json!({
            "iss": issuer,
            "aud": "clinic",
            "sub": "0d9ff1ba-8a2b-4c5c-9a55-0f4b3c1f3b0e",
            "exp": now_s + 3600,
            "iat": now_s,
            "nhs_number": "9912003071",
            "identity_proofing_level": "P9",
        }),
    )
}
