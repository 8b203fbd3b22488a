//! The URL of a hosted key set, judged without fetching it (row 18).

use super::finding::rule;
use super::source::Sources;
use super::{Diagnosed, RootCause};

pub(super) fn finding(url: &str, sources: &mut Sources) -> Option<Diagnosed> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    let message = if scheme.is_empty() {
        "the key set's URL has no `https://`"
    } else if scheme != "https" {
        "the key set's URL is not https"
    } else if host.is_empty() {
        "the key set's URL has no host"
    } else if path.is_empty() {
        "the key set's URL has no path: `https://host` alone can't be fetched"
    } else if is_private(&host) {
        "the key set's URL is not on the public internet"
    } else if path.starts_with("/mock-jwks/") {
        "the key set in the URL can't be decoded"
    } else if (host == "github.com" && path.contains("/blob/")) || host == "gist.github.com" {
        "the key set's URL is that of a web page around the file, and not the file's"
    } else {
        return None;
    };
    let (source, span) = sources.plain("jwks url", url);
    Some(
        Diagnosed::error(RootCause::JwksUnreachable, message)
            .rule(rule("A18"))
            .label(source, span, "the platform fetches this")
            .why(
                "the platform fetches the key set itself, over the public internet, with a GET and \
                 no credential, and TLS by its own trust store",
            )
            .fix(
                "publish the key set at a public https URL with a path, or upload it to the portal",
            ),
    )
}

fn is_private(host: &str) -> bool {
    let octets: Vec<u8> = host.split('.').filter_map(|part| part.parse().ok()).collect();
    let is_private_address = octets.len() == 4
        && host.split('.').count() == 4
        && matches!(
            (octets[0], octets[1]),
            (10 | 127 | 0, _) | (192, 168) | (172, 16..=31) | (169, 254)
        );
    is_private_address
        || host == "localhost"
        || host.starts_with('[')
        || !host.contains('.')
        || [".local", ".internal", ".localhost", ".lan", ".corp", ".test", ".nhsd-esa.net"]
            .iter()
            .any(|suffix| host.ends_with(suffix))
}
