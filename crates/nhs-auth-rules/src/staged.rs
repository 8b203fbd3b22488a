//! Requests staged for a test: everything about one is right until the test breaks it.

pub(crate) mod example;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use crate::{
    Evidence, Inquiry, Jwk, Outcome, Rule, SignatureAlgorithm, SignatureVerifier, Step, findings,
};

/// A request that some group of rules judges.
pub(crate) trait Staged: Clone {
    /// The group.
    fn rules(&self) -> &'static [Rule];

    /// Breaks what one rule looks at, and nothing that another looks at, as far as that can be.
    fn broken_for(self, rule: &str) -> Self;

    /// Hands the evidence to a judge.
    fn judge<T>(&self, judge: impl FnOnce(&Evidence<'_>) -> T) -> T;

    /// The rule that answers.
    fn first(&self) -> &'static str {
        self.judge(|evidence| match Inquiry::new(self.rules()).resume(evidence) {
            Step::Accepted => "accepted",
            Step::Refused(rule, _) => rule.id.as_str(),
            Step::Needs(rule, need) => panic!("{} needs {need}", rule.id),
        })
    }

    /// Every rule that fails.
    fn all(&self) -> Vec<&'static str> {
        self.judge(|evidence| {
            findings(self.rules(), evidence)
                .filter(|finding| finding.outcome.is_fail())
                .map(|finding| finding.rule.id.as_str())
                .collect()
        })
    }
}

/// The names of a group's rules, in their order.
pub(crate) fn ids(rules: &[Rule]) -> Vec<&'static str> {
    rules.iter().map(|rule| rule.id.as_str()).collect()
}

pub(crate) fn a_good_one_is_accepted_and_has_no_finding(good: &impl Staged) {
    assert_eq!(good.first(), "accepted");
    assert_eq!(good.all(), [""; 0]);
}

pub(crate) fn each_rule_fails_by_itself(good: &impl Staged) {
    for rule in ids(good.rules()) {
        let broken = good.clone().broken_for(rule);
        assert_eq!(broken.first(), rule);
        assert_eq!(broken.all(), [rule], "{rule} alone");
    }
}

pub(crate) fn of_any_two_the_earlier_answers(good: &impl Staged) {
    let ids = ids(good.rules());
    for (i, earlier) in ids.iter().enumerate() {
        for later in &ids[i + 1..] {
            let broken = good.clone().broken_for(later).broken_for(earlier);
            assert_eq!(broken.first(), *earlier, "{earlier} before {later}");
        }
    }
}

pub(crate) fn with_nothing_to_go_by_no_rule_passes_or_fails(rules: &'static [Rule]) {
    for finding in findings(rules, &Evidence::default()) {
        assert!(matches!(finding.outcome, Outcome::CannotTell(_)), "{}", finding.rule.id);
    }
}

/// The answers of a group, each as `id status error error_description`.
pub(crate) fn answers(rules: &[Rule]) -> Vec<String> {
    let row = |rule: &Rule| {
        let answer = rule.answer;
        format!("{} {} {}: {}", rule.id, answer.status, answer.error, answer.error_description)
    };
    rules.iter().map(row).collect()
}

/// A JWT in compact form. Its signature is a matter of [`Fixed`].
pub(crate) fn compact(header: &Json, payload: &Json) -> String {
    encoded(&header.to_string(), &payload.to_string())
}

/// The same of any texts.
pub(crate) fn encoded(header: &str, payload: &str) -> String {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

/// Leaves a member out of an object.
pub(crate) fn leave_out(object: &mut Json, name: &str) {
    object.as_object_mut().unwrap().remove(name).unwrap();
}

/// A verifier that has made up its mind, for one algorithm.
pub(crate) struct Fixed {
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) is_good: bool,
}

impl SignatureVerifier for Fixed {
    fn verifies(&self, algorithm: SignatureAlgorithm, _: &Jwk, message: &[u8], _: &[u8]) -> bool {
        assert!(message.contains(&b'.'), "the signing input is two parts");
        self.is_good && algorithm == self.algorithm
    }
}
