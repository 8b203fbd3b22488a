//! The verbs that make, rotate and publish keys.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::{address, environments};

/// Make an RSA-4096 key pair and its JWKS
///
/// Writes KID.pem (the private key, readable by you alone), KID.pem.pub and KID.json (the JWKS for
/// the portal), all three or none, and never over a file that is there. With --private-key and a
/// key URI, the key is made where the URI says and never leaves it, and only the public files are
/// written.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth generate-keys --env int                      int-1.pem, int-1.pem.pub, int-1.json
  nhs-auth generate-keys --env prod --output-dir .auth
  nhs-auth generate-keys --kid thumbprint               named by the key itself (RFC 7638)
  nhs-auth generate-keys --env prod --private-key \\
      'pkcs11:token=nhs?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:pin.txt'")]
pub(crate) struct GenerateKeys {
    /// API key of the application; only checked, and shown in the next steps as a placeholder
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Environment that the keys are for
    #[arg(long, value_parser = environments(), default_value = "int")]
    pub(crate) env: String,
    /// Name of the key; `thumbprint` for its RFC 7638 thumbprint; by default <ENV>-1
    #[arg(long)]
    pub(crate) kid: Option<String>,
    /// Folder for the three files, made if it isn't there
    #[arg(long, value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    pub(crate) output_dir: PathBuf,
    /// Key URI of the place that makes and keeps the private key (pkcs11:, awskms:,
    /// azurekeyvault:, gcpkms:)
    #[arg(long, value_name = "URI", allow_hyphen_values = true)]
    pub(crate) private_key: Option<String>,
    /// PIN of a PKCS#11 token (better: file:PATH or env:NAME); asked for when needed
    #[arg(long, value_name = "PIN", allow_hyphen_values = true)]
    pub(crate) passphrase: Option<String>,
}

/// Where a key ring is.
#[derive(Args, Debug)]
pub(crate) struct RingPlace {
    /// Folder of the key ring, or s3://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX,
    /// gs://BUCKET/PREFIX
    #[arg(long, value_name = "PLACE", value_hint = clap::ValueHint::DirPath)]
    pub(crate) key_ring: Option<String>,
}

/// Do the next safe step of a key rotation
///
/// Makes the key ring and its first key when there is none. From then on each run does what is
/// safe by then, and says what comes next: the next key is announced when the one that signs is old
/// enough, signs when no cache of the platform can be without it, and the one before leaves when
/// nothing can need it. Run it from cron or CI as often as you like: what is done is not done again.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth rotate-keys --key-ring keys --env int         make the ring, or do what is due
  nhs-auth rotate-keys --key-ring keys --plan            what comes, and when; changes nothing
  nhs-auth rotate-keys --key-ring keys --start           begin a rotation now
  nhs-auth rotate-keys --key-ring keys --adopt int-1.pem make the ring of a key that is in use
  nhs-auth rotate-keys --key-ring keys --emergency       the key that signs has leaked
  nhs-auth rotate-keys --key-ring keys --publish-to s3://my-bucket/jwks.json

