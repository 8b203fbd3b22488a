//! `nhs-auth serve-jwks`.

use crate::arguments::{Global, ServeJwks};
use crate::console::Console;
use crate::failure::{Exit, Failure};

pub(crate) fn run(_: &ServeJwks, _: &Global, _: Console) -> Result<Exit, Failure> {
    Err(Failure::fault("not yet"))
}
