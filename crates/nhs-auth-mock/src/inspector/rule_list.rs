//! The rules that a request went through, in the platform's order.

use maud::{Markup, html};
use nhs_auth_rules::{Rule, RuleId, gateway, userinfo};

use super::prose::with_code;
use crate::transcript::Transcript;

/// What a rule came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    NotReached,
}

/// The rules of the groups that a request met, each with what it came to; empty for a request that
/// no rule was held against.
pub(super) fn of(transcript: &Transcript) -> Markup {
    let groups = judged(transcript);
    html! {
        @for group in &groups {
            @let name = name(group[0].0.id);
            h3 { (name) }
            ol.rules role="list" {
                @for (rule, verdict) in group {
                    (row(rule, *verdict))
                }
            }
        }
    }
}

/// Whether there is anything to list.
pub(super) fn is_empty(transcript: &Transcript) -> bool {
    judged(transcript).is_empty()
}

fn row(rule: &Rule, verdict: Verdict) -> Markup {
    let (kind, sign, word) = match verdict {
        Verdict::Pass => ("pass", "✓", "pass"),
        Verdict::Fail => ("fail", "✕", "fail"),
        Verdict::NotReached => ("not-reached", "–", "not reached"),
    };
    html! {
        li class=(kind) id=[(verdict == Verdict::Fail).then_some("refused-by")] {
            span.sign aria-hidden="true" { (sign) }
            span.id { (rule.id.as_str()) }
            span.title { (with_code(rule.title)) }
            span.verdict { (word) }
        }
    }
}

/// Before the rule that refused everything passed, and behind it nothing was looked at.
fn judged(transcript: &Transcript) -> Vec<Vec<(&'static Rule, Verdict)>> {
    let refusing = transcript.refused_by.map(|rule| rule.id);
    let groups = if transcript.judged.is_empty() {
        refusing.map(behind_the_gateway).unwrap_or_default()
    } else {
        transcript.judged.clone()
    };
    let mut is_refused = false;
    let mut verdict = |rule: &'static Rule| {
        if is_refused {
            return (rule, Verdict::NotReached);
        }
        is_refused = refusing == Some(rule.id);
        (rule, if is_refused { Verdict::Fail } else { Verdict::Pass })
    };
    let groups = groups.into_iter().filter(|rules| !rules.is_empty());
    groups.map(|rules| rules.iter().map(&mut verdict).collect()).collect()
}

/// The gateway judges a token by some of its rules and an API key by the others, and a token for
/// user information by the first three.
fn behind_the_gateway(refusing: RuleId) -> Vec<&'static [Rule]> {
    let rules = gateway::RULES;
    let has = |path: &[Rule]| path.iter().any(|rule| rule.id == refusing);
    let up_to = |id: RuleId| rules.iter().take_while(|rule| rule.id != id).count();
    if has(userinfo::RULES) {
        return vec![&rules[..up_to(gateway::NO_PRODUCT.id)], userinfo::RULES];
    }
    let (of_tokens, of_keys) = rules.split_at(up_to(gateway::UNKNOWN_API_KEY.id));
    [of_tokens, of_keys].into_iter().filter(|path| has(path)).collect()
}

/// What a group is about.
fn name(id: RuleId) -> &'static str {
    match id.as_str().as_bytes().first() {
        Some(b'R') => "The request",
        Some(b'A') => "The client assertion",
        Some(b'S') => "The subject token",
        Some(b'B') => "The beginning of a sign-in",
        Some(b'I') => "The way back from the identity provider",
        Some(b'C') => "The authorization code",
        Some(b'F') => "The refresh token",
        Some(b'L') => "The logout token",
        Some(b'G') => "The gateway",
        Some(b'U') => "User information",
        _ => "More rules",
    }
}
