//! Where a route leads.

use std::fmt;

use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use nhs_auth::{DestinationError, Destinations};

use super::connections::Place;

/// An API's place: scheme, host, port, and the path that its own paths begin with.
#[derive(Clone, Debug)]
pub struct Upstream {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end: empty for the root.
    path: String,
    place: Place,
}

/// Why requests can't be sent there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUpstream {
    /// A credential may not go there.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// It has a query or a fragment, to which nothing can be added.
    #[error("the upstream `{url}` has a query or a fragment, and paths are added to its end")]
    Query {
        /// The URL, without them.
        url: String,
    },
}

impl InvalidUpstream {
    /// What to do next.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Destination(error) => error.hints(),
            Self::Query { url } => vec![format!("use `{url}`")],
        }
    }
}

impl Upstream {
    /// Reads a URL such as `https://int.api.service.nhs.uk` or
    /// `https://api.service.nhs.uk/personal-demographics/FHIR/R4`.
    ///
    /// # Errors
    ///
    /// [`InvalidUpstream`] when it is no URL, plain http to another machine, or not one of the
    /// `allowed` destinations.
    pub fn parse(url: &str, allowed: &Destinations) -> Result<Self, InvalidUpstream> {
        allowed.check(url)?;
        if let Some((front, _)) = url.split_once(['?', '#']) {
            return Err(InvalidUpstream::Query { url: front.to_owned() });
        }
        let not_a_url = |reason: String| {
            InvalidUpstream::Destination(DestinationError::NotAUrl { url: url.to_owned(), reason })
        };
        let uri: Uri = url.parse().map_err(|error: InvalidUri| not_a_url(error.to_string()))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(not_a_url("it has no scheme or no host".to_owned()));
        };
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        let path = path.trim_end_matches('/').to_owned();
        let place = place(&scheme, &authority);
        Ok(Self { scheme, authority, path, place })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The same place with `rest` behind its path, byte for byte: it is what remains of a request's
    /// path and query, and begins with `/` or `?`, or is empty.
    pub(super) fn with(&self, whole: &PathAndQuery, prefix: usize) -> Option<Uri> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(if prefix == 0 && self.path.is_empty() {
            whole.clone()
        } else {
            let rest = whole.as_str().get(prefix..)?;
            let slash = if self.path.is_empty() && !rest.starts_with('/') { "/" } else { "" };
            format!("{}{slash}{rest}", self.path).parse().ok()?
        });
        Uri::from_parts(parts).ok()
    }
}

/// The `Host` of a place has no port that goes without saying.
fn place(scheme: &Scheme, authority: &Authority) -> Place {
    let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let host = match authority.port_u16() {
        Some(port) if port != usual => authority.as_str(),
        _ => authority.host(),
    };
    Place {
        name: format!("{scheme}://{authority}").into(),
        host: HeaderValue::from_str(host).expect("an authority is ASCII"),
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(upstream: &str, prefix: &str, target: &str) -> String {
        let upstream = Upstream::parse(upstream, &Destinations::nhs_only()).unwrap();
        upstream.with(&target.parse().unwrap(), prefix.len()).unwrap().to_string()
    }

    #[test]
    fn paths_are_added_byte_for_byte() {
        let host = "https://int.api.service.nhs.uk";
        for target in ["/", "/a%2Fb//c/../d?x=%20+&&y", "/?", "/a;b=c/%zz", "/é"] {
            assert_eq!(sent(host, "", target), format!("{host}{target}"));
            assert_eq!(sent(&format!("{host}/"), "", target), format!("{host}{target}"));
        }
        let pds = "https://int.api.service.nhs.uk/personal-demographics/FHIR/R4";
        assert_eq!(sent(pds, "/pds", "/pds/Patient?a=b"), format!("{pds}/Patient?a=b"));
        assert_eq!(sent(pds, "/pds", "/pds"), pds);
        assert_eq!(sent(pds, "/pds", "/pds?a"), format!("{pds}?a"));
        assert_eq!(sent(pds, "/pds", "/pds/"), format!("{pds}/"));
        assert_eq!(sent(host, "/x", "/x?a"), format!("{host}/?a"));
    }

    #[test]
    fn what_is_no_upstream_is_refused() {
        let allowed = Destinations::nhs_only();
        for url in
            ["", "int.api.service.nhs.uk", "http://int.api.service.nhs.uk", "https://example.org"]
        {
            assert!(matches!(Upstream::parse(url, &allowed), Err(InvalidUpstream::Destination(_))));
        }
        let with_query = Upstream::parse("https://api.service.nhs.uk/a?b", &allowed).unwrap_err();
        assert_eq!(with_query.hints(), ["use `https://api.service.nhs.uk/a`"]);
    }
}
