//! The arguments of the sidecar.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Auth, Identity, Tokens};

/// Run the sidecar: any program calls NHS APIs through it, over plain HTTP on this machine
///
/// Each request goes to the upstream with a fresh access token, and everything else of it as it is.
/// The API's answers are passed on unchanged; the sidecar's own are application/problem+json, and say
/// so. POST /token gives the token alone. It is a reverse proxy: programs call its address in place
/// of the API's (a tunnel can't have a header put in it). Prints its URL when it is ready, and runs
/// until it is interrupted.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth proxy --app int --upstream https://int.api.service.nhs.uk
  curl http://127.0.0.1:8081/hello-world/hello/application      in another terminal
  curl -X POST http://127.0.0.1:8081/token                      the token alone
  nhs-auth proxy --app int --upstream https://int.api.service.nhs.uk --listen unix:/run/app/nhs.sock
  nhs-auth proxy --config nhs-auth.toml                         with several routes in [proxy]

In nhs-auth.toml:
  [[proxy.routes]]
  prefix = \"/pds\"
  upstream = \"https://int.api.service.nhs.uk/personal-demographics/FHIR/R4\"
  app = \"int\"")]
pub(crate) struct Proxy {
    /// Where requests go: an NHS API host, perhaps with a path
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub(crate) upstream: Option<String>,
    /// Address to listen at; port 0 takes a free one; unix:PATH is a socket for its owner alone
    #[arg(long, value_name = "ADDRESS|unix:PATH", default_value = "127.0.0.1:8081")]
    pub(crate) listen: String,
    /// Address of /healthz, /readyz and /metrics, or `off`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    pub(crate) admin: String,
    /// Listen where other machines can reach it
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Name that callers may use for it, beside localhost and addresses; can be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Vec<String>,
    /// What callers have to send as `NHS-Auth-Secret` (file:PATH or env:NAME)
    #[arg(long, value_name = "SECRET")]
    pub(crate) caller_secret: Option<String>,
    /// How the API lets callers in
    #[arg(long, value_enum, default_value_t = Auth::SignedJwt)]
    pub(crate) auth: Auth,
    /// Header to add to each request, as "Name: value"; can be repeated
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Product id, for the header NHSE-Product-ID
    #[arg(long, value_name = "ID")]
    pub(crate) product_id: Option<String>,
    /// Caller's credential to pass on, which is dropped otherwise; can be repeated
    #[arg(long, value_enum, value_name = "HEADER")]
    pub(crate) pass_header: Vec<PassHeader>,
    /// Host that may be an upstream although it is not an NHS API host; can be repeated
    #[arg(long, value_name = "HOST|ORIGIN")]
    pub(crate) allow_host: Vec<String>,
    /// Certificate authorities in PEM to believe, in place of this machine's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
    /// Seconds that an API may keep silent
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) upstream_timeout: u64,
    /// Seconds that requests may still take when it is told to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 25, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) drain: u64,
    /// Valkey or Redis server whose token a fleet shares: rediss://USER:PASSWORD@HOST:PORT/DATABASE
    /// (better: file:PATH or env:NAME)
    #[arg(long, value_name = "URL")]
    pub(crate) token_store: Option<String>,
    /// What that token is encrypted with: 32 bytes or more, the same for all (file:PATH or env:NAME)
    #[arg(long, value_name = "SECRET", requires = "token_store")]
    pub(crate) token_store_secret: Option<String>,
    /// Form of what it tells on standard error
    #[arg(long, value_enum, default_value_t = LogForm::Human)]
    pub(crate) log: LogForm,
    #[command(flatten)]
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
}

/// A credential of a caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PassHeader {
    /// In place of the sidecar's token
    Authorization,
    /// Beside it
    Apikey,
}

/// How things are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// Lines for people
    Human,
    /// A JSON object a line
    Json,
}
