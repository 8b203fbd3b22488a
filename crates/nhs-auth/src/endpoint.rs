//! Where tokens come from: an environment of the platform, or a server that stands in for it.

use std::fmt;

use nhs_auth_rules::Environment;
use nhs_auth_rules::environment::OAUTH2;
use url::{Host, Url};

/// A token endpoint. Its URL is what is posted to and, to the letter, what `aud` says (rule A21).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenEndpoint {
    url: String,
}

impl TokenEndpoint {
    /// The usual token endpoint of an environment.
    pub fn of(environment: Environment) -> Self {
        Self { url: environment.token_url() }
    }

    /// The token endpoint under another base path of the environment, such as `/oauth2-mock`.
    ///
    /// # Errors
    ///
    /// [`EndpointError::UnknownBasePath`] when the environment has no such base path.
    pub fn under(environment: Environment, base_path: &str) -> Result<Self, EndpointError> {
        let path = with_slash(base_path);
        if environment.base_paths.iter().any(|base| base.path == path) {
            return Ok(Self { url: format!("{}{path}/token", environment.origin) });
        }
        let known = environment.base_paths.iter().map(|base| base.path).collect::<Vec<_>>();
        Err(EndpointError::UnknownBasePath {
            environment: environment.name,
            base_path: path,
            known: known.join(", "),
        })
    }

    /// A token endpoint at another origin, which may have a path of its own. `base_path` is the
    /// OAuth server's path below it; `None` is the usual `/oauth2`.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when it is no URL that a token could be asked from: https, or http on
    /// loopback alone.
    pub fn at(base_url: &str, base_path: Option<&str>) -> Result<Self, EndpointError> {
        let base = parse_base_url(base_url)?;
        let base_path = base_path.map_or_else(|| OAUTH2.to_owned(), with_slash);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_~".contains(c);
        if base_path == "/" || base_path.contains("//") || !base_path.chars().all(is_plain) {
            return Err(EndpointError::NotABasePath { base_path });
        }
        Ok(Self { url: format!("{base}{base_path}/token") })
    }

    /// The token endpoint's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.url).is_ok_and(|url| is_loopback(&url))
    }
}

impl fmt::Display for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Why something can't be a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Plain HTTP to another machine.
    #[error("`{url}` is plain http to another machine, and tokens travel there")]
    Insecure {
        /// The URL as given.
        url: String,
    },
    /// No URL, or one that can't have a path below it.
    #[error("`{url}` is not a base URL: {reason}")]
    NotABaseUrl {
        /// The URL as given, without a password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A base path that would make a URL mean something else.
    #[error("`{base_path}` is not a path such as `/oauth2`")]
    NotABasePath {
        /// The path.
        base_path: String,
    },
    /// The environment has no such base path.
    #[error("{environment} has no OAuth server at `{base_path}`; there is {known}")]
    UnknownBasePath {
        /// The environment.
        environment: &'static str,
        /// What was asked for.
        base_path: String,
        /// What there is.
        known: String,
    },
}

impl EndpointError {
    /// What to do next.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Insecure { .. } => {
                vec!["use https, or http with 127.0.0.1, [::1] or localhost".to_owned()]
            }
            Self::NotABaseUrl { .. } => vec![
                "a base URL is an origin, perhaps with a path, such as `https://int.api.service.nhs.uk` \
                 or `http://127.0.0.1:9000`"
                    .to_owned(),
            ],
            Self::NotABasePath { .. } | Self::UnknownBasePath { .. } => Vec::new(),
        }
    }
}

/// Whether a URL's host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The base in its normal form, less a slash at its end: it is what is called, and what `aud` says.
pub(crate) fn parse_base_url(base_url: &str) -> Result<String, EndpointError> {
    let not_a_base = |reason: &str| EndpointError::NotABaseUrl {
        url: without_password(base_url),
        reason: reason.to_owned(),
    };
    let url = Url::parse(base_url).map_err(|error| not_a_base(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(not_a_base("it has a user name or a password in it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(not_a_base("it has a query or a fragment"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(EndpointError::Insecure { url: base_url.to_owned() });
        }
        other => return Err(not_a_base(&format!("its scheme is `{other}`"))),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}…{}", &url[..scheme + 3], &url[at..])
        }
        _ => url.to_owned(),
    }
}

fn with_slash(path: &str) -> String {
    format!("/{}", path.trim_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_may_have_a_path_and_a_slash() {
        for (base, token_url) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/oauth2/token"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/oauth2/token"),
            ("http://localhost/box/", "http://localhost/box/oauth2/token"),
            ("https://example.org/a", "https://example.org/a/oauth2/token"),
            ("http://[::1]:9000", "http://[::1]:9000/oauth2/token"),
        ] {
            assert_eq!(TokenEndpoint::at(base, None).unwrap().url(), token_url);
        }
        let mock = TokenEndpoint::at("http://127.0.0.1:9000", Some("oauth2-mock/")).unwrap();
        assert_eq!(mock.url(), "http://127.0.0.1:9000/oauth2-mock/token");
    }

    #[test]
    fn what_no_token_is_asked_from() {
        assert!(matches!(
            TokenEndpoint::at("http://example.org", None),
            Err(EndpointError::Insecure { .. })
        ));
        for base in ["", "example.org", "ftp://127.0.0.1", "https://a?b", "https://a#b", "https://"]
        {
            assert!(
                matches!(TokenEndpoint::at(base, None), Err(EndpointError::NotABaseUrl { .. })),
                "{base}"
            );
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = TokenEndpoint::at("https://user:hush@example.org", None).unwrap_err();
        assert!(!error.to_string().contains("hush"), "{error}");
    }

    #[test]
    fn base_paths_are_those_that_the_environment_has() {
        let mock = TokenEndpoint::under(Environment::INT, "oauth2-mock").unwrap();
        assert_eq!(mock.url(), "https://int.api.service.nhs.uk/oauth2-mock/token");
        let error = TokenEndpoint::under(Environment::PROD, "/oauth2-mock").unwrap_err();
        assert_eq!(
            error.to_string(),
            "prod has no OAuth server at `/oauth2-mock`; there is /oauth2"
        );
    }
}
