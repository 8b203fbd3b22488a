//! A user's tokens at the platform: got for a provider's ID token (RFC 8693), renewed, kept.

mod application;
mod cache;
mod combined;
mod exchange;
mod preflight;
mod refresh;
mod slots;
mod tokens;

pub use application::{PairingError, RenewError, UserApplication};
pub use cache::UserTokenCache;
pub use combined::{BegunCombined, CombinedError, CombinedSignIn, CombinedWith, PendingCombined};
pub use exchange::ExchangeError;
pub use preflight::{PreflightError, SubjectToken};
pub use refresh::{RefreshError, RefreshToken};
pub(crate) use slots::{Slot, Slots, Standing};
pub(crate) use tokens::KeptTokens;
pub use tokens::UserTokens;
