//! A JSON object taken apart member by member, so that what is wrong with it is said by name.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Refusal;

/// The members that have not been taken yet.
#[derive(Debug)]
pub(super) struct Members(BTreeMap<String, Box<RawValue>>);

/// A member: there, there and null, or not there.
#[derive(Debug)]
pub(super) enum Given<T> {
    Absent,
    Null,
    Value(T),
}

impl Members {
    /// Reads a body that should be a JSON object.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if let Err(error) = serde_json::from_slice::<&RawValue>(body) {
            return Err(Refusal::bad_request(format!("the body is not JSON: {error}")));
        }
        serde_json::from_slice(body)
            .map(Self)
            .map_err(|_| Refusal::bad_request("the body must be a JSON object"))
    }

    /// Takes a member that may be null. `wanted` says what it must be.
    pub(super) fn nullable<T: DeserializeOwned>(
        &mut self,
        name: &str,
        wanted: &str,
    ) -> Result<Given<T>, Refusal> {
        match self.0.remove(name) {
            None => Ok(Given::Absent),
            Some(raw) if raw.get() == "null" => Ok(Given::Null),
            Some(raw) => serde_json::from_str(raw.get())
                .map(Given::Value)
                .map_err(|_| Refusal::bad_request(format!("`{name}` must be {wanted}"))),
        }
    }

    /// Takes a member that may be left out, and may not be null.
    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        name: &str,
        wanted: &str,
    ) -> Result<Option<T>, Refusal> {
        match self.nullable(name, wanted)? {
            Given::Absent => Ok(None),
            Given::Null => Err(Refusal::bad_request(format!("`{name}` must be {wanted}"))),
            Given::Value(value) => Ok(Some(value)),
        }
    }

    /// Takes a member as the text that it is.
    pub(super) fn raw(&mut self, name: &str) -> Given<Box<RawValue>> {
        match self.0.remove(name) {
            None => Given::Absent,
            Some(raw) if raw.get() == "null" => Given::Null,
            Some(raw) => Given::Value(raw),
        }
    }

    /// Refuses members that nobody took.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        Err(Refusal::bad_request(format!("there is no member {} here", names.join(", "))))
    }
}
