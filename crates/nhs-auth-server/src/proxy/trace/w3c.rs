//! The context of a trace between programs (W3C Trace Context).

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The flags that are known: sampled, and random.
const KNOWN_FLAGS: u8 = 0b11;

/// The span that a request was made in, unless it names none, or not as it should.
pub(super) fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    let mut all = headers.get_all(TRACEPARENT).iter();
    let (value, None) = (all.next()?, all.next()) else { return None };
    let (trace, span, flags) = parse(value.to_str().ok()?)?;
    let state: Vec<_> =
        headers.get_all(TRACESTATE).iter().filter_map(|value| value.to_str().ok()).collect();
    // A state that can't be read is passed on all the same, and not told.
    let state = state.join(",").parse().unwrap_or(TraceState::NONE);
    let context = SpanContext::new(trace, span, flags, true, state);
    context.is_valid().then_some(context)
}

/// Names the span that a request is made in. A caller's state goes with a caller's trace, and not
/// with another.
pub(super) fn tell(context: &SpanContext, continues: bool, headers: &mut HeaderMap) {
    if !context.is_valid() {
        return;
    }
    let (trace, span) = (context.trace_id(), context.span_id());
    let value = format!("00-{trace}-{span}-{:02x}", context.trace_flags().to_u8());
    headers.insert(TRACEPARENT, HeaderValue::try_from(value).expect("hexadecimal digits"));
    if !continues {
        headers.remove(TRACESTATE);
    }
}

/// `version-trace-parent-flags`, in lower-case hexadecimal digits. A later version may have more
/// behind it.
fn parse(value: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let mut parts = value.trim_matches([' ', '\t']).splitn(5, '-');
    let mut hex = |length: usize| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        parts.next().filter(|part| part.len() == length && part.bytes().all(is_hex))
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()? & KNOWN_FLAGS;
    let flags = TraceFlags::new(flags);
    Some((TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_parent_is_read() {
        let state = [("traceparent", GOOD), ("tracestate", "a=1"), ("tracestate", "b=2")];
        let parent = parent(&headers(&state)).unwrap();
        assert_eq!(parent.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span_id().to_string(), "00f067aa0ba902b7");
        assert!(parent.is_sampled() && parent.is_remote());
        assert_eq!(parent.trace_state().header(), "a=1,b=2");
    }

    #[test]
    fn flags_and_later_versions_are_read() {
        let flags = |value: &str| {
            parent(&headers(&[("traceparent", value)])).map(|it| it.trace_flags().to_u8())
        };
        assert_eq!(flags(&GOOD.replace("-01", "-00")), Some(0));
        assert_eq!(flags(&GOOD.replace("-01", "-ff")), Some(3));
        assert_eq!(flags(&GOOD.replacen("00-", "cc-", 1)), Some(1));
        assert_eq!(flags(&format!("{}-what-will-be", GOOD.replacen("00-", "cc-", 1))), Some(1));
    }

    #[test]
    fn garbage_is_no_parent() {
        for value in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        ] {
            assert_eq!(parent(&headers(&[("traceparent", value)])), None, "{value}");
        }
        let twice = [("traceparent", GOOD), ("traceparent", GOOD)];
        assert_eq!(parent(&headers(&twice)), None);
    }

    #[test]
    fn a_state_goes_with_its_trace_alone() {
        let mut told = headers(&[("traceparent", GOOD), ("tracestate", "a=1")]);
        let context = parent(&told).unwrap();
        tell(&context, true, &mut told);
        assert_eq!(
            (&told["traceparent"], &told["tracestate"]),
            (&GOOD.parse().unwrap(), &"a=1".parse().unwrap())
        );
        tell(&context, false, &mut told);
        assert!(!told.contains_key("tracestate"));
        tell(&SpanContext::empty_context(), false, &mut told);
        assert_eq!(told["traceparent"], GOOD);
    }
}
