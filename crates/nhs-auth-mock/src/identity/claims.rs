//! What the providers say of a user: in the ID token, and in the user info.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth_rules::UnixMillis;
use serde_json::{Map, Value, json};

use super::client::platform_client_id;
use super::keys::overlay;
use super::signed_in::SignedIn;
use crate::random;
use crate::user::{Role, SelectedRole, User};

/// How long an ID token of the real providers lives: an hour.
const LIFETIME_S: i64 = 3600;

/// How long one of the hosted mocks lives: about five minutes.
const HOSTED_LIFETIME_S: i64 = 300;

/// What an ID token is handed out with, and is bound to by a hash of each.
#[derive(Clone, Copy)]
pub(super) struct HandedOut<'a> {
    pub(super) access_token: &'a str,
    pub(super) code: &'a str,
}

/// The claims of an ID token.
pub(super) fn of_id_token(
    signed_in: &SignedIn,
    issuer: &str,
    with: Option<HandedOut<'_>>,
    now: UnixMillis,
) -> Map<String, Value> {
    let request = &signed_in.request;
    let lifetime = if request.realm.is_hosted() { HOSTED_LIFETIME_S } else { LIFETIME_S };
    let mut claims = object(json!({
        "iss": issuer,
        "aud": request.client_id,
        "iat": now.to_seconds().0,
        "exp": now.to_seconds().0 + lifetime,
        "auth_time": signed_in.at.to_seconds().0,
        "jti": random::uuid(),
    }));
    if let Some(nonce) = &request.nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    let more = if request.realm.is_nhs_login() {
        of_patient(signed_in)
    } else {
        of_healthcare_worker(signed_in, with)
    };
    claims.extend(more);
    overlay(&mut claims, &signed_in.user.claims);
    claims
}

/// CIS2's claims of a sign-in.
fn of_healthcare_worker(signed_in: &SignedIn, with: Option<HandedOut<'_>>) -> Map<String, Value> {
    let (request, user) = (&signed_in.request, &signed_in.user);
    let (acr, amr) = authentication(user, request.acr_values.as_deref());
    let mut claims = object(json!({
        "sub": user.username,
        "subname": user.username,
        "azp": request.client_id,
        "sid": signed_in.sid,
        "acr": acr,
        "amr": [amr],
        "realm": "/NHSIdentity/Healthcare",
        "tokenName": "id_token",
        "tokenType": "JWTToken",
        "auditTrackingId": random::uuid(),
        "org.forgerock.openidconnect.ops": random::alphanumeric(27),
        "authentication_assurance_level": user.level,
        // As text where the other level is text.
        "id_assurance_level": if user.level.is_string() { json!("3") } else { json!(3) },
    }));
    if let Some(HandedOut { access_token, code }) = with {
        claims.insert("at_hash".to_owned(), json!(left_half_of_sha256(access_token)));
        claims.insert("c_hash".to_owned(), json!(left_half_of_sha256(code)));
    }
    if let Some(state) = &request.state {
        claims.insert("s_hash".to_owned(), json!(left_half_of_sha256(state)));
    }
    claims.extend(selected_role(signed_in));
    claims
}

/// `selected_roleid`: there where a role was asked for, if the user has one.
fn selected_role(signed_in: &SignedIn) -> Map<String, Value> {
    let role = match (signed_in.user.selected_roleid, &signed_in.role) {
        (SelectedRole::Empty, _) if signed_in.request.wants_role() => Some(""),
        (SelectedRole::Chosen, Some(role)) => Some(role.as_str()),
        _ => None,
    };
    role.map(|role| ("selected_roleid".to_owned(), json!(role))).into_iter().collect()
}

/// NHS login's claims of a sign-in. A hosted mock gives all of them whatever was asked for.
fn of_patient(signed_in: &SignedIn) -> Map<String, Value> {
    let (request, user) = (&signed_in.request, &signed_in.user);
    let mut claims = object(json!({
        "sub": subject(user),
        "vot": vector(signed_in),
        "vtm": format!("{}/trustmark", request.origin),
        "token_use": "id",
    }));
    if request.realm.is_hosted() {
        claims.extend(identity_of_patient(user, true));
        claims.insert("identity_proofing_level".to_owned(), user.level.clone());
    } else if request.has_scope("profile") || request.has_scope("basic_demographics") {
        claims.insert("identity_proofing_level".to_owned(), user.level.clone());
        claims.extend(identity_of_patient(user, request.has_scope("profile")));
    }
    claims
}

/// The user info (OpenID Connect Core §5.3).
pub(crate) fn of_user_info(signed_in: &SignedIn) -> Map<String, Value> {
    let mut claims = if signed_in.request.realm.is_nhs_login() {
        user_info_of_patient(signed_in)
    } else {
        user_info_of_healthcare_worker(signed_in)
    };
    overlay(&mut claims, &signed_in.user.claims);
    claims
}

