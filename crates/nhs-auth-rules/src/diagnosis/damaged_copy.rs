//! What a repair says of whoever sent the token.

use super::finding::rule;
use super::view::View;
use super::{Diagnosed, Repair, RootCause};

/// What a repair says of the sender: nothing if the token verifies as it was repaired.
pub(super) fn finding(view: &View<'_>, repairs: &[Repair]) -> Option<Diagnosed> {
    let first =
        repairs.iter().find(|repair| matches!(repair.cause, RootCause::EncPad | RootCause::EncB64));
    let first = first.or_else(|| {
        repairs.iter().find(|r| matches!(r.cause, RootCause::EncWrap | RootCause::EncWs))
    });
    if view.signer.is_some() {
        let cause = repairs.first().map_or(RootCause::EncWs, |repair| repair.cause);
        return Some(
            Diagnosed::note(
                cause,
                "the copy was damaged, and the assertion is good: repaired, it verifies",
            )
            .why(
                "the place that it was copied from or pasted into changed some characters; \
                     whoever signed it encoded it well",
            ),
        );
    }
    let first = first?;
    let message = format!("this copy can't be decoded as it is: {}", first.message);
    let is_encoder = matches!(first.cause, RootCause::EncPad | RootCause::EncB64);
    let finding = if is_encoder {
        Diagnosed::error(first.cause, message).likely()
    } else {
        Diagnosed::warning(first.cause, message).possible()
    };
    Some(
        finding
            .rule(rule("A3"))
            .why(
                "if it was sent like this, the platform could not decode it; if only the copy is \
                 damaged, the assertion may be good: with the registered key set that can be told",
            )
            .fix("send the assertion as the library made it, with nothing around it or in it"),
    )
}
