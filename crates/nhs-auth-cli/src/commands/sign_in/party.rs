//! From flags to a client of CIS2 or NHS login, and a sign-in there.

use std::sync::Arc;

use nhs_auth::{
    Application, BegunSignIn, Callback, Cis2, Cis2Client, Cis2ClientId, Cis2User, ClientKey,
    ClientSecret, Environment, ExchangeError, FollowedKeyRing, IdToken, IdentifierError, Issuer,
    NhsLogin, NhsLoginClient, NhsLoginClientId, NhsLoginUser, PairingError, PendingSignIn,
    RedirectUri, RelyingParty, RoleChoice, SignInError, SigningAlgorithm, TokenClient,
    UserApplication, UserTokens,
};
use nhs_auth_rules::environment::{OAUTH2, Provider};
use nhs_auth_rules::{IdentityProvider, hosted_mock_path, trusted_issuer};
use secrecy::ExposeSecret as _;

use super::request;
use crate::arguments::{ClientAlgorithm, SignIn, SignInWith};
use crate::console::Console;
use crate::failure::Failure;
use crate::{identity, key_ring, private_key, secret};

/// A client of one of the providers.
pub(super) enum Party {
    Cis2(Cis2),
    NhsLogin(NhsLogin),
}

/// Who has signed in.
pub(super) enum SignedIn {
    Cis2(nhs_auth::SignIn<Cis2User>),
    NhsLogin(nhs_auth::SignIn<NhsLoginUser>),
}

impl Party {
    pub(super) fn new(
        with: SignInWith,
        arguments: &SignIn,
        redirect_uri: RedirectUri,
        console: Console,
    ) -> Result<Self, Failure> {
        let issuer = issuer(with.provider(), arguments)?;
        if with == SignInWith::NhsLogin {
            check_what_nhs_login_takes(arguments, &issuer)?;
        }
        let client_id = client_id(arguments)?;
        let tokens = identity::token_client(arguments.timeout);
        let authentication = Authentication::read(arguments, console)?;
        Ok(match with {
            SignInWith::Cis2 => {
                let id = cis2_client_id(client_id, &issuer)?;
                let client = match authentication {
                    Authentication::Key(key) => Cis2Client::with_key(id, redirect_uri, key),
                    Authentication::Secret(it) => Cis2Client::with_secret(id, redirect_uri, it),
                };
                Self::Cis2(Cis2::with(issuer, client, tokens))
            }
            SignInWith::NhsLogin => {
                let id = NhsLoginClientId::parse(client_id)
                    .map_err(|error| Failure::identifier("--client-id", error))?;
                let client = match authentication {
                    Authentication::Key(key) => NhsLoginClient::with_key(id, redirect_uri, key)?,
                    Authentication::Secret(it) => {
                        NhsLoginClient::of_hosted_mock(id, redirect_uri, it)?
                    }
                };
                Self::NhsLogin(NhsLogin::with(issuer, client, tokens))
            }
        })
    }

    pub(super) fn check_pairing(&self, application: &Application) -> Result<(), PairingError> {
        match self {
            Self::Cis2(cis2) => UserApplication::new(application.clone(), cis2.clone()).map(drop),
            Self::NhsLogin(nhs_login) => {
                UserApplication::new(application.clone(), nhs_login.clone()).map(drop)
            }
        }
    }

    pub(super) async fn begin(&self, arguments: &SignIn) -> Result<BegunSignIn, Failure> {
        match self {
            Self::Cis2(cis2) => Ok(cis2.begin(&request::cis2(arguments)?).await?),
            Self::NhsLogin(nhs_login) => {
                Ok(nhs_login.begin(&request::nhs_login(arguments)?).await?)
            }
        }
    }

    pub(super) async fn complete(
        &self,
        pending: PendingSignIn,
        callback: &Callback,
    ) -> Result<SignedIn, SignInError> {
        match self {
            Self::Cis2(cis2) => cis2.complete(pending, callback).await.map(SignedIn::Cis2),
            Self::NhsLogin(nhs_login) => {
                nhs_login.complete(pending, callback).await.map(SignedIn::NhsLogin)
            }
        }
    }

