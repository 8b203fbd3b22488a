//! `/_mock/apps`.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Refusal;
use super::members::{Given, Members};
use crate::answer::Reply;
use crate::app::{App, KeySource, NewApp};
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;

/// An application with all that is known of it.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    application_id: &'a str,
    api_key: &'a str,
    client_secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
    approved: bool,
    company_active: bool,
    developer_active: bool,
    scopes: Option<&'a [String]>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    products: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<u32>,
}

#[derive(Serialize)]
struct All<'a> {
    apps: Vec<Shown<'a>>,
}

/// What the maker of an application is told.
#[derive(Serialize)]
struct Made<'a> {
    application_id: &'a str,
    api_key: &'a str,
    client_secret: &'a str,
}

pub(super) fn collection(state: &State, call: &Call) -> Result<Reply, Refusal> {
    match call.method {
        Method::GET => {
            let apps = state.apps.all();
            let apps = apps.iter().map(|app| Shown::new(app)).collect();
            Ok(Reply::json(StatusCode::OK, &All { apps }))
        }
        Method::POST => {
            let app = create(state, &call.body)?;
            Ok(Reply::json(StatusCode::CREATED, &Made::new(&app)))
        }
        _ => Err(Refusal::method("GET, POST")),
    }
}

pub(super) fn item(state: &State, call: &Call, id: &str) -> Result<Reply, Refusal> {
    let unknown = || Refusal::not_found(format!("there is no app `{id}`"));
    match call.method {
        Method::GET => {
            let app = state.apps.by_id(id).ok_or_else(unknown)?;
            Ok(Reply::json(StatusCode::OK, &Shown::new(&app)))
        }
        Method::PATCH => {
            let app = change(state, id, &call.body)?.ok_or_else(unknown)?;
            Ok(Reply::json(StatusCode::OK, &Shown::new(&app)))
        }
        Method::DELETE if state.apps.remove(id) => Ok(Reply::no_content()),
        Method::DELETE => Err(unknown()),
        _ => Err(Refusal::method("GET, PATCH, DELETE")),
    }
}

/// Registers an application by what is said of it, in JSON.
pub(crate) fn create(state: &State, body: &[u8]) -> Result<App, Refusal> {
    let change = Change::parse(body)?;
    if state.apps.is_full() {
        return Err(Refusal::too_many("apps", "10,000"));
    }
    let mut app = NewApp::new("unnamed");
    if change.products.is_some() {
        // What it is subscribed to is said: nothing comes on top by itself.
        app.scopes = Some(Vec::new());
    }
    change.apply(&mut app);
    Ok(state.apps.add(app))
}

/// Changes an application by what is said of it, in JSON. `None` when there is none of that ID.
pub(crate) fn change(
    state: &State,
    id: &str,
    body: &[u8],
) -> Result<Option<Arc<Registered>>, Refusal> {
    if state.apps.by_id(id).is_none() {
        return Ok(None);
    }
    let change = Change::parse(body)?;
    Ok(state.apps.change(id, |app| change.apply(app)))
}

/// What is said of an application, new or not.
struct Change {
    name: Option<String>,
    /// The document of the upload.
    jwks: Given<String>,
    jwks_url: Given<String>,
    scopes: Given<Vec<String>>,
    products: Option<Vec<String>>,
    callback_url: Given<String>,
    approved: Option<bool>,
    company_active: Option<bool>,
    developer_active: Option<bool>,
    rate_limit: Given<u32>,
}

impl Change {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        const STRING_OR_NULL: &str = "a string or null";
        const BOOLEAN: &str = "true or false";
        let mut members = Members::parse(body)?;
        let change = Self {
            name: members.optional("name", "a string")?,
            jwks: match members.raw("jwks") {
                Given::Absent => Given::Absent,
                Given::Null => Given::Null,
                Given::Value(raw) => Given::Value(document(&raw)),
            },
            jwks_url: members.nullable("jwks_url", STRING_OR_NULL)?,
            scopes: members.nullable("scopes", "a list of strings, or null")?,
            products: members.optional("products", "a list of strings")?,
            callback_url: members.nullable("callback_url", STRING_OR_NULL)?,
            approved: members.optional("approved", BOOLEAN)?,
            company_active: members.optional("company_active", BOOLEAN)?,
            developer_active: members.optional("developer_active", BOOLEAN)?,
            rate_limit: members.nullable("rate_limit", "a whole number, or null")?,
        };
        members.finish()?;
        if matches!((&change.jwks, &change.jwks_url), (Given::Value(_), Given::Value(_))) {
            return Err(Refusal::bad_request(
                "an app has one key set: give `jwks` or `jwks_url`, and not both",
            ));
        }
        Ok(change)
    }

    fn apply(self, app: &mut NewApp) {
        set(&mut app.name, self.name);
        set(&mut app.approved, self.approved);
        set(&mut app.company_active, self.company_active);
        set(&mut app.developer_active, self.developer_active);
        set(&mut app.products, self.products);
        set_nullable(&mut app.scopes, self.scopes);
        set_nullable(&mut app.callback_url, self.callback_url);
        set_nullable(&mut app.rate_limit, self.rate_limit);
        match (self.jwks, self.jwks_url) {
            (Given::Value(document), _) => app.keys = KeySource::Uploaded(document),
            (_, Given::Value(url)) => app.keys = KeySource::Url(url),
            (jwks, url) => {
                let is_gone = match app.keys {
                    KeySource::Nowhere => false,
                    KeySource::Uploaded(_) => matches!(jwks, Given::Null),
                    KeySource::Url(_) => matches!(url, Given::Null),
                };
                if is_gone {
                    app.keys = KeySource::Nowhere;
                }
            }
        }
    }
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

fn set_nullable<T>(value: &mut Option<T>, given: Given<T>) {
    match given {
        Given::Absent => {}
        Given::Null => *value = None,
        Given::Value(given) => *value = Some(given),
    }
}

/// The uploaded document: a string's content, so that what isn't JSON can be uploaded too; of any
/// other value its own text.
pub(super) fn document(raw: &RawValue) -> String {
    serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

impl<'a> Made<'a> {
    fn new(app: &'a App) -> Self {
        Self {
            application_id: app.application_id(),
            api_key: app.api_key(),
            client_secret: app.client_secret(),
        }
    }
}

impl<'a> Shown<'a> {
    fn new(app: &'a Registered) -> Self {
        let settings = &app.settings;
        let (jwks, jwks_url) = match &settings.keys {
            KeySource::Nowhere => (None, None),
            KeySource::Uploaded(document) => (Some(as_uploaded(document)), None),
            KeySource::Url(url) => (None, Some(url.as_str())),
        };
        Self {
            name: &settings.name,
            application_id: app.identity.application_id(),
            api_key: app.identity.api_key(),
            client_secret: app.identity.client_secret(),
            jwks,
            jwks_url,
            callback_url: settings.callback_url.as_deref(),
            approved: settings.approved,
            company_active: settings.company_active,
            developer_active: settings.developer_active,
            scopes: settings.scopes.as_deref(),
            products: &settings.products,
            rate_limit: settings.rate_limit,
        }
    }
}

/// The document as JSON, or, where it isn't any, as a string.
fn as_uploaded(document: &str) -> Box<RawValue> {
    RawValue::from_string(document.to_owned())
        .or_else(|_| serde_json::value::to_raw_value(document))
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
}
