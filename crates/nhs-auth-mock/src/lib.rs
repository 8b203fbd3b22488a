//! NHS England's API platform in a box: the authorization server and the gateway, on one loopback
//! port, exact to the error text. Not an official NHS product.
//!
//! It is a library first, for tests in the same process, and a server second. It judges token
//! requests by the rules of [`nhs_auth_rules`] and by nothing else, checks signatures with its own
//! few lines over the crypto library, and shares no code with any client: what it accepts, the
//! platform's published checks accept.
//!
//! ```
//! use nhs_auth_mock::{MockPlatform, NewApp};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let platform = MockPlatform::start().await?;
//! let app = platform.create_app(NewApp::new("my test").jwks(r#"{"keys":[]}"#));
//!
//! // A client under test is given these, and its own private key.
//! let (api_key, token_url) = (app.api_key(), platform.token_url());
//! assert_eq!(api_key.len(), 32);
//! assert!(token_url.ends_with("/oauth2/token"));
//!
//! // Afterwards the test may ask what arrived.
//! assert!(platform.requests().is_empty());
//! platform.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! - `/oauth2` and `/oauth2-mock`: client credentials, token exchange, combined sign-in, refresh, user
//!   info and back-channel logout, rule by rule in the platform's order. A `jti` is burnt before the
//!   key, the signature and the audience are looked at.
//! - CIS2 and NHS login, in the shape of the real ones and of the platform's hosted mocks: OpenID
//!   providers with a sign-in page and [users](User) who need no password. A test without a browser
//!   [makes its ID tokens](MockPlatform::id_token).
//! - Which base path trusts whom, [as in an environment](MockPlatformBuilder::environment).
//! - Hello World behind the gateway: `/hello-world/hello/{world,application,user}`.
//! - Key sets with the platform's habits: fetched by URL, kept for an hour, never fetched again for
//!   an unknown `kid`.
//! - A control API under `/_mock`: apps, products, clients, users, clock, [faults](Fault), recorded
//!   requests.
//! - An inspector at `/`, for a browser: what each request did, the rules in order, and why it was
//!   refused, with the claim at fault underlined.
//! - A clock that can be moved ([`MockPlatform::advance`]) and moves everything that ages.
//!
//! # What it keeps, and how much of it
//!
//! Everything is in memory, and lost when the platform stops, unless a
//! [file](MockPlatformBuilder::state_file) keeps it.
//!
//! | what | bound | beyond it |
//! | --- | --- | --- |
//! | recorded requests | 10,000 | the oldest is forgotten |
//! | requests and answers word for word | the latest 1,000, and 16 MiB together; 64 KiB of a body | the oldest is forgotten |
//! | open inspector pages | 64 | 503, and the page does not grow by itself |
//! | access tokens | 262,144, expired ones included | the oldest is forgotten and answers as unknown |
//! | refresh tokens, codes, sign-ins under way, sessions | 131,072 of each | the oldest is forgotten |
//! | `jti`s | 3,670,016 of 16 bytes and an expiry, about 110 MB; 30 days | about half of them, the oldest, are forgotten |
//! | fetched key sets | 1,000 URLs of at most 1 MiB | all are fetched again |
//! | apps, clients and users by the control API | 10,000 of each | 409 |
//! | API products | 1,000 | 409 |
//! | the providers' sign-ins, codes and tokens | 65,536 of each | the oldest is forgotten |
//! | faults | 1,000 | the oldest is dropped |
//! | request bodies | 1 MiB | 413 |
//! | connections | 2,048 | the next waits |
//!
//! # What is inferred
//!
//! The platform's 429 body isn't public. Here it is an OAuth error (`too_many_requests`) with the
//! members `scope` and `policy`, which are known from APIs that pass it on. Rules that are inferred
//! say so themselves.
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod answer;
mod app;
mod body;
mod builder;
mod call;
mod clock;
mod config;
mod connection;
mod control;
mod echo;
mod exchange;
mod fault;
mod fault_answer;
mod gateway;
mod identity;
mod inspector;
mod oauth;
mod platform;
mod random;
mod recorded;
mod routes;
mod server;
mod settings;
mod signature;
mod state;
mod state_file;
mod transcript;
mod user;

pub use nhs_auth_rules::SigningAlgorithm;

pub use app::{App, NewApp};
pub use builder::{MockPlatformBuilder, StartError};
pub use config::{
    AppConfig, BasePathConfig, Cis2Config, ClientConfig, ConfigError, MockConfig, OwnProvider,
    ProductConfig, TrustConfig,
};
pub use fault::{Fault, FaultId, FaultKind, UnknownFault};
pub use identity::client::{AuthMethod, NewClient, RelyingParty};
pub use identity::minted::{NewIdToken, UnknownUser};
pub use platform::MockPlatform;
pub use recorded::RecordedRequest;
pub use state_file::StateFileError;
pub use user::{Role, SelectedRole, User};
