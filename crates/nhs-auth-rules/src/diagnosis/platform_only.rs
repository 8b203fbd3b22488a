//! What no file says, and how to find it out.

use super::case::cache_ends;
use super::moment::hour_and_minute;
use super::{Inputs, PlatformOnly, Profile, Report};
use crate::UnixMillis;

pub(super) fn list(
    inputs: &Inputs<'_>,
    has_assertion: bool,
    has_subject_token: bool,
    now: UnixMillis,
    report: &mut Report,
) {
    if has_assertion {
        of_the_application(inputs, now, report);
    }
    if has_subject_token {
        ask(
            report,
            "is the subject token signed with a key that its issuer publishes?",
            "fetch the key set that the issuer's discovery document names: the header's `kid` must \
             be in it, and the signature must verify. The platform keeps a copy for a day, and \
             looks again for a `kid` that it doesn't know"
                .to_owned(),
        );
    }
}

fn ask(report: &mut Report, question: &str, how: String) {
    report.platform_only.push(PlatformOnly { question: question.to_owned(), how });
}

fn of_the_application(inputs: &Inputs<'_>, now: UnixMillis, report: &mut Report) {
    let mut ask = |question: &str, how: String| ask(report, question, how);
    match inputs.profile {
        Profile::Platform | Profile::TokenExchange => {
            ask(
                "is the API key known in this environment, and is it approved and not revoked?",
                "in the developer portal open the application, then `Active API keys`: the key must \
                 be there, and the application's environment the one that you call"
                    .to_owned(),
            );
            ask(
                "is the application subscribed to the API, in the access mode that it has?",
                "in the portal open the application: the API must stand in its list, and must offer \
                 this access mode"
                    .to_owned(),
            );
            ask(
                "which public key is registered?",
                "in the portal open the application, then `Manage public key`: the URL that is shown \
                 there is what the platform fetches; an address with `/mock-jwks/` in it holds the \
                 key set itself"
                    .to_owned(),
            );
            ask(
                "which key set does the platform hold in its cache?",
                format!(
                    "it keeps a copy for an hour by URL, and can't be asked: a key set that changed \
                     before the request is seen by {} at the latest; a new URL is seen at once",
                    hour_and_minute(cache_ends(now))
                ),
            );
            ask(
                "was this jti sent before?",
                "the platform remembers each for 30 days: look through your own log, and never send \
                 an assertion twice"
                    .to_owned(),
            );
        }
        Profile::Cis2 => {
            ask(
                "which algorithm and JWKS URL are registered for the client?",
                "in CIS2's Connection Manager look at `jwks_uri`, `jwks_uri_signing_algorithm` and \
                 `token_endpoint_auth_method`; a change is applied in business hours only"
                    .to_owned(),
            );
        }
        Profile::NhsLogin => {
            ask(
                "which public key is registered for the client?",
                "ask the NHS login team: keys are registered by a form, as PEM, each environment by \
                 itself"
                    .to_owned(),
            );
        }
    }
}
