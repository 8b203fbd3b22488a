//! From flags to what a sign-in asks for.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use nhs_auth::{
    Acr, Cis2Freshness, Cis2Scope, Cis2SignIn, Demographics, NhsLoginScope, NhsLoginSignIn,
    VectorOfTrust,
};

use crate::arguments::SignIn;
use crate::failure::Failure;

pub(super) fn cis2(arguments: &SignIn) -> Result<Cis2SignIn, Failure> {
    if arguments.vtr.is_some() {
        return Err(Failure::usage("--vtr is NHS login's, and CIS2 doesn't know it")
            .hint("CIS2's authenticators are chosen with --acr-values"));
    }
    let mut sign_in = Cis2SignIn::new();
    if let Some(values) = &arguments.acr_values {
        sign_in = sign_in.acr_values(words::<Acr>("--acr-values", values)?);
    }
    if let Some(scope) = &arguments.scope {
        // These two come by themselves.
        let is_theirs = |name: &&str| !["openid", "selectedrole"].contains(name);
        let theirs: Vec<_> = scope.split_whitespace().filter(is_theirs).collect();
        sign_in = sign_in.scopes(words::<Cis2Scope>("--scope", &theirs.join(" "))?);
    }
    if let Some(seconds) = arguments.max_age {
        sign_in = sign_in.freshness(Cis2Freshness::MaxAge(Duration::from_secs(seconds)));
    }
    Ok(match (arguments.no_role, arguments.change_role) {
        (true, _) => sign_in.without_role(),
        (_, true) => sign_in.change_role(),
        _ => sign_in,
    })
}

pub(super) fn nhs_login(arguments: &SignIn) -> Result<NhsLoginSignIn, Failure> {
    let theirs = [
        ("--acr-values", arguments.acr_values.is_some(), "--vtr P9.Cp.Cd"),
        ("--max-age", arguments.max_age.is_some(), "nothing like it"),
        ("--no-role", arguments.no_role, "no roles"),
        ("--change-role", arguments.change_role, "no roles"),
    ];
    for (flag, is_given, instead) in theirs {
        if is_given {
            return Err(Failure::usage(format!("{flag} is CIS2's, and NHS login passes it over"))
                .hint(format!("NHS login has {instead}")));
        }
    }
    let mut sign_in = NhsLoginSignIn::new();
    if let Some(vtr) = &arguments.vtr {
        let listed = serde_json::from_str::<Vec<String>>(vtr).map(|all| all.join(" "));
        let vectors = listed.unwrap_or_else(|_| vtr.clone());
        sign_in = sign_in.vectors(words::<VectorOfTrust>("--vtr", &vectors)?);
    }
    if let Some(scope) = &arguments.scope {
        let names: Vec<_> = scope.split_whitespace().collect();
        let demographics = match (names.contains(&"profile"), names.contains(&"basic_demographics"))
        {
            (true, true) => {
                return Err(Failure::usage(
                    "the scopes profile and basic_demographics exclude each other",
                ));
            }
            (true, false) => Demographics::Profile,
            (false, true) => Demographics::Basic,
            (false, false) if arguments.exchange => {
                return Err(Failure::usage(
                    "without the scope profile or basic_demographics there is no level, and the \
                     platform can't exchange the ID token (S15)",
                )
                .hint("add `profile` to --scope"));
            }
            (false, false) => Demographics::None,
        };
        let ours = ["openid", "profile", "basic_demographics"];
        let others: Vec<_> = names.into_iter().filter(|name| !ours.contains(name)).collect();
        sign_in = sign_in
            .demographics(demographics)
            .scopes(words::<NhsLoginScope>("--scope", &others.join(" "))?);
    }
    Ok(sign_in)
}

/// Words that are separated by spaces, each of them known.
fn words<T>(flag: &str, text: &str) -> Result<Vec<T>, Failure>
where
    T: FromStr<Err: Display>,
{
    let parse = |word: &str| {
        word.parse()
            .map_err(|error| Failure::usage(format!("the value of {flag} can't be used: {error}")))
    };
    text.split_whitespace().map(parse).collect()
}
