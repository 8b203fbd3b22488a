//! `nhs-auth rotate-keys`.

mod emergency;
mod report;

use std::time::Duration;

use nhs_auth::{
    AdoptedKey, KeyRing, KeyRingError, KeyUri, Kid, LeakedKey, Moment, PublishTo, RingContent,
    RingSettings, RotationOrders, SystemClock,
};

use crate::arguments::{Global, RotateKeys};
use crate::commands::publish_jwks::by_hand;
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::private_key::{self, KeyAt};
use crate::{commands, key_ring, publisher};

/// How long a key signs unless told otherwise.
const USUALLY_ROTATED_EVERY: Duration = Duration::from_hours(90 * 24);

pub(crate) fn run(
    arguments: &RotateKeys,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let ring = key_ring::named(&arguments.ring)?;
    let changes = Changes::of(arguments)?;
    commands::small_runtime()?.block_on(async {
        if arguments.plan {
            return plan(arguments, &ring, &changes, global, console).await;
        }
        keep(arguments, &ring, &changes, console).await?;
        rotate(arguments, &ring, global, console).await
    })
}

/// What the flags change of how the ring is kept.
struct Changes {
    rotate_every: Option<Duration>,
    publish_to: Option<PublishTo>,
    keys_at: Option<KeyUri>,
}

impl Changes {
    fn of(arguments: &RotateKeys) -> Result<Self, Failure> {
        let days = arguments.rotate_every;
        Ok(Self {
            rotate_every: days.map(|days| Duration::from_hours(days * 24)),
            publish_to: arguments.publish_to.as_deref().map(publisher::target).transpose()?,
            keys_at: arguments.keys_at.as_deref().map(keys_at).transpose()?,
        })
    }

    fn made_to(&self, settings: &mut RingSettings) {
        if let Some(rotate_every) = self.rotate_every {
            settings.rotate_every = rotate_every;
        }
        if let Some(publish_to) = &self.publish_to {
            settings.publish_to = publish_to.clone();
        }
        if let Some(keys_at) = &self.keys_at {
            settings.keys_at = Some(keys_at.clone());
        }
    }
}

fn keys_at(value: &str) -> Result<KeyUri, Failure> {
    match private_key::parse("--keys-at", value)? {
        KeyAt::File(path) => {
            Err(Failure::usage(format!("--keys-at is not a key URI: {}", path.display()))
                .hint("leave it out, and keys are made in the ring's own folder"))
        }
        KeyAt::Uri(uri) if uri.holds_a_secret() => Err(Failure::usage(format!(
            "--keys-at holds a PIN, and a ring's file is no place for it: {uri}"
        ))
        .hint("name a file that holds the PIN: pin-source=file:PATH")),
        KeyAt::Uri(uri) if names_a_relative_path(&uri) => Err(Failure::usage(format!(
            "--keys-at names a file by a relative path, and the next run may be elsewhere: {uri}"
        ))
        .hint("give pin-source and module-path whole, from the root on")),
        KeyAt::Uri(uri) => Ok(uri),
    }
}

/// Whether a file that the URI names is another one in another folder.
fn names_a_relative_path(uri: &KeyUri) -> bool {
    let query = uri.rest().split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|part| part.split_once('=')).any(|(name, value)| {
        let path = value.strip_prefix("file:").unwrap_or(value);
        let is_whole = path.starts_with('/') || path.to_ascii_lowercase().starts_with("%2f");
        ["pin-source", "module-path"].contains(&name) && !is_whole
    })
}

/// Shows what comes, and changes nothing.
async fn plan(
    arguments: &RotateKeys,
    ring: &KeyRing,
    changes: &Changes,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let now = Moment::now(&SystemClock::default());
    let mut content = match ring.content().await {
        Ok(content) => content,
        Err(KeyRingError::Missing { .. }) => RingContent::empty(settings(arguments, changes)),
        Err(error) => return Err(error.into()),
    };
    if let Some(leaked) = leaked(arguments)? {
        let active = content.active().map(|key| key.kid.clone());
        let kid = match leaked {
            LeakedKey::Named(kid) => Some(kid),
            LeakedKey::Active => active,
        };
        if let Some(kid) = kid {
            content.leak(&kid).map_err(|error| Failure::usage(error.to_string()))?;
        }
        emergency::explain(&content, &now, console);
    }
    report::plan(&content, &now, global.output)?;
    Ok(Exit::Done)
}

