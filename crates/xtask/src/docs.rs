//! `cargo xtask docs`: the pages that are made from the rulebook.

use std::fmt::Write as _;
use std::fs;

use nhs_auth_rules::{Basis, Rule};

use crate::process::Failure;
use crate::root;

const PAGE: &str = "docs/reference/rules.md";
const STEP: &str = "docs";

/// Writes the pages anew.
pub(crate) fn write() -> Result<(), Failure> {
    fs::write(root().join(PAGE), page())
        .map_err(|error| Failure::new(STEP, format!("{PAGE}: {error}")))
}

/// Fails when a page is not what the rulebook makes of it.
pub(crate) fn check() -> Result<(), Failure> {
    match fs::read_to_string(root().join(PAGE)) {
        Ok(text) if text == page() => Ok(()),
        _ => Err(Failure::new(STEP, format!("{PAGE} is out of date: run `cargo xtask docs`"))),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Every rule\n\n\
         Made from the rulebook by `cargo xtask docs`. The first rule that fails is the one that \
         the platform answers with. Rules marked *inferred* are derived from what is published, \
         and stated nowhere.\n",
    );
    for (heading, rules) in [
        ("R: the request", nhs_auth_rules::request::RULES),
        ("A: the client assertion", nhs_auth_rules::assertion::RULES),
        ("G: the gateway in front of an API", nhs_auth_rules::gateway::RULES),
    ] {
        let _ = write!(page, "\n## {heading}\n");
        for rule in rules {
            section(&mut page, rule);
        }
    }
    page
}

fn section(page: &mut String, rule: &Rule) {
    let Rule { id, title, answer, why, fix, .. } = rule;
    let inferred = if rule.basis == Basis::Inferred { " *(inferred)*" } else { "" };
    let _ = write!(page, "\n### {id}: {title}\n\n");
    let _ = match answer.error {
        "" => writeln!(page, "Answer: {}, with no body{inferred}\n", answer.status),
        error => writeln!(
            page,
            "Answer: {} `{error}` \"{}\"{inferred}\n",
            answer.status, answer.error_description
        ),
    };
    let _ = write!(page, "Why: {why}.\n\nFix: {fix}.\n");
}
