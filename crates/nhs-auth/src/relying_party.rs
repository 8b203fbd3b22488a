//! CIS2 and NHS login, as an application signs its users in with them (OpenID Connect Core 1.0,
//! the authorization code flow).
//!
//! The two are types of their own, with clients, requests and users of their own: what the one
//! wants and the other doesn't know can't be asked of it.

mod asked;
mod assurance;
mod begun;
mod callback;
mod cis2;
mod client;
mod discovery;
mod error;
mod id_token;
mod id_token_claims;
mod issuer;
mod logout_token;
mod nhs_login;
mod party;
mod pending;
mod provider_keys;
mod redirect_uri;
mod signed_jwt;
mod user_info;

pub use assurance::AssuranceError;
pub use begun::{BegunSignIn, SignIn};
pub(crate) use callback::check_patience;
pub use callback::{Callback, CallbackError};
pub(crate) use cis2::roles_in;
pub use cis2::{
    Acr, Cis2, Cis2Freshness, Cis2Scope, Cis2SignIn, Cis2User, NoSuchRole, Organisation, Role,
    RoleChoice, SelectedRole, UnknownAcr, UnknownScope,
};
pub use client::{Cis2Client, ClientKey, ClientSecret, NhsLoginClient};
pub(crate) use discovery::fetch_object;
pub use discovery::{DiscoveryError, FetchError};
pub use error::SignInError;
pub use id_token::IdToken;
pub use id_token_claims::IdTokenError;
pub use issuer::Issuer;
pub use logout_token::{LogoutToken, LogoutTokenError};
pub use nhs_login::{
    Demographics, IdentityProofingLevel, InvalidVector, NhsLogin, NhsLoginPrompt, NhsLoginScope,
    NhsLoginSignIn, NhsLoginUser, VectorOfTrust,
};
pub use party::RelyingParty;
pub(crate) use pending::PATIENCE_MIN;
pub use pending::{PendingSignIn, PendingSignInError};
pub use redirect_uri::{RedirectUri, RedirectUriError};
pub use signed_jwt::SignedJwtError;
pub use user_info::UserInfoError;