    pub(super) async fn exchange(
        &self,
        application: &Application,
        id_token: &IdToken,
        tokens: TokenClient,
    ) -> Result<UserTokens, Failure> {
        let exchanged = match self {
            Self::Cis2(cis2) => exchange(application, cis2.clone(), id_token, tokens).await?,
            Self::NhsLogin(it) => exchange(application, it.clone(), id_token, tokens).await?,
        };
        Ok(exchanged?)
    }
}

async fn exchange<P: RelyingParty>(
    application: &Application,
    party: P,
    id_token: &IdToken,
    tokens: TokenClient,
) -> Result<Result<UserTokens, ExchangeError>, PairingError> {
    let users = UserApplication::new(application.clone(), party)?;
    Ok(users.with_token_client(Arc::new(tokens)).exchange(id_token).await)
}

impl SignedIn {
    pub(super) fn id_token(&self) -> &IdToken {
        match self {
            Self::Cis2(signed_in) => &signed_in.id_token,
            Self::NhsLogin(signed_in) => &signed_in.id_token,
        }
    }

    /// What the person at the terminal may want to know of it.
    pub(super) fn tell(&self, console: Console) {
        let issuer = self.id_token().issuer();
        match self.id_token().level() {
            Some(level) => console.done(format_args!("signed in at {issuer}, level {level}")),
            None => console.done(format_args!("signed in at {issuer}")),
        }
        let Self::Cis2(signed_in) = self else { return };
        match signed_in.user.role_choice() {
            RoleChoice::None => console.warn("the user has no role that can be used"),
            RoleChoice::Settled(role) => console.note(format_args!(
                "as {}, for the header NHSD-Session-URID: {}",
                role.short_name().unwrap_or("a role without a name"),
                role.person_roleid
            )),
            RoleChoice::Choose(roles) => {
                console.note("the user has several roles; the header NHSD-Session-URID names one:");
                for role in roles {
                    let name = role.short_name().unwrap_or_default();
                    console.note(format_args!("  {} {name}", role.person_roleid));
                }
            }
        }
    }
}

/// How the client shows who it is.
enum Authentication {
    Key(ClientKey),
    Secret(ClientSecret),
}

impl Authentication {
    fn read(arguments: &SignIn, console: Console) -> Result<Self, Failure> {
        if let Some(value) = &arguments.client_secret {
            if arguments.client_private_key.is_some() {
                return Err(Failure::usage(
                    "there are --client-secret and --client-private-key, and a client has one of the \
                     two",
                )
                .hint("leave one out, here, in the environment and in the configuration file"));
            }
            return Ok(Self::Secret(ClientSecret::new(secret::read("--client-secret", value)?)));
        }
        let identity = &arguments.identity;
        let algorithm = match arguments.client_alg {
            ClientAlgorithm::Rs256 => SigningAlgorithm::Rs256,
            ClientAlgorithm::Rs512 => SigningAlgorithm::Rs512,
        };
        // One key may serve both servers, each with an identity of its own; so may one ring.
        if let (None, Some(place)) = (&arguments.client_private_key, &identity.key_ring) {
            let ring = FollowedKeyRing::new(key_ring::at(place)?);
            return Ok(Self::Key(ClientKey::following(ring).with_algorithm(algorithm)));
        }
        let (flag, value, passphrase, kid) = match &arguments.client_private_key {
            Some(value) => (
                "--client-private-key",
                Some(value),
                ("--client-passphrase", arguments.client_passphrase.as_deref()),
                arguments.client_kid.as_deref(),
            ),
            None => (
                "--private-key",
                identity.private_key.as_ref(),
                ("--passphrase", identity.passphrase.as_deref()),
                arguments.client_kid.as_deref().or(identity.kid.as_deref()),
            ),
        };
        let Some(value) = value else {
            return Err(Failure::usage("there is nothing to show the provider who the client is")
                .hint(
                    "give a key with --client-private-key (or --private-key, when it is the same), \
                     or a secret with --client-secret file:PATH",
                ));
        };
        let key = private_key::parse(flag, value)?;
        let kid = private_key::kid("--client-kid", kid, &key)?;
        let signer = private_key::signer(&key, passphrase, console)?;
        Ok(Self::Key(ClientKey::new(kid, signer).with_algorithm(algorithm)))
    }
}

