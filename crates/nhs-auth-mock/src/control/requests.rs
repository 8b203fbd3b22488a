//! `/_mock/requests`.

use http::{Method, StatusCode};
use serde::Serialize;

use super::Refusal;
use crate::answer::Reply;
use crate::call::Call;
use crate::recorded::RecordedRequest;
use crate::state::State;

pub(super) fn answer(state: &State, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Serialize)]
    struct Shown {
        requests: Vec<RecordedRequest>,
    }
    match call.method {
        Method::GET => Ok(Reply::json(StatusCode::OK, &Shown { requests: state.requests.all() })),
        Method::DELETE => {
            state.requests.clear();
            Ok(Reply::no_content())
        }
        _ => Err(Refusal::method("GET, DELETE")),
    }
}
