//! Where a service is asked and as whom, as far as a reference says so.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_types::service_config::ServiceConfigKey;
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use super::AwsAccessKey;
use crate::loopback::is_loopback;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const ALL_ATTEMPTS_WITHIN: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;

/// How long it may take to find out the region, which an instance asks its own machine for.
const SETTINGS_WITHIN: Duration = Duration::from_secs(10);

/// The query of a reference: `region=`, `endpoint=` and `profile=`, each once or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    region: Option<String>,
    endpoint: Option<String>,
    profile: Option<String>,
}

/// Why this is no such query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidAccess {
    #[error("`{0}` is not known; known are `region`, `endpoint` and `profile`")]
    Unknown(String),
    #[error("`{0}` stands there twice")]
    Twice(&'static str),
    #[error("`{0}` has no value")]
    Empty(&'static str),
    #[error("`{0}` is no region, such as `eu-west-2`")]
    Region(String),
    #[error("`endpoint` is no URL of a host and port alone, without a user, query or fragment")]
    Endpoint,
    #[error("`endpoint` has to be https; http is for this machine's own loopback address alone")]
    Http,
}

/// Why nothing can be asked yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unready {
    #[error("no region is known: write `?region=eu-west-2`, or set AWS_REGION")]
    NoRegion,
    #[error("the endpoint in AWS_ENDPOINT_URL or the AWS profile: {0}")]
    Endpoint(InvalidAccess),
    #[error("the AWS settings could not be read in time")]
    Late,
}

impl Access {
    /// Reads what stands behind the `?` of a reference.
    pub(crate) fn parse(query: &str) -> Result<Self, InvalidAccess> {
        let mut access = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (name, place) = match &*name {
                "region" => ("region", &mut access.region),
                "endpoint" => ("endpoint", &mut access.endpoint),
                "profile" => ("profile", &mut access.profile),
                other => return Err(InvalidAccess::Unknown(other.to_owned())),
            };
            if value.is_empty() {
                return Err(InvalidAccess::Empty(name));
            }
            if place.replace(value.into_owned()).is_some() {
                return Err(InvalidAccess::Twice(name));
            }
        }
        if let Some(region) = access.region.as_ref().filter(|region| !is_region(region)) {
            return Err(InvalidAccess::Region(region.clone()));
        }
        access.endpoint.as_deref().map_or(Ok(()), check_endpoint)?;
        Ok(access)
    }

    /// The same, in that region unless the query names one.
    pub(crate) fn in_region(mut self, region: Option<&str>) -> Self {
        self.region = self.region.or_else(|| region.map(str::to_owned));
        self
    }

    /// The settings of a service, which the SDK calls `service_id`: from the query, and what that
    /// leaves open from where AWS's own tools look.
    pub(crate) async fn settings(
        &self,
        key: Option<&AwsAccessKey>,
        service_id: &str,
    ) -> Result<SdkConfig, Unready> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_WITHIN)
            .operation_attempt_timeout(ANSWER_WITHIN)
            .operation_timeout(ALL_ATTEMPTS_WITHIN)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &self.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(key) = key {
            loader = loader.credentials_provider(key.credentials());
        }
        let settings = timeout(SETTINGS_WITHIN, loader.load()).await.map_err(|_| Unready::Late)?;
        if settings.region().is_none() {
            return Err(Unready::NoRegion);
        }
        if self.endpoint.is_none() {
            check_found_endpoint(&settings, service_id).map_err(Unready::Endpoint)?;
        }
        Ok(settings)
    }
}

/// A temporary credential's session token is sent along as it is: not over plain http.
fn check_found_endpoint(settings: &SdkConfig, service_id: &str) -> Result<(), InvalidAccess> {
    let of_service = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()
        .and_then(|key| settings.service_config()?.load_config(key));
    let endpoint = of_service.as_deref().or_else(|| settings.endpoint_url());
    endpoint.map_or(Ok(()), check_endpoint)
}

fn is_region(text: &str) -> bool {
    text.len() <= 32
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_endpoint(endpoint: &str) -> Result<(), InvalidAccess> {
    let url = Url::parse(endpoint).map_err(|_| InvalidAccess::Endpoint)?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(InvalidAccess::Endpoint);
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(InvalidAccess::Http),
        _ => Err(InvalidAccess::Endpoint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_read() {
        let query = "region=eu-west-2&endpoint=http%3A%2F%2F127.0.0.1:4566&profile=int";
        let access = Access::parse(query).unwrap();
        assert_eq!(access.region.as_deref(), Some("eu-west-2"));
        assert_eq!(access.endpoint.as_deref(), Some("http://127.0.0.1:4566"));
        assert_eq!(access.profile.as_deref(), Some("int"));
        assert_eq!(Access::parse("").unwrap(), Access::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |query| Access::parse(query).unwrap_err();
        assert_eq!(error("version=1"), InvalidAccess::Unknown("version".to_owned()));
        assert_eq!(error("region=a&region=b"), InvalidAccess::Twice("region"));
        assert_eq!(error("profile="), InvalidAccess::Empty("profile"));
        assert_eq!(error("region=EU/2"), InvalidAccess::Region("EU/2".to_owned()));
    }

    #[test]
    fn an_endpoint_beyond_this_machine_is_https() {
        for right in [
            "https://vpce-1.kms.eu-west-2.vpce.amazonaws.com",
            "http://localhost:1",
            "http://127.0.0.2:1/",
            "http://[::1]:1",
        ] {
            assert_eq!(check_endpoint(right), Ok(()), "{right}");
        }
        for http in ["http://192.168.0.1", "http://localhost.example.org", "http://kms"] {
            assert_eq!(check_endpoint(http), Err(InvalidAccess::Http), "{http}");
        }
        for wrong in ["localhost:1", "https://u:p@h", "https://h/?a", "https://h/#a", "file:///a"] {
            assert_eq!(check_endpoint(wrong), Err(InvalidAccess::Endpoint), "{wrong}");
        }
    }
}
