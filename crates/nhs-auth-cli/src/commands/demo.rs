//! `nhs-auth demo`.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use nhs_auth::{
    Access, ApiClient, ApiKey, ApiResponse, Application, Clock as _, Destinations, KeySet, Kid,
    LocalSigner, PublishedKey, SystemClock, TokenCache, TokenClient, TokenEndpoint,
};
use nhs_auth_mock::{App, MockPlatform, NewApp};

use crate::commands::{self, generate_keys};
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};

const KID: &str = "int-1";

pub(crate) fn run(console: Console) -> Result<Exit, Failure> {
    commands::server_runtime()?.block_on(async {
        let platform = MockPlatform::start().await.map_err(|error| Failure::fault(error.to_string()))?;
        let base_url = platform.base_url();
        console.heading("the platform in a box");
        console.note(format_args!("  runs inside this command, at {base_url}; nothing leaves this machine\n"));

        console.heading("1. a key pair");
        let started = SystemClock::default().steady();
        let key = generate_keys::make_key(console)?;
        let jwks = KeySet::new(vec![PublishedKey::new(kid(KID)?, key.public().clone())])?.to_json();
        console.done(format_args!(
            "RSA-{}, named {KID}, in {} ms",
            key.public().bits(),
            started.elapsed().as_millis()
        ));
        console.note(format_args!("  its JWKS, for the portal: {}\n", shortened(&jwks)));

        console.heading("2. an application, with that JWKS");
        let app = platform.create_app(NewApp::new("demo").jwks(jwks));
        console.done(format_args!("API key {}, which is iss and sub", app.api_key()));
        console.note(format_args!(
            "  application ID {}, which is for support tickets alone\n",
            app.application_id()
        ));

        let signer = Arc::new(LocalSigner::new(key));
        let application = application(&base_url, &app, KID, Arc::clone(&signer))?;
        let body = main_job(&base_url, &application, console).await?;
        mistakes(&base_url, &app, signer, console).await?;

        console.heading("next");
        console.note(
            "  nhs-auth generate-keys --env int    and the same with the real platform: the README \
             has the steps\n  nhs-auth mock                       and the same from your own software",
        );
        platform.shutdown().await.map_err(|error| Failure::fault(error.to_string()))?;
        console::answer(&body)?;
        Ok(Exit::Done)
    })
}

async fn main_job(
    base_url: &str,
    application: &Application,
    console: Console,
) -> Result<Vec<u8>, Failure> {
    console.heading("3. a token");
    let source = TokenCache::new(TokenClient::new()).source(application);
    let issued = source.issued().await.map_err(|error| Failure::from(&*error))?;
    console.done(format_args!(
        "a signed assertion, sent once to {}, brought an access token for {} s\n",
        application.endpoint(),
        issued.expires_in.unwrap_or_default().as_secs()
    ));

    console.heading("4. a call");
    let api = ApiClient::new(Access::SignedJwt(source), Destinations::nhs_only().and(base_url)?);
    let url = format!("{base_url}/hello-world/hello/application");
    let request = Request::get(&url).body(Bytes::new());
    let request = request.map_err(|error| Failure::fault(error.to_string()))?;
    let answered = api.send(request).await?;
    let (status, request_id) = (answered.status(), answered.request_id().map(ToOwned::to_owned));
    let body = whole(answered).await?;
    console.done(format_args!("GET {url} answered {status}"));
    console.note(format_args!("  X-Request-ID {}", request_id.unwrap_or_default()));
    console.note(format_args!("  the body is this command's standard output\n"));
    Ok(body)
}

/// Two mistakes that cost people days.
async fn mistakes(
    base_url: &str,
    app: &App,
    signer: Arc<LocalSigner>,
    console: Console,
) -> Result<(), Failure> {
    console.heading("5. two mistakes that cost people days");
    console.note("  a kid that differs by a hyphen:");
    let misnamed = application(base_url, app, "int1", signer)?;
    if let Err(error) = TokenClient::new().request(&misnamed).await {
        console.note(format_args!("    {error}"));
        for hint in error.hints() {
            console.note(format_args!("    → {hint}"));
        }
    }
    console.note("  the application ID where the API key belongs:");
    if let Err(error) = ApiKey::parse(app.application_id()) {
        console.note(format_args!("    not sent: {error}"));
        if let Some(hint) = error.hint() {
            console.note(format_args!("    → {hint}"));
        }
    }
    console.note("");
    Ok(())
}

fn application(
    base_url: &str,
    app: &App,
    name: &str,
    signer: Arc<LocalSigner>,
) -> Result<Application, Failure> {
    let api_key = ApiKey::parse(app.api_key());
    let api_key = api_key.map_err(|error| Failure::identifier("--api-key", error))?;
    Ok(Application::new(TokenEndpoint::at(base_url, None)?, api_key, kid(name)?, signer))
}

fn kid(name: &str) -> Result<Kid, Failure> {
    Kid::parse(name).map_err(|error| Failure::identifier("--kid", error))
}

async fn whole(mut answered: ApiResponse) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = answered.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    body.push(b'\n');
    Ok(body)
}

fn shortened(text: &str) -> String {
    match (text.get(..40), text.get(text.len().saturating_sub(50)..)) {
        (Some(start), Some(end)) if text.len() > 100 => format!("{start}…{end}"),
        _ => text.to_owned(),
    }
}
