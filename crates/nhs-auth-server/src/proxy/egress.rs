//! The proxies that a network wants to be passed through.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// Which egress proxy leads to which API. This machine itself is never looked for behind one.
#[derive(Clone)]
pub struct EgressProxies(Arc<Matcher>);

impl EgressProxies {
    /// `HTTPS_PROXY` (or `ALL_PROXY`) and `NO_PROXY`, as curl reads them.
    pub fn from_environment() -> Self {
        Self(Arc::new(Matcher::from_env()))
    }

    /// The proxy at this URL for all, but for those that `exceptions` names: hosts, domains,
    /// addresses and networks, with commas between them, as in `NO_PROXY`.
    pub fn new(url: &str, exceptions: &str) -> Self {
        Self(Arc::new(Matcher::builder().https(url).no(exceptions).build()))
    }

    /// No proxy at all.
    pub fn none() -> Self {
        Self(Arc::new(Matcher::builder().build()))
    }

    pub(super) fn of(&self, uri: &Uri) -> Option<Intercept> {
        let is_secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default();
        self.0.intercept(uri).filter(|_| is_secure && !is_this_machine(host))
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Without the proxies: there may be passwords in their URLs.
impl fmt::Debug for EgressProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressProxies").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_exceptions_are_reached_straight() {
        let proxies = EgressProxies::new(
            "http://user:pass@proxy.example.org:3128",
            "api.example.org,.inner.example.org,10.0.0.0/8",
        );
        let is_behind = |url: &str| proxies.of(&url.parse().unwrap()).is_some();
        for url in ["https://int.api.service.nhs.uk", "https://127.example.org", "https://11.0.0.1"]
        {
            assert!(is_behind(url), "{url}");
        }
        for url in [
            "https://localhost:1",
            "https://LOCALHOST",
            "https://127.0.0.1",
            "https://127.8.0.1",
            "https://[::1]:1",
            "https://api.example.org",
            "https://a.inner.example.org",
            "https://10.1.2.3",
            "http://int.api.service.nhs.uk",
        ] {
            assert!(!is_behind(url), "{url}");
        }
        assert!(!format!("{proxies:?}").contains("pass"));
        let none = EgressProxies::none();
        assert!(none.of(&"https://int.api.service.nhs.uk".parse().unwrap()).is_none());
    }
}
