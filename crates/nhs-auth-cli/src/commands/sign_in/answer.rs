//! What a sign-in leaves on standard output.

use nhs_auth::{Clock as _, IdToken, RoleChoice, SystemClock, UserTokens};
use serde_json::{Map, Value, json};

use super::party::SignedIn;
use crate::arguments::Output;
use crate::commands::rfc3339;
use crate::commands::token_answer::user_as_json;
use crate::console;
use crate::failure::Failure;

/// Who has signed in, and the platform's tokens where they were asked for.
pub(super) struct Answer<'a> {
    pub(super) signed_in: &'a SignedIn,
    pub(super) tokens: Option<&'a UserTokens>,
}

impl Answer<'_> {
    /// For people the one token that was asked for, and for programs everything.
    pub(super) fn print(&self, output: Output) -> Result<(), Failure> {
        match (output, self.tokens) {
            (Output::Json, _) => console::answer_json(&self.to_json()),
            (Output::Human, Some(tokens)) => console::answer_line(tokens.access_token().expose()),
            (Output::Human, None) => console::answer_line(self.id_token().expose()),
        }
    }

    fn id_token(&self) -> &IdToken {
        self.signed_in.id_token()
    }

    fn to_json(&self) -> Value {
        let id_token = self.id_token();
        let mut members = match self.tokens {
            Some(tokens) => user_as_json(tokens, SystemClock::default().now()),
            None => json!({}),
        };
        let (user_info, role, roles) = self.user();
        for (name, value) in [
            ("provider", json!(id_token.provider().name())),
            ("issuer", json!(id_token.issuer())),
            ("subject", json!(id_token.subject())),
            ("level", json!(id_token.level())),
            ("id_token", json!(id_token.expose())),
            ("id_token_expires_at", json!(rfc3339(id_token.expires_at().to_millis()))),
            ("role", role),
            ("roles", roles),
            ("claims", json!(id_token.claims())),
            ("user_info", json!(user_info)),
        ] {
            members[name] = value;
        }
        members
    }

    fn user(&self) -> (&Map<String, Value>, Value, Value) {
        match self.signed_in {
            SignedIn::Cis2(signed_in) => {
                let user = &signed_in.user;
                // As CIS2 sent them.
                let roles = user.claims().get("nhsid_nrbac_roles").cloned();
                let roles = roles.filter(Value::is_array).unwrap_or_else(|| json!([]));
                let role = match user.role_choice() {
                    RoleChoice::Settled(role) => {
                        let all = roles.as_array().map(Vec::as_slice).unwrap_or_default();
                        let same = |it: &&Value| it["person_roleid"] == *role.person_roleid;
                        all.iter().find(same).cloned().unwrap_or_default()
                    }
                    RoleChoice::Choose(_) | RoleChoice::None => Value::Null,
                };
                (user.claims(), role, roles)
            }
            SignedIn::NhsLogin(signed_in) => (signed_in.user.claims(), Value::Null, json!([])),
        }
    }
}
