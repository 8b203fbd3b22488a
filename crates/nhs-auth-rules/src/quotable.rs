//! What may be repeated of somebody else's text.

/// A text short enough for a message, with nothing in it that could be a credential.
pub(crate) fn quotable(text: &str) -> String {
    if is_secret(text) {
        return "(a token, not shown)".to_owned();
    }
    let clean = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    let shown: String = text.chars().take(80).map(clean).collect();
    if text.chars().nth(80).is_some() { format!("{shown}…") } else { shown }
}

fn is_secret(text: &str) -> bool {
    text.contains("-----BEGIN")
        || (text.contains("eyJ") && text.len() > 40)
        || text.split(|c: char| !is_base64(c)).any(|run| run.len() > 100)
}

pub(crate) fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/')
}
