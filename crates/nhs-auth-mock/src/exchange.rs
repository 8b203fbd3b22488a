//! One request and its answer: read, met by faults, routed, recorded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::answer::Reply;
use crate::body::Body;
use crate::call::Call;
use crate::connection::ResetSwitch;
use crate::fault::{Fault, FaultKind};
use crate::identity::style;
use crate::recorded::RecordedRequest;
use crate::server::{Stop, stopped};
use crate::state::State;
use crate::transcript::Transcript;
use crate::{control, fault_answer, inspector, oauth, routes};

/// The longest request body.
const LONGEST_BODY: usize = 1024 * 1024;

/// How long a request's body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a request's answer takes beside the request.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) state: Arc<State>,
    /// Of the connection that the request came by.
    pub(crate) switch: ResetSwitch,
    pub(crate) stop: Stop,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends without an answer")]
pub(crate) struct NoAnswer;

impl Exchange {
    /// One request and its answer.
    pub(crate) async fn run(self, request: Request<Incoming>) -> Result<Response<Body>, NoAnswer> {
        let (head, body) = request.into_parts();
        let body = read(body).await?;
        let is_too_long = body.is_none();
        let mut call = Call {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: body.unwrap_or_default(),
            now: self.state.clock.now(),
            key_sets_unreachable: false,
            provider_key_sets_unreachable: false,
            loses_answer: false,
            id_token_fault: None,
        };
        // Whoever saves the state in between has to do so again: hence before and after.
        let _changes = Changes::of(&self.state, &call);
        if let Some(reply) = self.about_itself(&call, is_too_long) {
            return Ok(reply.into_response(self.state.clock.now()));
        }
        let (answered, change) = self.meet_faults(&mut call).await?;
        let mut reply = match answered {
            Some(reply) => reply,
            None if is_too_long => too_long(),
            None => routes::answer(&self.state, &call).await,
        };
        reply.note.fault = reply.note.fault.or(change);
        tracing::debug!(
            method = %call.method,
            path = call.path(),
            status = reply.status.as_u16(),
            rule = reply.note.rule.map(|rule| rule.id.as_str()),
            "answered"
        );
        let record = RecordedRequest::new(self.state.clock.now(), &call, &reply);
        self.state.requests.add(record, Transcript::answered(&call, &reply));
        if call.loses_answer {
            self.switch.pull();
            return Err(NoAnswer);
        }
        Ok(reply.into_response(call.now))
    }

    /// The answer of what stands beside the platform, meets no fault, and is not recorded.
    fn about_itself(&self, call: &Call, is_too_long: bool) -> Option<Reply> {
        if let Some(file) = style::answer(call) {
            return Some(file);
        }
        let is_for_inspector = inspector::is_for(call);
        if !is_for_inspector && !control::is_for(call.path()) {
            return None;
        }
        Some(if is_too_long {
            too_long()
        } else if is_for_inspector {
            inspector::answer(&self.state, &self.stop, call)
        } else {
            control::answer(&self.state, call)
        })
    }

    /// What the faults in force make of a request: other circumstances (and the name of the fault
    /// that makes them), an answer, or none.
    async fn meet_faults(
        &self,
        call: &mut Call,
    ) -> Result<(Option<Reply>, Option<&'static str>), NoAnswer> {
        let effects =
            self.state.faults.meet(call.path(), || routes::application_id(&self.state, call));
        if !effects.delay.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(effects.delay) => {}
                () = stopped(self.stop.clone()) => return Err(NoAnswer),
            }
            call.now = self.state.clock.now();
        }
        call.now = call.now.plus(effects.clock_offset_ms);
        call.key_sets_unreachable = effects.key_sets_unreachable;
        call.provider_key_sets_unreachable = effects.provider_key_sets_unreachable;
        call.loses_answer = effects.loses_answer;
        call.id_token_fault = effects.id_token;
        if effects.rotates_keys {
            self.state.identity.keys.rotate();
        }
        let change = effects.change.map(FaultKind::name);
        let Some(fault) = effects.answer else {
            return Ok((None, change));
        };
        let Some(mut reply) = fault_answer::answer(&fault, call.path()) else {
            return Err(self.leave(call, &fault).await);
        };
        reply.note.application_id = routes::application_id(&self.state, call);
        reply.note.jti = routes::jti(&self.state, call);
        Ok((Some(reply), change))
    }

    /// Leaves a request without an answer, at once or when the platform stops. Its client may
    /// give up before.
    async fn leave(&self, call: &Call, fault: &Fault) -> NoAnswer {
        let record = RecordedRequest {
            application_id: routes::application_id(&self.state, call),
            jti: routes::jti(&self.state, call),
            ..RecordedRequest::unanswered(self.state.clock.now(), call, fault.kind.name())
        };
        self.state.requests.add(record, Transcript::unanswered(call));
        if fault.kind == FaultKind::Hang {
            stopped(self.stop.clone()).await;
        } else {
            self.switch.pull();
        }
        NoAnswer
    }
}

/// Says that something may change while it is there, at its beginning and at its end.
struct Changes<'a>(Option<&'a State>);

impl<'a> Changes<'a> {
    fn of(state: &'a State, call: &Call) -> Self {
        let is_read = call.method == Method::GET || call.method == Method::HEAD;
        let changes = Self((!is_read).then_some(state));
        changes.note();
        changes
    }

    fn note(&self) {
        if let Some(state) = self.0 {
            state.changed();
        }
    }
}

impl Drop for Changes<'_> {
    fn drop(&mut self) {
        self.note();
    }
}

/// The whole body; `None` when it is too long.
async fn read(body: Incoming) -> Result<Option<Bytes>, NoAnswer> {
    let whole = Limited::new(body, LONGEST_BODY).collect();
    match tokio::time::timeout(BODY_TIMEOUT, whole).await {
        Ok(Ok(body)) => Ok(Some(body.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Ok(None),
        Ok(Err(_)) | Err(_) => Err(NoAnswer),
    }
}

fn too_long() -> Reply {
    oauth::answer::error(413, "invalid_request", "the request's body is longer than 1 MiB".into())
}
