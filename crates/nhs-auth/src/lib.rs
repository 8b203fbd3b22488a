//! How software proves itself to NHS England's APIs.
//!
//! An application of the developer portal has an API key and a registered public key. With the
//! private half it signs a short-lived assertion, exchanges that for an access token that lives ten
//! minutes, and sends the token with each call. This crate does all of it, by the platform's own
//! rules ([`nhs_auth_rules`]). It is not an official NHS product.
//!
//! ```no_run
//! use nhs_auth::{
//!     Access, ApiClient, ApiKey, Application, Destinations, Environment, Kid, LocalSigner,
//!     PrivateKey, TokenCache, TokenClient, TokenEndpoint,
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let key = PrivateKey::load("int-1.pem".as_ref(), None)?.key;
//! let application = Application::new(
//!     TokenEndpoint::of(Environment::INT),
//!     ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345")?,
//!     Kid::parse("int-1")?,
//!     LocalSigner::new(key),
//! );
//!
//! let tokens = TokenCache::new(TokenClient::new()).source(&application);
//! let api = ApiClient::new(Access::SignedJwt(tokens), Destinations::nhs_only());
//! let request = http::Request::get("https://int.api.service.nhs.uk/hello-world/hello/application");
//! let response = api.send(request.body(bytes::Bytes::new())?).await?;
//! println!("{}", response.status());
//! # Ok(())
//! # }
//! ```
//!
//! Data flows one way: [`Application`] (endpoint, API key, kid, [`Signer`]) → [`ClientAssertion`] →
//! [`TokenClient`] → [`AccessToken`] → [`TokenCache`] → [`ApiClient`].
//!
//! Some mistakes can't be made. The API key, the kid and the other identifiers are types of their
//! own. An assertion is consumed by sending it, so nothing can send one twice. Secrets don't show
//! in `Debug`, are in no log, and what this crate holds of them is wiped from memory when dropped. Time and randomness come in
//! through [`Clock`] and [`Entropy`].

#![forbid(unsafe_code)]

mod api_client;
mod application;
mod assertion;
mod cache;
mod clock;
mod custody;
mod destination;
mod endpoint;
mod entropy;
mod hosted_key_set;
mod http_client;
mod jwks;
mod key;
mod key_ring;
mod local_crypto;
mod new_file;
mod private_folder;
mod relying_party;
mod sealing;
mod session;
mod signer;
mod signing_key;
mod skew;
mod store;
mod token;
mod user_token;
mod wire;

pub use nhs_auth_rules::rotation::KEY_SET_MAX_AGE_S;
pub use nhs_auth_rules::{
    ApiKey, ApplicationId, Cis2ClientId, Environment, IdentifierError, IdentityProvider, Kid,
    NhsLoginClientId, ProviderEnvironment, SigningAlgorithm, UnixMillis, UnixSeconds,
};

pub use crate::api_client::{APIKEY, Access, ApiClient, ApiResponse, CallError, X_REQUEST_ID};
pub use crate::application::Application;
pub use crate::assertion::{AssertionClaims, ClientAssertion, DEFAULT_LIFETIME_S};
pub use crate::cache::{
    FleetName, KeptToken, LeaseHolder, TokenCache, TokenFile, TokenFileError, TokenFileLock,
    TokenSource, TokenState, TokenStore,
};
pub use crate::clock::{Clock, SystemClock, Uptime};
pub use crate::custody::{
    CreatedKey, Custody, CustodyError, CustodyErrorKind, CustodyFuture, KeyUri, KeyUriError,
    NoCustody,
};
pub use crate::destination::{DestinationError, Destinations};
pub use crate::endpoint::{EndpointError, TokenEndpoint};
pub use crate::entropy::{Entropy, OsEntropy};
pub use crate::hosted_key_set::{
    HostKind, HostedKeySet, HostedKeySetError, Look, Served, Unserved, UrlShape,
};
pub use crate::http_client::InvalidCertificates;
pub use crate::jwks::{JwksError, KeySet, PublishedKey};
pub use crate::key::{FoundInstead, KeyError, KeyWarning, LoadedKey, PrivateKey, PublicKey};
pub use crate::key_ring::{
    AdoptedKey, Due, FollowedKeyRing, KeyPlace, KeyRing, KeyRingError, KeyRingFormatError,
    KeyRingLock, KeyRingStore, KeyRingStoreError, KeyRingStoreFuture, KeyRingVersion,
    KeySetPublisher, KeyState, LeakedKey, Moment, PlannedStep, PublishTo, Published, RingContent,
    RingKey, RingSettings, Rotation, RotationOrders, Step, StoredKeyRing, UnsoundRing, echo_url,
};
pub use crate::local_crypto::LocalCrypto;
pub use crate::new_file::NewFile;
pub use crate::relying_party::{
    Acr, AssuranceError, BegunSignIn, Callback, CallbackError, Cis2, Cis2Client, Cis2Freshness,
    Cis2Scope, Cis2SignIn, Cis2User, ClientKey, ClientSecret, Demographics, DiscoveryError,
    FetchError, IdToken, IdTokenError, IdentityProofingLevel, InvalidVector, Issuer, LogoutToken,
    LogoutTokenError, NhsLogin, NhsLoginClient, NhsLoginPrompt, NhsLoginScope, NhsLoginSignIn,
    NhsLoginUser, NoSuchRole, Organisation, PendingSignIn, PendingSignInError, RedirectUri,
    RedirectUriError, RelyingParty, Role, RoleChoice, SelectedRole, SignIn, SignInError,
    SignedJwtError, UnknownAcr, UnknownScope, UserInfoError, VectorOfTrust,
};
pub use crate::sealing::{SealingKey, ShortSecret};
pub use crate::session::{
    EndedSessions, InvalidSessionId, MemorySessionStore, ProviderSession, Session,
    SessionCallError, SessionError, SessionId, SessionKey, SessionLimits, SessionRecord,
    SessionStore, SessionUser, Sessions,
};
pub use crate::signer::{LocalSigner, SignError, SignFuture, Signature, Signer};
pub use crate::signing_key::SigningKey;
pub use crate::skew::ClockSkew;
pub use crate::store::{StoreError, StoreFuture};
pub use crate::token::{
    AccessToken, ErrorClass, IssuedToken, RefusalBody, TokenClient, TokenError, TokenErrorKind,
    TokenIssuer,
};
pub use crate::user_token::{
    BegunCombined, CombinedError, CombinedSignIn, CombinedWith, ExchangeError, PairingError,
    PendingCombined, PreflightError, RefreshError, RefreshToken, RenewError, SubjectToken,
    UserApplication, UserTokenCache, UserTokens,
};
