//! Credentials and endpoints of the clouds, as they stand in the environment.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::Bucket;
use crate::loopback::is_loopback;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What the program knows of the clouds: the environment variables that begin with `AWS_`, `AZURE_`
/// and `GOOGLE_`. `Debug` shows their names alone.
///
/// - **S3**: `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and perhaps `AWS_SESSION_TOKEN`, or
///   web identity, ECS, EKS or the instance; `AWS_REGION` or `AWS_DEFAULT_REGION`;
///   `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`. Profile files are not read.
/// - **Azure**: `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_SAS_TOKEN`, a client
///   (`AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, and `AZURE_CLIENT_SECRET` or
///   `AZURE_FEDERATED_TOKEN_FILE`), or the machine's managed identity; `AZURE_STORAGE_ENDPOINT`.
/// - **Google**: `GOOGLE_APPLICATION_CREDENTIALS` or `GOOGLE_SERVICE_ACCOUNT` (a path),
///   `GOOGLE_SERVICE_ACCOUNT_KEY` (its content), or the machine's metadata server;
///   `GOOGLE_BASE_URL`.
///
/// An endpoint is https, or http to this machine alone; certificates are always checked.
#[derive(Clone, Default)]
pub struct CloudSettings(Vec<(String, String)>);

/// Why a store can't be asked with these settings. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCloudSettings {
    /// Plain http to another machine, or no URL.
    #[error("the endpoint in {name} has to be a URL of https, or of http to this machine alone")]
    Endpoint {
        /// The variable.
        name: String,
    },
    /// A folder of this machine, where a cloud's store is wanted.
    #[error("{location} is of this machine, and no object in a cloud's store")]
    NoCloud {
        /// Where it is.
        location: String,
    },
    /// A variable can't be read, or one is missing.
    #[error(
        "the {cloud} settings in the environment can't be used; is a value missing, or a file?"
    )]
    Unusable {
        /// Which cloud.
        cloud: &'static str,
    },
}

impl CloudSettings {
    /// Those of this process's environment.
    pub fn from_env() -> Self {
        Self::from_variables(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Those among these variables.
    pub fn from_variables<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let ours = |name: &str| ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|it| name.starts_with(it));
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(variables.filter(|(name, value)| ours(name) && !value.is_empty()).collect())
    }

    /// The bucket, reached by these settings.
    pub(super) fn open(
        &self,
        bucket: &Bucket,
    ) -> Result<Box<dyn ObjectStore>, InvalidCloudSettings> {
        match bucket {
            Bucket::S3(bucket) => self.s3(bucket),
            Bucket::Azure { account, container } => self.azure(account, container),
            Bucket::Google(bucket) => self.google(bucket),
        }
    }

    fn s3(&self, bucket: &str) -> Result<Box<dyn ObjectStore>, InvalidCloudSettings> {
        let mut builder = AmazonS3Builder::new();
        for (key, value) in self.keys_of("AWS_") {
            builder = builder.with_config(key, value);
        }
        let http = self.allows_http(|key: &AmazonS3ConfigKey| {
            matches!(key, AmazonS3ConfigKey::Endpoint | AmazonS3ConfigKey::S3Endpoint)
        })?;
        let builder = builder.with_bucket_name(bucket).with_client_options(options(http));
        built(builder.with_retry(no_retries()).build(), "AWS")
    }

    fn azure(
        &self,
        account: &str,
        container: &str,
    ) -> Result<Box<dyn ObjectStore>, InvalidCloudSettings> {
        let mut builder = MicrosoftAzureBuilder::new();
        for (key, value) in self.keys_of("AZURE_") {
            builder = builder.with_config(key, value);
        }
        let http = self.allows_http(|key| matches!(key, AzureConfigKey::Endpoint))?;
        let builder = builder.with_account(account).with_container_name(container);
        let builder = builder.with_use_emulator(false).with_client_options(options(http));
        built(builder.with_retry(no_retries()).build(), "Azure")
    }

    fn google(&self, bucket: &str) -> Result<Box<dyn ObjectStore>, InvalidCloudSettings> {
        let mut builder = GoogleCloudStorageBuilder::new();
        for (key, value) in self.keys_of("GOOGLE_") {
            builder = builder.with_config(key, value);
        }
        let http = self.allows_http(|key| matches!(key, GoogleConfigKey::BaseUrl))?;
        let builder = builder.with_bucket_name(bucket).with_client_options(options(http));
        built(builder.with_retry(no_retries()).build(), "Google Cloud")
    }

    /// The variables that a store knows by name.
    fn keys_of<K: FromStr>(&self, prefix: &str) -> impl Iterator<Item = (K, &str)> {
        let ours = self.0.iter().filter(move |(name, _)| name.starts_with(prefix));
        ours.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, &**value)))
    }

    /// Whether an endpoint is one of http, which is on this machine then.
    fn allows_http<K: FromStr>(
        &self,
        is_endpoint: impl Fn(&K) -> bool,
    ) -> Result<bool, InvalidCloudSettings> {
        let mut allows = false;
        for (name, value) in &self.0 {
            if name.to_ascii_lowercase().parse().is_ok_and(|key: K| is_endpoint(&key)) {
                let url = Url::parse(value).ok().filter(|url| url.username().is_empty());
                allows |= match url {
                    Some(url) if url.scheme() == "https" => false,
                    Some(url) if url.scheme() == "http" && is_loopback(&url) => true,
                    _ => return Err(InvalidCloudSettings::Endpoint { name: name.clone() }),
                };
            }
        }
        Ok(allows)
    }
}

fn options(allow_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT_WITHIN)
        .with_timeout(ANSWER_WITHIN)
        .with_allow_http(allow_http)
}

/// Whether a write whose answer was lost has happened is for us to find out.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

/// The error is not told: it may have part of a credential in it.
fn built<S: ObjectStore>(
    store: object_store::Result<S>,
    cloud: &'static str,
) -> Result<Box<dyn ObjectStore>, InvalidCloudSettings> {
    match store {
        Ok(store) => Ok(Box::new(store)),
        Err(_) => Err(InvalidCloudSettings::Unusable { cloud }),
    }
}

impl fmt::Debug for CloudSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|(name, _)| name).collect();
        f.debug_tuple("CloudSettings").field(&names).finish()
    }
}
