//! One request, from its head to the head of its answer.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use nhs_auth::{APIKEY, AccessToken, Entropy};
use nhs_auth_rules::gateway;
use tokio::time::Instant;

use super::alarm::Alarms;
use super::answer_body::AnswerBody;
use super::api_body::ApiBody;
use super::app::ProxyApp;
use super::connections::{ApiConnections, Place};
use super::connector::Connector;
use super::failure::Failure;
use super::gate::{self, Gate};
use super::metrics::{Metrics, Outcome, RouteCounts};
use super::outgoing::Outgoing;
use super::peek::Peeked;
use super::problem::Problem;
use super::route::{Credential, Lane, Table};
use super::sent_body::{BodyWatch, SentBody};
use super::trace::{RequestTrace, Traces};
use super::{answer_head, peek, token_endpoint};
use crate::serving::{Pulse, Service, UnderWay};

/// What all threads share.
pub(super) struct Shared {
    pub(super) table: ArcSwap<Table>,
    pub(super) gate: Gate,
    pub(super) connector: Connector,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) bounds: Bounds,
    pub(super) metrics: Arc<Metrics>,
    pub(super) traces: Traces,
    /// Counts what no route is for.
    pub(super) nowhere: RouteCounts,
    /// Counts requests for a token.
    pub(super) tokens: RouteCounts,
}

/// How long others may keep silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// An API, before its answer and within it.
    pub(super) upstream: Duration,
    /// A caller, within its request.
    pub(super) caller: Duration,
}

/// Passes requests on, from one thread.
#[derive(Clone)]
pub(super) struct Forward(Arc<OfThread>);

struct OfThread {
    shared: Arc<Shared>,
    connections: ApiConnections,
    alarms: Alarms,
}

/// A request whose fate is counted when it is known; else, that the caller went away.
struct Course {
    counts: Arc<RouteCounts>,
    started: Instant,
    is_known: bool,
    trace: RequestTrace,
}

impl Forward {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let connections = ApiConnections::new(shared.connector.clone());
        Self(Arc::new(OfThread { shared, connections, alarms: Alarms::default() }))
    }
}

impl OfThread {
    async fn course(
        &self,
        request: Request<Incoming>,
        under_way: UnderWay,
    ) -> Response<AnswerBody> {
        let shared = &*self.shared;
        let method = request.method().clone();
        if let Err(problem) = shared.gate.admit(&request) {
            return refuse(&shared.nowhere, problem, &method);
        }
        let table = shared.table.load_full();
        if request.uri().path() == token_endpoint::PATH {
            let answer = Box::pin(token_endpoint::answer(&table, request)).await;
            shared.tokens.ended(Outcome::Token, Some(answer.status()));
            return answer;
        }
        let lane = Some(request.uri()).filter(|uri| gate::has_path(uri));
        let Some(lane) = lane.and_then(|uri| table.lane(uri.path())) else {
            return refuse(&shared.nowhere, no_route(&table), &method);
        };
        let trace = shared.traces.request(&request, lane.route.prefix());
        let mut course = Course::new(Arc::clone(&lane.counts), trace);
        match self.through(lane, request, under_way, &course).await {
            Ok(answer) => {
                course.forwarded(answer.status());
                answer
            }
            Err(Refused { problem, outcome, request_id }) => {
                course.ended(outcome, problem.status());
                told(&problem, &method);
                problem.into_response(&method, request_id.as_ref())
            }
        }
    }

