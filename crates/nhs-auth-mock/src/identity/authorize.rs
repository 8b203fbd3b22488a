//! The authorization endpoint (OpenID Connect Core §3.1.2), up to the sign-in page.

use http::Method;
use nhs_auth_rules::Form;

use super::page;
use super::realm::Realm;
use super::refusal::redirect;
use super::signed_in::{AuthorizationRequest, Challenge};
use crate::answer::Reply;
use crate::call::Call;
use crate::random;
use crate::state::State;

/// How long a sign-in page can be used, in milliseconds: half an hour.
const PATIENCE_MS: i64 = 30 * 60 * 1000;

/// The longest parameter: it is kept until the user has signed in.
const LONGEST: usize = 8 * 1024;

/// What is wrong with a request: the parameters of the redirect that says so.
type Fault = (&'static str, &'static str);

/// The sign-in page, or where a request that can't be served is sent back to.
pub(super) fn answer(state: &State, call: &Call, realm: Realm) -> Reply {
    let form = match call.method {
        Method::POST => Form::parse(&call.body),
        _ => call.query(),
    };
    if form.names().any(|name| form.get(name).is_some_and(|value| value.len() > LONGEST)) {
        return page::error(realm, "invalid_request", "a parameter is longer than 8 KiB");
    }
    let client =
        form.get("client_id").and_then(|id| state.identity.clients.find(realm.provider, id));
    let Some(client) = client else {
        return page::error(
            realm,
            "invalid_client",
            "the client_id is missing or not registered here",
        );
    };
    let redirect_uri = form.get("redirect_uri").unwrap_or_default();
    if redirect_uri.is_empty() || !client.may_return_to(redirect_uri) {
        return page::error(
            realm,
            "redirect_uri_mismatch",
            "The redirection URI provided does not match a pre-registered value.",
        );
    }
    if let Some((error, description)) = fault(&form, realm) {
        let mut parameters = vec![("error", error), ("error_description", description)];
        parameters.extend(form.get("state").map(|state| ("state", state)));
        let reply = redirect(redirect_uri, &parameters);
        return reply.map_or_else(
            || page::error(realm, "invalid_request", "the redirect_uri can't be redirected to"),
            |mut reply| {
                reply.note.error = Some(error.into());
                reply.note.error_description = Some(description.into());
                reply
            },
        );
    }
    let request = request(&form, realm, state.origin_of(call), redirect_uri);
    let session = random::alphanumeric(43);
    state.identity.waiting.put(&session, request.clone(), call.now.plus(PATIENCE_MS));
    page::sign_in(state, &request, &session, None)
}

fn request(form: &Form, realm: Realm, origin: String, redirect_uri: &str) -> AuthorizationRequest {
    let text = |name| form.get(name).map(str::to_owned);
    AuthorizationRequest {
        realm,
        origin,
        client_id: text("client_id").unwrap_or_default(),
        redirect_uri: redirect_uri.to_owned(),
        scope: text("scope").unwrap_or_default(),
        state: text("state"),
        nonce: text("nonce"),
        acr_values: text("acr_values"),
        vectors: form.get("vtr").and_then(vectors).unwrap_or_else(usual_vectors),
        challenge: text("code_challenge").map(|text| Challenge {
            is_hashed: form.get("code_challenge_method") == Some("S256"),
            text,
        }),
    }
}

/// What a provider refuses by a redirect. The hosted mocks refuse little.
fn fault(form: &Form, realm: Realm) -> Option<Fault> {
    match form.get("response_type") {
        None => return Some(("invalid_request", "response_type is missing")),
        Some("code") => {}
        Some(_) => return Some(("unsupported_response_type", "response_type must be code")),
    }
    let has_method =
        |name| matches!(form.get("code_challenge_method"), Some(given) if given == name);
    let is_plain = form.get("code_challenge_method").is_none() || has_method("plain");
    if form
        .get("code_challenge")
        .is_some_and(|it| it.is_empty() || !(is_plain || has_method("S256")))
    {
        return Some(("invalid_request", "the code_challenge is empty, or its method isn't known"));
    }
    if realm.is_hosted() {
        return None;
    }
    let has_scope =
        |name: &str| form.get("scope").is_some_and(|scopes| scopes.split(' ').any(|it| it == name));
    if !has_scope("openid") {
        return Some(("invalid_scope", "the scope must have openid in it"));
    }
    if realm.is_nhs_login() { nhs_login_fault(form, has_scope) } else { cis2_fault(form) }
}

fn cis2_fault(form: &Form) -> Option<Fault> {
    // Nobody is ever signed in here already.
    (form.get("prompt") == Some("none")).then_some(("login_required", "the user must sign in"))
}

/// Source: the interface specification of NHS login, §3.4.
fn nhs_login_fault(form: &Form, has_scope: impl Fn(&str) -> bool) -> Option<Fault> {
    let is_missing = |name| form.get(name).unwrap_or_default().is_empty();
    if is_missing("state") {
        return Some(("invalid_request", "state is missing"));
    }
    if is_missing("nonce") {
        return Some(("invalid_request", "nonce is missing"));
    }
    if form.get("vtr").is_some_and(|vtr| vectors(vtr).is_none()) {
        return Some(("invalid_request", "vtr is not a JSON array of vectors of trust"));
    }
    if has_scope("profile") && has_scope("basic_demographics") {
        return Some(("invalid_scope", "profile and basic_demographics exclude each other"));
    }
    (form.get("prompt") == Some("none")).then_some(("sso_login_required", "the user must sign in"))
}

/// The vectors in a `vtr`, if they are ones that NHS login allows: `P0`, `P5` or `P9` with `Cp`,
/// `Cp.Cd`, `Cp.Ck` or `Cm`, their parts in any order.
fn vectors(vtr: &str) -> Option<Vec<String>> {
    let vectors: Vec<String> = serde_json::from_str(vtr).ok()?;
    let is_allowed = |vector: &String| {
        let mut parts: Vec<_> = vector.split('.').collect();
        parts.sort_unstable();
        let (level, credentials): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.starts_with('P'));
        matches!(level[..], ["P0" | "P5" | "P9"])
            && matches!(credentials[..], ["Cp" | "Cm"] | ["Cd" | "Ck", "Cp"])
    };
    (!vectors.is_empty() && vectors.iter().all(is_allowed)).then_some(vectors)
}

/// What NHS login asks for when nothing is said.
fn usual_vectors() -> Vec<String> {
    ["P9.Cp.Cd", "P9.Cp.Ck", "P9.Cm"].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_that_nhs_login_allows() {
        assert_eq!(vectors(r#"["P5.Cp.Cd", "P9.Cm"]"#).unwrap().len(), 2);
        for vtr in ["", "P9.Cp.Cd", "[]", r#"["P1.Cp"]"#, r#"["P9"]"#, "[“P9.Cp”]", r#"["Cp.Cd"]"#]
        {
            assert_eq!(vectors(vtr), None, "{vtr}");
        }
    }
}
