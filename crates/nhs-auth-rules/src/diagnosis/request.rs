//! A request, in whatever form people have it.

use std::borrow::Cow;

use crate::json::{Kind, Object, Value};
use crate::request::FORM_CONTENT_TYPE;
use crate::{Form, Jwt};

/// What a request says, as far as it could be read.
#[derive(Default)]
pub(super) struct Request {
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    /// Inner `None`: the request is known to have none.
    #[expect(clippy::option_option, reason = "not known, and known to have none, differ")]
    pub(super) content_type: Option<Option<String>>,
    pub(super) authorization: Option<String>,
    pub(super) body: Option<String>,
    pub(super) form: Option<Form>,
    /// A JWT that was found in text that is no request.
    pub(super) lifted: Option<String>,
}

impl Request {
    /// Reads what it can. There is no text that this refuses.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim();
        let mut request = if let Ok(object) = Object::parse(text) {
            Self::from_har(&object)
        } else if is_curl(text) {
            Self::from_curl(text)
        } else if is_raw_http(text) {
            Self::from_http(text)
        } else if is_form(text) {
            Self { body: Some(text.to_owned()), ..Self::default() }
        } else {
            Self::from_source_code(text)
        };
        request.url = request.url.filter(|url| url.contains("://"));
        if let Some(body) = &request.body {
            request.form = Some(Form::parse(body.as_bytes()));
        }
        request
    }

    fn from_http(text: &str) -> Self {
        let (head, body) = match text.find("\r\n\r\n") {
            Some(at) => (&text[..at], &text[at + 4..]),
            None => text.split_once("\n\n").unwrap_or((text, "")),
        };
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split_whitespace();
        let (method, target) = (first.next(), first.next().unwrap_or_default());
        let mut request = Self {
            method: method.map(str::to_owned),
            content_type: Some(None),
            body: Some(body.trim_end_matches(['\r', '\n']).to_owned()),
            ..Self::default()
        };
        let mut host = None;
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            host = request.header(name, value).or(host);
        }
        let is_local = host.as_deref().is_some_and(|host| {
            host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]")
        });
        let scheme = if is_local { "http" } else { "https" };
        let path = target.split('?').next().unwrap_or_default();
        request.url = match host {
            _ if target.contains("://") => Some(target.to_owned()),
            Some(host) => Some(format!("{scheme}://{host}{path}")),
            None => None,
        };
        request
    }

    /// Takes a header in, and gives the host back if it is that.
    fn header(&mut self, name: &str, value: &str) -> Option<String> {
        let value = value.trim().to_owned();
        match name.trim().to_ascii_lowercase().as_str() {
            "content-type" => self.content_type = Some(Some(value)),
            "authorization" => self.authorization = Some(value),
            "host" | ":authority" => return Some(value),
            _ => {}
        }
        None
    }

    fn from_curl(text: &str) -> Self {
        let words = shell_words(text);
        let mut request = Self::default();
        let mut data = Vec::new();
        let mut is_get = false;
        let mut words = words.into_iter().skip_while(|word| word != "curl").skip(1);
        while let Some(word) = words.next() {
            let (flag, attached) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => {
                    (flag.to_owned(), Some(value.to_owned()))
                }
                _ => (word.clone(), None),
            };
            let mut value = || attached.clone().or_else(|| words.next()).unwrap_or_default();
            match flag.as_str() {
                "-X" | "--request" => request.method = Some(value()),
                "-H" | "--header" => {
                    let header = value();
                    if let Some((name, value)) = header.split_once(':') {
                        request.header(name, value);
                    }
                }
                "-d" | "--data" | "--data-raw" | "--data-ascii" | "--data-binary" => {
                    data.push(value());
                }
                "--data-urlencode" => {
                    let pair = value();
                    let (name, value) = pair.split_once('=').unwrap_or(("", &pair));
                    let escaped: String =
                        form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    data.push(format!("{name}={escaped}"));
                }
                "-F" | "--form" => {
                    request.content_type = Some(Some("multipart/form-data".to_owned()));
                    data.push(value());
                }
                "--json" => {
                    request.content_type = Some(Some("application/json".to_owned()));
                    data.push(value());
                }
                "-G" | "--get" => is_get = true,
                "--url" => request.url = Some(value()),
                "-o" | "--output" | "-u" | "--user" | "-A" | "--user-agent" | "-m"
                | "--max-time" | "-b" | "--cookie" | "--cacert" | "-x" | "--proxy" | "-w"
                | "--write-out" => {
                    value();
                }
                flag if flag.starts_with('-') => {}
                _ => request.url = request.url.or(Some(word)),
            }
        }
        if !data.is_empty() && !is_get {
            // What curl itself sends with `-d`.
            let form = || Some(Some(FORM_CONTENT_TYPE.to_owned()));
            request.content_type = request.content_type.or_else(form);
            request.method = request.method.or(Some("POST".to_owned()));
        } else {
            request.content_type = request.content_type.or(Some(None));
            request.method = request.method.or(Some("GET".to_owned()));
        }
        request.body = Some(if is_get { String::new() } else { data.join("&") });
        // Parameters in the URL are none of the form's, which is what the platform reads.
        request.url = request.url.map(|url| match url.split_once('?') {
            Some((path, _)) => path.to_owned(),
            None => url,
        });
        request
    }

    fn from_har(object: &Object) -> Self {
        let entry = har_request(object);
        let request = entry.as_ref().unwrap_or(object);
        let text = |object: &Object, name: &str| {
            object.get(name).and_then(|value| value.as_str().map(Cow::into_owned))
        };
        let mut found = Self {
            method: text(request, "method"),
            url: text(request, "url")
                .map(|url| url.split('?').next().unwrap_or_default().to_owned()),
            ..Self::default()
        };
        if let Some(headers) = request.get("headers").and_then(|headers| headers.elements()) {
            found.content_type = Some(None);
            for header in headers.iter().filter_map(Value::as_object) {
                if let (Some(name), Some(value)) = (text(&header, "name"), text(&header, "value")) {
                    found.header(&name, &value);
                }
            }
        }
        if let Some(data) = request.get("postData").and_then(|data| data.as_object()) {
            if found.content_type.as_ref().is_none_or(Option::is_none) {
                found.content_type = text(&data, "mimeType").map(Some);
            }
            found.body = text(&data, "text");
        }
        // A JSON body: the parameters as members.
        if entry.is_none() && object.get("grant_type").is_some() {
            found.body = Some(String::new());
            found.content_type = Some(Some("application/json".to_owned()));
        }
        found
    }

    fn from_source_code(text: &str) -> Self {
        Self { lifted: find_jwt(text), url: find_token_url(text), ..Self::default() }
    }

    /// The parameter, as it was sent.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.form.as_ref()?.get(name)
    }
}

