//! What will become of a ring, if each step is done as soon as it is safe.

use nhs_auth_rules::{Kid, UnixSeconds};

use super::content::RingContent;
use super::key::KeyPlace;
use super::moment::Moment;
use super::schedule::Step;
use crate::PublicKey;

/// A step that is yet to come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedStep {
    /// From when on it is safe, if those before it are done as soon as they are.
    pub at: UnixSeconds,
    /// What is to be done.
    pub step: Step,
    /// The key that it is done to.
    pub kid: Option<Kid>,
}

/// The most steps that are looked ahead: two rotations have fewer.
const MOST_STEPS: usize = 16;

impl RingContent {
    /// The steps from now on until the next key signs and the one before it is retired.
    pub fn plan(&self, now: &Moment) -> Vec<PlannedStep> {
        let (mut ring, mut now) = (self.clone(), now.clone());
        let mut plan = Vec::new();
        let mut is_changed = false;
        while plan.len() < MOST_STEPS {
            let Some(due) = ring.due(&now).into_iter().next() else { break };
            if is_changed && due.step == Step::Announce {
                break;
            }
            now = now.moved_to(due.at.max(now.at()));
            is_changed |= matches!(due.step, Step::Activate(_)) && ring.active().is_some();
            let kid = ring.take(&due.step, &now, plan.len());
            plan.push(PlannedStep { at: now.at(), step: due.step, kid });
        }
        plan
    }

    /// Takes a step in thought alone, with a number for a key.
    fn take(&mut self, step: &Step, now: &Moment, number: usize) -> Option<Kid> {
        match step {
            Step::Publish => {
                self.publish(now);
                None
            }
            Step::Announce => {
                let kid = Kid::parse(&self.next_kid(0)).ok()?;
                let key =
                    PublicKey::from_components(&[1 + u8::try_from(number).ok()?], &[1]).ok()?;
                self.announce(kid.clone(), key, KeyPlace::File(String::new()), now).ok()?;
                Some(kid)
            }
            Step::Activate(kid) => self.activate(kid, now).ok().map(|()| kid.clone()),
            Step::Retire(kid) => self.retire(kid, now).ok().map(|()| kid.clone()),
        }
    }
}
