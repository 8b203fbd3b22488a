//! The groups together: every rule, and how to find one.

use crate::{
    Rule, assertion, authorization_code, authorize, callback, gateway, logout_token, refresh_token,
    request, subject_token, userinfo,
};

/// Every rule, group by group, each in the platform's order.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        request::RULES,
        assertion::RULES,
        subject_token::RULES,
        authorize::RULES,
        callback::RULES,
        authorization_code::RULES,
        refresh_token::RULES,
        logout_token::RULES,
        userinfo::RULES,
        gateway::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rules that the platform answers for with this status and `error_description`. One text can
/// stand for several.
pub fn answered_with(status: u16, description: &str) -> impl Iterator<Item = &'static Rule> {
    all().filter(move |rule| {
        rule.answer.status == status && rule.answer.error_description == description
    })
}

/// The rule of that name, in any case: `a14` finds `A14`.
pub fn explain(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.as_str().eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_says_why_and_how_to_mend_it_and_is_found_by_its_name() {
        let mut seen = std::collections::BTreeSet::new();
        for rule in all() {
            let Rule { id, title, why, fix, .. } = rule;
            assert!(seen.insert(id.as_str()), "{id} stands twice");
            assert!(why.len() > 10 && fix.len() > 10 && title.len() > 5, "{id}");
            for text in [title, why, fix] {
                assert!(!text.ends_with('.'), "{id}");
            }
            let found = explain(&id.as_str().to_lowercase()).unwrap();
            assert_eq!(found.id, *id);
        }
    }

    #[test]
    fn every_rule_has_a_failing_and_a_mended_example() {
        for rule in all() {
            let example = rule.example;
            assert_ne!(example.failing, example.mended, "{}", rule.id);
            for text in [example.failing, example.mended] {
                assert!(!text.trim().is_empty(), "{}", rule.id);
                assert!(text.lines().count() <= 5, "{} is short", rule.id);
                for line in text.lines() {
                    assert_eq!(line, line.trim_end(), "{}", rule.id);
                    assert!(line.chars().count() <= 90, "{} is narrow: {line}", rule.id);
                }
            }
        }
    }
}