    /// Sends a request to an API, once more if its token was what was wrong.
    async fn through(
        &self,
        lane: &Lane,
        request: Request<Incoming>,
        under_way: UnderWay,
        course: &Course,
    ) -> Result<Response<AnswerBody>, Refused> {
        let shared = &*self.shared;
        let (parts, incoming) = request.into_parts();
        let mut outgoing = Outgoing::of(parts, lane, &*shared.entropy)
            .ok_or_else(|| Refused::new(unreadable_path(), Outcome::Refused, None))?;
        let id = outgoing.request_id.clone();
        let refused = |(problem, outcome)| Refused::new(problem, outcome, Some(id.clone()));

        let token = match &lane.credential {
            Credential::Token(app) if !outgoing.is_authorized => {
                let token = app.tokens().token().await;
                let token = token
                    .map_err(|error| refused((Problem::no_token(&error), Outcome::NoToken)))?;
                Some((app, token))
            }
            _ => None,
        };
        match (&token, &lane.credential) {
            (Some((_, token)), _) => outgoing.set(AUTHORIZATION, token.to_header_value()),
            (None, Credential::ApiKey(value)) => outgoing.set(APIKEY, value.clone()),
            _ => {}
        }
        let body = SentBody::new(incoming, shared.bounds.caller);
        let watch = body.watch();
        let answer = self.send(lane, &mut outgoing, body, &watch, course).await;
        let answer = answer.map_err(refused)?;
        let Some((app, token)) = token.filter(|_| answer.status() == StatusCode::UNAUTHORIZED)
        else {
            return Ok(shared.bounds.passed_on(answer.map(Peeked::unread), under_way, course));
        };
        // Boxed: a future is as long as its longest branch, and this one is rare.
        let answer = Box::pin(async {
            // What it says of the token is in its body.
            let answer = peek::beginning_of(answer).await;
            let second =
                self.second_chance(&mut outgoing, lane, &answer, app, &token, &watch, course);
            second.await.map_or(answer, |second| second.map(Peeked::unread))
        })
        .await;
        Ok(shared.bounds.passed_on(answer, under_way, course))
    }

    /// The answer to the same request with a new token, if there is any use in one.
    #[expect(clippy::too_many_arguments, reason = "it is the second half of one course")]
    async fn second_chance(
        &self,
        outgoing: &mut Outgoing,
        lane: &Lane,
        answer: &Response<Peeked>,
        app: &ProxyApp,
        token: &AccessToken,
        watch: &BodyWatch,
        course: &Course,
    ) -> Option<Response<ApiBody>> {
        let challenge = answer.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let challenge = challenge.as_deref().unwrap_or_default();
        if !gateway::blames_token(challenge, answer.body().read()) || !app.tokens().reject(token) {
            return None;
        }
        let body = watch.again()?;
        // The API's own answer tells more than that there is no other token.
        let token = app.tokens().token().await.ok()?;
        tracing::info!(
            app = app.name(),
            "the API refused the token: one more attempt with a new one"
        );
        course.counts.retries.inc();
        outgoing.set(AUTHORIZATION, token.to_header_value());
        let answer = self.send(lane, outgoing, body, watch, course).await.ok()?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            app.tokens().renewal_was_in_vain();
        }
        Some(answer)
    }

    /// Sends a request, and waits for the head of its answer.
    async fn send(
        &self,
        lane: &Lane,
        outgoing: &mut Outgoing,
        mut body: SentBody,
        watch: &BodyWatch,
        course: &Course,
    ) -> Result<Response<ApiBody>, (Problem, Outcome)> {
        let began = Instant::now();
        let place = lane.route.upstream().place();
        let mut is_repeated = false;
        let answer = loop {
            let failure = match self.attempt(place, outgoing, body, watch, course).await {
                Ok(answer) => break Ok(answer),
                Err(failure) => failure,
            };
            let may_be_stale = failure.is_a_stale_connection() && outgoing.may_be_repeated();
            if !failure.is_unsent() && (is_repeated || !may_be_stale) {
                break Err(failure);
            }
            let Some(again) = watch.again() else { break Err(failure) };
            tracing::debug!("an API closed a connection as it was used again: one more attempt");
            is_repeated |= !failure.is_unsent();
            body = again;
        };
        let answer = answer.map_err(|failure| failure.told(&outgoing.parts.uri))?;
        course.counts.upstream_answered(began.elapsed());
        Ok(answer)
    }

    /// Sends it once. An API may keep silent for so long from the last piece of the body that it
    /// took.
    async fn attempt(
        &self,
        place: &Place,
        outgoing: &mut Outgoing,
        body: SentBody,
        watch: &BodyWatch,
        course: &Course,
    ) -> Result<Response<ApiBody>, Failure> {
        let trace = course.trace.attempt(&mut outgoing.parts);
        let bound = self.shared.bounds.upstream;
        let mut answer = pin!(self.connections.send(place, outgoing.sent(body)));
        let mut alarm = self.alarms.one();
        let mut late_at = Instant::now() + bound;
        let mut pieces = watch.pieces();
        let answer = poll_fn(|cx| {
            if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
                return Poll::Ready(answer.map_err(|error| Failure::of(&error, watch.fault())));
            }
            while alarm.poll_at(late_at, cx).is_ready() {
                let more = watch.pieces();
                if more == pieces && !watch.is_awaited() {
                    return Poll::Ready(Err(Failure::Late { after: bound }));
                }
                pieces = more;
                late_at = Instant::now() + bound;
            }
            Poll::Pending
        })
        .await;
        trace.ended(answer.as_ref());
        answer
    }
}

