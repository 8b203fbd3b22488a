//! The command line, as data.

mod keys;
mod proxy;
mod user;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use nhs_auth::Environment;
use nhs_auth_rules::diagnosis::Profile;

pub(crate) use self::keys::{GenerateKeys, PublishJwks, RingPlace, RotateKeys, ServeJwks};
pub(crate) use self::proxy::{LogForm, PassHeader, Proxy};
pub(crate) use self::user::{ClientAlgorithm, ExchangeToken, SignIn, SignInWith};
use crate::commands::man::Man;
use crate::config_file::ConfigFile;

/// Proves software to NHS England's APIs: keys, tokens and calls, and the platform in a box.
///
/// Not an official NHS product.
#[derive(Debug, Parser)]
#[command(name = "nhs-auth", version, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  nhs-auth demo                                 see the whole job, with nothing to configure
  nhs-auth generate-keys --env int              make int-1.pem, int-1.pem.pub and int-1.json
  nhs-auth get-token --api-key file:api-key.txt --private-key int-1.pem
  nhs-auth call-api --api-key file:api-key.txt --private-key int-1.pem \\
      --url https://int.api.service.nhs.uk/hello-world/hello/application
  nhs-auth sign-in --with cis2 --exchange       sign a user in, and get their access token
  nhs-auth proxy --app int --upstream https://int.api.service.nhs.uk
                                                call APIs from any language, with no code

Every flag also reads NHS_AUTH_<FLAG>, and the file nhs-auth.toml.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Flags that every verb has.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file, in place of ./nhs-auth.toml
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) config: Option<String>,
    /// Which [app.NAME] of the configuration file to be
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// What standard output is for
    #[arg(long, global = true, value_enum, default_value_t = Output::Human)]
    pub(crate) output: Output,
    /// Tell more on standard error; repeat for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Tell nothing but errors on standard error
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// The configuration file, once it is read.
    #[arg(skip)]
    pub(crate) file: ConfigFile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people, and for pipes that want the bare answer
    Human,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    GenerateKeys(GenerateKeys),
    GetToken(GetToken),
    CallApi(CallApi),
    SignAssertion(SignAssertion),
    SignIn(Box<SignIn>),
    ExchangeToken(ExchangeToken),
    Mock(Mock),
    Diagnose(Diagnose),
    Explain(Explain),
    RotateKeys(RotateKeys),
    PublishJwks(PublishJwks),
    ServeJwks(ServeJwks),
    Proxy(Box<Proxy>),
    /// Show the whole job, on the platform in a box: keys, token, call, and two mistakes
    Demo,
    Completions(Completions),
    #[command(hide = true)] // for those who make packages
    Man(Man),
}

impl Verb {
    /// How things are told on standard error.
    pub(crate) fn log_form(&self) -> LogForm {
        match self {
            Self::Proxy(arguments) => arguments.log,
            _ => LogForm::Human,
        }
    }
}

/// Who asks, where, and with which key.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// API key of the application, from the portal (or file:PATH, env:NAME)
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Environment of the platform
    #[arg(long, value_parser = environments(), default_value = "int")]
    pub(crate) env: String,
    /// Name of the key in the registered JWKS; by default the key file's name less .pem
    #[arg(long)]
    pub(crate) kid: Option<String>,
    /// Private key: a path (PEM, DER or PFX), or a key URI (pkcs11:, awskms:, azurekeyvault:,
    /// gcpkms:)
    #[arg(long, value_name = "PATH|URI", allow_hyphen_values = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) private_key: Option<String>,
    /// Passphrase of the private key (better: file:PATH or env:NAME); asked for when needed
    #[arg(long, value_name = "PASSPHRASE", allow_hyphen_values = true)]
    pub(crate) passphrase: Option<String>,
    /// Key ring whose active key signs, in place of --private-key and --kid
    #[arg(long, value_name = "PLACE", value_hint = clap::ValueHint::DirPath)]
    pub(crate) key_ring: Option<String>,
    /// Origin in place of the environment's, perhaps with a path (https, or http on loopback)
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub(crate) base_url: Option<String>,
    /// Path of the OAuth server, in place of /oauth2
    #[arg(long, value_name = "PATH")]
    pub(crate) base_path: Option<String>,
}

/// How tokens are asked for, and kept between runs.
#[derive(Args, Debug)]
pub(crate) struct Tokens {
    /// Seconds that one attempt to get a token may take; there are three
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) timeout: u64,
    /// Neither read nor write the tokens kept from run to run
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// Get an access token
///
/// Prints the bare token, so that it can be piped. Tokens are kept in your cache directory for
/// their ten minutes, and renewed when four fifths of that are over.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth get-token --api-key file:api-key.txt --private-key int-1.pem
  curl -H \"Authorization: Bearer $(nhs-auth get-token --app int)\" https://int.api.service.nhs.uk/...
  nhs-auth get-token --output json --app int")]