The ring's states: announced (published, not yet signing), active, retiring (published, no longer
signing), retired (gone).")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag, and they go together")]
pub(crate) struct RotateKeys {
    #[command(flatten)]
    pub(crate) ring: RingPlace,
    /// Environment that the keys are for: a new ring names its keys <ENV>-1, <ENV>-2 and so on
    #[arg(long, value_parser = environments(), default_value = "int")]
    pub(crate) env: String,
    /// Show the steps to come, with their times, and do none
    #[arg(long)]
    pub(crate) plan: bool,
    /// Announce the next key now, whatever the age of the one that signs
    #[arg(long)]
    pub(crate) start: bool,
    /// The key that signs has leaked: replace it as soon as may be, and say what that takes
    #[arg(long)]
    pub(crate) emergency: bool,
    /// Name of the key that has leaked, when it isn't the one that signs
    #[arg(long, value_name = "KID", requires = "emergency")]
    pub(crate) leaked_kid: Option<String>,
    /// The portal has a new URL of the key set by now, at which the platform has never looked
    #[arg(long)]
    pub(crate) new_url: bool,
    /// Name of the next key, in place of <ENV>-N
    #[arg(long, value_name = "KID")]
    pub(crate) next_kid: Option<String>,
    /// Make the ring of this key, which is registered and in use; its name is the file's less .pem,
    /// or --adopted-kid
    #[arg(long, value_name = "PATH|URI")]
    pub(crate) adopt: Option<String>,
    /// Name under which the adopted key is registered
    #[arg(long, value_name = "KID", requires = "adopt")]
    pub(crate) adopted_kid: Option<String>,
    /// Days that a key signs before the next is announced; kept in the ring (at first 90)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub(crate) rotate_every: Option<u64>,
    /// Where the key set is published, kept in the ring: serve (by serve-jwks, which reads the
    /// ring), a file or folder, s3://, az://, gs://, portal (an upload by hand), or echo (the
    /// platform's echo, by hand)
    #[arg(long, value_name = "TARGET")]
    pub(crate) publish_to: Option<String>,
    /// Key URI of the place where new keys are made, kept in the ring; by default files in its
    /// folder
    #[arg(long, value_name = "URI")]
    pub(crate) keys_at: Option<String>,
}

/// Publish a key set, or show what to paste into the portal
///
/// To a file or an object store it is written with its content type, under a precondition against
/// somebody else's change at the same time, and read back. To the portal it goes by your hand:
/// standard output is what to upload (portal), or the URL to enter (echo).
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth publish-jwks --key-ring keys --to s3://my-bucket/jwks.json
  nhs-auth publish-jwks --jwks int-1.json --to /var/www/jwks.json
  nhs-auth publish-jwks --key-ring keys --to echo          a URL for the portal; needs no hosting
  nhs-auth publish-jwks --key-ring keys --to portal > jwks.json
  nhs-auth publish-jwks --key-ring keys --done 5f0c4a91be  it is in the portal now")]
pub(crate) struct PublishJwks {
    #[command(flatten)]
    pub(crate) ring: RingPlace,
    /// Key set to publish, in place of a ring's
    #[arg(long, value_name = "FILE", conflicts_with = "done", value_hint = clap::ValueHint::FilePath)]
    pub(crate) jwks: Option<PathBuf>,
    /// Where to: a file or folder, s3://, az://, gs://, portal or echo; by default the ring's own
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: Option<String>,
    /// The key set of this mark has been entered in the portal: the ring's waits count from now
    #[arg(long, value_name = "MARK", conflicts_with = "to")]
    pub(crate) done: Option<String>,
}

/// Serve a key set at /.well-known/jwks.json
///
/// Follows the ring: when it changes, so does what is served, and no request is dropped. A ring that
/// can't be read is answered with 503, never with an empty or partial set. Prints its URL when it is
/// ready, and runs until it is interrupted.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nhs-auth serve-jwks --key-ring keys                     http://127.0.0.1:8080/.well-known/jwks.json
  nhs-auth serve-jwks --key-ring keys --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem
  nhs-auth serve-jwks --jwks int-1.json --admin off")]
pub(crate) struct ServeJwks {
    #[command(flatten)]
    pub(crate) ring: RingPlace,
    /// Key set to serve, in place of a ring's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) jwks: Option<PathBuf>,
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Address of /healthz, /readyz and /metrics, or `off`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    pub(crate) admin: String,
    /// Path of the key set
    #[arg(long, default_value = "/.well-known/jwks.json")]
    pub(crate) path: String,
    /// Certificate chain in PEM, for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = clap::ValueHint::FilePath)]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", value_hint = clap::ValueHint::FilePath)]
    pub(crate) tls_key: Option<PathBuf>,
}
