//! From flags and the table `[proxy]` to routes.

use http::{HeaderName, HeaderValue, header};
use nhs_auth::{APIKEY, Destinations, TokenEndpoint};
use nhs_auth_server::{ProxyRoutes, Route, RouteAccess, Upstream};
use serde::Deserialize;

use super::apps::{Apps, UNNAMED, identity_in};
use crate::arguments::{Auth, Identity, PassHeader, Proxy};
use crate::config_file::ConfigFile;
use crate::console::Console;
use crate::failure::Failure;
use crate::headers::{self, PRODUCT_ID};
use crate::identity;

/// The table `[proxy]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    #[serde(default)]
    routes: Vec<RouteTable>,
}

/// One of `[[proxy.routes]]`. What it leaves out is as the flags have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RouteTable {
    prefix: String,
    upstream: String,
    app: Option<String>,
    auth: Option<String>,
    product_id: Option<String>,
    #[serde(default)]
    header: Several,
    #[serde(default)]
    pass_header: Several,
}

/// A string, or an array of them, as for a flag that can be repeated.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`header` and `pass-header` are a string, or an array of strings")]
enum Several {
    One(String),
    Many(Vec<String>),
}

impl Default for Several {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Several {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// All routes: those of the file, and the one of the flags where `--upstream` is given.
pub(super) fn of(
    arguments: &Proxy,
    file: &ConfigFile,
    apps: &mut Apps,
    console: Console,
) -> Result<ProxyRoutes, Failure> {
    let mut wanted = Wanted { arguments, file, apps, console, named: Vec::new(), used: Vec::new() };
    let mut routes = Vec::new();
    for table in tables(file)? {
        let route = wanted.of_table(&table);
        routes.push(route.map_err(|failure| in_route(&table.prefix, failure))?);
    }
    if let Some(upstream) = &arguments.upstream {
        let has_root = routes.iter().any(|route: &Route| route.prefix() == "/");
        if has_root {
            return Err(Failure::usage(
                "--upstream and a route with the prefix `/` are given: one of them gets the rest",
            )
            .hint("leave one out"));
        }
        routes.push(wanted.of_flags(upstream)?);
    }
    if routes.is_empty() {
        return Err(Failure::usage("there is no upstream").hint(
            "give it with --upstream, such as --upstream https://int.api.service.nhs.uk, or as \
             [[proxy.routes]] in nhs-auth.toml",
        ));
    }
    Ok(ProxyRoutes::new(routes, wanted.used)?)
}

fn tables(file: &ConfigFile) -> Result<Vec<RouteTable>, Failure> {
    let (Some(path), Some(table)) = (&file.path, &file.proxy) else { return Ok(Vec::new()) };
    let table: Table = table.clone().try_into().map_err(|error: toml::de::Error| {
        Failure::usage(format!("{}: in `[proxy]`: {}", path.display(), error.message()))
    })?;
    Ok(table.routes)
}

fn in_route(prefix: &str, failure: Failure) -> Failure {
    Failure { message: format!("the route `{prefix}`: {}", failure.message), ..failure }
}

struct Wanted<'a> {
    arguments: &'a Proxy,
    file: &'a ConfigFile,
    apps: &'a mut Apps,
    console: Console,
    /// Who is who, so that one name never stands for two.
    named: Vec<(String, Identity)>,
    used: Vec<nhs_auth_server::ProxyApp>,
}

impl Wanted<'_> {
    fn of_flags(&mut self, upstream: &str) -> Result<Route, Failure> {
        let arguments = self.arguments;
        let passes = arguments.pass_header.iter().map(|header| match header {
            PassHeader::Authorization => header::AUTHORIZATION,
            PassHeader::Apikey => APIKEY,
        });
        let passes = passes.collect();
        let headers = headers_of(arguments.product_id.as_deref(), &arguments.header)?;
        self.route("/", upstream, None, arguments.auth, headers, passes)
    }

    fn of_table(&mut self, table: &RouteTable) -> Result<Route, Failure> {
        let arguments = self.arguments;
        let auth = match table.auth.as_deref() {
            None => arguments.auth,
            Some("signed-jwt") => Auth::SignedJwt,
            Some("api-key") => Auth::ApiKey,
            Some("none") => Auth::None,
            Some(other) => {
                return Err(Failure::usage(format!("`auth` can't be `{other}`"))
                    .hint("it is one of signed-jwt, api-key, none"));
            }
        };
        let passes = table.pass_header.all().iter().map(|name| {
            HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Failure::usage("`pass-header` has what is not the name of a header"))
        });
        let passes = passes.collect::<Result<_, _>>()?;
        let headers = headers_of(table.product_id.as_deref(), table.header.all())?;
        self.route(&table.prefix, &table.upstream, table.app.as_deref(), auth, headers, passes)
    }

    fn route(
        &mut self,
        prefix: &str,
        upstream: &str,
        app: Option<&str>,
        auth: Auth,
        headers: Vec<(HeaderName, HeaderValue)>,
        passes: Vec<HeaderName>,
    ) -> Result<Route, Failure> {
        let identity = match app {
            Some(name) => identity_in(self.file, name)?,
            None => self.arguments.identity.clone(),
        };
        let destinations = self.destinations(&identity)?;
        let upstream = Upstream::parse(upstream, &destinations)?;
        let access = match auth {
            Auth::None => RouteAccess::Open,
            Auth::ApiKey => {
                let key = identity::api_key(identity.api_key.as_deref(), self.console)?;
                RouteAccess::ApiKey(key)
            }
            Auth::SignedJwt => {
                let name = app.or(self.file.app.as_deref()).unwrap_or(UNNAMED).to_owned();
                self.use_app(&name, identity)?;
                RouteAccess::SignedJwt { app: name }
            }
        };
        let mut route = Route::new(prefix, upstream, access)?;
        for (name, value) in headers {
            route = route.with_header(name, value)?;
        }
        for name in passes {
            route = route.passing(name)?;
        }
        Ok(route)
    }

    fn use_app(&mut self, name: &str, identity: Identity) -> Result<(), Failure> {
        match self.named.iter().find(|(named, _)| named == name) {
            None => {
                self.used.push(self.apps.get(name, &identity, &self.arguments.tokens)?);
                self.named.push((name.to_owned(), identity));
                Ok(())
            }
            Some((_, same)) if *same == identity => Ok(()),
            Some(_) => Err(Failure::usage(format!(
                "the application `{name}` of the file is made another by flags or variables"
            ))
            .hint(
                "a route that names its application has it as it stands in the file: put the \
                   values there, and leave out the flags and the NHS_AUTH_ variables",
            )),
        }
    }

    /// The platform's own hosts, the one that stands in for it, those that were named, and this
    /// machine, whose programs could ask for the token themselves.
    fn destinations(&self, identity: &Identity) -> Result<Destinations, Failure> {
        let mut destinations = Destinations::nhs_only().and_loopback();
        if let Some(base_url) = &identity.base_url {
            TokenEndpoint::at(base_url, None)?;
            destinations = destinations.and(base_url)?;
        }
        for host in &self.arguments.allow_host {
            destinations = destinations.and(host)?;
        }
        Ok(destinations)
    }
}

fn headers_of(
    product_id: Option<&str>,
    lines: &[String],
) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let mut headers = Vec::new();
    if let Some(id) = product_id {
        headers.push((PRODUCT_ID, headers::value("--product-id", id)?));
    }
    for line in lines {
        headers.push(headers::line(line)?);
    }
    Ok(headers)
}