impl Bounds {
    /// An API's answer becomes ours.
    fn passed_on(
        self,
        answer: Response<Peeked>,
        under_way: UnderWay,
        course: &Course,
    ) -> Response<AnswerBody> {
        let fate = (Arc::clone(&course.counts), course.trace.clone());
        let (mut parts, body) = answer.into_parts();
        answer_head::pass_on(&mut parts);
        let (read, end, rest) = body.into_parts();
        Response::from_parts(
            parts,
            AnswerBody::theirs((read, end, rest), self.upstream, under_way, fate),
        )
    }
}

impl Service for Forward {
    type Body = AnswerBody;

    fn for_this_thread(&self) -> Self {
        Self::new(Arc::clone(&self.0.shared))
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        pulse: &Arc<Pulse>,
    ) -> impl Future<Output = Response<AnswerBody>> + Send + use<> {
        let (this, under_way) = (self.clone(), pulse.begin());
        // Boxed: it would be moved more than once, and kept with the connection.
        Box::pin(async move { this.0.course(request, under_way).await })
    }
}

fn refuse(counts: &RouteCounts, problem: Problem, method: &Method) -> Response<AnswerBody> {
    counts.ended(Outcome::Refused, Some(problem.status()));
    told(&problem, method);
    problem.into_response(method, None)
}

fn told(problem: &Problem, method: &Method) {
    tracing::warn!(%method, status = problem.status().as_u16(), kind = problem.kind(), "{}", problem.detail());
}

/// A request that no answer of an API's came of.
struct Refused {
    problem: Problem,
    outcome: Outcome,
    request_id: Option<HeaderValue>,
}

impl Refused {
    fn new(problem: Problem, outcome: Outcome, request_id: Option<HeaderValue>) -> Self {
        Self { problem, outcome, request_id }
    }
}

fn no_route(table: &Table) -> Problem {
    let prefixes: Vec<_> =
        table.lanes.iter().map(|lane| format!("`{}`", lane.route.prefix())).collect();
    let detail = format!("there is no route for it: there are {}", prefixes.join(", "));
    Problem::new(StatusCode::NOT_FOUND, "no-route", "there is nothing here", detail)
        .proxy_error("destination_not_found")
}

fn unreadable_path() -> Problem {
    let title = "the request can't be passed on";
    Problem::new(StatusCode::BAD_REQUEST, "malformed", title, "its path can't stand in a URL")
        .proxy_error("http_request_error")
}

impl Course {
    fn new(counts: Arc<RouteCounts>, trace: RequestTrace) -> Self {
        Self { counts, started: Instant::now(), is_known: false, trace }
    }

    fn forwarded(&mut self, status: StatusCode) {
        self.is_known = true;
        self.counts.forwarded(status, self.started.elapsed());
        self.trace.ended(Outcome::Forwarded, Some(status));
    }

    fn ended(&mut self, outcome: Outcome, status: StatusCode) {
        self.is_known = true;
        self.counts.ended(outcome, Some(status));
        self.trace.ended(outcome, Some(status));
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        if !self.is_known {
            self.counts.ended(Outcome::Cancelled, None);
            self.trace.ended(Outcome::Cancelled, None);
        }
    }
}
