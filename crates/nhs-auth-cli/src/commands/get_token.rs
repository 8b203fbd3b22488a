//! `nhs-auth get-token`.

use nhs_auth::{Clock as _, IssuedToken, SystemClock, UnixMillis};
use serde_json::{Map, Value};

use crate::arguments::{GetToken, Global, Output};
use crate::commands::rfc3339;
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::{commands, identity};

pub(crate) fn run(
    arguments: &GetToken,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let application = identity::application(&arguments.identity, console)?;
    let source = identity::token_cache(&arguments.tokens, console).source(&application);
    let issued = commands::small_runtime()?
        .block_on(source.issued())
        .map_err(|error| Failure::from(&*error))?;
    match global.output {
        Output::Human => console::answer_line(issued.access_token.expose())?,
        Output::Json => console::answer_json(&as_json(&issued, SystemClock::default().now()))?,
    }
    Ok(Exit::Done)
}

/// RFC 6749 §5.1, with `expires_in` counted from now, and `expires_at` beside it.
fn as_json(issued: &IssuedToken, now: UnixMillis) -> Value {
    let mut members = Map::new();
    members.insert("access_token".into(), issued.access_token.expose().into());
    members.insert("token_type".into(), issued.token_type.clone().into());
    if let Some(expires_at) = issued.expires_at() {
        let left_ms = expires_at.0.saturating_sub(now.0).max(0);
        members.insert("expires_in".into(), (left_ms + 999).div_euclid(1000).into());
        members.insert("expires_at".into(), rfc3339(expires_at).into());
    }
    for (name, value) in &issued.others {
        members.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(members)
}
