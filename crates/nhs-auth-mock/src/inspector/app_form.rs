//! The form that makes or changes an application.

use maud::{Markup, html};
use nhs_auth_rules::Form;
use serde_json::{Map, Value, json};

use super::json_text;
use super::secrets::Secrets;
use crate::app::{KeySource, NewApp};

/// What stands in the form.
pub(super) struct Fields {
    name: String,
    /// `None` where the form doesn't show it, and so leaves it as it is.
    jwks: Option<String>,
    jwks_url: String,
    is_subscribed: bool,
    scopes: String,
    products: String,
    callback_url: String,
    rate_limit: String,
    flags: [bool; FLAGS.len()],
}

/// The control API's names of what is true or false of an application, and what people call it.
const FLAGS: [(&str, &str); 3] = [
    ("approved", "Approved, and not revoked"),
    ("developer_active", "Its developer is active"),
    ("company_active", "Its company is active"),
];

impl Fields {
    /// An application as it is.
    pub(super) fn of(app: &NewApp, secrets: Secrets) -> Self {
        let (jwks, jwks_url) = match &app.keys {
            KeySource::Nowhere => (Some(String::new()), ""),
            KeySource::Uploaded(document) => (Some(document.clone()), ""),
            KeySource::Url(url) => (Some(String::new()), url.as_str()),
        };
        let is_visible =
            |document: &String| secrets.are_shown() || !json_text::has_secret(document);
        Self {
            name: app.name.clone(),
            jwks: jwks.filter(is_visible),
            jwks_url: jwks_url.to_owned(),
            is_subscribed: app.scopes.is_some(),
            scopes: app.scopes.as_deref().unwrap_or_default().join("\n"),
            products: app.products.join("\n"),
            callback_url: app.callback_url.clone().unwrap_or_default(),
            rate_limit: app.rate_limit.map(|limit| limit.to_string()).unwrap_or_default(),
            flags: [app.approved, app.developer_active, app.company_active],
        }
    }

    /// The form as it was sent. Browsers end lines with CR LF (HTML §4.10.21.4).
    pub(super) fn sent(form: &Form) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
        Self {
            name: text("name"),
            jwks: form.get("jwks").map(|jwks| jwks.replace("\r\n", "\n")),
            jwks_url: text("jwks_url"),
            is_subscribed: form.get("subscribed").is_some(),
            scopes: text("scopes").replace("\r\n", "\n"),
            products: text("products").replace("\r\n", "\n"),
            callback_url: text("callback_url"),
            rate_limit: text("rate_limit"),
            flags: FLAGS.map(|(name, _)| form.get(name).is_some()),
        }
    }

    /// The same, as the control API is told it.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut members = Map::new();
        let name = if self.name.is_empty() { "unnamed" } else { &self.name };
        members.insert("name".to_owned(), json!(name));
        if let Some(jwks) = &self.jwks {
            members.insert("jwks".to_owned(), text_or_null(jwks));
        }
        if self.jwks.is_some() || !self.jwks_url.is_empty() {
            members.insert("jwks_url".to_owned(), text_or_null(&self.jwks_url));
        }
        members.insert("scopes".to_owned(), self.is_subscribed.then(|| names(&self.scopes)).into());
        members.insert("products".to_owned(), names(&self.products).into());
        members.insert("callback_url".to_owned(), text_or_null(&self.callback_url));
        let limit = self.rate_limit.parse::<u32>();
        let limit = limit.map_or_else(|_| text_or_null(&self.rate_limit), Value::from);
        members.insert("rate_limit".to_owned(), limit);
        for ((name, _), is_set) in FLAGS.into_iter().zip(self.flags) {
            members.insert(name.to_owned(), json!(is_set));
        }
        Value::Object(members).to_string().into_bytes()
    }

    /// The form, to be sent to that address.
    pub(super) fn form(&self, action: &str, submit: &str) -> Markup {
        html! {
            form.app method="post" action=(action) {
                div.field {
                    label for="name" { "Name" }
                    input #name type="text" name="name" value=(self.name) autocomplete="off"
                        required;
                }
                fieldset {
                    legend { "Public key" }
                    (self.key_fields())
                }
                fieldset {
                    legend { "APIs" }
                    (check("subscribed", "Subscribed to an API", self.is_subscribed))
                    div.field {
                        label for="scopes" { "Scopes" }
                        p.hint #scopes-hint { "One a line. With none of them no token is issued." }
                        textarea #scopes name="scopes" rows="8" spellcheck="false"
                            aria-describedby="scopes-hint" { "\n" (self.scopes) }
                    }
                    div.field {
                        label for="products" { "API products" }
                        p.hint #products-hint {
                            "By name, one a line; their scopes come on top."
                        }
                        textarea #products name="products" rows="2" spellcheck="false"
                            aria-describedby="products-hint" { "\n" (self.products) }
                    }
                }
                div.field {
                    label for="callback_url" { "Callback URL" }
                    p.hint #callback-hint { "Where combined sign-in sends the browser back to." }
                    input #callback_url type="text" inputmode="url" name="callback_url"
                        value=(self.callback_url) autocomplete="off" spellcheck="false"
                        aria-describedby="callback-hint";
                }
                div.field.short {
                    label for="rate_limit" { "Token requests a minute" }
                    p.hint #rate-hint { "Empty is the platform’s own limit." }
                    input #rate_limit type="text" inputmode="numeric" name="rate_limit"
                        value=(self.rate_limit) autocomplete="off" aria-describedby="rate-hint";
                }
                fieldset {
                    legend { "Standing" }
                    @for ((name, title), is_set) in FLAGS.into_iter().zip(self.flags) {
                        (check(name, title, is_set))
                    }
                }
                div.actions {
                    button.primary type="submit" { (submit) }
                    a.button.quiet href="/" { "Cancel" }
                }
            }
        }
    }

    fn key_fields(&self) -> Markup {
        html! {
            @match &self.jwks {
                Some(jwks) => div.field {
                    label for="jwks" { "Key set" }
                    p.hint #jwks-hint {
                        "The JWKS document. It is kept as it is, also when it is wrong."
                    }
                    textarea #jwks name="jwks" rows="8" spellcheck="false"
                        aria-describedby="jwks-hint" { "\n" (jwks) }
                },
                None => p.hint {
                    "A key set is uploaded that has private members or tokens in it. Show secrets "
                    "to see and change it; otherwise it stays as it is."
                },
            }
            div.field {
                label for="jwks_url" { "Key set’s URL" }
                p.hint #url-hint { "In place of the document. It must have a path." }
                input #jwks_url type="text" inputmode="url" name="jwks_url" value=(self.jwks_url)
                    autocomplete="off" spellcheck="false" aria-describedby="url-hint";
            }
        }
    }
}

fn check(name: &str, title: &str, is_set: bool) -> Markup {
    html! {
        div.check {
            input id=(name) type="checkbox" name=(name) value="yes" checked[is_set];
            label for=(name) { (title) }
        }
    }
}

fn names(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn text_or_null(text: &str) -> Value {
    if text.trim().is_empty() { Value::Null } else { json!(text) }
}
