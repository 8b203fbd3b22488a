//! The rulebook's and the diagnosis's sentences, as they are read on a page.

use maud::{Markup, html};

/// A message as a sentence: with a capital and a full stop, and what stands between backticks as
/// code.
pub(super) fn sentence(message: &str) -> Markup {
    let mut characters = message.chars();
    let (first, rest) = (characters.next(), characters.as_str());
    let stop = if message.ends_with(['.', '!', '?', ':']) || message.is_empty() { "" } else { "." };
    match first {
        Some(first) if starts_a_word(message) => {
            html! { (first.to_uppercase().to_string()) (with_code(rest)) (stop) }
        }
        _ => html! { (with_code(message)) (stop) },
    }
}

/// Text with what stands between backticks as code.
pub(super) fn with_code(text: &str) -> Markup {
    let parts: Vec<_> = text.split('`').collect();
    if parts.len() % 2 == 0 {
        return html! { (text) };
    }
    html! {
        @for (index, part) in parts.iter().enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Whether it begins with a word, and not with a name such as `client_id` or a number.
fn starts_a_word(message: &str) -> bool {
    let word = message.split([' ', ',', ';', ':']).next().unwrap_or_default();
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '\'' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_a_capital_unless_it_begins_with_a_name() {
        for (message, text) in [
            ("the key is `a<b`, and not b", "The key is <code>a&lt;b</code>, and not b."),
            ("`exp` is past", "<code>exp</code> is past."),
            ("set both to `key`", "Set both to <code>key</code>."),
            ("client_id is missing", "client_id is missing."),
            ("a stray ` is no code", "A stray ` is no code."),
            ("", ""),
        ] {
            assert_eq!(sentence(message).into_string(), text);
        }
    }
}
