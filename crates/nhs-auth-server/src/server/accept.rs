//! Connections, taken in and handed on.

use std::convert::Infallible;
use std::time::Duration;

use tokio::net::TcpListener;

use super::seats::Seats;
use super::worker::Workers;

/// How long to wait when the machine has no room for another connection.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// Takes connections in as long as there are seats for them. Those without one wait outside.
pub(super) async fn until_gone(
    listener: &TcpListener,
    seats: &Seats,
    workers: &mut Workers,
) -> Infallible {
    loop {
        seats.wait().await;
        match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
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
pub(super) fn rest(listener: TcpListener, seats: &Seats, workers: &mut Workers) {
    let Ok(listener) = listener.into_std() else { return };
    while let Ok((stream, _)) = listener.accept() {
        let Some(seat) = seats.try_take() else { return };
        if stream.set_nonblocking(true).is_ok() {
            workers.hand(stream, seat);
        }
    }
}
