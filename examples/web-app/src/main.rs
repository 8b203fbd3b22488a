//! A web application that signs healthcare workers in with CIS2, and calls an NHS API: as them, and
//! as itself. Tokens stay on the server; the browser has the name of a session.
//!
//! `cargo run -p web-app` runs it against the platform in a box. The files, in the order in which
//! they are best read: `sign_in.rs`, `calls.rs`, `application.rs`, and then what any web
//! application has: `settings.rs`, `browser.rs`, `pages.rs`.

mod application;
mod browser;
mod calls;
mod pages;
mod settings;
mod sign_in;

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::application::WebApp;
use crate::settings::Settings;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let listener = TcpListener::bind(settings::listen()?).await?;
    let settings = Settings::read(listener.local_addr()?).await?;
    let app = Arc::new(WebApp::new(&settings)?);
    // The box, where there is one, lives as long as this does.
    announce(&settings);
    axum::serve(listener, router(app)).await?;
    Ok(())
}

fn router(app: Arc<WebApp>) -> Router {
    let for_browsers = Router::new()
        .route("/", get(pages::home))
        .route("/sign-in", post(sign_in::begin))
        .route("/callback", get(sign_in::complete))
        .route("/role", get(pages::choose_role).post(sign_in::choose_role))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/hello/user", get(calls::hello_user))
        .route("/hello/application", get(calls::hello_application))
        .fallback(pages::not_found)
        .layer(from_fn_with_state(Arc::clone(&app), browser::guard));
    // CIS2 and the platform come here, and they are no browsers.
    let for_servers = Router::new()
        .route("/.well-known/jwks.json", get(application::key_set))
        .route("/backchannel-logout", post(sign_in::ended_by_cis2));
    for_browsers.merge(for_servers).with_state(app)
}

#[expect(clippy::print_stdout, reason = "the address is what this program answers")]
fn announce(settings: &Settings) {
    println!("{}", settings.public_url);
    if let Some(platform) = settings.in_a_box() {
        println!("the platform in a box: {}", platform.base_url());
    }
}