fn user_info_of_healthcare_worker(signed_in: &SignedIn) -> Map<String, Value> {
    let (request, user) = (&signed_in.request, &signed_in.user);
    // A hosted mock tells all that there is, and so the platform is told, by its own tests.
    let is_platform = request.client_id == platform_client_id(request.realm.provider);
    let tells = |scope| is_platform || request.realm.is_hosted() || request.has_scope(scope);
    let mut claims = object(json!({"sub": user.username}));
    if tells("profile") {
        claims.extend(object(json!({
            "uid": user.username,
            "name": user.full_name(),
            "given_name": user.given_name,
            "family_name": user.family_name,
        })));
    }
    if tells("email") {
        claims.insert("email".to_owned(), json!(email(user)));
    }
    if tells("nhsperson") {
        claims.extend(object(json!({
            "nhsid_useruid": user.username,
            "display_name": user.full_name(),
            "title": "Mx",
            "idassurancelevel": "3",
        })));
    }
    if tells("nationalrbacaccess") {
        let person_orgid = person_orgid(user);
        let roles: Vec<_> = user.roles.iter().map(|role| role.claim(&person_orgid)).collect();
        claims.insert("nhsid_nrbac_roles".to_owned(), json!(roles));
        claims.insert("nhsid_useruid".to_owned(), json!(user.username));
    }
    if tells("associatedorgs") {
        claims.insert("nhsid_user_orgs".to_owned(), json!(organisations(&user.roles)));
    }
    claims.extend(selected_role(signed_in));
    claims
}

fn user_info_of_patient(signed_in: &SignedIn) -> Map<String, Value> {
    let (request, user) = (&signed_in.request, &signed_in.user);
    let tells = |scope| request.realm.is_hosted() || request.has_scope(scope);
    let mut claims = object(json!({"sub": subject(user)}));
    if tells("profile") || tells("basic_demographics") {
        claims.insert("identity_proofing_level".to_owned(), user.level.clone());
        claims.extend(identity_of_patient(user, tells("profile")));
    }
    if tells("profile_extended") && user.level_text() != "P0" {
        claims.insert("given_name".to_owned(), json!(user.given_name));
    }
    if tells("email") {
        claims.insert("email".to_owned(), json!(email(user)));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    if tells("phone") {
        claims.extend(object(json!({
            "phone_number": "+447700900123",
            "phone_number_verified": true,
            "phone_number_pds_matched": true,
        })));
    }
    if tells("gp_registration_details") {
        claims.insert("gp_registration_details".to_owned(), json!({"gp_ods_code": "Z9Z9Z"}));
    }
    if tells("gp_integration_credentials") {
        claims.insert(
            "gp_integration_credentials".to_owned(),
            json!({
                "gp_user_id": "1234567890",
                "gp_linkage_key": "ExampleLinkageKey",
                "gp_ods_code": "Z9Z9Z",
            }),
        );
    }
    claims
}

/// Who the patient is. Of one whose identity isn't proven (P0) nothing is known.
fn identity_of_patient(user: &User, with_nhs_number: bool) -> Map<String, Value> {
    if user.level_text() == "P0" {
        return Map::new();
    }
    let mut claims = object(json!({
        "family_name": user.family_name.to_uppercase(),
        "birthdate": "1988-03-14",
    }));
    if with_nhs_number {
        claims.insert("nhs_number".to_owned(), json!(nhs_number(user)));
    }
    claims
}

/// A user name of ten digits is the NHS number; any other user has a made-up one.
fn nhs_number(user: &User) -> String {
    let is_number =
        user.username.len() == 10 && user.username.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { user.username.clone() } else { "9000000009".to_owned() }
}

/// NHS login's name of a user: the same at each sign-in, and not the user name.
pub(super) fn subject(user: &User) -> String {
    let digest = digest::digest(&digest::SHA256, user.username.as_bytes());
    let bytes = std::array::from_fn(|at| digest.as_ref()[at]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// `vot`: the first vector that was asked for and that the user reaches. The mock lets a user in
/// who reaches none; then it is not one that was asked for, and the client has to notice.
fn vector(signed_in: &SignedIn) -> String {
    let level = signed_in.user.level_text();
    let reached = signed_in
        .request
        .vectors
        .iter()
        .find(|vector| vector.split('.').next() == Some(level.as_str()));
    reached.cloned().unwrap_or_else(|| format!("{level}.Cp.Cd"))
}

/// `acr` and `amr`. The first of the values that were asked for and that the user reaches; a user
/// who reaches none signs in all the same, and the client has to notice.
fn authentication(user: &User, asked: Option<&str>) -> (String, &'static str) {
    let level = user.level_name();
    let reached = asked.unwrap_or_default().split(' ').find(|value| {
        value.starts_with(&level) || (value.starts_with("AAL2_OR_") && level != "AAL1")
    });
    let acr = reached.map_or_else(
        || match level.as_str() {
            "AAL1" => "AAL1_USERPASS".to_owned(),
            other => format!("{other}_ANY"),
        },
        str::to_owned,
    );
    let amr = match level.as_str() {
        "AAL1" => "USERPASS",
        "AAL2" => "TOTP",
        _ => "N3_SMARTCARD",
    };
    (acr, amr)
}

fn organisations(roles: &[Role]) -> Vec<Value> {
    let mut codes: Vec<_> = roles.iter().map(|role| role.org_code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
        .into_iter()
        .map(|code| json!({"org_code": code, "org_name": format!("EXAMPLE SURGERY {code}")}))
        .collect()
}

/// The user's name in an organisation, such as `7` and twelve digits.
fn person_orgid(user: &User) -> String {
    let digits: String = user.username.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { "700000000001".to_owned() } else { format!("7{digits}") }
}

fn email(user: &User) -> String {
    format!("{}@example.org", user.username)
}

/// `at_hash` and its like, where the signature is RS256 (OpenID Connect Core §3.1.3.6).
fn left_half_of_sha256(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
