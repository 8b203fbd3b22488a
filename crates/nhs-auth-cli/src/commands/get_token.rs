//! `nhs-auth get-token`.

use nhs_auth::{Clock as _, SystemClock};

use crate::arguments::{GetToken, Global, Output};
use crate::commands::token_answer::as_json;
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
