//! Whether the user has proven what was asked: requests can be changed on their way through the
//! browser, so their answers are checked.

use serde_json::{Map, Value};

use super::asked::Asked;
use super::cis2::Acr;
use super::nhs_login::{IdentityProofingLevel, VectorOfTrust};
use super::signed_jwt::shown;

/// The least `id_assurance_level` of a healthcare worker: what CIS2's conformance asks to check.
const LEAST_IDENTITY_LEVEL: u64 = 3;

/// What the user has not proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssuranceError {
    /// `acr` is missing.
    #[error("`acr` is missing, and {asked} was asked for")]
    AcrMissing {
        /// What was asked for.
        asked: String,
    },
    /// `acr` is not one that was asked for.
    #[error("the user signed in with {found}, and {asked} was asked for")]
    AcrNotAsked {
        /// How the user signed in.
        found: String,
        /// What was asked for.
        asked: String,
    },
    /// A level is missing, or is neither a number nor a string of one.
    #[error("`{claim}` is missing or not a level")]
    LevelMissing {
        /// The claim.
        claim: &'static str,
    },
    /// A level is lower than it has to be.
    #[error("`{claim}` is {found}, and {least} at least was asked for")]
    LevelTooLow {
        /// The claim.
        claim: &'static str,
        /// What the user has.
        found: String,
        /// What was asked for.
        least: String,
    },
    /// The user authenticated too long ago, or it isn't said when.
    #[error("{0}")]
    NotFresh(String),
    /// `vot` is missing, or not one that was asked for.
    #[error("`vot` is {found}, and {asked} was asked for")]
    VectorNotAsked {
        /// How the user signed in.
        found: String,
        /// What was asked for.
        asked: String,
    },
}

/// Holds an ID token's claims against what was asked for.
pub(super) fn check(
    asked: &Asked,
    claims: &Map<String, Value>,
    begun_at_s: i64,
    leeway_s: i64,
) -> Result<(), AssuranceError> {
    match asked {
        Asked::Cis2 { acr_values, max_age_s, .. } => {
            authenticated_lately(claims, begun_at_s - max_age_s - leeway_s)?;
            healthcare_worker(acr_values, claims)
        }
        Asked::NhsLogin { vectors, level, prompt_login } => {
            if *prompt_login && claims.contains_key("auth_time") {
                authenticated_lately(claims, begun_at_s - leeway_s)?;
            }
            patient(vectors, *level, claims)
        }
    }
}

/// `auth_time`, which a `max_age` or `prompt` that was taken out on its way would show in.
fn authenticated_lately(claims: &Map<String, Value>, since_s: i64) -> Result<(), AssuranceError> {
    let Some(auth_time) = claims.get("auth_time").and_then(Value::as_i64) else {
        return Err(AssuranceError::NotFresh(
            "`auth_time` is missing, and a fresh authentication was asked for".to_owned(),
        ));
    };
    if auth_time < since_s {
        let by = since_s - auth_time;
        return Err(AssuranceError::NotFresh(format!(
            "the user authenticated {by} s too early, and a fresh authentication was asked for"
        )));
    }
    Ok(())
}

fn healthcare_worker(
    acr_values: &[Acr],
    claims: &Map<String, Value>,
) -> Result<(), AssuranceError> {
    let asked = || acr_values.iter().map(|acr| acr.name()).collect::<Vec<_>>().join(" or ");
    let Some(acr) = claims.get("acr").and_then(Value::as_str) else {
        return Err(AssuranceError::AcrMissing { asked: asked() });
    };
    if !acr_values.iter().any(|one| one.name() == acr) {
        return Err(AssuranceError::AcrNotAsked { found: shown(acr), asked: asked() });
    }
    let least = acr_values.iter().map(|acr| acr.least_level()).min().unwrap_or(3);
    at_least(claims, "authentication_assurance_level", least)?;
    at_least(claims, "id_assurance_level", LEAST_IDENTITY_LEVEL)
}

fn at_least(
    claims: &Map<String, Value>,
    claim: &'static str,
    least: u64,
) -> Result<(), AssuranceError> {
    let found = level(claims.get(claim)).ok_or(AssuranceError::LevelMissing { claim })?;
    if found < least {
        let (found, least) = (found.to_string(), least.to_string());
        return Err(AssuranceError::LevelTooLow { claim, found, least });
    }
    Ok(())
}

