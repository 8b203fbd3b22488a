//! `nhs-auth publish-jwks`.

pub(super) mod by_hand;
mod key_set_file;

use nhs_auth::{KeySet, PublishTo, echo_url};
use serde_json::json;

use crate::arguments::{Global, Output, PublishJwks};
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::{commands, key_ring, publisher};

pub(crate) use self::key_set_file::read as read_key_set;

pub(crate) fn run(
    arguments: &PublishJwks,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    commands::small_runtime()?.block_on(async {
        match (&arguments.done, &arguments.jwks) {
            (Some(mark), _) => take_note(arguments, mark, console).await,
            (None, Some(file)) => {
                let to = arguments.to.as_deref().ok_or_else(no_target)?;
                let key_set = read_key_set(file)?;
                publish(&key_set, &target(to)?, global, console).await
            }
            (None, None) => publish_ring(arguments, global, console).await,
        }
    })
}

fn no_target() -> Failure {
    Failure::usage("there is no target").hint(
        "say where to with --to: a file or folder, s3://BUCKET/KEY, az://ACCOUNT/CONTAINER/BLOB, \
         gs://BUCKET/OBJECT, portal or echo",
    )
}

fn target(text: &str) -> Result<PublishTo, Failure> {
    match publisher::target(text)? {
        PublishTo::Served => Err(Failure::usage("`serve` is no place to publish to")
            .hint("`nhs-auth serve-jwks` serves a ring or a key set's file")),
        to => Ok(to),
    }
}

async fn take_note(arguments: &PublishJwks, mark: &str, console: Console) -> Result<Exit, Failure> {
    let ring = key_ring::named(&arguments.ring)?;
    ring.published_by_hand(mark.trim()).await?;
    console.done(format_args!("the key set {} counts as published from now on", mark.trim()));
    Ok(Exit::Done)
}

/// To the ring's own target it is the ring's publication, and the ring takes note of it.
async fn publish_ring(
    arguments: &PublishJwks,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let ring = key_ring::named(&arguments.ring)?;
    let content = ring.content().await?;
    let own = content.settings().publish_to.clone();
    let to = match &arguments.to {
        Some(to) => target(to)?,
        None if own == PublishTo::Served => return Err(no_target()),
        None => own.clone(),
    };
    if content.key_set().keys().is_empty() {
        return Err(Failure::usage(format!("the key ring {} has no key to publish", ring.place()))
            .hint("run `nhs-auth rotate-keys`, which makes one"));
    }
    if let (true, Some(publisher)) = (to == own, publisher::publisher(&to)?) {
        ring.publish(&*publisher).await?;
        return answer(&content.key_set(), &to, global, console);
    }
    if to == own {
        by_hand::explain(&content, &arguments.ring, console);
        return answer(&content.key_set(), &to, global, console);
    }
    publish(&content.key_set(), &to, global, console).await
}

async fn publish(
    key_set: &KeySet,
    to: &PublishTo,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    match publisher::publisher(to)? {
        Some(publisher) => {
            publisher.publish(key_set).await?;
        }
        None => by_hand::explain_target(to, console),
    }
    answer(key_set, to, global, console)
}

/// What to upload, the URL to enter, or where it is by now.
fn answer(
    key_set: &KeySet,
    to: &PublishTo,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let url = (*to == PublishTo::Echo).then(|| echo_url(key_set));
    if !to.is_by_hand() {
        let kids: Vec<_> = key_set.keys().iter().map(|key| key.kid().as_str()).collect();
        console.done(format_args!("published {}", kids.join(", ")));
    }
    match (global.output, to) {
        (Output::Json, _) => console::answer_json(&json!({
            "schema": 1,
            "published_to": to.to_string(),
            "by_hand": to.is_by_hand(),
            "url": url,
            "mark": key_set.mark(),
            "kids": key_set.keys().iter().map(|key| key.kid().as_str()).collect::<Vec<_>>(),
        }))?,
        (Output::Human, PublishTo::Portal) => console::answer_line(&key_set.to_json())?,
        (Output::Human, to) => console::answer_line(&url.unwrap_or_else(|| to.to_string()))?,
    }
    Ok(Exit::Done)
}
