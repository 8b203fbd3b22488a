//! The faults that are in force.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::lock;
use crate::clock::bounded;
use crate::fault::{Fault, FaultId, FaultKind, IdTokenFault};
use crate::random;

/// The most that are in force at once.
const MOST: usize = 1000;

/// The faults that are in force, in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Those of the start.
    first: Vec<Fault>,
    /// Their number, so that a request without faults needs no lock.
    number: AtomicUsize,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    latest: u64,
    faults: VecDeque<(FaultId, Fault)>,
}

/// What the faults make of one request.
#[derive(Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fault's effect, and they add up")]
pub(crate) struct Effects {
    pub(crate) delay: Duration,
    pub(crate) clock_offset_ms: i64,
    pub(crate) key_sets_unreachable: bool,
    pub(crate) provider_key_sets_unreachable: bool,
    pub(crate) loses_answer: bool,
    pub(crate) id_token: Option<IdTokenFault>,
    pub(crate) rotates_keys: bool,
    /// The first fault that changes how the request is served, by name.
    pub(crate) change: Option<FaultKind>,
    /// The fault that answers in the platform's place.
    pub(crate) answer: Option<Fault>,
}

impl Faults {
    pub(crate) fn new(first: Vec<Fault>) -> Self {
        let faults = Self { first, ..Self::default() };
        faults.reset();
        faults
    }

    /// The faults of the start, and no other.
    pub(crate) fn reset(&self) {
        self.clear();
        for fault in &self.first {
            self.add(fault.clone());
        }
    }

    pub(crate) fn add(&self, fault: Fault) -> FaultId {
        let list = &mut *lock(&self.list);
        if list.faults.len() >= MOST {
            list.faults.pop_front();
        }
        list.latest += 1;
        let id = FaultId(list.latest);
        list.faults.push_back((id, fault));
        self.number.store(list.faults.len(), Ordering::Release);
        id
    }

    /// Whether there was one of that name.
    pub(crate) fn remove(&self, id: FaultId) -> bool {
        let list = &mut *lock(&self.list);
        let before = list.faults.len();
        list.faults.retain(|(other, _)| *other != id);
        self.number.store(list.faults.len(), Ordering::Release);
        list.faults.len() < before
    }

    pub(crate) fn clear(&self) {
        let list = &mut *lock(&self.list);
        list.faults.clear();
        self.number.store(0, Ordering::Release);
    }

    pub(crate) fn all(&self) -> Vec<(FaultId, Fault)> {
        lock(&self.list).faults.iter().cloned().collect()
    }

    /// What is in force for a request to that path. `application_id` is asked only when a fault
    /// is for one application.
    pub(crate) fn meet(
        &self,
        path: &str,
        application_id: impl FnOnce() -> Option<String>,
    ) -> Effects {
        let mut effects = Effects::default();
        if self.number.load(Ordering::Acquire) == 0 {
            return effects;
        }
        let list = &mut *lock(&self.list);
        let asks = |(_, fault): &(FaultId, Fault)| {
            fault.application_id.is_some() && fault.is_for_path(path)
        };
        let caller = list.faults.iter().any(asks).then(application_id).flatten();
        for (_, fault) in &mut list.faults {
            if fault.is_for_path(path)
                && fault.is_for_application(caller.as_deref())
                && !(fault.kind.answers() && effects.answer.is_some())
                && random::happens(fault.share)
            {
                fault.take_effect(&mut effects);
            }
        }
        list.faults.retain(|(_, fault)| fault.times != Some(0));
        self.number.store(list.faults.len(), Ordering::Release);
        effects
    }
}

impl Fault {
    fn is_for_path(&self, path: &str) -> bool {
        self.kind.concerns(path)
            && self.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
    }

    fn is_for_application(&self, application_id: Option<&str>) -> bool {
        self.application_id.is_none() || self.application_id.as_deref() == application_id
    }

    fn take_effect(&mut self, effects: &mut Effects) {
        self.times = self.times.map(|times| times.saturating_sub(1));
        effects.delay = effects.delay.saturating_add(self.delay.unwrap_or_default());
        if !self.kind.answers() {
            effects.change.get_or_insert(self.kind);
        }
        match self.kind {
            FaultKind::Slow => {}
            FaultKind::Clock => {
                effects.clock_offset_ms =
                    bounded(effects.clock_offset_ms.saturating_add(self.offset_ms));
            }
            FaultKind::LostAnswer => effects.loses_answer = true,
            FaultKind::UnreachableJwks => {
                effects.key_sets_unreachable = true;
                effects.provider_key_sets_unreachable = true;
            }
            FaultKind::UnreachableProviderJwks => effects.provider_key_sets_unreachable = true,
            FaultKind::ExpiredIdToken => effects.id_token = Some(IdTokenFault::Expired),
            FaultKind::WrongIssuerIdToken => effects.id_token = Some(IdTokenFault::WrongIssuer),
            FaultKind::RotatedProviderKeys => effects.rotates_keys = true,
            _ => effects.answer = Some(self.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(faults: &Faults, path: &str) -> Option<FaultKind> {
        let effects = faults.meet(path, || Some("app-1".to_owned()));
        effects.answer.map(|fault| fault.kind)
    }

    #[test]
    fn however_many_there_are_time_stays_countable() {
        let faults = Faults::default();
        for _ in 0..MOST {
            faults.add(Fault::clock_off_by_ms(i64::MAX).delay(Duration::MAX));
        }
        let effects = faults.meet("/", || None);
        assert_eq!(effects.clock_offset_ms, bounded(i64::MAX));
        assert_eq!(effects.delay, Duration::MAX);
    }

    #[test]
    fn times_path_and_application_narrow_a_fault() {
        let faults = Faults::default();
        faults.add(Fault::new(FaultKind::Empty).times(1));
        faults.add(Fault::new(FaultKind::Hang).path("/oauth2/"));
        faults.add(Fault::new(FaultKind::Reset).application_id("app-2"));
        faults.add(Fault::new(FaultKind::Oversized).application_id("app-1"));
        assert_eq!(kinds(&faults, "/oauth2/token"), Some(FaultKind::Empty));
        assert_eq!(kinds(&faults, "/oauth2/token"), Some(FaultKind::Hang));
        assert_eq!(kinds(&faults, "/hello"), Some(FaultKind::Oversized));
        assert_eq!(faults.all().len(), 3);
        faults.clear();
        assert_eq!(kinds(&faults, "/oauth2/token"), None);
    }

    #[test]
    fn faults_that_do_not_answer_add_up_beside_one_that_does() {
        let faults = Faults::default();
        let slow = faults.add(Fault::new(FaultKind::Slow).delay(Duration::from_millis(5)));
        faults.add(Fault::clock_off_by_ms(7));
        faults.add(Fault::new(FaultKind::UnreachableJwks));
        faults.add(Fault::new(FaultKind::Empty).delay(Duration::from_millis(6)));
        let effects = faults.meet("/oauth2/token", || None);
        assert_eq!(effects.delay, Duration::from_millis(11));
        assert_eq!(effects.clock_offset_ms, 7);
        assert!(effects.key_sets_unreachable && effects.answer.is_some());
        assert!(faults.remove(slow) && !faults.remove(slow));
    }
}
