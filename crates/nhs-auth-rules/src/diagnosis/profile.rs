//! NHS CIS2 Authentication and NHS login: the same assertion, judged by other rules. Both name no
//! cause when they refuse, so no finding here is the first.

use std::borrow::Cow;

use super::request::Request;
use super::source::Sources;
use super::view::{View, Who};
use super::{Diagnosed, Profile, RootCause, audience, encoding, key_name, times};
use crate::json::Kind;
use crate::quotable::quotable;
use crate::{Cis2ClientId, Environment, IdentityProvider, ProviderEnvironment, SignatureAlgorithm};

/// The provider's token endpoint that goes with an environment of the platform, where one is known.
pub(super) fn token_url(profile: Profile, environment: Environment) -> Option<String> {
    let (provider, path) = match profile {
        Profile::Cis2 => (IdentityProvider::Cis2, "/access_token"),
        Profile::NhsLogin => (IdentityProvider::NhsLogin, "/token"),
        Profile::Platform | Profile::TokenExchange => return None,
    };
    let real = ProviderEnvironment::real_for(provider, environment)?;
    Some([real.issuer, path].concat())
}

fn provider(profile: Profile) -> &'static str {
    if profile == Profile::Cis2 { "CIS2" } else { "NHS login" }
}

pub(super) fn findings(
    view: &View<'_>,
    request: &Request,
    sources: &mut Sources,
) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    findings.extend(encoding::finding(view.jwt, "client_assertion", sources));
    findings.extend(algorithm(view));
    findings.extend(key_name::mismatch(view));
    findings
        .extend(super::signature::finding(view).or_else(|| super::signature::without_a_key(view)));
    findings.extend(times(view));
    findings.extend(names(view, request));
    findings.extend(jti(view));
    if view.payload.is_some() {
        findings.extend(audience::findings(view));
        let is_said = findings
            .iter()
            .any(|finding| matches!(finding.cause, RootCause::Aud | RootCause::EnvMismatch));
        if view.context.token_url.is_none() && !is_said {
            findings.extend(no_endpoint_of_theirs(view));
        }
    }
    for finding in &mut findings {
        finding.rule = None;
    }
    findings
}

/// Where nobody says which environment it is for: whether `aud` is an endpoint of any.
fn no_endpoint_of_theirs(view: &View<'_>) -> Option<Diagnosed> {
    let profile = view.context.inputs.profile;
    let known: Vec<_> = Environment::ALL
        .iter()
        .filter_map(|environment| token_url(profile, *environment))
        .collect();
    let given = view.claim("aud").map(|aud| audience::audiences(&aud)).unwrap_or_default();
    if given.iter().any(|one| known.contains(one)) {
        return None;
    }
    let message = if given.is_empty() {
        "there is no `aud`".to_owned()
    } else {
        format!("`aud` is no token endpoint of {} that is known", provider(profile))
    };
    let finding = Diagnosed::error(RootCause::Aud, message)
        .why("`aud` must be the provider's own token endpoint, as its discovery document gives it")
        .fix(format!("set `aud` to the endpoint, such as `{}`", known.first()?));
    let finding = if given.is_empty() { finding } else { finding.likely() };
    Some(claim(view, finding, "aud", "not one of theirs"))
}

fn claim(view: &View<'_>, finding: Diagnosed, name: &str, text: &str) -> Diagnosed {
    match view.claim_place(name) {
        Some((source, span)) => finding.label(source, span, text),
        None => finding,
    }
}

fn algorithm(view: &View<'_>) -> Option<Diagnosed> {
    view.header.as_ref()?;
    let profile = view.context.inputs.profile;
    let alg = view.member("alg").and_then(|alg| alg.as_str().map(Cow::into_owned));
    let known = alg.as_deref().and_then(SignatureAlgorithm::named);
    let fits = match profile {
        Profile::NhsLogin => known == Some(SignatureAlgorithm::Rs512),
        _ => known.is_some(),
    };
    let by_name = known.is_some()
        && view.signer.is_some_and(|signer| {
            known == Some(signer.algorithm)
                && matches!(signer.who, Who::Registered(index) if view.named_keys().iter().any(|key| key.index == index))
        });
    let contradicted = by_name
        && view
            .named_keys()
            .iter()
            .any(|key| key.text("alg").is_some_and(|own| Some(own.as_ref()) != alg.as_deref()));
    let (source, span) = view.member_place("alg")?;
    if !fits {
        let message = match &alg {
            Some(alg) => {
                format!("`alg` is `{}`, which {} doesn't take", quotable(alg), provider(profile))
            }
            None => "there is no `alg`".to_owned(),
        };
        let finding = Diagnosed::error(RootCause::Alg, message)
            .label(source, span, "the registered RSA algorithm")
            .why("the client is registered with one RSA algorithm: NHS login's is RS512, CIS2's is the one that you chose");
        return Some(finding.fix("sign with the algorithm that is registered"));
    }
    contradicted.then(|| {
        Diagnosed::warning(RootCause::AlgJwk, "the JWK's `alg` is another than the token's")
            .label(source, span, "not the JWK's")
            .why("a key that says another algorithm may be passed over")
            .fix("write the registered algorithm in both")
    })
}

