//! How long something may keep silent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Rings when what is waited for has not come in time. The alarm is made when it is first needed,
/// and set anew with each wait.
#[derive(Debug)]
pub(super) struct Silence {
    bound: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl Silence {
    pub(super) fn new(bound: Duration) -> Self {
        Self { bound, alarm: None, is_waiting: false }
    }

    /// Something has come.
    pub(super) fn is_broken(&mut self) {
        self.is_waiting = false;
    }

    /// Nothing has come so far: ready when that was so for too long.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let bound = self.bound;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + bound)));
        if !self.is_waiting {
            self.is_waiting = true;
            alarm.as_mut().reset(Instant::now() + bound);
        }
        alarm.as_mut().poll(cx)
    }

    /// Whether something is waited for.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_waiting
    }
}
