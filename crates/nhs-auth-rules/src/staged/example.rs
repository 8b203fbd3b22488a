//! The rules' own examples, as requests that can be judged.

use serde_json::{Map, Value as Json};

use super::Staged;
use crate::{Example, Rule};

/// Judges the examples of a group: the failing one breaks its rule and no other, and the mended
/// one breaks none. `stage` puts one of a rule's two texts into a good request.
pub(crate) fn break_their_rule_alone<S: Staged>(
    rules: &'static [Rule],
    stage: impl Fn(&Rule, &'static str) -> S,
) {
    for rule in rules {
        let failing = stage(rule, rule.example.failing);
        assert_eq!(failing.first(), rule.id.as_str());
        assert_eq!(failing.all(), [rule.id.as_str()], "{} alone", rule.id);

        let mended = stage(rule, rule.example.mended);
        assert_eq!(mended.first(), "accepted", "{} mended", rule.id);
        assert_eq!(mended.all(), [""; 0], "{} mended", rule.id);
    }
}

/// Puts one of an example's texts into a good header or payload: its members in the place of the
/// good ones, but for `…`, which stands for what is right, and without those that only the other
/// text has.
pub(crate) fn overlay(good: &mut Json, example: &Example, text: &str) {
    let good = good.as_object_mut().unwrap();
    let members = members(text);
    for name in names(example) {
        if !members.contains_key(&name) {
            good.remove(&name);
        }
    }
    good.extend(members.into_iter().filter(|(_, value)| value != "…"));
}

/// The members that an example speaks of.
fn names(example: &Example) -> Vec<String> {
    [example.failing, example.mended]
        .into_iter()
        .flat_map(|text| members(text).into_iter().map(|(name, _)| name))
        .collect()
}

/// The members of an object, written with its braces or without.
pub(crate) fn members(text: &str) -> Map<String, Json> {
    let text: String = text.lines().map(without_remark).collect();
    let text = if text.starts_with('{') { text } else { format!("{{{text}}}") };
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The parameters of a form, one a line.
pub(crate) fn parameters(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.lines().map(without_remark).filter_map(|line| line.split_once('='))
}

/// A setting's value, as in `APIs of the application: none`.
pub(crate) fn setting<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// The seconds from the first line's time of day to the last one's.
pub(crate) fn seconds_between(text: &str) -> u32 {
    let seconds = |line: &str| -> u32 {
        let time = line.split(' ').next().unwrap_or_default();
        time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u32>().unwrap())
    };
    let (first, last) = (text.lines().next().unwrap(), text.lines().last().unwrap());
    seconds(last) - seconds(first)
}

fn without_remark(line: &str) -> &str {
    line.split("// ").next().unwrap_or_default().trim_end()
}
