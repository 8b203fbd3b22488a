//! What a person does in a browser while signing in: opens an address, reads the page, fills in
//! the form, and is sent on. No cookies, no JavaScript.

use std::collections::BTreeMap;

use crate::http::Reply;
use crate::world::{FORM, World, encoded};

/// Opens an address of the platform's.
pub(crate) async fn open(world: &World, url: &str) -> Reply {
    let base_url = world.platform.base_url();
    let path = url.strip_prefix(&base_url).unwrap_or_else(|| panic!("{url} is elsewhere"));
    world.get(path, &[]).await
}

/// Opens a sign-in page, signs in as that user, and is sent somewhere.
pub(crate) async fn sign_in(world: &World, url: &str, username: &str) -> Redirect {
    let page = open(world, url).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let form = Form::on(&page);
    redirect(&form.submit(world, &[("username", username)]).await)
}

/// Where a browser is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// The whole address.
    pub(crate) url: String,
    /// The address without its query.
    pub(crate) to: String,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Redirect {
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let value = self.parameters.get(name);
        value.unwrap_or_else(|| panic!("there is no {name} in {}", self.url))
    }
}

/// The redirect that an answer is.
pub(crate) fn redirect(reply: &Reply) -> Redirect {
    assert_eq!(reply.status, 302, "{}", reply.text());
    let url = reply.header("location").unwrap().to_owned();
    let (to, query) = url.split_once('?').unwrap_or((&url, ""));
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let parameters: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(parameters.len(), pairs.len(), "a parameter stands twice in {url}");
    Redirect { to: to.to_owned(), parameters, url }
}

/// A form on a page.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    attributes: BTreeMap<String, String>,
    /// Its inputs and buttons, each by its attributes.
    pub(crate) controls: Vec<BTreeMap<String, String>>,
}

impl Form {
    /// The form that test clients of the hosted mock look for.
    pub(crate) fn on(page: &Reply) -> Self {
        let form = Self::all(page).into_iter().find(|form| form.attribute("id") == "kc-form-login");
        form.unwrap_or_else(|| panic!("there is no form kc-form-login: {}", page.text()))
    }

    /// Every form on the page.
    pub(crate) fn all(page: &Reply) -> Vec<Self> {
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let mut forms: Vec<Self> = Vec::new();
        let mut is_open = false;
        for tag in page.text().split('<').filter_map(|piece| Some(piece.split_once('>')?.0)) {
            match tag.split_ascii_whitespace().next() {
                Some("form") => {
                    is_open = true;
                    forms.push(Self { attributes: attributes(tag), controls: Vec::new() });
                }
                Some("/form") => is_open = false,
                Some("input" | "button") if is_open => {
                    forms.last_mut().unwrap().controls.push(attributes(tag));
                }
                _ => {}
            }
        }
        forms
    }

    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// The values of the radio buttons of that name.
    pub(crate) fn choices(&self, name: &str) -> Vec<String> {
        let radios = self.controls.iter().filter(|control| {
            control.get("type").is_some_and(|kind| kind == "radio") && control["name"] == name
        });
        radios.map(|radio| radio["value"].clone()).collect()
    }

    /// Sends the form with those values, beside the ones that stand in hidden fields.
    pub(crate) async fn submit(&self, world: &World, values: &[(&str, &str)]) -> Reply {
        let hidden = self
            .controls
            .iter()
            .filter(|control| control.get("type").is_some_and(|kind| kind == "hidden"));
        let mut fields: Vec<_> =
            hidden.map(|field| (field["name"].as_str(), field["value"].as_str())).collect();
        fields.extend(values);
        let base_url = world.platform.base_url();
        let action = self.attribute("action");
        let path =
            action.strip_prefix(&base_url).unwrap_or_else(|| panic!("{action} is elsewhere"));
        match self.attribute("method") {
            "post" => world.send("POST", path, &[FORM], encoded(&fields).as_bytes()).await,
            "get" => world.get(&format!("{path}?{}", encoded(&fields)), &[]).await,
            other => panic!("the form's method is `{other}`"),
        }
    }
}

/// The attributes of a tag, as the pages here write them: quoted, or without a value.
fn attributes(tag: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut rest = tag.split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let (value, behind) = match behind.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => ("", behind),
        };
        attributes.insert(name.to_owned(), unescaped(value));
        rest = behind.trim_start();
    }
    attributes
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
