//! What a rule's page says, and the index of all of them.

use std::fmt::Write as _;

use nhs_auth_rules::{
    Basis, Rule, assertion, authorization_code, authorize, callback, gateway, logout_token,
    refresh_token, request, subject_token, userinfo,
};

const COLUMNS: usize = 100;

/// The rules in the orders in which the platform looks, one order for each way to meet it. A rule
/// may stand in several; the first is the one that its page tells of.
fn orders() -> Vec<Vec<&'static Rule>> {
    let (access_token_rules, api_key_rules) = gateway::RULES.split_at(
        gateway::RULES
            .iter()
            .position(|rule| rule.id == gateway::UNKNOWN_API_KEY.id)
            .expect("it is a rule of the gateway's"),
    );
    // Row 22 of a token exchange is the subject token's last.
    let (_, assertion_of_an_exchange) =
        assertion::RULES.split_last().expect("there are rules of the assertion");
    let of_an_unusable_token = |rule: &&Rule| rule.id != gateway::NO_PRODUCT.id;
    vec![
        request::RULES.iter().chain(assertion::RULES).collect(),
        request::RULES.iter().chain(assertion_of_an_exchange).chain(subject_token::RULES).collect(),
        authorize::RULES.iter().collect(),
        callback::RULES.iter().collect(),
        request::RULES.iter().chain(authorization_code::RULES).collect(),
        request::RULES.iter().chain(refresh_token::RULES).collect(),
        logout_token::RULES.iter().collect(),
        access_token_rules.iter().collect(),
        access_token_rules.iter().take_while(of_an_unusable_token).chain(userinfo::RULES).collect(),
        api_key_rules.iter().collect(),
    ]
}

/// The table of every rule.
pub(super) fn index() -> String {
    let mut page = String::from("# Every rule\n");
    let about = "Made from the rulebook by `cargo xtask docs`. The first rule that fails is the \
                 one that the platform answers with. Rules marked *inferred* are derived from what \
                 is published, and stated nowhere.";
    paragraph(&mut page, about);
    for (heading, rules) in [
        ("R: the request", request::RULES),
        ("A: the client assertion", assertion::RULES),
        ("S and D: the subject token, and the delegated token in it", subject_token::RULES),
        ("B: the beginning of a combined sign-in", authorize::RULES),
        ("I: the ID token at the end of a combined sign-in", callback::RULES),
        ("C: an authorization code is redeemed", authorization_code::RULES),
        ("F: a refresh token is redeemed", refresh_token::RULES),
        ("L: the logout token", logout_token::RULES),
        ("U: user info", userinfo::RULES),
        ("G: the gateway in front of an API", gateway::RULES),
    ] {
        let _ = write!(
            page,
            "\n## {heading}\n\n| rule | what must hold | answer |\n| --- | --- | --- |\n"
        );
        for rule in rules {
            let Rule { id, title, .. } = rule;
            let inferred = if rule.basis == Basis::Inferred { " *(inferred)*" } else { "" };
            let _ =
                writeln!(page, "| [{id}](rules/{id}.md) | {title} | {}{inferred} |", answer(rule));
        }
    }
    page
}

/// The page of one rule.
pub(super) fn of(rule: &Rule) -> String {
    let Rule { id, title, why, fix, example, .. } = rule;
    let mut page = format!("# {id}: {title}\n");
    paragraph(
        &mut page,
        "Made from the rulebook by `cargo xtask docs`: one of [all rules](../rules.md).",
    );

    heading(&mut page, "The platform's answer");
    paragraph(&mut page, &answer(rule));
    if !rule.answer.error_description.is_empty() {
        fenced(&mut page, rule.answer.error_description);
    }

    heading(&mut page, "Why people meet it");
    paragraph(&mut page, &sentence(why));

    heading(&mut page, "An example");
    paragraph(&mut page, "This fails:");
    fenced(&mut page, example.failing);
    paragraph(&mut page, "This passes:");
    fenced(&mut page, example.mended);

    heading(&mut page, "How to mend it");
    paragraph(&mut page, &sentence(fix));

    heading(&mut page, "How sure this is");
    let basis = match rule.basis {
        Basis::Inferred => "*Inferred* from what the platform publishes, and stated nowhere.",
        _ => "Read in the platform's published proxy, or asserted by its own end-to-end tests.",
    };
    paragraph(&mut page, basis);

    heading(&mut page, "Before and after it");
    paragraph(&mut page, &neighbours(rule));
    page
}

/// Status and error, such as ``400 `invalid_request` ``.
fn answer(rule: &Rule) -> String {
    match rule.answer.error {
        "" => format!("{} with no body", rule.answer.status),
        error => format!("{} `{error}`", rule.answer.status),
    }
}

