//! Calls to a service that keeps keys: how long one waits for them, and what is tried again.

mod fault;

use std::time::Duration;

use nhs_auth::{CustodyErrorKind, Entropy as _, OsEntropy};
use tokio::time::{Instant, sleep, timeout};

use fault::Again;
pub(crate) use fault::Fault;

/// How long one call may take, a fresh token included.
const ONE_CALL: Duration = Duration::from_secs(10);

/// How long all calls of an operation may take, with the pauses between them.
const ALL_CALLS: Duration = Duration::from_secs(25);

const TRIES: u32 = 3;

/// The pause before the second try. It doubles before the third.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The calls of one operation, which have to share its time.
pub(crate) struct Calls {
    end: Instant,
}

impl Calls {
    pub(crate) fn begin() -> Self {
        Self { end: Instant::now() + ALL_CALLS }
    }

    /// Makes a call that does no harm when it is carried out twice.
    pub(crate) async fn repeatable<T, F>(&self, call: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        self.tried(call, |again| again != Again::Never).await
    }

    /// Makes a call that must be carried out once at most: it is tried again only where it
    /// certainly was not carried out.
    pub(crate) async fn once<T, F>(&self, call: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        self.tried(call, |again| again == Again::Always).await
    }

    /// Waits a while, unless the operation's time is up first: then it gives `false`.
    pub(crate) async fn pause(&self, pause: Duration) -> bool {
        if pause >= self.left() {
            return false;
        }
        sleep(pause).await;
        true
    }

    async fn tried<T, F>(
        &self,
        call: impl Fn() -> F,
        may_repeat: impl Fn(Again) -> bool,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let mut tries = 1;
        loop {
            let answer = timeout(self.left().min(ONE_CALL), call()).await;
            let fault = match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(fault)) => fault,
                Err(_) => Fault::new(CustodyErrorKind::TimedOut, "").repeatable(),
            };
            if tries == TRIES || !may_repeat(fault.again) {
                return Err(fault);
            }
            let own = FIRST_PAUSE * 2_u32.pow(tries - 1);
            let own = own.mul_f64(0.75 + OsEntropy::default().fraction() / 2.0);
            if !self.pause(own.max(fault.pause.unwrap_or_default())).await {
                return Err(fault);
            }
            tries += 1;
        }
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn outcome(fault: impl Fn() -> Fault, is_once: bool) -> (u32, Fault, Duration) {
        let tries = AtomicU32::new(0);
        let begin = Instant::now();
        let call = || async {
            tries.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(fault())
        };
        let calls = Calls::begin();
        let fault = if is_once { calls.once(call).await } else { calls.repeatable(call).await };
        (tries.into_inner(), fault.unwrap_err(), begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_be_is_tried_again() {
        let denied = || Fault::new(CustodyErrorKind::Denied, "");
        let lost = || Fault::new(CustodyErrorKind::Unreachable, "").repeatable();
        let throttled = || Fault::new(CustodyErrorKind::Throttled, "").not_carried_out(None);
        assert_eq!(outcome(denied, false).await.0, 1);
        assert_eq!(outcome(lost, false).await.0, 3);
        assert_eq!(outcome(lost, true).await.0, 1);
        assert_eq!(outcome(throttled, true).await.0, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_asked_for_is_kept_if_there_is_time_for_it() {
        let asks_for = |seconds| {
            move || {
                let pause = Some(Duration::from_secs(seconds));
                Fault::new(CustodyErrorKind::Throttled, "").not_carried_out(pause)
            }
        };
        let (tries, _, elapsed) = outcome(asks_for(4), false).await;
        assert_eq!((tries, elapsed.as_secs()), (3, 8));
        let (tries, fault, elapsed) = outcome(asks_for(60), false).await;
        assert_eq!((tries, elapsed.as_secs()), (1, 0));
        assert_eq!(fault.kind, CustodyErrorKind::Throttled);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_borne_for_25_seconds() {
        let begin = Instant::now();
        let silent = || std::future::pending::<Result<(), Fault>>();
        let fault = Calls::begin().repeatable(silent).await.unwrap_err();
        assert_eq!(fault.kind, CustodyErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), 25);
    }
}
