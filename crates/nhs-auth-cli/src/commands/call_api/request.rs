//! From flags to a request.

use std::fs::File;
use std::io::{self, Read as _};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use nhs_auth::{APIKEY, Environment};

use crate::arguments::{Auth, CallApi};
use crate::failure::Failure;
use crate::headers::{self, PRODUCT_ID};

const NHS_NUMBER: HeaderName = HeaderName::from_static("nhs-login-nhs-number");

/// The URL to call.
pub(super) struct Target(Uri);

impl Target {
    /// The URL as it will be called.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    /// The environment whose host it is.
    pub(super) fn environment(&self) -> Option<Environment> {
        Environment::of_host(self.0.host()?)
    }
}

pub(super) fn url(arguments: &CallApi) -> Result<Target, Failure> {
    let Some(url) = &arguments.url else {
        return Err(Failure::usage("there is no URL to call").hint(
            "give a whole one with --url, such as \
             https://sandbox.api.service.nhs.uk/hello-world/hello/application",
        ));
    };
    let bad = |reason: String| {
        Failure::usage(format!("`{}` is not a URL that can be called: {reason}", shown(url))).hint(
            "give a whole URL, such as \
             https://sandbox.api.service.nhs.uk/hello-world/hello/application",
        )
    };
    // A fragment is for the reader, and is never sent (RFC 9110 §7.1).
    let without_fragment = url.split_once('#').map_or(url.as_str(), |(url, _)| url);
    let uri: Uri = without_fragment.parse().map_err(|error| bad(format!("{error}")))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => {}
        Some("http" | "https") => return Err(bad("it has no host".to_owned())),
        Some(other) => return Err(bad(format!("its scheme is `{other}`"))),
        None => return Err(bad("it has no scheme; https is what you want".to_owned())),
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(bad("it has a user name or a password in it".to_owned()));
    }
    Ok(Target(uri))
}

/// A URL fit for a message: without a password, and without control characters.
fn shown(url: &str) -> String {
    let url: String = url.chars().filter(|c| !c.is_control()).take(200).collect();
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}…{}", &url[..scheme + 3], &url[at..])
        }
        _ => url,
    }
}

pub(super) fn build(url: &Target, arguments: &CallApi) -> Result<Request<Bytes>, Failure> {
    let headers = all_headers(arguments)?;
    let body = body(arguments)?;
    let method = method(arguments, body.is_some())?;
    let mut request = Request::new(body.unwrap_or_default());
    *request.method_mut() = method;
    *request.uri_mut() = url.0.clone();
    *request.headers_mut() = headers;
    Ok(request)
}

fn method(arguments: &CallApi, has_body: bool) -> Result<Method, Failure> {
    match &arguments.method {
        None if has_body => Ok(Method::POST),
        None => Ok(Method::GET),
        Some(name) => match Method::from_bytes(name.to_ascii_uppercase().as_bytes()) {
            Ok(Method::CONNECT) | Err(_) => {
                Err(Failure::usage(format!("{name:?} is not an HTTP method that can be sent"))
                    .hint("use GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS"))
            }
            Ok(method) => Ok(method),
        },
    }
}

fn all_headers(arguments: &CallApi) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    if arguments.json.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(number) = &arguments.nhs_number {
        headers.insert(NHS_NUMBER, headers::value("--nhs-number", number)?);
    }
    if let Some(id) = &arguments.product_id {
        headers.insert(PRODUCT_ID, headers::value("--product-id", id)?);
    }
    let mut own = HeaderMap::new();
    for line in &arguments.header {
        let (name, value) = headers::line(line)?;
        refuse_what_is_not_the_callers(&name, arguments.auth)?;
        own.append(name, value);
    }
    // What the caller writes out replaces what other flags imply; `extend` would only add.
    for name in own.keys() {
        headers.remove(name);
    }
    headers.extend(own);
    Ok(headers)
}

/// The credential is this command's to send, and the body's frame the HTTP library's.
fn refuse_what_is_not_the_callers(name: &HeaderName, auth: Auth) -> Result<(), Failure> {
    let taken = match auth {
        Auth::SignedJwt => AUTHORIZATION,
        Auth::ApiKey => APIKEY,
        Auth::None => CONTENT_LENGTH,
    };
    if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
        return Err(Failure::usage(format!(
            "the header `{name}` follows from the body, and can't be given"
        )));
    }
    if *name == taken {
        return Err(Failure::usage(format!("the header `{name}` is sent by this command itself"))
            .hint("to send one of your own, use --auth none"));
    }
    Ok(())
}

fn body(arguments: &CallApi) -> Result<Option<Bytes>, Failure> {
    match (&arguments.data, &arguments.json) {
        (Some(data), _) => content("--data", data).map(Some),
        (None, Some(json)) => {
            let bytes = content("--json", json)?;
            serde_json::from_slice::<serde_json::Value>(&bytes).map_err(|error| {
                Failure::usage(format!("the value of --json is not JSON: {error}"))
                    .hint("to send it all the same, use --data with a Content-Type header")
            })?;
            Ok(Some(bytes))
        }
        (None, None) => Ok(None),
    }
}

/// A text, `@FILE`, or `@-` for standard input.
fn content(flag: &str, value: &str) -> Result<Bytes, Failure> {
    let Some(path) = value.strip_prefix('@') else {
        return Ok(Bytes::copy_from_slice(value.as_bytes()));
    };
    let mut bytes = Vec::new();
    let read = match path {
        "-" => io::stdin().lock().read_to_end(&mut bytes),
        path => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::usage(format!("can't read {flag} from `{path}`: {error}")))?;
    Ok(bytes.into())
}
