//! `exp`, `iat` and `nbf`: which unit, which zone, whose clock.

use super::moment::{countable, duration, is_british_summer_time, utc};
use super::view::View;
use super::{Diagnosed, RootCause};
use crate::json::{Kind, Value};
use crate::limits::{EXP_DOCUMENTED_S, EXP_ENFORCED_S, VERIFY_LEEWAY_S};
use crate::quotable::quotable;
use crate::{Rule, UnixSeconds};

/// Rows 5, 8, 9 and 14 in one finding, since they look at one claim; then what is only unwise.
pub(super) fn findings(view: &View<'_>) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    let refused = view.first_of(&["A5", "A8", "A9", "A14"]);
    let exp = view.claim("exp");
    match (refused, &exp) {
        (Some(rule), None) => findings.push(missing(view, rule)),
        (Some(rule), Some(exp)) => findings.push(match exp.kind() {
            Kind::Number if exp.as_number() != Some(0.0) => number(view, rule, exp),
            Kind::String if exp.as_str().is_some_and(|text| !text.is_empty()) => {
                wrong_type(view, rule, exp)
            }
            Kind::Array | Kind::Object => wrong_type(view, rule, exp),
            Kind::Boolean if exp.text() == "true" => wrong_type(view, rule, exp),
            _ => empty(view, rule, exp),
        }),
        (None, Some(exp)) if exp.kind() == Kind::Number => findings.extend(margin(view, exp)),
        (None, _) => {}
    }
    if let Some(exp) = exp.filter(|exp| exp.kind() == Kind::Number)
        && exp.text().contains(['.', 'e', 'E'])
        && exp.as_number().is_some_and(|number| number.fract() != 0.0)
    {
        findings.push(fraction(view, &exp));
    }
    let clock_is_known = findings.iter().any(|finding| {
        matches!(finding.cause, RootCause::ExpClock | RootCause::ExpTz | RootCause::ExpUnit)
    });
    if view.fault("A20b").is_some() && !clock_is_known {
        findings.push(not_yet_valid(view));
    } else if !clock_is_known {
        findings.extend(issued_in_the_future(view));
    }
    findings
}

fn at(view: &View<'_>, finding: Diagnosed, claim: &str, text: impl Into<String>) -> Diagnosed {
    match view.claim_place(claim) {
        Some((source, span)) => finding.label(source, span, text),
        None => finding,
    }
}

/// `exp` replaced by what is right now.
fn patched(view: &View<'_>, finding: Diagnosed, text: &str, replacement: i64) -> Diagnosed {
    match (view.claim("exp"), &view.payload) {
        (Some(exp), Some((_, shown))) => {
            finding.patch(text, shown, exp.span(), replacement.to_string())
        }
        _ => finding,
    }
}

fn with_good_exp(view: &View<'_>, finding: Diagnosed) -> Diagnosed {
    let good = view.now().plus(150).0;
    patched(view, finding, "make `exp` the time of signing plus 150 seconds, as here", good)
}

fn missing(view: &View<'_>, rule: &'static Rule) -> Diagnosed {
    let finding = Diagnosed::error(RootCause::ExpMissing, "there is no `exp`").rule(rule);
    at(view, finding, "exp", "these claims have no `exp`").fix(rule.fix)
}

fn empty(view: &View<'_>, rule: &'static Rule, exp: &Value<'_>) -> Diagnosed {
    let message = format!("`exp` is {}, which is as good as none", quotable(exp.text()));
    let finding = Diagnosed::error(RootCause::ExpMissing, message).rule(rule).why(
        "the platform's script takes an empty value for the number 0 before it asks whether there \
         is one, so it says `JWT has expired`",
    );
    with_good_exp(view, at(view, finding, "exp", "not a time"))
}