/// The provider that the environment's base path trusts, or the one that was named.
fn issuer(provider: IdentityProvider, arguments: &SignIn) -> Result<Issuer, Failure> {
    let identity = &arguments.identity;
    if let Some(url) = &arguments.issuer {
        return Ok(Issuer::parse(url)?);
    }
    let environment = identity::environment(&identity.env)?;
    let base_path = identity.base_path.as_deref().unwrap_or(OAUTH2).trim_matches('/');
    let base_path = format!("/{base_path}");
    if let Some(base_url) = &identity.base_url {
        return in_the_box(provider, environment, &base_path, base_url);
    }
    let issuer = trusted_issuer(provider, environment, &base_path).ok_or_else(|| {
        Failure::usage(format!(
            "it isn't known which {provider} {environment} trusts at `{base_path}`"
        ))
        .hint("name the provider's issuer with --issuer")
    })?;
    Ok(Issuer::parse(&issuer)?)
}

/// The box's own stand-in for the provider that the environment's base path trusts.
fn in_the_box(
    provider: IdentityProvider,
    environment: Environment,
    base_path: &str,
    base_url: &str,
) -> Result<Issuer, Failure> {
    let base_url = base_url.trim_end_matches('/');
    let known = environment.base_paths.iter().find(|base| base.path == base_path);
    let trusted = known.map(|base| match provider {
        IdentityProvider::Cis2 => base.cis2,
        IdentityProvider::NhsLogin => base.nhs_login,
    });
    Ok(match trusted {
        Some(Provider::Mock) => {
            Issuer::parse(&[base_url, &hosted_mock_path(provider, environment)].concat())?
        }
        Some(Provider::Deployment) => {
            Issuer::in_the_box(provider, &[base_url, "/deployment"].concat())?
        }
        _ => Issuer::in_the_box(provider, base_url)?,
    })
}

/// What NHS login would refuse after the user has signed in.
fn check_what_nhs_login_takes(arguments: &SignIn, issuer: &Issuer) -> Result<(), Failure> {
    let is_hosted_mock = issuer.to_string().contains("/realms/");
    if arguments.client_secret.is_some() && !is_hosted_mock {
        return Err(Failure::usage("NHS login takes no client secret")
            .hint("give the key that is registered there, with --client-private-key"));
    }
    if arguments.client_alg == ClientAlgorithm::Rs256 {
        return Err(Failure::usage("NHS login takes RS512 alone").hint("leave --client-alg out"));
    }
    // It has no shape by which an API key could be told from a client id.
    let api_key = arguments.identity.api_key.as_deref();
    let api_key = api_key.and_then(|value| secret::read("--api-key", value).ok());
    if api_key.is_some_and(|it| Some(it.expose_secret().trim()) == arguments.client_id.as_deref()) {
        return Err(Failure::identifier("--client-id", IdentifierError::ApiKeyAsClientId));
    }
    Ok(())
}

fn client_id(arguments: &SignIn) -> Result<&str, Failure> {
    arguments.client_id.as_deref().map(str::trim).ok_or_else(|| {
        Failure::usage("there is no client id").hint(
            "give the one that the provider registered you with, by --client-id, \
             NHS_AUTH_CLIENT_ID or `client-id` in nhs-auth.toml; it is not the API key",
        )
    })
}

/// At CIS2 itself client ids have a shape; at stand-ins they needn't.
fn cis2_client_id(value: &str, issuer: &Issuer) -> Result<Cis2ClientId, Failure> {
    let is_cis2s_own = issuer.to_string().contains(".spineservices.nhs.uk/");
    let id =
        if is_cis2s_own { Cis2ClientId::parse(value) } else { Cis2ClientId::parse_for_mock(value) };
    id.map_err(|error| Failure::identifier("--client-id", error))
}
