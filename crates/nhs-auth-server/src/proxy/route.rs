//! Which request goes where, and as whom.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use nhs_auth::{APIKEY, ApiKey};

use super::app::ProxyApp;
use super::metrics::RouteCounts;
use super::upstream::Upstream;

/// One part of what the proxy serves: requests whose path begins with a prefix.
#[derive(Clone, Debug)]
pub struct Route {
    prefix: String,
    upstream: Upstream,
    access: RouteAccess,
    headers: HeaderMap,
    passes: Vec<HeaderName>,
}

/// How requests of a route are let in by the API.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RouteAccess {
    /// Application-restricted, by API key alone: the header `apikey`.
    ApiKey(ApiKey),
    /// Open access: no credential.
    Open,
    /// Application-restricted, by signed JWT: with an access token of the application of that name.
    SignedJwt {
        /// One of the names that [`ProxyRoutes::new`] is given.
        app: String,
    },
}

/// Why routes can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRoutes {
    /// Two applications have one name.
    #[error("two applications are called `{name}`")]
    AppTwice {
        /// The name.
        name: String,
    },
    /// A credential's header, or one that belongs to a connection, can't be set by a route.
    #[error("the header `{header}` can't be set by a route")]
    Header {
        /// The header.
        header: HeaderName,
    },
    /// A header that isn't a caller's credential.
    #[error(
        "`{header}` is no credential of a caller's: `authorization` and `apikey` can be passed"
    )]
    NotACredential {
        /// The header.
        header: HeaderName,
    },
    /// There are none.
    #[error("there is no route")]
    None,
    /// A prefix that no path can begin with.
    #[error(
        "the prefix `{prefix}` of a route is no path: it begins with `/`, and has no `?` and no `#`"
    )]
    Prefix {
        /// The prefix.
        prefix: String,
    },
    /// Two routes have one prefix.
    #[error("two routes have the prefix `{prefix}`")]
    PrefixTwice {
        /// The prefix.
        prefix: String,
    },
    /// A prefix that hides the token endpoint of the proxy itself.
    #[error("the prefix `{prefix}` of a route is the proxy's own path")]
    Reserved {
        /// The prefix.
        prefix: String,
    },
    /// A route names an application that isn't there.
    #[error("the route `{prefix}` names the application `{app}`, which isn't there")]
    UnknownApp {
        /// The route's prefix.
        prefix: String,
        /// The name.
        app: String,
    },
}

impl Route {
    /// Requests whose path begins with `prefix` go to `upstream`, with what is behind the prefix.
    /// `/` is for all that no longer prefix is for. A prefix ends where a segment does: `/pds` is
    /// for `/pds` and `/pds/Patient`, and not for `/pdsx`.
    ///
    /// # Errors
    ///
    /// [`InvalidRoutes::Prefix`] when it is no path.
    pub fn new(
        prefix: &str,
        upstream: Upstream,
        access: RouteAccess,
    ) -> Result<Self, InvalidRoutes> {
        let is_path = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\');
        if !prefix.starts_with('/') || !prefix.bytes().all(is_path) {
            return Err(InvalidRoutes::Prefix { prefix: prefix.to_owned() });
        }
        let prefix = prefix.trim_end_matches('/').to_owned();
        if prefix == super::token_endpoint::PATH {
            return Err(InvalidRoutes::Reserved { prefix });
        }
        let (headers, passes) = (HeaderMap::new(), Vec::new());
        Ok(Self { prefix, upstream, access, headers, passes })
    }

    /// The same with a header that each of its requests gets, in place of a caller's own: a
    /// product's id, say.
    ///
    /// # Errors
    ///
    /// [`InvalidRoutes::Header`] for a credential's header, `Host`, and those of a connection.
    pub fn with_header(
        mut self,
        name: HeaderName,
        value: HeaderValue,
    ) -> Result<Self, InvalidRoutes> {
        let is_ours =
            [header::AUTHORIZATION, APIKEY, header::HOST, header::CONTENT_LENGTH, header::EXPECT];
        if is_ours.contains(&name) || super::hop::is_hop_by_hop(&name) {
            return Err(InvalidRoutes::Header { header: name });
        }
        self.headers.append(name, value);
        Ok(self)
    }

