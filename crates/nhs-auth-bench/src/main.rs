//! What `nhs-auth` costs, beside what else does the same job, in one run: ratios, because a
//! machine's speed is its own. Run it by `cargo xtask bench`, or `cargo xtask soak`.
#![expect(clippy::print_stdout, reason = "the figures are the answer")]
#![expect(clippy::unwrap_used, reason = "a measurement stops where it can't go on")]

mod cached_token;
mod cpu;
mod diagnosis;
mod empty_cache;
mod get_token;
mod mock;
mod peer;
mod proxy;
mod rotation;
mod serve_jwks;
mod signing;
mod soak;
mod soak_sidecar;
mod wrk;

use std::path::PathBuf;

/// What a measurement is held against.
enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

/// One figure, and whether it is good enough.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    bar: Bar,
    /// Both sides of a ratio, in words.
    from: String,
}

fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(binary), Some(second)) = (arguments.next(), arguments.next()) else {
        println!(
            "usage: nhs-auth-bench BINARY PYTHON [MEASUREMENT], or BINARY MINUTES [sidecar] for a soak"
        );
        return std::process::ExitCode::from(2);
    };
    if let Some(minutes) = second.to_str().and_then(|text| text.parse().ok()) {
        let is_flat = match arguments.next() {
            Some(_) => soak_sidecar::run(&binary, minutes),
            None => soak::run(&binary, minutes),
        };
        return std::process::ExitCode::from(u8::from(!is_flat));
    }
    let setting = Setting { binary, python: second };
    let only = arguments.next();
    let (mut measured, mut missed) = (0, 0);
    for (name, measure) in [
        ("signing", signing::measure as fn(&Setting) -> Vec<Figure>),
        ("get-token", get_token::measure),
        ("cached-token", cached_token::measure),
        ("empty-cache", empty_cache::measure),
        ("mock", mock::measure),
        ("diagnosis", diagnosis::measure),
        ("rotation", rotation::measure),
        ("serve-jwks", serve_jwks::measure),
        ("proxy", proxy::measure),
    ] {
        if only.as_ref().is_some_and(|only| only.as_os_str() != name) {
            continue;
        }
        for figure in measure(&setting) {
            measured += 1;
            missed += usize::from(!figure.print());
        }
    }
    if measured == 0 {
        println!("there is no such measurement");
        return std::process::ExitCode::from(2);
    }
    std::process::ExitCode::from(u8::from(missed > 0))
}

/// The programs that are measured.
struct Setting {
    /// `nhs-auth`, as it is distributed.
    binary: PathBuf,
    /// A Python that has PyJWT and requests.
    python: PathBuf,
}

impl Figure {
    /// Prints the figure, and says whether it is good enough.
    fn print(&self) -> bool {
        let (is_good, bar) = match self.bar {
            Bar::AtLeast(least) => (self.value >= least, format!("at least {least}")),
            Bar::AtMost(most) => (self.value <= most, format!("at most {most}")),
        };
        let verdict = if is_good { "ok    " } else { "MISSED" };
        println!(
            "{verdict} {:<44} {:>9.2} {:<12} ({bar}; {})",
            self.name, self.value, self.unit, self.from
        );
        is_good
    }
}

/// The middle one: what a noisy machine says least wrongly.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
