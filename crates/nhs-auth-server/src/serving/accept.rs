//! Connections, taken in and handed on.

use std::convert::Infallible;
use std::time::Duration;

use super::listener::Listener;
use super::seats::Seats;
use super::worker::Workers;

/// How long to wait when the machine has no room for another connection.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// Takes connections in as long as there are seats for them. Those without one wait outside.
pub(crate) async fn until_gone(
    listener: &Listener,
    seats: &Seats,
    workers: &mut Workers,
) -> Infallible {
    loop {
        seats.wait().await;
        match listener.accept().await {
            Ok(stream) => {
                // There is one: nobody else takes them.
                if let Some(seat) = seats.try_take() {
                    workers.hand(stream, seat);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Takes in those that had come before the end, and closes the door.
pub(crate) fn rest(listener: Listener, seats: &Seats, workers: &mut Workers) {
    for stream in listener.rest() {
        let Some(seat) = seats.try_take() else { return };
        workers.hand(stream, seat);
    }
}