fn settings(arguments: &RotateKeys, changes: &Changes) -> RingSettings {
    let mut settings = RingSettings {
        kid_prefix: arguments.env.clone(),
        rotate_every: USUALLY_ROTATED_EVERY,
        publish_to: PublishTo::Served,
        keys_at: None,
    };
    changes.made_to(&mut settings);
    settings
}

/// Makes the ring when there is none, and keeps it as the flags say.
async fn keep(
    arguments: &RotateKeys,
    ring: &KeyRing,
    changes: &Changes,
    console: Console,
) -> Result<(), Failure> {
    let mut settings = settings(arguments, changes);
    if let Some(value) = &arguments.adopt {
        let key = private_key::parse("--adopt", value)?;
        let kid = private_key::kid("--adopted-kid", arguments.adopted_kid.as_deref(), &key)?;
        if let Some(prefix) = prefix_of(&kid) {
            prefix.clone_into(&mut settings.kid_prefix);
        }
        let key = match key {
            KeyAt::File(path) => {
                AdoptedKey::Private(private_key::load_unencrypted(&path, console)?)
            }
            KeyAt::Uri(uri) => AdoptedKey::At(uri),
        };
        ring.adopt(settings, kid.clone(), key).await?;
        console.done(format_args!("made the key ring {} of the key {kid}", ring.place()));
        return Ok(());
    }
    match ring.set(|settings| changes.made_to(settings)).await {
        Err(KeyRingError::Missing { .. }) => match ring.create(settings).await {
            Ok(()) => {
                console.done(format_args!("made the key ring {}", ring.place()));
                Ok(())
            }
            // Somebody else was quicker.
            Err(KeyRingError::Exists { .. }) => {
                Ok(ring.set(|settings| changes.made_to(settings)).await?)
            }
            Err(error) => Err(error.into()),
        },
        set => Ok(set?),
    }
}

/// What stands before the number in a name such as `prod-7`.
fn prefix_of(kid: &Kid) -> Option<&str> {
    let (prefix, number) = kid.as_str().rsplit_once('-')?;
    (!prefix.is_empty() && number.parse::<u64>().is_ok()).then_some(prefix)
}

async fn rotate(
    arguments: &RotateKeys,
    ring: &KeyRing,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let orders = RotationOrders {
        start: arguments.start,
        kid: named("--next-kid", arguments.next_kid.as_deref())?,
        leaked: leaked(arguments)?,
        new_url: arguments.new_url,
    };
    for missing in ring.missing_private_keys(&ring.content().await?) {
        console.warn(format_args!(
            "the private key of {missing} is not in the ring's folder; put it back, or replace the key: \
             rotate-keys --emergency --leaked-kid {missing}"
        ));
    }
    let publisher = publisher::publisher(&ring.content().await?.settings().publish_to)?;
    let rotation = ring.rotate(&orders, publisher.as_deref()).await?;
    for (step, kid) in &rotation.done {
        console.done(report::done(step, kid.as_ref(), &rotation.content));
    }
    if let (true, true, Some(announced)) =
        (arguments.start, rotation.done.is_empty(), rotation.content.announced())
    {
        console
            .note(format_args!("a rotation is under way: {} is announced already", announced.kid));
    }
    let now = Moment::now(&SystemClock::default());
    if arguments.emergency {
        emergency::explain(&rotation.content, &now, console);
        emergency::explain_retired(&rotation, console);
    }
    if rotation.content.is_to_be_published() {
        by_hand::explain(&rotation.content, &arguments.ring, console);
        by_hand::show(&rotation.content, console);
    }
    report::ring(&ring.place(), &rotation, global.output)?;
    Ok(Exit::Done)
}

fn leaked(arguments: &RotateKeys) -> Result<Option<LeakedKey>, Failure> {
    let kid = named("--leaked-kid", arguments.leaked_kid.as_deref())?;
    Ok(arguments.emergency.then(|| kid.map_or(LeakedKey::Active, LeakedKey::Named)))
}

fn named(flag: &str, kid: Option<&str>) -> Result<Option<Kid>, Failure> {
    let parsed = kid.map(Kid::parse).transpose();
    parsed.map_err(|error| Failure::identifier(flag, error))
}
