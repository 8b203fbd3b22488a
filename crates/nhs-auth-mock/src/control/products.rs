//! `/_mock/products`.

use http::{Method, StatusCode};
use serde_json::json;

use super::Refusal;
use super::members::Members;
use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;

pub(super) fn collection(state: &State, call: &Call) -> Result<Reply, Refusal> {
    match call.method {
        Method::GET => {
            let products: Vec<_> = state
                .apps
                .products()
                .into_iter()
                .map(|(name, scopes)| json!({"name": name, "scopes": scopes}))
                .collect();
            Ok(Reply::json(StatusCode::OK, &json!({"products": products})))
        }
        Method::POST => {
            let mut members = Members::parse(&call.body)?;
            let name: Option<String> = members.optional("name", "a string")?;
            let scopes: Option<Vec<String>> = members.optional("scopes", "a list of strings")?;
            members.finish()?;
            let name = name.filter(|name| !name.is_empty());
            let (Some(name), Some(scopes)) = (name, scopes) else {
                return Err(Refusal::bad_request("a product needs `name` and `scopes`"));
            };
            if !state.apps.set_product(&name, scopes.clone()) {
                return Err(Refusal::too_many("products", "1,000"));
            }
            Ok(Reply::json(StatusCode::CREATED, &json!({"name": name, "scopes": scopes})))
        }
        _ => Err(Refusal::method("GET, POST")),
    }
}

pub(super) fn item(state: &State, call: &Call, name: &str) -> Result<Reply, Refusal> {
    match call.method {
        Method::DELETE if state.apps.remove_product(name) => Ok(Reply::no_content()),
        Method::DELETE => Err(Refusal::not_found(format!("there is no product `{name}`"))),
        _ => Err(Refusal::method("DELETE")),
    }
}
