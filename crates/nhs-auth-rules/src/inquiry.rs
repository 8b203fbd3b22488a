//! The two ways to read the rules: up to the first failure, as the platform does, and all of them,
//! as a diagnosis does.

use crate::{Evidence, Fault, Need, Outcome, Rule};

/// The platform's reading: rule by rule in their order, to the first that fails.
///
/// Some evidence costs something to get (a key set must be fetched), and getting it has an effect
/// (a `jti` is burnt). So an inquiry stops where it needs to know more, and goes on from there.
#[derive(Clone, Debug)]
pub struct Inquiry {
    rules: &'static [Rule],
    next: usize,
}

/// Where an inquiry has come to.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a judgement is one of these")]
pub enum Step {
    /// Every rule holds.
    Accepted,
    /// This rule can't be judged without more evidence. Add it, and resume.
    Needs(&'static Rule, Need),
    /// This rule is the first that fails.
    Refused(&'static Rule, Fault),
}

impl Inquiry {
    /// An inquiry by these rules, at the first of them.
    pub const fn new(rules: &'static [Rule]) -> Self {
        Self { rules, next: 0 }
    }

    /// Goes on from where the inquiry stopped. Rules that have passed are not looked at again.
    pub fn resume(&mut self, evidence: &Evidence<'_>) -> Step {
        while let Some(rule) = self.rules.get(self.next) {
            match rule.check(evidence) {
                Outcome::Pass => self.next += 1,
                Outcome::Fail(fault) => return Step::Refused(rule, fault),
                Outcome::CannotTell(need) => return Step::Needs(rule, need),
            }
        }
        Step::Accepted
    }
}

/// What one rule says of the evidence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What it says.
    pub outcome: Outcome,
}

/// The diagnosis's reading: every rule, each by itself, in the platform's order. The first that
/// fails is the one that the platform names, if everything before it passes.
pub fn findings(rules: &'static [Rule], evidence: &Evidence<'_>) -> impl Iterator<Item = Finding> {
    rules.iter().map(move |rule| Finding { rule, outcome: rule.check(evidence) })
}
