//! `nhs-auth explain`.

use nhs_auth_rules::{Basis, Rule};
use serde_json::json;

use crate::arguments::{Explain, Global, Output};
use crate::console;
use crate::failure::{Exit, Failure};

pub(crate) fn run(arguments: &Explain, global: &Global) -> Result<Exit, Failure> {
    let Some(rule) = nhs_auth_rules::explain(&arguments.rule) else {
        let known: Vec<_> = nhs_auth_rules::all().map(|rule| rule.id.as_str()).collect();
        return Err(Failure::usage(format!("there is no rule {:?}", arguments.rule))
            .hint(format!("there are {}", known.join(", "))));
    };
    match global.output {
        Output::Human => console::answer(as_text(rule).as_bytes())?,
        Output::Json => console::answer_json(&as_json(rule))?,
    }
    Ok(Exit::Done)
}

fn as_text(rule: &Rule) -> String {
    let Rule { id, title, why, fix, example, .. } = rule;
    let basis = match rule.basis {
        Basis::Inferred => "inferred from what the platform publishes, and stated nowhere",
        _ => "published by the platform",
    };
    format!(
        "{id}: {title}\n\nthe platform answers\n  {}\n\nwhy people meet it\n{}\n\nthis fails\n{}\n\n\
         this passes\n{}\n\nhow to mend it\n{}\n\nhow sure this is\n  {basis}\n",
        answer(rule),
        indented(why),
        indented_lines(example.failing),
        indented_lines(example.mended),
        indented(fix),
    )
}

fn answer(rule: &Rule) -> String {
    let answer = rule.answer;
    match answer.error {
        "" => format!("{} with no body", answer.status),
        error => format!("{} {error} {:?}", answer.status, answer.error_description),
    }
}

fn as_json(rule: &Rule) -> serde_json::Value {
    json!({
        "answer": {
            "error": rule.answer.error,
            "error_description": rule.answer.error_description,
            "status": rule.answer.status,
        },
        "example": {
            "failing": rule.example.failing,
            "mended": rule.example.mended,
        },
        "fix": rule.fix,
        "inferred": rule.basis == Basis::Inferred,
        "rule": rule.id.as_str(),
        "title": rule.title,
        "why": rule.why,
    })
}

/// Wrapped for a terminal of 80 columns.
fn indented(text: &str) -> String {
    let mut lines = vec![String::from(" ")];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line");
        if last.chars().count() + 1 + word.chars().count() > 80 {
            lines.push(format!("  {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.join("\n")
}

/// As they stand: an example is copied, so nothing in it is wrapped.
fn indented_lines(text: &str) -> String {
    let indented = |line| if str::is_empty(line) { String::new() } else { format!("  {line}") };
    text.lines().map(indented).collect::<Vec<_>>().join("\n")
}
