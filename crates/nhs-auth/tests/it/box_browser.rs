//! A browser, as far as the box's sign-in pages need one: it opens a page, fills the form in, and
//! stops where it is sent out of the box.

use nhs_auth::Callback;
use url::Url;
use url::form_urlencoded::Serializer;

/// Signs that user in at the page behind the URL, and gives what the browser comes back with.
pub(crate) async fn sign_in(url: &str, username: &str) -> Callback {
    Callback::parse(came_back_to(url, username).await.query().unwrap()).unwrap()
}

/// The same, and the whole URL that the browser is sent back to.
pub(crate) async fn came_back_to(url: &str, username: &str) -> Url {
    let browser = browser();
    let mut page = browser.get(url).send().await.unwrap();
    loop {
        if let Some(location) = page.headers().get("location") {
            let next = page.url().join(location.to_str().unwrap()).unwrap();
            if next.path() == "/callback" && next.host_str() == Some("app.example.org") {
                return next;
            }
            page = browser.get(next).send().await.unwrap();
            continue;
        }
        let html = page.text().await.unwrap();
        page = browser
            .post(action(&html))
            .body(filled_in(&html, username))
            .header("content-type", "application/x-www-form-urlencoded")
            .send()
            .await
            .unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "this is somebody else's browser")]
fn browser() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only(Vec::new())
        .build()
        .unwrap()
}

fn action(html: &str) -> String {
    let form = html.split("id=\"kc-form-login\"").nth(1).unwrap_or_else(|| panic!("{html}"));
    let action = form.split("action=\"").nth(1).unwrap();
    action.split('"').next().unwrap().replace("&amp;", "&")
}

/// The user name, and on the page that asks for a role the first one that it offers.
fn filled_in(html: &str, username: &str) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("username", username);
    if let Some(role) = html.split("name=\"role\" value=\"").nth(1) {
        form.append_pair("role", role.split('"').next().unwrap());
    }
    form.finish()
}
