//! `nhs-auth sign-in`.

mod answer;
mod page;
mod party;
mod receiver;
mod request;

use std::time::Duration;

use nhs_auth::{Application, BegunSignIn, Callback, SignInError, UserTokens};

use self::answer::Answer;
use self::party::{Party, SignedIn};
use self::receiver::{Outcome, Receiver};
use crate::arguments::{Global, SignIn};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::{commands, identity};

pub(crate) fn run(arguments: &SignIn, global: &Global, console: Console) -> Result<Exit, Failure> {
    let with = arguments.with.ok_or_else(|| {
        Failure::usage("it isn't said who signs the user in")
            .hint("give --with cis2 for people who work in health and care, or --with nhs-login for the public")
    })?;
    // What can be wrong here is told before the user is troubled.
    let application = if arguments.exchange {
        Some(identity::application(&arguments.identity, console)?)
    } else {
        None
    };
    let mut receiver = Receiver::bind(&arguments.redirect_uri)?;
    let party = Party::new(with, arguments, receiver.redirect_uri(), console)?;
    if let Some(application) = &application {
        party.check_pairing(application)?;
    }
    commands::small_runtime()?.block_on(async {
        let BegunSignIn { url, pending, .. } = party.begin(arguments).await?;
        show(&url, arguments, console);
        let arrived = receiver.wait(Duration::from_secs(arguments.wait)).await?;
        let completed = match Callback::parse(&arrived.query) {
            Ok(callback) => party.complete(pending, &callback).await,
            Err(error) => Err(SignInError::from(error)),
        };
        arrived.answer(Outcome::of(&completed)).await;
        receiver.close().await;
        let signed_in = completed?;
        signed_in.tell(console);
        let tokens = match &application {
            Some(application) => Some(exchange(&party, application, &signed_in, arguments).await?),
            None => None,
        };
        Answer { signed_in: &signed_in, tokens: tokens.as_ref() }.print(global.output)?;
        Ok(Exit::Done)
    })
}

async fn exchange(
    party: &Party,
    application: &Application,
    signed_in: &SignedIn,
    arguments: &SignIn,
) -> Result<UserTokens, Failure> {
    let tokens = identity::token_client(arguments.timeout);
    party.exchange(application, signed_in.id_token(), tokens).await
}

/// Opens the browser, and says where to go should that not work.
fn show(url: &str, arguments: &SignIn, console: Console) {
    if arguments.no_browser {
        console.always("open this address in a browser, and sign in:");
    } else if open::that_detached(url).is_ok() {
        console.always("your browser opens; if it doesn't, open this address and sign in:");
    } else {
        console.always("no browser can be opened here; open this address in one, and sign in:");
    }
    console.always(url);
}