fn har_request(object: &Object) -> Option<Object> {
    let is_request =
        |candidate: &Object| candidate.get("method").is_some() && candidate.get("url").is_some();
    if is_request(object) {
        return None;
    }
    if let Some(request) = object.get("request").and_then(|request| request.as_object()) {
        return Some(request);
    }
    let log = object.get("log")?.as_object()?;
    let entries = log.get("entries")?.elements()?;
    let requests: Vec<_> =
        entries.iter().filter_map(|entry| entry.as_object()?.get("request")?.as_object()).collect();
    let asks_for_a_token =
        |request: &&Object| request.get("url").is_some_and(|url| url.text().contains("/token"));
    requests.iter().find(asks_for_a_token).or(requests.first()).cloned()
}

/// The words of a POSIX shell's command line, quotes and line continuations undone.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('\n') | None => {}
                Some('\r') => {
                    characters.next_if_eq(&'\n');
                }
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            '\'' | '"' => {
                let quoted = word.get_or_insert_default();
                while let Some(inside) = characters.next() {
                    match inside {
                        end if end == c => break,
                        '\\' if c == '"' => quoted.extend(characters.next()),
                        inside => quoted.push(inside),
                    }
                }
            }
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

pub(super) fn is_curl(text: &str) -> bool {
    let text = text.trim_start_matches(['$', ' ']);
    text.starts_with("curl ") || text.starts_with("curl\t") || text.contains("\ncurl ")
}

pub(super) fn is_raw_http(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default();
    let has_target =
        words.next().is_some_and(|target| target.starts_with('/') || target.contains("://"));
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].contains(&method) && has_target
}

pub(super) fn is_form(text: &str) -> bool {
    const KNOWN: [&str; 6] =
        ["grant_type", "client_assertion", "client_id", "subject_token", "scope", "code"];
    !text.contains(['\n', '{'])
        && text.split('&').any(|pair| {
            pair.split_once('=')
                .is_some_and(|(name, _)| KNOWN.iter().any(|known| name.contains(known)))
        })
}

/// A JWT somewhere in a text: the first that decodes, else the first that looks like one.
fn find_jwt(text: &str) -> Option<String> {
    let is_inside =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '/');
    let runs = || text.split(|c| !is_inside(c)).filter(|run| run.starts_with("eyJ")).take(32);
    runs()
        .find(|run| Jwt::decode(run).is_well_formed())
        .or_else(|| runs().find(|run| run.matches('.').count() == 2))
        .map(str::to_owned)
}

fn find_token_url(text: &str) -> Option<String> {
    let is_inside = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | ',' | ';')
    };
    text.match_indices("http")
        .take(64)
        .map(|(at, _)| {
            let rest = &text[at..];
            &rest[..rest.find(|c| !is_inside(c)).unwrap_or(rest.len())]
        })
        .find(|url| url.ends_with("/token") || url.ends_with("/access_token"))
        .map(str::to_owned)
}

/// The key set in an echo URL of the platform, if it is one.
pub(super) fn key_set_in_url(url: &str) -> Option<String> {
    let (_, encoded) = url.split_once("/mock-jwks/")?;
    let encoded = encoded.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let plain = encoded
        .replace("%2B", "-")
        .replace("%2F", "_")
        .replace("%3D", "=")
        .replace("%2b", "-")
        .replace("%2f", "_")
        .replace("%3d", "=");
    let bytes = super::modulus::lenient_bytes(&plain)?;
    let document = String::from_utf8(bytes).ok()?;
    let is_json = document.trim_start().starts_with(['{', '[']);
    is_json.then_some(document)
}

/// What kind of JSON value a text is, if it is JSON.
pub(super) fn json_kind(text: &str) -> Option<Kind> {
    Value::parse(text.trim_start_matches('\u{feff}').trim()).ok().map(|value| value.kind())
}
