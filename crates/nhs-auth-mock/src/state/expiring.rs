//! What is handed out under an unguessable name and forgotten after a while: codes, tokens,
//! sign-ins that wait for their user.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Mutex;

use aws_lc_rs::digest;
use nhs_auth_rules::UnixMillis;

use super::lock;

/// Half a SHA-256: the names themselves are their holders' alone.
pub(crate) type Digest = [u8; 16];

/// Things by secret names, each with the moment at which it is forgotten. When there are too many
/// the oldest goes first.
pub(crate) struct Expiring<T> {
    most: usize,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    by_digest: HashMap<Digest, Entry<T>>,
    /// In the order in which they came. What was taken since is still in it, until its turn.
    in_order: VecDeque<(Digest, u64)>,
    number: u64,
}

struct Entry<T> {
    number: u64,
    forgotten_at: UnixMillis,
    thing: T,
}

impl<T: Clone> Expiring<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    /// Keeps a thing under that name until then.
    pub(crate) fn put(&self, name: &str, thing: T, forgotten_at: UnixMillis) {
        self.put_digest(digest(name), thing, forgotten_at);
    }

    /// The same, where the name's digest is known and the name isn't.
    pub(crate) fn put_digest(&self, digest: Digest, thing: T, forgotten_at: UnixMillis) {
        let held = &mut *lock(&self.held);
        held.make_room(self.most);
        held.number += 1;
        let number = held.number;
        held.by_digest.insert(digest, Entry { number, forgotten_at, thing });
        held.in_order.push_back((digest, number));
    }

    /// The thing of that name, if it isn't forgotten yet.
    pub(crate) fn get(&self, name: &str, now: UnixMillis) -> Option<T> {
        let held = lock(&self.held);
        let entry = held.by_digest.get(&digest(name))?;
        (now < entry.forgotten_at).then(|| entry.thing.clone())
    }

    /// Takes the thing of that name away: of several who ask at once, one gets it.
    pub(crate) fn take(&self, name: &str, now: UnixMillis) -> Option<T> {
        let entry = lock(&self.held).by_digest.remove(&digest(name))?;
        (now < entry.forgotten_at).then_some(entry.thing)
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> Vec<(Digest, UnixMillis, T)> {
        let held = lock(&self.held);
        let mut all: Vec<_> = held.by_digest.iter().collect();
        all.sort_by_key(|(_, entry)| entry.number);
        all.into_iter()
            .map(|(digest, entry)| (*digest, entry.forgotten_at, entry.thing.clone()))
            .collect()
    }

    pub(crate) fn clear(&self) {
        *lock(&self.held) = Held::default();
    }
}

impl<T> Held<T> {
    fn make_room(&mut self, most: usize) {
        while self.in_order.len() >= most
            && let Some((digest, number)) = self.in_order.pop_front()
        {
            if self.by_digest.get(&digest).is_some_and(|entry| entry.number == number) {
                self.by_digest.remove(&digest);
            }
        }
    }
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { by_digest: HashMap::new(), in_order: VecDeque::new(), number: 0 }
    }
}

impl<T> fmt::Debug for Expiring<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expiring").field("most", &self.most).finish_non_exhaustive()
    }
}

fn digest(name: &str) -> Digest {
    let whole = digest::digest(&digest::SHA256, name.as_bytes());
    std::array::from_fn(|at| whole.as_ref()[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: UnixMillis = UnixMillis(0);

    #[test]
    fn a_thing_is_there_until_its_time() {
        let things = Expiring::new(10);
        things.put("a", 1, UnixMillis(100));
        assert_eq!(things.get("a", UnixMillis(99)), Some(1));
        assert_eq!(things.get("a", UnixMillis(100)), None);
        assert_eq!(things.get("b", T0), None);
    }

    #[test]
    fn what_is_taken_is_gone() {
        let things = Expiring::new(10);
        things.put("a", 1, UnixMillis(100));
        assert_eq!(things.take("a", T0), Some(1));
        assert_eq!(things.take("a", T0), None);
    }

    #[test]
    fn the_oldest_goes_first_and_one_put_anew_is_not_old() {
        let things = Expiring::new(3);
        for (name, thing) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            things.put(name, thing, UnixMillis(100));
        }
        assert_eq!(things.get("a", T0), Some(3), "its first entry went, and not its second");
        things.put("d", 5, UnixMillis(100));
        assert_eq!(things.get("b", T0), None);
        assert_eq!((things.get("c", T0), things.get("d", T0)), (Some(4), Some(5)));
    }
}
