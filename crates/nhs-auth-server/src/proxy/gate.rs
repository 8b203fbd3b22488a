//! Who is let in, and what is no request that could be passed on.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use http::header::{CONTENT_LENGTH, HOST, ORIGIN, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use secrecy::ExposeSecret as _;
use secrecy::SecretString;

use super::problem::Problem;

/// The header in which callers show that they may use the proxy.
pub(super) const CALLER_SECRET: HeaderName = HeaderName::from_static("nhs-auth-secret");

/// What browsers say of who made them send a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The most headers that a request may have.
const MOST_HEADERS: usize = 96;

/// Who is let in.
#[derive(Clone, Default)]
pub(super) struct Gate {
    /// Names, beside `localhost` and addresses, that requests may be addressed to.
    pub(super) names: Vec<String>,
    /// Whether the name that a request is addressed to says anything: on a socket of the file
    /// system it doesn't.
    pub(super) any_name: bool,
    pub(super) secret: Option<CallerSecret>,
}

/// What callers have to know. Its hash is kept, so that comparing takes the same time for all.
#[derive(Clone)]
pub(super) struct CallerSecret([u8; 32]);

impl CallerSecret {
    pub(super) fn new(secret: &SecretString) -> Self {
        Self::of(secret.expose_secret().as_bytes())
    }

    fn of(bytes: &[u8]) -> Self {
        let hash = digest(&SHA256, bytes);
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    fn is(&self, shown: &[u8]) -> bool {
        verify_slices_are_equal(&self.0, &Self::of(shown).0).is_ok()
    }
}

impl fmt::Debug for CallerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerSecret(…)")
    }
}

impl Gate {
    /// Whether a request is let in.
    pub(super) fn admit<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let headers = request.headers();
        is_well_formed(request)?;
        if !self.any_name {
            self.check_name(request)?;
        }
        if is_of_a_foreign_page(request) {
            let detail = "a browser sent this for a page of another site";
            return Err(forbidden("foreign-page", detail));
        }
        match &self.secret {
            Some(secret) => secret_is_shown(secret, headers),
            None => Ok(()),
        }
    }

    /// A page whose name leads to this machine (DNS rebinding) is kept out.
    fn check_name<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let authority = match request.uri().authority() {
            Some(authority) => authority.as_str(),
            None => match request.headers().get(HOST) {
                Some(host) => host.to_str().unwrap_or_default(),
                None => return Ok(()), // HTTP/1.0, which no browser speaks
            },
        };
        let host = host_of(authority);
        let is_address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        let is_named = |name: &String| name.eq_ignore_ascii_case(host);
        if is_address || host.eq_ignore_ascii_case("localhost") || self.names.iter().any(is_named) {
            return Ok(());
        }
        let problem = Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong-host",
            "the request is for another server",
            format!("this proxy is not `{}`", shown(host)),
        );
        Err(problem.hint(
            "call it by its address or as `localhost`; `--server-name` lets it have another name",
        ))
    }
}

/// By what browsers say of it. Those that say nothing of the site (older ones, or to an address that
/// isn't loopback) still say where a page is from when it writes.
fn is_of_a_foreign_page<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    match (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => matches!(site.as_bytes(), b"cross-site" | b"same-site"),
        (None, Some(origin)) => {
            let host = headers.get(HOST).map(HeaderValue::as_bytes);
            let host = host.or_else(|| Some(request.uri().authority()?.as_str().as_bytes()));
            let origin = origin.as_bytes();
            let origin = origin.strip_prefix(b"http://").or(origin.strip_prefix(b"https://"));
            origin.is_none() || origin != host
        }
        (None, None) => false,
    }
}

fn secret_is_shown(secret: &CallerSecret, headers: &HeaderMap) -> Result<(), Problem> {
    let mut shown = headers.get_all(CALLER_SECRET).iter();
    match (shown.next(), shown.next()) {
        (Some(value), None) if secret.is(value.as_bytes()) => Ok(()),
        (None, _) => Err(forbidden("no-secret", "the header `NHS-Auth-Secret` is missing")),
        _ => Err(forbidden("wrong-secret", "the header `NHS-Auth-Secret` has another value")),
    }
}

