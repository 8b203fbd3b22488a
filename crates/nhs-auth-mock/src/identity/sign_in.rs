//! What a user does on the sign-in page: says who it is, chooses a role, or gives up.

use http::Method;
use nhs_auth_rules::Form;

use super::page::{self, Refused};
use super::realm::Realm;
use super::refusal::redirect;
use super::signed_in::{AuthorizationRequest, SignedIn};
use crate::answer::Reply;
use crate::call::Call;
use crate::random;
use crate::state::State;
use crate::user::User;

/// How long a code lives, in milliseconds: ten minutes, as NHS login's does.
const CODE_LIFETIME_MS: i64 = 10 * 60 * 1000;

/// The next page, or back to the client.
pub(super) fn answer(state: &State, call: &Call, realm: Realm) -> Reply {
    let session = call.query().get("session_code").unwrap_or_default().to_owned();
    let waiting = state.identity.waiting.get(&session, call.now);
    let Some(request) = waiting.filter(|request| request.realm == realm) else {
        return page::error(
            realm,
            "expired",
            "this sign-in has ended, or was never begun: go back to the application and begin again",
        );
    };
    let form = match call.method {
        Method::POST => Form::parse(&call.body),
        _ => call.query(),
    };
    if form.get("cancel").is_some() {
        state.identity.waiting.take(&session, call.now);
        return back(
            &request,
            &[("error", "access_denied"), ("error_description", "the user cancelled")],
        );
    }
    let Some(username) = username(&form) else {
        let refused = Refused { typed: "", why: "Enter a user name" };
        let refused = (call.method == Method::POST).then_some(refused);
        return page::sign_in(state, &request, &session, refused);
    };
    let Some(user) = state.identity.users.find(realm.provider, username) else {
        let refused = Refused { typed: username, why: "There is no user of that name here" };
        return page::sign_in(state, &request, &session, Some(refused));
    };
    match role(&form, &request, &user) {
        Chosen::Role(role) => done(state, call, realm, &session, user, role),
        Chosen::NotYet => page::choose_role(&request, &session, &user, form.get("q")),
    }
}

/// What was typed, or the button of one of the users, which stands behind the field.
fn username(form: &Form) -> Option<&str> {
    form.all("username").map(str::trim).filter(|name| !name.is_empty()).last()
}

enum Chosen {
    Role(Option<String>),
    NotYet,
}

/// CIS2's way: with one role it is that one, with several the user says which, and one without a
/// role goes on without.
fn role(form: &Form, request: &AuthorizationRequest, user: &User) -> Chosen {
    if !request.wants_role() || request.realm.is_nhs_login() {
        return Chosen::Role(None);
    }
    match &user.roles[..] {
        [] => Chosen::Role(None),
        [only] => Chosen::Role(Some(only.person_roleid.clone())),
        _ => match form.get("role").and_then(|role| user.role_of_id(role)) {
            Some(role) => Chosen::Role(Some(role.person_roleid.clone())),
            None => Chosen::NotYet,
        },
    }
}

fn done(
    state: &State,
    call: &Call,
    realm: Realm,
    session: &str,
    user: User,
    role: Option<String>,
) -> Reply {
    // Of two who press the button at once, one signs in.
    let Some(request) = state.identity.waiting.take(session, call.now) else {
        return page::error(realm, "expired", "this sign-in has ended");
    };
    let code = random::alphanumeric(43);
    let reply = back(&request, &[("code", &code)]);
    let signed_in = SignedIn::new(request, user, role, call.now);
    state.identity.codes.put(&code, signed_in, call.now.plus(CODE_LIFETIME_MS));
    reply
}

/// Back to the client, with its `state`.
fn back(request: &AuthorizationRequest, parameters: &[(&str, &str)]) -> Reply {
    let mut parameters = parameters.to_vec();
    parameters.extend(request.state.as_deref().map(|state| ("state", state)));
    let Some(mut reply) = redirect(&request.redirect_uri, &parameters) else {
        return page::error(
            request.realm,
            "invalid_request",
            "the redirect_uri can't be redirected to",
        );
    };
    let value = |name| parameters.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
    reply.note.error = value("error").map(|error| error.to_owned().into());
    reply.note.error_description = value("error_description").map(|it| it.to_owned().into());
    reply
}
