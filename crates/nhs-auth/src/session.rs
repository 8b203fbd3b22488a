//! Sessions: what a web server keeps of a user who has signed in, while the browser keeps a name
//! and nothing else.

mod calls;
mod content;
mod error;
mod id;
mod limits;
mod logout;
mod memory;
mod sessions;
mod signed_in;
mod store;
mod tokens;

pub use calls::SessionCallError;
pub use error::SessionError;
pub use id::{InvalidSessionId, SessionId};
pub use limits::SessionLimits;
pub use logout::EndedSessions;
pub use memory::MemorySessionStore;
pub use sessions::Sessions;
pub use signed_in::{Session, SessionUser};
pub use store::{ProviderSession, SessionKey, SessionRecord, SessionStore};
