//! Everything that the platform remembers.

pub(crate) mod apps;
pub(crate) mod faults;
pub(crate) mod jtis;
pub(crate) mod key_sets;
pub(crate) mod quota;
pub(crate) mod requests;
pub(crate) mod tokens;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::app::{App, NewApp};
use crate::clock::Clock;
use apps::Apps;
use faults::Faults;
use jtis::Jtis;
use key_sets::KeySets;
use requests::Requests;
use tokens::Tokens;

/// Everything that the platform remembers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) apps: Apps,
    pub(crate) faults: Faults,
    pub(crate) jtis: Jtis,
    pub(crate) key_sets: KeySets,
    pub(crate) requests: Requests,
    pub(crate) tokens: Tokens,
}

/// What is said at the start and never changes.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The port that clients reach the platform at.
    pub(crate) port: u16,
    /// Names, with their ports, by which the control API may be called beside the loopback's own.
    pub(crate) allowed_hosts: Vec<String>,
    /// What `/_status` wants in its `apikey` header; without it nothing will do.
    pub(crate) status_key: Option<String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("port", &self.port)
            .field("allowed_hosts", &self.allowed_hosts)
            .finish_non_exhaustive()
    }
}

impl State {
    pub(crate) fn new(
        settings: Settings,
        clock: Clock,
        rate_limit: u32,
        first_apps: Vec<(App, NewApp)>,
    ) -> Self {
        Self {
            settings,
            clock,
            apps: Apps::new(rate_limit, first_apps),
            faults: Faults::default(),
            jtis: Jtis::default(),
            key_sets: KeySets::default(),
            requests: Requests::default(),
            tokens: Tokens::default(),
        }
    }

    /// Back to the start: the apps that were there then, and nothing that happened since.
    pub(crate) fn reset(&self) {
        self.faults.clear();
        self.clock.reset();
        self.apps.reset();
        self.tokens.clear();
        self.jtis.clear();
        self.key_sets.clear();
        self.requests.clear();
    }
}

/// What is locked here stays whole between any two statements, so a panic of another thread is no
/// reason to stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
