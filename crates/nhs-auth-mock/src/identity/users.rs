//! The users who can sign in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use nhs_auth_rules::IdentityProvider;

use crate::user::User;

/// The most users.
const MOST: usize = 10_000;

/// The users, in the order in which they came.
pub(crate) struct Users {
    first: Vec<User>,
    now: RwLock<Vec<User>>,
}

impl Users {
    /// The documented ones, and on top of them, in place of one of the same name, those that are
    /// given.
    pub(crate) fn new(given: Vec<User>) -> Self {
        let users = Self { first: given, now: RwLock::default() };
        users.reset();
        users
    }

    pub(crate) fn find(&self, provider: IdentityProvider, username: &str) -> Option<User> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.iter().find(|user| user.provider() == provider && user.username == username).cloned()
    }

    /// Those of one provider.
    pub(crate) fn of(&self, provider: IdentityProvider) -> Vec<User> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.iter().filter(|user| user.provider() == provider).cloned().collect()
    }

    /// One more; of the same name and provider there is one. False when there are too many.
    pub(crate) fn add(&self, user: User) -> bool {
        put(&mut self.now.write().unwrap_or_else(PoisonError::into_inner), user)
    }

    /// The users of the start, and no other.
    pub(crate) fn reset(&self) {
        self.restore(User::documented());
    }

    /// These users, and on top of them those that were given at the start.
    pub(crate) fn restore(&self, mut users: Vec<User>) {
        for user in &self.first {
            put(&mut users, user.clone());
        }
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = users;
    }
}

fn put(users: &mut Vec<User>, user: User) -> bool {
    let is_same = |it: &User| it.provider == user.provider && it.username == user.username;
    match users.iter().position(is_same) {
        Some(at) => users[at] = user,
        None if users.len() >= MOST => return false,
        None => users.push(user),
    }
    true
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut numbers = BTreeMap::new();
        for user in self.now.read().unwrap_or_else(PoisonError::into_inner).iter() {
            *numbers.entry(user.provider.to_string()).or_insert(0) += 1;
        }
        f.debug_tuple("Users").field(&numbers).finish()
    }
}
