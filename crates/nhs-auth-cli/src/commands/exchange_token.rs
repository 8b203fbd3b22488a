//! `nhs-auth exchange-token`.

use nhs_auth::{Clock as _, SubjectToken, SystemClock};
use secrecy::ExposeSecret as _;

use crate::arguments::{ExchangeToken, Global, Output};
use crate::commands::token_answer::user_as_json;
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::{commands, identity, secret};

pub(crate) fn run(
    arguments: &ExchangeToken,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let subject_token = subject_token(arguments)?;
    let application = identity::application(&arguments.identity, console)?;
    let client = identity::token_client(arguments.timeout);
    let exchange = client.exchange(&application, &subject_token);
    let tokens = commands::small_runtime()?.block_on(exchange)?;
    match global.output {
        Output::Human => console::answer_line(tokens.access_token().expose())?,
        Output::Json => {
            console::answer_json(&user_as_json(&tokens, SystemClock::default().now()))?;
        }
    }
    Ok(Exit::Done)
}

fn subject_token(arguments: &ExchangeToken) -> Result<SubjectToken, Failure> {
    let Some(value) = &arguments.subject_token else {
        return Err(Failure::usage("there is no subject token").hint(
            "give the ID token of CIS2 or NHS login with --subject-token: a file, or `-` for \
             standard input; `nhs-auth sign-in` gets one",
        ));
    };
    let token = secret::read_token("--subject-token", value)?;
    if token.expose_secret().trim().is_empty() {
        return Err(Failure::usage("the subject token is empty").hint(
            "if it comes from `nhs-auth sign-in`, nobody has signed in: what went wrong is told above",
        ));
    }
    Ok(SubjectToken::new(token.expose_secret()))
}
