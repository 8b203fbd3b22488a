//! The word to stop, and those who wait for it.

use tokio::sync::watch;

/// Says stop; so does dropping it.
pub(crate) struct StopSwitch(watch::Sender<bool>);

/// Waits for that.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl StopSwitch {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn watch(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    pub(crate) fn is_said(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) async fn said(&mut self) {
        // An error says that the switch is gone.
        let _: Result<_, _> = self.0.wait_for(|stop| *stop).await;
    }
}