pub(crate) struct GetToken {
    #[command(flatten)]
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
}

/// Call an API
///
/// Prints the answer's body. Exits 0 for an answer below 400, 1 for one of 400 and more, 3 when
/// there was none.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth call-api --app int --url https://int.api.service.nhs.uk/hello-world/hello/application
  nhs-auth call-api --app int --url https://int.api.service.nhs.uk/some-api/thing \\
      --header 'Accept: application/fhir+json' --json @thing.json
  nhs-auth call-api --auth api-key --api-key file:api-key.txt --url https://...
  nhs-auth call-api --auth none --url https://sandbox.api.service.nhs.uk/hello-world/hello/world")]
pub(crate) struct CallApi {
    /// Whole URL to call
    #[arg(long, value_hint = clap::ValueHint::Url)]
    pub(crate) url: Option<String>,
    /// HTTP method; by default GET, or POST with a body
    #[arg(long)]
    pub(crate) method: Option<String>,
    /// Header to add, as "Name: value"; can be repeated
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// NHS number, for the header nhs-login-nhs-number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) nhs_number: Option<String>,
    /// Product id, for the header NHSE-Product-ID
    #[arg(long, value_name = "ID")]
    pub(crate) product_id: Option<String>,
    /// Body: a text, @FILE, or @- for standard input
    #[arg(long, value_name = "TEXT|@FILE", conflicts_with = "json", allow_hyphen_values = true)]
    pub(crate) data: Option<String>,
    /// The same, checked to be JSON and sent as application/json
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(crate) json: Option<String>,
    /// How the API lets callers in
    #[arg(long, value_enum, default_value_t = Auth::SignedJwt)]
    pub(crate) auth: Auth,
    /// Environment that the token is from, when not that of --env
    #[arg(long, value_name = "ENV", value_parser = environments())]
    pub(crate) token_env: Option<String>,
    /// Host to send the credential to although it is not an NHS API host; can be repeated
    #[arg(long, value_name = "HOST|ORIGIN")]
    pub(crate) allow_host: Vec<String>,
    #[command(flatten)]
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
}

/// The platform's access modes for applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// Application-restricted: an access token, got with a signed JWT
    SignedJwt,
    /// Application-restricted: the header apikey
    ApiKey,
    /// Open access
    None,
}

/// Sign a client assertion, for use in Postman or curl
///
/// It lives 150 seconds unless told otherwise, and can be sent once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth sign-assertion --app int                     print the JWT
  nhs-auth sign-assertion --app int --curl              print the whole curl command
  nhs-auth sign-assertion --app int --out jwt.txt       write it to a file that only you can read")]
pub(crate) struct SignAssertion {
    /// Write the JWT to this file, readable by you alone, and not to standard output
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    /// Print the curl command that sends it
    #[arg(long)]
    pub(crate) curl: bool,
    /// Seconds until it expires, 1 to 300
    #[arg(long, value_name = "SECONDS", default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub(crate) lifetime: u32,
    #[command(flatten)]
    pub(crate) identity: Identity,
}

/// Name what is wrong with an assertion, a key set, a key or a request, and mend it
///
/// Works offline and sends nothing anywhere unless --live is given. Each input is a file, `-` for standard input, or the
/// value itself where it can't be mistaken for a file. Exits 1 when something is wrong.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth diagnose --assertion jwt.txt --jwks int-1.json --private-key int-1.pem --env int
  nhs-auth diagnose --error \"Invalid 'iss'/'sub' claims in client_assertion JWT\"
  nhs-auth diagnose keys.json                    look a key set over
  pbpaste | nhs-auth diagnose -                  whatever it is, by its look
  nhs-auth diagnose --assertion - --fixed        undo paste damage
  nhs-auth diagnose --jwks https://example.org/jwks.json --live
  nhs-auth diagnose --assertion jwt.txt --error answer.json --bundle bundle.json")]
