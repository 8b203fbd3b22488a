//! What the rules could not tell, and what would let them.

use super::{Report, Unchecked};
use crate::rule::Need;
use crate::{Outcome, Rule};

/// What the rules could not tell.
pub(super) fn list(outcomes: &[(&'static Rule, Outcome)], report: &mut Report) {
    for (rule, outcome) in outcomes {
        let Outcome::CannotTell(need) = outcome else { continue };
        let needs = match need {
            // The report lists these as questions for the platform.
            Need::AccessToken
            | Need::Application
            | Need::AuthorizationCode
            | Need::ClientSecret
            | Need::ProviderKeySet
            | Need::Quota
            | Need::RefreshToken
            | Need::Session
            | Need::SignIn => continue,
            Need::JtiHistory => "the assertion that was sent before this one",
            Need::KeySet => "the registered key set",
            Need::Provider | Need::TokenUrl => {
                "the environment, or the URL that the request is posted to"
            }
            Need::Form | Need::Request => "the request",
            Need::SubjectToken | Need::IdToken => "the subject token",
            Need::DecodableIdToken => "a subject token that can be decoded",
            Need::LogoutToken => "the logout token",
            Need::DecodableLogoutToken => "a logout token that can be decoded",
            Need::ProviderClientId => "the platform's client id at the identity provider",
            Need::DecodableAssertion => "an assertion that can be decoded",
            Need::Assertion => "the client assertion",
            Need::Clock => "the time of the request",
            Need::Verifier => "a way to verify the signature",
        };
        report.unchecked.push(Unchecked { rule, needs: needs.to_owned() });
    }
}
