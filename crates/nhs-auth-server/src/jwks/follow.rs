//! Serving whatever a key ring has published.

use std::convert::Infallible;
use std::time::Duration;

use nhs_auth::{KeyRing, KeyRingError, KeySet};
use tokio::time::Instant;

use super::endpoint::{JwksEndpoint, JwksState};

/// How often a ring in a folder is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How often a ring elsewhere is looked at. The waits of a rotation allow for minutes.
const LOOK_AGAIN_ELSEWHERE: Duration = Duration::from_secs(15);

/// How long a key set is still served when its ring, which is elsewhere, can't be reached. A ring that
/// can be read and makes no sense is not waited for.
const PATIENCE: Duration = Duration::from_mins(5);

impl JwksEndpoint {
    /// Serves what is in the ring from now on, until the future is dropped: a change of the ring is
    /// served within half a second, or 15 seconds where the ring is not in a folder of this machine.
    ///
    /// A ring that can't be read, or has no key, is answered with 503. Only where it is elsewhere
    /// and can't be reached is the last key set served on, for five minutes.
    pub async fn follow(&self, ring: &KeyRing) -> Infallible {
        let mut unreachable_since = None;
        let pause = if ring.is_in_folder() { LOOK_AGAIN } else { LOOK_AGAIN_ELSEWHERE };
        loop {
            self.look(ring, &mut unreachable_since).await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks at the ring once, and serves what is in it.
    pub async fn follow_once(&self, ring: &KeyRing) {
        self.look(ring, &mut None).await;
    }

    async fn look(&self, ring: &KeyRing, unreachable_since: &mut Option<Instant>) {
        match key_set(ring).await {
            Ok(key_set) => {
                *unreachable_since = None;
                if self.publish(&key_set).is_err() {
                    self.withdraw(format!("the key ring {} has no key", ring.place()));
                }
            }
            Err(error) => {
                let since = *unreachable_since.get_or_insert_with(Instant::now);
                let is_served = matches!(self.state(), JwksState::Serving(_));
                if is_served && error.is_passing() && since.elapsed() < PATIENCE {
                    self.reload_failed(&error.to_string());
                } else {
                    self.withdraw(error.to_string());
                }
            }
        }
    }
}

async fn key_set(ring: &KeyRing) -> Result<KeySet, KeyRingError> {
    Ok(ring.content().await?.key_set())
}