pub(crate) struct Diagnose {
    /// Anything, recognised by its look
    #[arg(value_name = "INPUT")]
    pub(crate) input: Vec<String>,
    /// Client assertion; given twice, a jti that was used again shows
    #[arg(long, value_name = "JWT|FILE", allow_hyphen_values = true)]
    pub(crate) assertion: Vec<String>,
    /// Path of the private key that signs
    #[arg(long, value_name = "PATH", allow_hyphen_values = true)]
    pub(crate) private_key: Option<String>,
    /// Passphrase of the private key (better: file:PATH or env:NAME)
    #[arg(long, value_name = "PASSPHRASE", allow_hyphen_values = true)]
    pub(crate) passphrase: Option<String>,
    /// Registered key set: a document, a file, or its URL (fetched only with --live)
    #[arg(long, value_name = "JWKS|FILE|URL")]
    pub(crate) jwks: Option<String>,
    /// API key (or file:PATH, env:NAME)
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Environment that the request is for
    #[arg(long, value_parser = environments())]
    pub(crate) env: Option<String>,
    /// URL that the request was posted to
    #[arg(long, value_name = "URL")]
    pub(crate) token_url: Option<String>,
    /// ID token of a token exchange
    #[arg(long, value_name = "JWT|FILE", allow_hyphen_values = true)]
    pub(crate) subject_token: Option<String>,
    /// What was answered: a body, or its text alone
    #[arg(long, value_name = "TEXT|FILE", allow_hyphen_values = true)]
    pub(crate) error: Option<String>,
    /// The request: a form body, raw HTTP, a curl command, or a HAR entry
    #[arg(long, value_name = "TEXT|FILE", allow_hyphen_values = true)]
    pub(crate) request: Option<String>,
    /// When it was sent: RFC 3339, a Date header, or seconds since 1970
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<String>,
    /// Whose rules to judge by
    #[arg(long, default_value = "platform", value_parser = profiles())]
    pub(crate) profile: String,
    /// Print the repaired value, and not the report
    #[arg(long)]
    pub(crate) fixed: bool,
    /// Print the report as SARIF 2.1.0
    #[arg(long, conflicts_with = "fixed")]
    pub(crate) sarif: bool,
    /// Fetch the key set's URL, twice, and judge what is served and how
    #[arg(long)]
    pub(crate) live: bool,
    /// Also write what is safe to post in a forum to this new file, as JSON
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) bundle: Option<PathBuf>,
}

/// Explain a rule of the platform
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  nhs-auth explain A14")]
pub(crate) struct Explain {
    /// Name of the rule, such as A14
    pub(crate) rule: String,
}

/// Run the platform in a box
///
/// Prints its base URL when it is ready, and runs until it is interrupted. OAuth is at /oauth2 and
/// /oauth2-mock, CIS2 and NHS login to sign in with stand behind it, Hello World is at /hello-world,
/// control at /_mock, and the base URL itself is a page that shows what each request did.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth mock
  curl http://127.0.0.1:9000/_mock/apps \\
      -d \"{\\\"name\\\": \\\"mine\\\", \\\"jwks\\\": $(cat int-1.json)}\"
  nhs-auth get-token --base-url http://127.0.0.1:9000 \\
      --private-key int-1.pem --api-key ...
  nhs-auth mock --listen 127.0.0.1:0 --ready-file ready.json   (for a test)
  nhs-auth mock --environment int --state mock.json")]
pub(crate) struct Mock {
    /// Address to listen at, 127.0.0.1:9000 unless told otherwise; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Token requests that an application may make in a minute; by default the platform's 300
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<u32>,
    /// Serve the OAuth base paths of that environment, each trusting the sign-in services that it
    /// trusts there; by default /oauth2 and /oauth2-mock, which trust all of the mock's
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environments())]
    pub(crate) environment: Option<String>,
    /// Keep applications, tokens, jtis, keys and the clock in this file from one run to the next
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) state: Option<PathBuf>,
    /// Write where it listens, and its applications, to this file when it is ready, as JSON; the
    /// file is whole when it appears, and is gone when the mock has ended
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) ready_file: Option<PathBuf>,
    /// Also print variables for a shell or an .env file, after the base URL
    #[arg(long)]
    pub(crate) print_env: bool,
}

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  nhs-auth completions bash > ~/.local/share/bash-completion/completions/nhs-auth")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

fn profiles() -> PossibleValuesParser {
    PossibleValuesParser::new(Profile::ALL.iter().map(|profile| profile.name()))
}

/// An address and a port, or `localhost` and a port.
fn address(value: &str) -> Result<SocketAddr, String> {
    let value = value.replacen("localhost:", "127.0.0.1:", 1);
    value.parse().map_err(|_| "it is not an address and a port, such as 127.0.0.1:9000".to_owned())
}

fn environments() -> PossibleValuesParser {
    PossibleValuesParser::new(Environment::ALL.iter().map(|environment| environment.name))
}
