//! The verbs that get a user's tokens.

use clap::{Args, ValueEnum};
use nhs_auth_rules::IdentityProvider;

use super::Identity;

/// Exchange an ID token for a user's access token
///
/// Takes the ID token of CIS2 or NHS login, looks at whether the platform would take it, exchanges
/// it, and prints the bare access token. What the platform would refuse is not sent.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth exchange-token --app int --subject-token id-token.txt
  nhs-auth sign-in --with cis2 --app int | nhs-auth exchange-token --app int --subject-token -
  nhs-auth exchange-token --app int --subject-token file:id-token.txt --output json")]
pub(crate) struct ExchangeToken {
    /// ID token to exchange: a file, `-` for standard input, or the token itself (other users of
    /// the machine can read a command line)
    #[arg(long, value_name = "JWT|FILE", allow_hyphen_values = true)]
    pub(crate) subject_token: Option<String>,
    /// Seconds that one attempt to get a token may take, at most 300; there are three
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) timeout: u64,
    #[command(flatten)]
    pub(crate) identity: Identity,
}

/// Sign a user in with CIS2 or NHS login
///
/// Opens the browser, receives the code on a loopback port, validates the ID token in full, and
/// prints it. With --exchange it goes on to the platform, and prints the user's access token.
///
/// Two identities are in play: the client id is who you are at CIS2 or NHS login, and the API key
/// is who you are at the platform, which only --exchange needs.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth sign-in --with cis2 --client-id 123456789012.apps.supplier --client-private-key cis2-1.pem
  nhs-auth sign-in --with cis2 --app int --exchange --acr-values AAL2_OR_AAL3_ANY
  nhs-auth sign-in --with nhs-login --app int --vtr P5.Cp.Cd --no-browser
  nhs-auth sign-in --with cis2 --base-url http://127.0.0.1:9000 ...      (the platform in a box)

The redirect URI has to be registered with the provider, character for character.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct SignIn {
    /// Who signs the user in
    #[arg(long, value_enum, value_name = "PROVIDER")]
    pub(crate) with: Option<SignInWith>,
    /// Go on, and exchange the ID token for an access token of the platform
    #[arg(long)]
    pub(crate) exchange: bool,
    /// Open no browser: print the URL to open, on standard error
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Client id at the provider; it is not the API key
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Client secret at the provider, in place of a key (or file:PATH, env:NAME)
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true)]
    pub(crate) client_secret: Option<String>,
    /// Path of the private key for the provider; by default that of --private-key
    #[arg(long, value_name = "PATH", allow_hyphen_values = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) client_private_key: Option<String>,
    /// Passphrase of that key (better: file:PATH or env:NAME); asked for when needed
    #[arg(long, value_name = "PASSPHRASE", allow_hyphen_values = true)]
    pub(crate) client_passphrase: Option<String>,
    /// Name of that key at the provider; by default the key file's name less .pem
    #[arg(long, value_name = "KID")]
    pub(crate) client_kid: Option<String>,
    /// Algorithm that the client is registered with at CIS2
    #[arg(long, value_enum, value_name = "ALG", default_value_t = ClientAlgorithm::Rs512)]
    pub(crate) client_alg: ClientAlgorithm,
    /// Issuer of the provider, in place of the one that the environment trusts
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub(crate) issuer: Option<String>,
    /// Redirect URI on loopback, as it is registered; port 0 takes a free one
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8400/callback", value_hint = clap::ValueHint::Url)]
    pub(crate) redirect_uri: String,
    /// Scopes beside openid, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// CIS2: authenticators to offer, separated by spaces [default: AAL3_ANY]
    #[arg(long, value_name = "ACR")]
    pub(crate) acr_values: Option<String>,
    /// CIS2: seconds ago that the user may have authenticated; by default they do now
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_age: Option<u64>,
    /// CIS2: don't ask for a role
    #[arg(long, conflicts_with = "change_role")]
    pub(crate) no_role: bool,
    /// CIS2: ask for another role than the one before
    #[arg(long)]
    pub(crate) change_role: bool,
    /// NHS login: vectors of trust, as JSON or separated by spaces [default: P9 with two factors]
    #[arg(long, value_name = "VECTORS")]
    pub(crate) vtr: Option<String>,
    /// Seconds to wait for the user, at most 1800
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=1800))]
    pub(crate) wait: u64,
    /// Seconds that one attempt to ask a server may take, at most 300
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) timeout: u64,
    #[command(flatten)]
    pub(crate) identity: Identity,
}

/// The providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignInWith {
    /// NHS CIS2 Authentication: people who work in health and care
    Cis2,
    /// NHS login: the public
    NhsLogin,
}

impl SignInWith {
    pub(crate) fn provider(self) -> IdentityProvider {
        match self {
            Self::Cis2 => IdentityProvider::Cis2,
            Self::NhsLogin => IdentityProvider::NhsLogin,
        }
    }
}

/// What a client's assertions are signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientAlgorithm {
    #[value(name = "RS256", alias = "rs256")]
    Rs256,
    #[value(name = "RS512", alias = "rs512")]
    Rs512,
}
