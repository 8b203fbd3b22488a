//! What comes next for a ring, and when it is safe. Pure: a ring, a time, and the rulebook's waits.

use nhs_auth_rules::rotation::{BEFORE_REMOVAL_OF_A_LEAKED_KEY_S, BEFORE_REMOVAL_S};
use nhs_auth_rules::{Kid, UnixSeconds};

use super::content::RingContent;
use super::key::{KeyState, RingKey};
use super::moment::Moment;

/// A change of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Put the key set where the platform gets it from.
    Publish,
    /// Make a key, and put it in the key set beside those that are there.
    Announce,
    /// Let this key sign, and the one that signs now retire.
    Activate(Kid),
    /// Take this key out of the key set, and its private half away.
    Retire(Kid),
}

/// A step, and from when on it is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Due {
    /// What is to be done.
    pub step: Step,
    /// From when on, as far as can be told now.
    pub at: UnixSeconds,
}

impl RingContent {
    /// The steps that come next, the soonest first. One is done before the others are thought of
    /// again: each changes what comes after it.
    pub fn due(&self, now: &Moment) -> Vec<Due> {
        let mut due = Vec::new();
        if self.is_to_be_published() {
            due.push(Due { step: Step::Publish, at: now.at() });
        }
        due.extend(self.keys().iter().filter_map(|key| self.due_of(key, now)));
        if self.announced().is_none() {
            due.push(Due { step: Step::Announce, at: self.next_announcement(now) });
        }
        due.sort_by_key(|due| due.at);
        due
    }

    /// The step that is safe by now, if one is, and that needs nobody's hand.
    pub(super) fn due_now(&self, now: &Moment) -> Option<Step> {
        let by_hand = self.settings().publish_to.is_by_hand();
        let can_be_done = |due: &Due| due.at <= now.at() && !(by_hand && due.step == Step::Publish);
        self.due(now).into_iter().find(can_be_done).map(|due| due.step)
    }

    fn due_of(&self, key: &RingKey, now: &Moment) -> Option<Due> {
        let (step, at) = match &key.state {
            KeyState::Announced { .. } if key.leaked => (Step::Retire(key.kid.clone()), now.at()),
            KeyState::Announced { published: Some(published), .. } => {
                // Of the first key nobody has a set without it, and nothing else can sign.
                let wait_s =
                    if self.is_first(key) { 0 } else { published.freshness.before_signing_s() };
                (Step::Activate(key.kid.clone()), now.when_passed(wait_s, &published.since))
            }
            KeyState::Retiring { since } => {
                let wait_s =
                    if key.leaked { BEFORE_REMOVAL_OF_A_LEAKED_KEY_S } else { BEFORE_REMOVAL_S };
                (Step::Retire(key.kid.clone()), now.when_passed(wait_s, since))
            }
            KeyState::Announced { published: None, .. }
            | KeyState::Active { .. }
            | KeyState::Retired { .. } => return None,
        };
        Some(Due { step, at })
    }

    /// Whether no other key ever was in the ring.
    fn is_first(&self, key: &RingKey) -> bool {
        matches!(self.keys(), [only] if only.kid == key.kid)
    }

    /// When the next key is made: at once where none signs, or one that leaked.
    fn next_announcement(&self, now: &Moment) -> UnixSeconds {
        let every = i64::try_from(self.settings().rotate_every.as_secs()).unwrap_or(i64::MAX);
        match self.active() {
            Some(RingKey { state: KeyState::Active { since }, leaked: false, .. }) => {
                now.when_passed(every, since)
            }
            _ => now.at(),
        }
    }
}