    /// The same passing on that credential of callers: `authorization`, which then goes in place of
    /// the proxy's token, or `apikey`, which goes beside it. Otherwise what a caller sends of these
    /// is dropped.
    ///
    /// # Errors
    ///
    /// [`InvalidRoutes::NotACredential`] for any other header.
    pub fn passing(mut self, name: HeaderName) -> Result<Self, InvalidRoutes> {
        if ![header::AUTHORIZATION, APIKEY].contains(&name) {
            return Err(InvalidRoutes::NotACredential { header: name });
        }
        self.passes.push(name);
        Ok(self)
    }

    /// Where its requests go.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The prefix, as people know it.
    pub fn prefix(&self) -> &str {
        if self.prefix.is_empty() { "/" } else { &self.prefix }
    }

    fn is_for(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// All routes of a proxy, and the applications that they are served as.
#[derive(Clone, Debug)]
pub struct ProxyRoutes {
    /// The longest prefix first.
    routes: Vec<Route>,
    apps: Vec<ProxyApp>,
}

impl ProxyRoutes {
    /// Routes, and the applications that they name.
    ///
    /// # Errors
    ///
    /// [`InvalidRoutes`] when they don't fit together.
    pub fn new(mut routes: Vec<Route>, apps: Vec<ProxyApp>) -> Result<Self, InvalidRoutes> {
        if routes.is_empty() {
            return Err(InvalidRoutes::None);
        }
        for (index, app) in apps.iter().enumerate() {
            if apps[..index].iter().any(|other| other.name() == app.name()) {
                return Err(InvalidRoutes::AppTwice { name: app.name().to_owned() });
            }
        }
        for (index, route) in routes.iter().enumerate() {
            let prefix = || route.prefix().to_owned();
            if routes[..index].iter().any(|other| other.prefix == route.prefix) {
                return Err(InvalidRoutes::PrefixTwice { prefix: prefix() });
            }
            if let RouteAccess::SignedJwt { app } = &route.access
                && !apps.iter().any(|known| known.name() == app)
            {
                return Err(InvalidRoutes::UnknownApp { prefix: prefix(), app: app.clone() });
            }
        }
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix.len()));
        Ok(Self { routes, apps })
    }

    /// The routes, the longest prefix first.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The applications.
    pub fn apps(&self) -> &[ProxyApp] {
        &self.apps
    }
}

/// Routes that are in service.
pub(super) struct Table {
    pub(super) lanes: Vec<Arc<Lane>>,
    pub(super) apps: Vec<ProxyApp>,
}

/// A route that is in service.
pub(super) struct Lane {
    pub(super) route: Route,
    pub(super) credential: Credential,
    pub(super) counts: Arc<RouteCounts>,
}

/// What a request is let in with.
pub(super) enum Credential {
    ApiKey(HeaderValue),
    None,
    Token(ProxyApp),
}

impl Table {
    pub(super) fn new(routes: ProxyRoutes, counts: impl Fn(&str) -> RouteCounts) -> Self {
        let ProxyRoutes { routes, apps } = routes;
        let by_name: HashMap<&str, &ProxyApp> = apps.iter().map(|app| (app.name(), app)).collect();
        let lane = |route: Route| {
            let credential = match &route.access {
                RouteAccess::ApiKey(api_key) => {
                    let mut value = HeaderValue::from_str(api_key.as_str())
                        .expect("an API key has letters and digits");
                    value.set_sensitive(true);
                    Credential::ApiKey(value)
                }
                RouteAccess::Open => Credential::None,
                RouteAccess::SignedJwt { app } => Credential::Token(by_name[app.as_str()].clone()),
            };
            Arc::new(Lane { counts: Arc::new(counts(route.prefix())), credential, route })
        };
        Self { lanes: routes.into_iter().map(lane).collect(), apps }
    }

    /// The lane of a path.
    pub(super) fn lane(&self, path: &str) -> Option<&Arc<Lane>> {
        self.lanes.iter().find(|lane| lane.route.is_for(path))
    }

    /// The application of that name; the only one where there is no name.
    pub(super) fn app(&self, name: Option<&str>) -> Option<&ProxyApp> {
        match name {
            Some(name) => self.apps.iter().find(|app| app.name() == name),
            None => self.apps.first().filter(|_| self.apps.len() == 1),
        }
    }
}

impl Lane {
    pub(super) fn prefix_length(&self) -> usize {
        self.route.prefix.len()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.route.headers
    }

    pub(super) fn passes(&self, name: &HeaderName) -> bool {
        self.route.passes.contains(name)
    }
}