/// What two servers could read as two different things is not passed on (RFC 9112 §11.2).
fn is_well_formed<B>(request: &Request<B>) -> Result<(), Problem> {
    let (method, headers) = (request.method(), request.headers());
    let malformed = |detail: &str| {
        let (status, title) = (StatusCode::BAD_REQUEST, "the request can't be passed on");
        Problem::new(status, "malformed", title, detail).proxy_error("http_request_error").closing()
    };
    if method == Method::CONNECT {
        return Err(no_method(
            method,
            "a tunnel can't have a header put in it: this is a reverse proxy",
        )
        .hint("send the request itself, as in `curl http://127.0.0.1:8081/path`")
        .closing());
    }
    if method == Method::TRACE {
        return Err(no_method(method, "what it repeats would have the token in it"));
    }
    if headers.len() > MOST_HEADERS {
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "too-many-headers",
            "the request can't be passed on",
            format!("it has more than {MOST_HEADERS} headers"),
        )
        .proxy_error("http_request_error"));
    }
    let is_http1 = request.version() < Version::HTTP_2;
    if is_http1 && headers.contains_key(TRANSFER_ENCODING) {
        if headers.contains_key(CONTENT_LENGTH) {
            return Err(malformed("it has both `Content-Length` and `Transfer-Encoding`"));
        }
        if request.version() < Version::HTTP_11 {
            return Err(malformed("HTTP/1.0 has no `Transfer-Encoding`"));
        }
        let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
        let is_chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !codings.next().is_some_and(is_chunked) || codings.next().is_some() {
            return Err(malformed("its `Transfer-Encoding` is not `chunked` alone"));
        }
    }
    let mut hosts = headers.get_all(HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() || (first.is_none() && request.version() == Version::HTTP_11) {
        return Err(malformed("it needs one `Host`"));
    }
    if let (Some(host), Some(authority)) = (first, request.uri().authority())
        && !is_http1
        && host.as_bytes() != authority.as_str().as_bytes()
    {
        return Err(malformed("its `Host` is not its `:authority`"));
    }
    Ok(())
}

fn no_method(method: &Method, detail: &str) -> Problem {
    let title = "this method is not passed on";
    Problem::new(StatusCode::NOT_IMPLEMENTED, "method", title, format!("{method}: {detail}"))
}

fn forbidden(kind: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, kind, "the caller is not let in", detail)
}

/// The host of `host:port`.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((front, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => front,
        _ => authority,
    }
}

/// As much of a name as is fit to be shown.
fn shown(host: &str) -> String {
    host.chars().filter(char::is_ascii_graphic).take(80).collect()
}

/// Whether a request's target is a path: neither `*` nor anything else.
pub(super) fn has_path(uri: &Uri) -> bool {
    uri.path().starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(gate: &Gate, lines: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().uri("/a");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let admitted = gate.admit(&request.body(()).unwrap());
        admitted.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_names_of_its_own() {
        let gate = Gate { names: vec!["sidecar".into()], ..Gate::default() };
        for host in
            ["127.0.0.1:8081", "localhost", "LOCALHOST:1", "[::1]:8081", "10.0.0.3", "sidecar:80"]
        {
            assert_eq!(admitted(&gate, &[("host", host)]), 200, "{host}");
        }
        for host in [
            "example.org",
            "localhost.example.org:8081",
            "",
            "sidecar.example.org",
            "a b",
            "a@localhost",
        ] {
            assert_eq!(admitted(&gate, &[("host", host)]), 421, "{host}");
        }
        let any = Gate { any_name: true, ..Gate::default() };
        assert_eq!(admitted(&any, &[("host", "example.org")]), 200);
    }

    #[test]
    fn only_who_knows_the_secret() {
        let secret = Some(CallerSecret::new(&"hush".into()));
        let gate = Gate { secret, ..Gate::default() };
        let host = ("host", "localhost");
        assert_eq!(admitted(&gate, &[host, ("nhs-auth-secret", "hush")]), 200);
        assert_eq!(admitted(&gate, &[host]), 403);
        for wrong in ["hus", "hush ", "Hush", ""] {
            assert_eq!(admitted(&gate, &[host, ("nhs-auth-secret", wrong)]), 403, "{wrong}");
        }
        let twice = [host, ("nhs-auth-secret", "x"), ("nhs-auth-secret", "hush")];
        assert_eq!(admitted(&gate, &twice), 403);
    }

    #[test]
    fn nothing_that_can_be_read_in_two_ways() {
        let gate = Gate::default();
        let host = ("host", "localhost");
        let chunked = ("transfer-encoding", "chunked");
        assert_eq!(admitted(&gate, &[host, chunked]), 200);
        assert_eq!(admitted(&gate, &[host, chunked, ("content-length", "3")]), 400);
        assert_eq!(admitted(&gate, &[host, chunked, chunked]), 400);
        assert_eq!(admitted(&gate, &[host, ("transfer-encoding", "gzip, chunked")]), 400);
        assert_eq!(admitted(&gate, &[host, host]), 400);
        assert_eq!(admitted(&gate, &[]), 400);
    }

    #[test]
    fn no_page_of_another_site() {
        let gate = Gate::default();
        let from = |site| admitted(&gate, &[("host", "localhost"), ("sec-fetch-site", site)]);
        assert_eq!((from("cross-site"), from("same-site")), (403, 403));
        assert_eq!((from("same-origin"), from("none")), (200, 200));
        let of = |origin| admitted(&gate, &[("host", "localhost:1"), ("origin", origin)]);
        assert_eq!(of("http://localhost:1"), 200);
        for foreign in ["http://example.org", "http://localhost", "null", "", "http://localhost:1x"]
        {
            assert_eq!(of(foreign), 403, "{foreign}");
        }
    }
}