fn wrong_type(view: &View<'_>, rule: &'static Rule, exp: &Value<'_>) -> Diagnosed {
    let message = format!("`exp` is {} and not a number", kind(exp));
    let finding = Diagnosed::error(RootCause::ExpType, message).rule(rule).why(
        "`exp` is a number of seconds since 1970 (RFC 7519 §4.1.4). A numeric string that is in the \
         past is answered with `JWT has expired`, because the platform compares before it looks at \
         the type",
    );
    let finding = at(view, finding, "exp", "this must be a JSON number");
    let written = exp.as_str().and_then(|text| text.trim().parse::<i64>().ok());
    match written {
        Some(seconds) => patched(view, finding, "take the quotes away", seconds),
        None => with_good_exp(view, finding),
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value.kind() {
        Kind::Array => "an array",
        Kind::Boolean => "a boolean",
        Kind::Null => "null",
        Kind::Number => "a number",
        Kind::Object => "an object",
        Kind::String if value.as_str().is_some_and(|text| text.contains('T')) => {
            "a date in a string"
        }
        Kind::String => "a string",
    }
}

/// A number that the platform refuses.
fn number(view: &View<'_>, rule: &'static Rule, exp: &Value<'_>) -> Diagnosed {
    let value = exp.as_number().unwrap_or(f64::INFINITY);
    let seconds = countable(value);
    if let Some(finding) = other_unit(view, rule, value) {
        return finding;
    }
    if rule.id.as_str() == "A5" { past(view, rule, seconds) } else { far(view, rule, seconds) }
}

/// A time in milliseconds, micro- or nanoseconds, or a lifetime in place of a time.
fn other_unit(view: &View<'_>, rule: &'static Rule, value: f64) -> Option<Diagnosed> {
    let (unit, factor) = match value {
        v if (1e11..1e14).contains(&v) => ("milliseconds", 1e3),
        v if (1e14..1e17).contains(&v) => ("microseconds", 1e6),
        v if (1e17..1e20).contains(&v) => ("nanoseconds", 1e9),
        v if v > 0.0 && v < 1e8 => {
            let message = format!("`exp` is {value}: a lifetime and not a time");
            let finding = Diagnosed::error(RootCause::ExpUnit, message).rule(rule).why(
                "`exp` is the moment at which the assertion expires, in seconds since 1970, and not \
                 how long it lives",
            );
            return Some(with_good_exp(view, at(view, finding, "exp", "a number of seconds")));
        }
        _ => return None,
    };
    let meant = countable(value / factor);
    let message = format!("`exp` is in {unit}: meant is {}", utc(UnixSeconds(meant)));
    let finding = Diagnosed::error(RootCause::ExpUnit, message).rule(rule).why(
        "`exp` counts seconds since 1970, and has 10 digits until the year 2286; JavaScript's \
         `Date.now()` and Java's `currentTimeMillis()` count milliseconds",
    );
    let near = (meant - view.now().0).abs() < 2 * 86_400;
    let finding = if near { finding } else { finding.likely() };
    let finding = at(view, finding, "exp", format!("{} digits", format!("{value:.0}").len()));
    Some(patched(view, finding, "count in seconds", meant))
}

fn past(view: &View<'_>, rule: &'static Rule, exp: i64) -> Diagnosed {
    let now = view.now();
    let late = now.0 - exp;
    let expired = utc(UnixSeconds(exp));
    let ago = duration(as_float(late));
    let issued = view.seconds("iat").filter(|iat| *iat <= exp && exp - iat <= 3600);
    if view.context.at_known {
        if let Some(hours) = zone(now, issued.map(|iat| now.0 - iat), late) {
            return local_time(view, rule, -hours, &expired);
        }
        if let Some(age) = issued.map(|iat| now.0 - iat).filter(|age| *age <= 600) {
            let message = format!(
                "`exp` was {expired}, {ago} before the request, and `iat` {} before it: the clock of \
                 the signer is slow, or the assertion was made long before it was sent",
                duration(as_float(age))
            );
            let finding = Diagnosed::error(RootCause::ExpClock, message)
                .likely()
                .rule(rule)
                .why("an assertion is normally sent the moment it is made")
                .command(
                    "see how far the clock is off",
                    "date -u; curl -sI https://api.service.nhs.uk | grep -i ^date",
                );
            return at(view, finding, "exp", format!("{ago} before the request"));
        }
    }
    let reused = issued.filter(|iat| now.0 - iat > 600).map(|iat| {
        format!(
            "it was made {} ago to live {} seconds: built once, and used again later",
            duration(as_float(now.0 - iat)),
            exp - iat
        )
    });
    let mut message = format!("the assertion expired {ago} ago, at {expired}");
    if let Some(reused) = &reused {
        message = format!("{message}; {reused}");
    }
    let finding = Diagnosed::error(RootCause::ExpExpired, message).rule(rule);
    let finding = if view.context.at_known {
        finding.why(
            "an assertion is made for one request. One that is kept and sent again later has \
             expired; so has a fresh one if the clock that made it is minutes slow",
        )
    } else {
        finding.likely().why(
            "this is held against the present time, because when the request was sent isn't known; \
             it may have been good then",
        )
    };
    let finding = at(view, finding, "exp", format!("{expired}, {ago} ago"));
    finding.fix("make a new assertion for each request, just before it is sent")
}

fn far(view: &View<'_>, rule: &'static Rule, exp: i64) -> Diagnosed {
    let now = view.now();
    let remaining = exp.saturating_sub(now.0);
    let when = utc(UnixSeconds(exp));
    let issued = view.seconds("iat").filter(|iat| *iat <= exp);
    let life = issued.map(|iat| exp - iat);
    if life.is_none_or(|life| life <= EXP_ENFORCED_S) {
        let ahead = issued.map(|iat| iat - now.0);
        // An hour to the second is a library's default lifetime, and more likely than a zone.
        let is_round = ahead.is_none() && (3595..=3605).contains(&remaining);
        if !is_round && let Some(hours) = zone(now, ahead, -remaining) {
            return local_time(view, rule, hours, &when);
        }
    }
    if let (Some(life), Some(iat)) = (life, issued)
        && life <= EXP_ENFORCED_S
    {
        let message = format!(
            "`exp` is {remaining} seconds away though the lifetime is {life}: the clock that made \
             this is {} ahead",
            duration(as_float(iat - now.0))
        );
        let finding = Diagnosed::error(RootCause::ExpClock, message)
            .rule(rule)
            .why("`iat` is in the future too, so it is the clock and not the lifetime")
            .command(
                "see how far the clock is off",
                "date -u; curl -sI https://api.service.nhs.uk | grep -i ^date",
            );
        let finding = if view.context.at_known { finding } else { finding.likely() };
        let finding = at(view, finding, "exp", format!("{remaining} seconds after the request"));
        return at(view, finding, "iat", "in the future");
    }
    let message = match life {
        Some(life) => format!(
            "the assertion lives {life} seconds, to {when}: the platform takes {EXP_DOCUMENTED_S}"
        ),
        None => format!(
            "`exp` is {} away, at {when}: the platform takes {EXP_DOCUMENTED_S} seconds",
            duration(as_float(remaining))
        ),
    };
    let finding = Diagnosed::error(RootCause::ExpLong, message).rule(rule).why(
        "five minutes are documented and 310 seconds enforced; several libraries make an hour unless \
         told otherwise",
    );
    with_good_exp(view, at(view, finding, "exp", format!("{remaining} seconds away")))
}

/// By how many hours a time is off, if a time zone explains it: `offset` is how far the issue time
/// is off, and `late` how far `exp` is past, negative when it is ahead.
fn zone(now: UnixSeconds, offset: Option<i64>, late: i64) -> Option<i64> {
    const QUARTER: i64 = 900;
    let summer = is_british_summer_time(now);
    match offset {
        Some(offset) => {
            let offset = offset.abs();
            let nearest = (offset + QUARTER / 2) / QUARTER * QUARTER;
            let whole_hours = nearest % 3600 == 0;
            let within = (offset - nearest).abs() <= 60;
            ((3600..=14 * 3600).contains(&nearest) && within && whole_hours)
                .then_some(nearest / 3600)
        }
        // Without an issue time: an hour off leaves a lifetime that would have been accepted.
        None if summer => {
            let without_the_hour = if late > 0 { 3600 - late } else { -late - 3600 };
            (1..=EXP_DOCUMENTED_S).contains(&without_the_hour).then_some(1)
        }
        None => None,
    }
}

fn local_time(view: &View<'_>, rule: &'static Rule, hours: i64, exp: &str) -> Diagnosed {
    let direction = if hours > 0 { "ahead" } else { "behind" };
    let count = hours.abs();
    let plural = if count == 1 { "an hour".to_owned() } else { format!("{count} hours") };
    let message = format!("`exp` is {exp}: off by {plural}, {direction}, as a time zone is");
    let why = if count == 1 && is_british_summer_time(view.now()) {
        "British Summer Time is an hour ahead of UTC: a UTC time that is read as local loses an \
         hour, a local time that is written as UTC gains one. It works in winter and fails in summer"
    } else {
        "a local time was taken for UTC, or the other way round; `exp` counts seconds since 1970 in \
         UTC"
    };
    let finding = Diagnosed::error(RootCause::ExpTz, message).likely().rule(rule).why(why);
    let finding = at(view, finding, "exp", format!("{plural} {direction}"));
    finding.fix("take the time from a clock that counts in UTC: `time.time()`, `Date.now() / 1000`, `Instant.now()`; in Python not `datetime.utcnow().timestamp()`")
}

/// Accepted, with nothing to spare.
fn margin(view: &View<'_>, exp: &Value<'_>) -> Option<Diagnosed> {
    let at_float = exp.as_number()?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 287396 are exact")]
    let remaining = at_float - view.context.now.0 as f64 / 1000.0;
    let life = view.seconds("iat").and_then(|iat| view.seconds("exp")?.checked_sub(iat));
    let documented = as_float(EXP_DOCUMENTED_S);
    let over = life.is_some_and(|life| life > EXP_DOCUMENTED_S) || remaining > documented;
    let exact = life == Some(EXP_DOCUMENTED_S)
        || (view.context.at_known && life.is_none() && remaining > documented - 1.0);
    let (message, why) = if life.is_some_and(|life| life > EXP_ENFORCED_S) {
        (
            format!("the assertion was made to live {} seconds", life.unwrap_or_default()),
            "sent at once it is refused: `exp` may be 310 seconds away at the most",
        )
    } else if over {
        (
            "`exp` is more than 300 seconds away".to_owned(),
            "300 seconds are documented; 310 are what the platform lets pass today",
        )
    } else if exact {
        (
            "the assertion lives exactly 300 seconds".to_owned(),
            "that is the limit: a clock that is seconds fast makes it too long",
        )
    } else {
        return None;
    };
    let finding = Diagnosed::warning(RootCause::ExpLong, message).why(why);
    let finding = at(view, finding, "exp", "the middle of what is accepted is 150 seconds");
    Some(finding.fix("set `exp` to the time of signing plus 150 seconds"))
}
fn fraction(view: &View<'_>, exp: &Value<'_>) -> Diagnosed {
    let finding = Diagnosed::warning(RootCause::ExpType, "`exp` has a fraction").why(
        "the platform lets it pass although its own text says integer; another verifier, or the \
         platform tomorrow, need not",
    );
    let whole = countable(exp.as_number().unwrap_or_default().floor());
    patched(view, at(view, finding, "exp", "not an integer"), "cut the fraction off", whole)
}

fn not_yet_valid(view: &View<'_>) -> Diagnosed {
    let rule = view.first_of(&["A20b"]);
    let nbf = view.claim("nbf").and_then(|nbf| nbf.as_number()).unwrap_or_default();
    let (cause, message) = if nbf > 1e11 {
        (RootCause::ExpUnit, "`nbf` is in milliseconds".to_owned())
    } else {
        let ahead = countable(nbf) - view.now().0;
        (RootCause::NbfFuture, format!("`nbf` is {} in the future", duration(as_float(ahead))))
    };
    let finding = Diagnosed::error(cause, message).rule_if(rule);
    at(view, finding, "nbf", "not valid before this").fix("leave `nbf` out, and check the clock")
}

fn issued_in_the_future(view: &View<'_>) -> Option<Diagnosed> {
    let iat = view.seconds("iat")?;
    let ahead = iat.saturating_sub(view.now().0);
    if ahead <= VERIFY_LEEWAY_S {
        return None;
    }
    let (cause, message) = if iat > 100_000_000_000 {
        (RootCause::ExpUnit, "`iat` is in milliseconds".to_owned())
    } else {
        let message = format!("`iat` is {} in the future", duration(as_float(ahead)));
        (RootCause::ExpClock, message)
    };
    let finding = Diagnosed::warning(cause, message).likely().why(
        "the platform doesn't look at `iat`; but a clock that is fast now makes `exp` too far away \
         when it is faster",
    );
    Some(at(view, finding, "iat", "in the future").fix("set the clock by NTP, or leave `iat` out"))
}

#[expect(clippy::cast_precision_loss, reason = "it is only shown")]
fn as_float(seconds: i64) -> f64 {
    seconds as f64
}
