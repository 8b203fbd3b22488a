//! A token exchange before it is sent, good unless told otherwise.

use nhs_auth_rules::{CLIENT_ASSERTION_TYPE, ID_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT};

use crate::assertion::Assertion;
use crate::http::Reply;
use crate::jwt::Jwt;
use crate::key::Key;
use crate::world::World;

/// A request for a token exchange before it is sent.
#[derive(Clone)]
pub(crate) struct Exchange {
    base_path: &'static str,
    parameters: Vec<(&'static str, String)>,
    left_out: Vec<&'static str>,
    assertion: Assertion,
    assertion_key: &'static Key,
    subject: Jwt,
    subject_key: &'static Key,
    /// What `act.sub` of the subject token holds.
    delegated: Option<Delegated>,
}

/// What stands where the token of the person who acts belongs.
#[derive(Clone)]
enum Delegated {
    Text(&'static str),
    Token(Jwt),
}

impl Exchange {
    /// Of that subject token, to be signed by the key of the test's providers.
    pub(crate) fn new(world: &World, subject: Jwt) -> Self {
        Self {
            base_path: "/oauth2",
            parameters: Vec::new(),
            left_out: Vec::new(),
            assertion: world.assertion(),
            assertion_key: Key::usual(),
            subject,
            subject_key: Key::provider(),
            delegated: None,
        }
    }

    /// With a token of the person who acts in `act.sub`.
    pub(crate) fn on_behalf(mut self, delegated: Jwt) -> Self {
        self.delegated = Some(Delegated::Token(delegated));
        self
    }

    pub(crate) fn at(mut self, base_path: &'static str) -> Self {
        self.base_path = base_path;
        self
    }

    /// A parameter on top of the others, or in place of one.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.left_out.retain(|other| *other != name);
        self.parameters.push((name, value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.left_out.push(name);
        self
    }

    pub(crate) fn assertion(mut self, change: fn(Assertion) -> Assertion) -> Self {
        self.assertion = change(self.assertion);
        self
    }

    pub(crate) fn assertion_by(mut self, key: &'static Key) -> Self {
        self.assertion_key = key;
        self
    }

    pub(crate) fn subject(mut self, change: fn(Jwt) -> Jwt) -> Self {
        self.subject = change(self.subject);
        self
    }

    pub(crate) fn subject_by(mut self, key: &'static Key) -> Self {
        self.subject_key = key;
        self
    }

    pub(crate) fn delegated(mut self, change: fn(Jwt) -> Jwt) -> Self {
        if let Some(Delegated::Token(token)) = self.delegated {
            self.delegated = Some(Delegated::Token(change(token)));
        }
        self
    }

    pub(crate) fn delegated_text(mut self, text: &'static str) -> Self {
        self.delegated = Some(Delegated::Text(text));
        self
    }

    pub(crate) async fn send(self, world: &World) -> Reply {
        let path = format!("{}/token", self.base_path);
        let form = self.form(&(world.platform.base_url() + &path));
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.post_to(&path, &form).await
    }

    fn form(self, url: &str) -> Vec<(&'static str, String)> {
        let is_for_another_path = self.base_path != "/oauth2";
        let assertion = match self.assertion.claims().get("aud") {
            Some(_) if is_for_another_path => self.assertion.claim("aud", url),
            _ => self.assertion,
        };
        let act_sub = self.delegated.map(|delegated| match delegated {
            Delegated::Text(text) => text.to_owned(),
            Delegated::Token(token) => token.sign(Key::other()),
        });
        let subject = match act_sub {
            Some(sub) => self.subject.claim("act", serde_json::json!({"sub": sub})),
            None => self.subject,
        };
        let mut form = vec![
            ("grant_type", TOKEN_EXCHANGE_GRANT.to_owned()),
            ("subject_token_type", ID_TOKEN_TYPE.to_owned()),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE.to_owned()),
            ("client_assertion", assertion.sign(self.assertion_key)),
            ("subject_token", subject.sign(self.subject_key)),
        ];
        for (name, value) in self.parameters {
            form.retain(|(other, _)| *other != name);
            form.push((name, value));
        }
        form.retain(|(name, _)| !self.left_out.contains(name));
        form
    }
}