/// A level arrives as a number, or as a string of one.
fn level(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn patient(
    vectors: &[VectorOfTrust],
    level: bool,
    claims: &Map<String, Value>,
) -> Result<(), AssuranceError> {
    let vot = claims.get("vot").and_then(Value::as_str);
    let reached = vot.and_then(|vot| vot.parse::<VectorOfTrust>().ok());
    if !reached.is_some_and(|reached| vectors.contains(&reached)) {
        let asked: Vec<_> = vectors.iter().map(ToString::to_string).collect();
        return Err(AssuranceError::VectorNotAsked {
            found: vot.map_or_else(|| "missing".to_owned(), shown),
            asked: asked.join(" or "),
        });
    }
    let least = vectors.iter().map(VectorOfTrust::level).min();
    // Of users whose identity isn't proven NHS login tells nothing.
    let least = least.filter(|least| level && *least > IdentityProofingLevel::P0);
    let Some(least) = least else { return Ok(()) };
    let claim = "identity_proofing_level";
    let found = claims
        .get(claim)
        .and_then(Value::as_str)
        .and_then(|level| level.parse::<IdentityProofingLevel>().ok())
        .ok_or(AssuranceError::LevelMissing { claim })?;
    if found < least {
        let (found, least) = (found.to_string(), least.to_string());
        return Err(AssuranceError::LevelTooLow { claim, found, least });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(asked: &Asked, change: &Value) -> Result<(), AssuranceError> {
        let mut claims = json!({
            "auth_time": 1000, "acr": "AAL3_ANY", "authentication_assurance_level": 3,
            "id_assurance_level": "3", "vot": "P9.Cp.Cd", "identity_proofing_level": "P9",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        check(asked, claims.as_object().unwrap(), 1000, 10)
    }

    fn cis2(acr_values: &[Acr], max_age_s: i64) -> Asked {
        Asked::Cis2 { acr_values: acr_values.to_vec(), max_age_s, role: true }
    }

    fn nhs_login(vectors: &[&str], level: bool) -> Asked {
        let vectors = vectors.iter().map(|vector| vector.parse().unwrap()).collect();
        Asked::NhsLogin { vectors, level, prompt_login: false }
    }

    #[test]
    fn a_level_is_a_number_or_a_string() {
        let asked = cis2(&[Acr::Aal3Any], 0);
        for (level, is_enough) in [
            (json!(3), true),
            (json!("3"), true),
            (json!(2), false),
            (json!("2"), false),
            (json!(null), false),
            (json!("three"), false),
            (json!(-3), false),
            (json!([3]), false),
        ] {
            let change = json!({"authentication_assurance_level": level});
            assert_eq!(checked(&asked, &change).is_ok(), is_enough, "{level}");
            let change = json!({"id_assurance_level": level});
            assert_eq!(checked(&asked, &change).is_ok(), is_enough, "{level}");
        }
    }

    #[test]
    fn the_least_of_what_was_asked_is_enough() {
        let either = cis2(&[Acr::Aal2OrAal3Any], 0);
        let change = json!({"acr": "AAL2_OR_AAL3_ANY", "authentication_assurance_level": 2});
        assert_eq!(checked(&either, &change), Ok(()));
        let change = json!({"acr": "AAL2_OR_AAL3_ANY", "authentication_assurance_level": 1});
        assert!(matches!(checked(&either, &change), Err(AssuranceError::LevelTooLow { .. })));
    }

    #[test]
    fn another_acr_than_was_asked_for_is_refused_and_so_is_none() {
        let asked = cis2(&[Acr::Aal3Any], 0);
        let error = checked(&asked, &json!({"acr": "AAL1_USERPASS"})).unwrap_err();
        assert!(matches!(error, AssuranceError::AcrNotAsked { .. }), "{error}");
        let error = checked(&asked, &json!({"acr": null})).unwrap_err();
        assert!(matches!(error, AssuranceError::AcrMissing { .. }), "{error}");
    }

    #[test]
    fn an_old_authentication_is_refused() {
        for (max_age_s, auth_time, is_fresh) in [
            (0, json!(1000), true),
            (0, json!(990), true),
            (0, json!(989), false),
            (300, json!(690), true),
            (300, json!(689), false),
            (300, json!(null), false),
            (300, json!("1000"), false),
        ] {
            let asked = cis2(&[Acr::Aal3Any], max_age_s);
            let result = checked(&asked, &json!({"auth_time": auth_time}));
            assert_eq!(result.is_ok(), is_fresh, "{max_age_s} {auth_time}");
        }
    }

    #[test]
    fn the_vector_is_one_that_was_asked_for() {
        let asked = nhs_login(&["P9.Cp.Cd", "P9.Cm"], false);
        for (vot, is_asked) in [
            (json!("P9.Cp.Cd"), true),
            (json!("P9.Cd.Cp"), true),
            (json!("P9.Cm"), true),
            (json!("P9.Cp"), false),
            (json!("P5.Cp.Cd"), false),
            (json!(null), false),
            (json!(9), false),
        ] {
            assert_eq!(checked(&asked, &json!({"vot": vot})).is_ok(), is_asked, "{vot}");
        }
    }

    #[test]
    fn the_level_of_proofing_is_checked_where_it_was_asked_for() {
        let asked = nhs_login(&["P9.Cp.Cd"], true);
        for (level, is_enough) in [
            (json!("P9"), true),
            (json!("P5"), false),
            (json!("P0"), false),
            (json!(null), false),
            (json!(9), false),
        ] {
            let change = json!({"identity_proofing_level": level});
            assert_eq!(checked(&asked, &change).is_ok(), is_enough, "{level}");
            assert_eq!(checked(&nhs_login(&["P9.Cp.Cd"], false), &change), Ok(()));
        }
        let lowest = nhs_login(&["P0.Cp"], true);
        let change = json!({"vot": "P0.Cp", "identity_proofing_level": null});
        assert_eq!(checked(&lowest, &change), Ok(()));
        let step_up = nhs_login(&["P5.Cp.Cd", "P9.Cp.Cd"], true);
        assert_eq!(checked(&step_up, &json!({"identity_proofing_level": "P5"})), Ok(()));
    }

    #[test]
    fn a_prompt_that_was_taken_out_shows_where_the_time_is_told() {
        let vectors = vec!["P9.Cp.Cd".parse().unwrap()];
        let asked = Asked::NhsLogin { vectors, level: true, prompt_login: true };
        assert_eq!(checked(&asked, &json!({"auth_time": 990})), Ok(()));
        let error = checked(&asked, &json!({"auth_time": 989})).unwrap_err();
        assert!(matches!(error, AssuranceError::NotFresh(_)), "{error}");
    }
}
