//! How long something may be waited for, at no cost when it comes soon.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// One thread's alarms. One that nobody needs any more is left as it was set: it is set anew for
/// the next wait only if it would ring too late for that, or has rung.
#[derive(Clone, Default)]
pub(super) struct Alarms(Arc<Mutex<Vec<Pin<Box<Sleep>>>>>);

/// One of them, as long as somebody waits.
pub(super) struct Alarm<'a> {
    alarms: &'a Alarms,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarms {
    pub(super) fn one(&self) -> Alarm<'_> {
        let sleep = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Alarm { alarms: self, sleep }
    }
}

impl Alarm<'_> {
    /// Ready at that time.
    pub(super) fn poll_at(&mut self, time: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(time)));
        if time < sleep.deadline() {
            sleep.as_mut().reset(time);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if time <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(time);
        }
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if let Some(sleep) = self.sleep.take() {
            self.alarms.0.lock().unwrap_or_else(PoisonError::into_inner).push(sleep);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_alarm_that_was_set_for_another_wait_rings_in_time() {
        let alarms = Alarms::default();
        let start = Instant::now();
        let wait = async |seconds| {
            let (mut alarm, time) = (alarms.one(), Instant::now() + Duration::from_secs(seconds));
            poll_fn(|cx| alarm.poll_at(time, cx)).await;
        };
        for seconds in [60, 1, 30] {
            let mut begun = alarms.one();
            let time = Instant::now() + Duration::from_mins(1);
            poll_fn(|cx| Poll::Ready(begun.poll_at(time, cx).is_pending())).await;
            drop(begun);
            wait(seconds).await;
        }
        assert_eq!(start.elapsed().as_secs(), 91);
        assert_eq!(alarms.0.lock().unwrap().len(), 1);
    }
}