fn times(view: &View<'_>) -> Vec<Diagnosed> {
    let mut findings = times::findings(view);
    // Half an hour is what CIS2 takes, and nobody has found NHS login's limit.
    let longest = if view.context.inputs.profile == Profile::Cis2 { 1800 } else { 3600 };
    let remaining = view.seconds("exp").map_or(0, |exp| exp.saturating_sub(view.now().0));
    findings.retain(|finding| {
        finding.cause != RootCause::ExpLong
            || (finding.severity == super::Severity::Error && remaining >= longest)
    });
    for finding in &mut findings {
        if finding.cause == RootCause::ExpLong {
            finding.message = format!("the assertion lives {remaining} seconds, which is too long");
            finding.why = "CIS2 takes less than 30 minutes; five are enough".into();
        }
    }
    for name in ["exp", "iat", "nbf"] {
        let is_text = view.claim(name).is_some_and(|value| value.kind() == Kind::String);
        let is_said = name == "exp" && findings.iter().any(|f| f.cause == RootCause::ExpType);
        if is_text && !is_said {
            let finding = Diagnosed::error(
                RootCause::ExpType,
                format!("`{name}` is a string and not a number"),
            )
            .why("times are numbers of seconds since 1970 (RFC 7519 §2)")
            .fix("write it as a JSON number, without quotes");
            findings.push(claim(view, finding, name, "must be a JSON number"));
        }
    }
    findings
}

fn names(view: &View<'_>, request: &Request) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    let profile = view.context.inputs.profile;
    if view.payload.is_none() {
        return findings;
    }
    let (iss, sub) = (view.text("iss"), view.text("sub"));
    let (Some(iss), Some(sub)) = (iss, sub) else {
        let cause =
            if view.claim("iss").is_none() { RootCause::IssMissing } else { RootCause::SubMissing };
        let finding = Diagnosed::error(cause, "`iss` or `sub` is missing")
            .why("both are the client id (RFC 7523 §3)")
            .fix("set both to the client id");
        findings.push(claim(view, finding, "sub", "must be the client id"));
        return findings;
    };
    if iss != sub {
        let finding = Diagnosed::error(RootCause::SubMissing, "`iss` and `sub` differ")
            .why("both are the client id (RFC 7523 §3)")
            .fix("set both to the client id");
        findings.push(claim(view, finding, "sub", "not what `iss` says"));
    }
    if profile == Profile::Cis2 && Cis2ClientId::parse(&sub).is_err() {
        let is_api_key = sub.len() == 32 && sub.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let what = if is_api_key { "an API key of the platform" } else { "no CIS2 client id" };
        let finding = Diagnosed::error(RootCause::IsssubWrongid, format!("`iss` and `sub` hold {what}"))
            .why("at CIS2 they are the CIS2 client id, such as `123456789012.apps.supplier`; the API key is never used there")
            .fix("set `iss` and `sub` to the CIS2 client id");
        findings.push(claim(view, finding, "sub", "must be the CIS2 client id"));
    }
    if profile == Profile::NhsLogin && (Cis2ClientId::parse(&sub).is_ok() || sub.contains("://")) {
        let finding = Diagnosed::error(
            RootCause::IsssubWrongid,
            "`iss` and `sub` hold no NHS login client id",
        )
        .why("they are the client id that NHS login gave you")
        .fix("set `iss` and `sub` to the NHS login client id");
        findings.push(claim(view, finding, "sub", "must be the NHS login client id"));
    }
    let client = request.parameter("client_id").or(view.context.inputs.api_key.map(str::trim));
    if let Some(client) = client
        && client != sub
        && findings.is_empty()
    {
        let finding = Diagnosed::error(
            RootCause::SubNeClientid,
            format!("`sub` is not the `client_id`, `{}`", quotable(client)),
        )
        .why("the assertion must be by the client that the form names (RFC 7523 §3)")
        .fix("set `iss`, `sub` and `client_id` to the same client id");
        findings.push(claim(view, finding, "sub", "another client"));
    }
    findings
}

fn jti(view: &View<'_>) -> Option<Diagnosed> {
    view.payload.as_ref()?;
    if view.fault("A13").is_some() {
        let finding = Diagnosed::warning(RootCause::JtiReuse, "two assertions have the same `jti`")
            .likely()
            .why("a `jti` is for one use (RFC 7523 §3)")
            .fix("make a new assertion for each request");
        return Some(claim(view, finding, "jti", "sent before"));
    }
    if view.context.inputs.profile != Profile::Cis2 || view.claim("jti").is_some() {
        return None;
    }
    let finding = Diagnosed::warning(RootCause::JtiMissing, "there is no `jti`")
        .likely()
        .why("every client that is known to work with CIS2 sends one")
        .fix("add `jti`: a new random UUID for each assertion");
    Some(claim(view, finding, "jti", "these claims have no `jti`"))
}
