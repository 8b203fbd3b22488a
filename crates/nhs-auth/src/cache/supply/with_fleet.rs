//! The token of a fleet: found in the store, or asked for by one instance while the others go on.

use std::time::Duration;

use super::{Held, Supplied, Supply};
use crate::cache::fleet::{Fleet, Lease, is_newer};
use crate::token::Backoff;
use crate::{AccessToken, IssuedToken};

/// How long an instance with no token waits for the one that has the lease, at least, and at most
/// twice that: one attempt of a token request, and 5 s. Then it asks for itself.
const PATIENCE: Duration = Duration::from_secs(35);

/// How long it waits between two looks.
const LOOK_AGAIN: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));

impl Supply {
    pub(super) async fn obtain_with_fleet(
        &self,
        fleet: &Fleet,
        held: Option<&Held>,
        is_rejected: impl Fn(&AccessToken) -> bool,
    ) -> Supplied {
        let means = &self.means;
        // Looked at anew each time: an API may reject it meanwhile.
        let serving = || {
            let token = &*held.filter(|held| held.serves)?.token;
            (!is_rejected(&token.access_token)).then_some(token)
        };
        let of_use = |token| self.of_use(token, serving(), &is_rejected);
        let patience = PATIENCE.mul_f64(1.0 + means.entropy.fraction());
        let waits_until = means.clock.steady() + patience;
        for looks in 1.. {
            let Some(found) = fleet.look().await else { break };
            if let Some(supplied) = of_use(found.token) {
                return supplied;
            }
            match fleet.lease().await {
                None => break,
                Some(Some(lease)) => {
                    // Another instance may have renewed it just before it gave the lease back.
                    let Some(found) = fleet.look().await else { break };
                    if let Some(supplied) = of_use(found.token) {
                        lease.give_back();
                        return supplied;
                    }
                    let supplied = self.request_with(fleet, lease, found.content).await;
                    return supplied.or_what_another_got(fleet, of_use).await;
                }
                Some(None) => match serving() {
                    Some(token) => return Supplied::Old(token.clone(), None),
                    None if means.clock.steady() >= waits_until => break,
                    None => tokio::time::sleep(LOOK_AGAIN.after(looks, &*means.entropy)).await,
                },
            }
        }
        let supplied = match self.request().await {
            Ok(token) => {
                fleet.publish_when_back(&token);
                Supplied::Fresh(token)
            }
            Err(error) => Supplied::Nothing(error),
        };
        supplied.or_what_another_got(fleet, of_use).await
    }

    /// Whether this token is better than what the instance has. One that should be renewed by now is
    /// of use to who has none.
    pub(super) fn of_use(
        &self,
        token: Option<IssuedToken>,
        serving: Option<&IssuedToken>,
        is_rejected: impl Fn(&AccessToken) -> bool,
    ) -> Option<Supplied> {
        let now = self.means.clock.now();
        let token = token.filter(|token| {
            token.expires_at().is_some_and(|end| now < end) && !is_rejected(&token.access_token)
        })?;
        match serving {
            _ if token.is_fresh(now) && serving.is_none_or(|held| is_newer(&token, held)) => {
                Some(Supplied::Fresh(token))
            }
            Some(_) => None,
            None => Some(Supplied::Old(token, None)),
        }
    }

    async fn request_with(&self, fleet: &Fleet, lease: Lease, there: Option<Vec<u8>>) -> Supplied {
        match lease.keep_up_during(self.request()).await {
            Ok(token) => {
                if fleet.publish(&token, there).await {
                    lease.give_back();
                } else {
                    fleet.publish_when_back(&token);
                }
                Supplied::Fresh(token)
            }
            Err(error) => {
                lease.let_nobody_ask_for(error.retry_after);
                Supplied::Nothing(error)
            }
        }
    }
}

impl Supplied {
    /// Where there is none: what another instance has got meanwhile.
    async fn or_what_another_got(
        self,
        fleet: &Fleet,
        of_use: impl Fn(Option<IssuedToken>) -> Option<Self>,
    ) -> Self {
        let Self::Nothing(error) = self else { return self };
        match of_use(fleet.look().await.unwrap_or_default().token) {
            Some(Self::Old(token, _)) => Self::Old(token, Some(error)),
            other => other.unwrap_or(Self::Nothing(error)),
        }
    }
}
