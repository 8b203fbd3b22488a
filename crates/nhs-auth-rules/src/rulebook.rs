//! The groups together: every rule, and how to find one.

use crate::{Rule, assertion, gateway, request};

/// Every rule, group by group, each in the platform's order.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [request::RULES, assertion::RULES, gateway::RULES].into_iter().flatten()
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
