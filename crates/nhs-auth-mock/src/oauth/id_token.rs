//! An identity provider's ID token, judged by a group of rules: the subject token of a token
//! exchange (S, D), or what came of a combined sign-in (I).

use std::sync::Arc;

use nhs_auth_rules::{
    Evidence, IdentityProvider, Inquiry, Jwt, KeySetRecord, Need, Rule, SignatureVerifier, Step,
};

use crate::call::Call;
use crate::identity;
use crate::settings::{BasePath, Trust};
use crate::state::State;
use crate::state::key_sets::KeySet;
use crate::state::provider_key_sets::Source;

/// What the platform decides.
pub(super) enum Verdict {
    Accepted(IdentityProvider),
    Refused(&'static Rule),
    /// The rules and the platform don't fit together: its own fault and not the client's.
    Unknown,
}

/// Judges the ID token in `known`, to the first rule that fails. What the rules ask for beyond
/// `known` is looked up when they ask.
pub(super) async fn judge(
    state: &State,
    call: &Call,
    base: &BasePath,
    rules: &'static [Rule],
    known: Evidence<'_>,
) -> Verdict {
    let mut inquiry = Inquiry::new(rules);
    let mut issuer = None;
    let mut key_set = None;
    loop {
        let evidence = Evidence {
            provider: issuer
                .as_ref()
                .map(|issuer: &Option<Issuer>| issuer.as_ref().map(|issuer| issuer.provider)),
            provider_key_set: key_set.as_ref().map(|fetched: &Option<Arc<KeySet>>| match fetched {
                Some(key_set) => KeySetRecord::Fetched(&key_set.jwks),
                None => KeySetRecord::Unreachable,
            }),
            provider_verifier: match &key_set {
                Some(Some(key_set)) => Some(&**key_set as &dyn SignatureVerifier),
                _ => None,
            },
            ..known
        };
        match (inquiry.resume(&evidence), known.id_token) {
            (Step::Accepted, _) => {
                return match issuer.flatten() {
                    Some(issuer) => Verdict::Accepted(issuer.provider),
                    None => Verdict::Unknown,
                };
            }
            (Step::Refused(rule, _), _) => return Verdict::Refused(rule),
            (Step::Needs(_, Need::Provider), Some(jwt)) if issuer.is_none() => {
                let iss = text(jwt, Part::Payload, "iss");
                issuer = Some(iss.and_then(|iss| trusted(state, base, &iss)));
            }
            (Step::Needs(_, Need::ProviderKeySet), Some(jwt)) if key_set.is_none() => {
                let source = issuer.as_ref().and_then(Option::as_ref).map(|issuer| &issuer.source);
                let kid = text(jwt, Part::Header, "kid").unwrap_or_default();
                key_set = Some(match source {
                    Some(source) if !call.provider_key_sets_unreachable => {
                        state.provider_key_set(source, &kid).await
                    }
                    _ => None,
                });
            }
            (Step::Needs(..), _) => return Verdict::Unknown,
        }
    }
}

/// Who issued a token that a base path takes, and where the keys are.
pub(super) struct Issuer {
    pub(super) provider: IdentityProvider,
    pub(super) source: Source,
}

/// The issuer of that name, if this base path trusts it.
pub(super) fn trusted(state: &State, base: &BasePath, iss: &str) -> Option<Issuer> {
    let realm = identity::realm_of_issuer(state, iss);
    [IdentityProvider::Cis2, IdentityProvider::NhsLogin].into_iter().find_map(|provider| {
        let trust = base.trust(provider);
        let source = match trust {
            Trust::Elsewhere { issuer, jwks_url } if issuer == iss => Source::Url(jwks_url.clone()),
            _ if realm.is_some_and(|realm| trust.includes(realm)) => Source::Own(provider),
            _ => return None,
        };
        Some(Issuer { provider, source })
    })
}

/// The parts of a JWT that have members.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Header,
    Payload,
}

/// A member that is a string.
pub(super) fn text(jwt: &Jwt<'_>, part: Part, name: &str) -> Option<String> {
    let content = match part {
        Part::Header => &jwt.header.content,
        Part::Payload => &jwt.payload.content,
    };
    content.as_ref().ok()?.get(name)?.as_str().map(String::from)
}