fn neighbours(rule: &Rule) -> String {
    let orders = orders();
    let (order, place) = orders
        .iter()
        .find_map(|order| Some((order, order.iter().position(|other| other.id == rule.id)?)))
        .expect("every rule stands in one of the orders");
    let before = place.checked_sub(1).map(|place| link(order[place]));
    let after = order.get(place + 1).map(|rule| link(rule));
    let looks = match (before, after) {
        (Some(before), Some(after)) => {
            format!("looks at {before} before this, and at {after} after it")
        }
        (Some(before), None) => format!("looks at {before} before this, and at no rule after it"),
        (None, Some(after)) => format!("looks at this first, and at {after} after it"),
        (None, None) => "looks at this alone".to_owned(),
    };
    format!("The platform {looks}. The first rule that fails answers, and hides the later ones.")
}

fn link(rule: &Rule) -> String {
    format!("[{id}]({id}.md) ({})", rule.title, id = rule.id)
}

/// A text of the rulebook, which has neither a capital letter nor a full stop, as prose.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn heading(page: &mut String, text: &str) {
    let _ = write!(page, "\n## {text}\n");
}

fn fenced(page: &mut String, text: &str) {
    let _ = write!(page, "\n```text\n{text}\n```\n");
}

fn paragraph(page: &mut String, text: &str) {
    let _ = write!(page, "\n{}\n", wrapped(text));
}

/// Lines of at most [`COLUMNS`], where the words allow it. None begins with what Markdown would
/// take for a list, a heading or a quotation.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() > COLUMNS && !is_marker(word) {
            lines.push(word.to_owned());
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.join("\n")
}

fn is_marker(word: &str) -> bool {
    let number = word.trim_end_matches(['.', ')']);
    matches!(word, "-" | "+" | "*")
        || word.starts_with(['#', '>', '|', '='])
        || (number.len() < word.len() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_stands_in_an_order() {
        let ordered: BTreeSet<_> = orders().concat().iter().map(|rule| rule.id.as_str()).collect();
        let all: BTreeSet<_> = nhs_auth_rules::all().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ordered, all);
    }

    #[test]
    fn every_rule_stands_in_the_table() {
        let index = index();
        for rule in nhs_auth_rules::all() {
            assert!(index.contains(&format!("\n| [{id}](rules/{id}.md) | ", id = rule.id)));
        }
    }

    #[test]
    fn a_page_has_all_that_the_rulebook_says() {
        let page = of(nhs_auth_rules::explain("A14").unwrap());
        for part in [
            "# A14: `exp` is at most five minutes away\n",
            "\n400 `invalid_request`\n",
            "\nInvalid 'exp' claim in client_assertion JWT - more than 5 minutes in future\n",
            "\nThe lifetime is too long, ",
            "\nThis fails:\n\n```text\n\"exp\": 1800000400   // now is 1800000000\n```\n",
            "\nThis passes:\n\n```text\n\"exp\": 1800000150 ",
            "\nSet `exp` to now plus 150 seconds, ",
            "\nRead in the platform's published proxy",
            "[A13](A13.md) (`jti` is new) before this, and at [A15](A15.md)",
        ] {
            assert!(page.contains(part), "{part:?} in {page}");
        }
    }

    #[test]
    fn the_ends_of_an_order_have_one_neighbour() {
        let neighbours = |id| neighbours(nhs_auth_rules::explain(id).unwrap());
        assert!(neighbours("R8").contains("looks at this first, and at [R1]"));
        assert!(neighbours("A1").contains("looks at [R7b]"));
        assert!(neighbours("A22").contains("before this, and at no rule after it"));
        assert!(neighbours("S1").contains("looks at [A21]"));
        assert!(neighbours("S10").contains("and at [D1]"));
        assert!(neighbours("S11").contains("looks at [D9]"));
        assert!(neighbours("C1").contains("looks at [R7b]"));
        assert!(neighbours("I1").contains("looks at this first, and at [I2]"));
        assert!(neighbours("U1").contains("looks at [G3]"));
        assert!(neighbours("G5").contains("no rule after it"));
        assert!(neighbours("G6").contains("looks at this first, and at [G7]"));
    }

    #[test]
    fn lines_are_wrapped_and_none_begins_as_a_list() {
        let text = "word ".repeat(19) + "words - 1. # and so on";
        let wrapped = wrapped(&text);
        let lines: Vec<_> = wrapped.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with("words - 1. #"), "{wrapped}");
        assert_eq!(lines[1], "and so on");
    }
}
