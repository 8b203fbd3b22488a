//! Every row of token exchange over the wire, alone and before every later one: the assertion's
//! rows, then the subject token's, and in their midst those of a delegated token.

use nhs_auth_mock::NewApp;
use serde_json::json;

use crate::assertion::KID;
use crate::exchange::Exchange;
use crate::jwt::Jwt;
use crate::key::Key;
use crate::provider::{Trusting, UNREACHABLE};
use crate::refusal::Refusal;

/// A row: what is answered, and what breaks it in a good request.
type Row = (Refusal, fn(Exchange) -> Exchange);

const PAST_S: i64 = 1_600_000_000;
const FAR_S: i64 = 32_503_680_000;

const fn assertion_row(rule: &'static str, description: &'static str) -> Refusal {
    Refusal::bad_request(rule, description)
}

/// The rows of the assertion that a request can break, in the platform's order.
const ASSERTION: &[Row] = &[
    (
        assertion_row(
            "A1",
            "Missing or invalid client_assertion_type - must be \
             'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'",
        ),
        |it| it.without("client_assertion_type"),
    ),
    (assertion_row("A1b", "grant_type is invalid"), |it| {
        it.with("grant_type", "client_credentials")
    }),
    (assertion_row("A2", "Missing client_assertion"), |it| it.without("client_assertion")),
    (assertion_row("A3", "Malformed JWT in client_assertion"), |it| {
        it.with("client_assertion", "not a JWT")
    }),
    (
        assertion_row(
            "A4",
            "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be \
             'RS512'",
        ),
        |it| it.assertion(|jwt| jwt.header("alg", "RS256")),
    ),
    (assertion_row("A5", "Invalid 'exp' claim in client_assertion JWT - JWT has expired"), |it| {
        it.assertion(|jwt| jwt.claim("exp", PAST_S))
    }),
    (assertion_row("A6", "Missing 'kid' header in client_assertion JWT"), |it| {
        it.assertion(|jwt| jwt.without_header("kid"))
    }),
    (assertion_row("A7", "Invalid 'typ' header in client_assertion JWT - must be 'JWT'"), |it| {
        it.assertion(|jwt| jwt.header("typ", "at+jwt"))
    }),
    (assertion_row("A8", "Missing 'exp' claim in client_assertion JWT"), |it| {
        it.assertion(|jwt| jwt.without_claim("exp"))
    }),
    (
        assertion_row("A9", "Invalid 'exp' claim in client_assertion JWT - must be an integer"),
        |it| it.assertion(|jwt| jwt.claim("exp", "soon")),
    ),
    (
        assertion_row("A10", "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT"),
        |it| it.assertion(|jwt| jwt.without_claim("iss")),
    ),
    (assertion_row("A11", "Missing 'jti' claim in client_assertion JWT"), |it| {
        it.assertion(|jwt| jwt.without_claim("jti"))
    }),
    (
        assertion_row(
            "A12",
            "Invalid 'jti' claim in client_assertion JWT - must be a unique string value such as \
             a GUID",
        ),
        |it| it.assertion(|jwt| jwt.claim("jti", 7)),
    ),
    (assertion_row("A13", "Non-unique 'jti' claim in client_assertion JWT"), |it| {
        it.assertion(|jwt| jwt.claim("jti", USED))
    }),
    (
        assertion_row(
            "A14",
            "Invalid 'exp' claim in client_assertion JWT - more than 5 minutes in future",
        ),
        |it| it.assertion(|jwt| jwt.claim("exp", FAR_S)),
    ),
    (
        Refusal::new(
            "A15",
            401,
            "invalid_request",
            "Invalid 'iss'/'sub' claims in client_assertion JWT",
        ),
        |it| it.assertion(|jwt| jwt.claim("iss", NOBODY).claim("sub", NOBODY)),
    ),
    (
        Refusal::new(
            "A19",
            401,
            "invalid_request",
            "Invalid 'kid' header in client_assertion JWT - no matching public key",
        ),
        |it| it.assertion(|jwt| jwt.header("kid", "unknown")),
    ),
    (Refusal::new("A20", 401, "public_key error", "JWT signature verification failed"), |it| {
        it.assertion_by(Key::other())
    }),
    (
        Refusal::new(
            "A21",
            401,
            "invalid_request",
            "Missing or invalid 'aud' claim in client_assertion JWT",
        ),
        |it| it.assertion(|jwt| jwt.without_claim("aud")),
    ),
];

/// A `jti` that was used before.
const USED: &str = "used-before";

/// An API key that no application has.
const NOBODY: &str = "nobody";

/// The rows of the subject token, in the platform's order. The token is of NHS login, and carries
/// another.
const SUBJECT: &[Row] = &[
    (Refusal::bad_request("S1", "Missing subject_token"), |it| it.without("subject_token")),
    (Refusal::bad_request("S2", "Malformed JWT in subject_token"), |it| {
        it.with("subject_token", "9SrRLS-XxM65UGJRlXR_6lqf604")
    }),
    (Refusal::bad_request("S3", "Missing 'kid' header in subject_token JWT"), |it| {
        it.subject(|jwt| jwt.without_header("kid"))
    }),
    (
        Refusal::bad_request("S4", "Invalid 'typ' header in subject_token JWT - must be 'JWT'"),
        |it| it.subject(|jwt| jwt.without_header("typ")),
    ),
    (Refusal::bad_request("S5", "Missing 'alg' header in subject_token JWT"), |it| {
        it.subject(|jwt| jwt.without_header("alg"))
    }),
    (Refusal::bad_request("S6", "Missing 'exp' claim in subject_token JWT"), |it| {
        it.subject(|jwt| jwt.without_claim("exp"))
    }),
    (
        Refusal::bad_request("S7", "Invalid 'exp' claim in subject_token JWT - must be an integer"),
        |it| it.subject(|jwt| jwt.claim("exp", PAST_S.to_string())),
    ),
    (
        Refusal::bad_request("S8", "Invalid 'exp' claim in subject_token JWT - JWT has expired"),
        |it| it.subject(|jwt| jwt.claim("exp", PAST_S)),
    ),
    (Refusal::bad_request("S9", "Missing 'iss' claim in subject_token JWT"), |it| {
        it.subject(|jwt| jwt.without_claim("iss"))
    }),
    (
        Refusal::new("S10", 401, "invalid_request", "Missing 'aud' claim in subject_token JWT"),
        |it| it.subject(|jwt| jwt.without_claim("aud")),
    ),
    (Refusal::bad_request("D1", "act.sub JWT is corrupt or unparseable"), |it| {
        it.delegated_text("9912003072")
    }),
    (Refusal::bad_request("D2", "Missing 'kid' header in act.sub JWT"), |it| {
        it.delegated(|jwt| jwt.without_header("kid"))
    }),
    (Refusal::bad_request("D3", "Invalid 'typ' header in act.sub JWT - must be 'JWT'"), |it| {
        it.delegated(|jwt| jwt.header("typ", "at+jwt"))
    }),
    (Refusal::bad_request("D4", "Missing 'alg' header in act.sub JWT"), |it| {
        it.delegated(|jwt| jwt.without_header("alg"))
    }),
    (Refusal::bad_request("D5", "Missing 'exp' claim in act.sub JWT"), |it| {
        it.delegated(|jwt| jwt.without_claim("exp"))
    }),
    (Refusal::bad_request("D6", "Invalid 'exp' claim in act.sub JWT - must be an integer"), |it| {
        it.delegated(|jwt| jwt.claim("exp", FAR_S.to_string()))
    }),
    (Refusal::bad_request("D7", "Missing 'iss' claim in act.sub JWT"), |it| {
        it.delegated(|jwt| jwt.without_claim("iss"))
    }),
    (Refusal::bad_request("D8", "Missing 'aud' claim in act.sub JWT"), |it| {
        it.delegated(|jwt| jwt.without_claim("aud"))
    }),
    (Refusal::bad_request("D9", "Missing 'nhs_number' claim in act.sub JWT"), |it| {
        it.delegated(|jwt| jwt.without_claim("nhs_number"))
    }),
    (
        Refusal::bad_request("S11", "Missing or non-matching 'iss' claim in subject_token JWT"),
        |it| it.subject(|jwt| jwt.claim("iss", "https://auth.sandpit.signin.nhs.uk")),
    ),
    (Refusal::unknown_error("S12"), |it| it.at(UNREACHABLE)),
    (
        Refusal::new(
            "S13",
            401,
            "invalid_request",
            "Invalid 'kid' header in subject_token JWT - no matching public key",
        ),
        |it| it.subject(|jwt| jwt.header("kid", "unknown")),
    ),
    (Refusal::new("S14", 401, "public_key error", "JWT signature verification failed"), |it| {
        it.subject_by(Key::other())
    }),
    (Refusal::unknown_error("S15"), |it| {
        it.subject(|jwt| jwt.without_claim("identity_proofing_level"))
    }),
    (Refusal::no_scope("S16"), |it| it.subject(|jwt| jwt.claim("identity_proofing_level", "P7"))),
];

fn app() -> NewApp {
    NewApp::new("test").jwks(Key::usual().jwks(KID)).rate_limit(u32::MAX)
}

/// A good exchange of a patient's token that carries that of the person who acts.
fn delegated(it: &Trusting) -> Exchange {
    Exchange::new(&it.world, it.nhs_login_id_token()).on_behalf(it.nhs_login_id_token())
}

async fn with_a_used_jti() -> Trusting {
    let it = Trusting::new(app()).await;
    let used = delegated(&it).assertion(|jwt| jwt.claim("jti", USED));
    assert_eq!(used.clone().send(&it.world).await.status, 200, "{}", it.world.rule());
    // A jti is burnt for its own sub, and one row is of a sub that nobody has.
    let nobodys = used.assertion(|jwt| jwt.claim("iss", NOBODY).claim("sub", NOBODY));
    assert_eq!(nobodys.send(&it.world).await.status, 401);
    it
}

#[tokio::test]
async fn each_row_alone() {
    let it = with_a_used_jti().await;
    for (refusal, spoil) in ASSERTION.iter().chain(SUBJECT) {
        let reply = spoil(delegated(&it)).send(&it.world).await;
        refusal.assert(&it.world, &reply);
    }
}

#[tokio::test]
async fn each_row_of_a_healthcare_workers_token() {
    let it = Trusting::new(app()).await;
    for (refusal, spoil) in SUBJECT {
        let good = Exchange::new(&it.world, it.cis2_id_token());
        let reply = spoil(good).send(&it.world).await;
        match refusal.rule {
            // There is no token of another person, and the level is another claim's.
            rule if rule.starts_with('D') || rule == "S15" || rule == "S16" => {
                assert_eq!(reply.status, 200, "{rule}: {}", reply.text());
            }
            _ => refusal.assert(&it.world, &reply),
        }
    }
    let without_level = it.cis2_id_token().without_claim("authentication_assurance_level");
    let reply = Exchange::new(&it.world, without_level).send(&it.world).await;
    Refusal::no_scope("S16").assert(&it.world, &reply);
}

#[tokio::test]
async fn of_any_two_rows_the_earlier_answers() {
    let it = with_a_used_jti().await;
    let rows: Vec<_> = ASSERTION.iter().chain(SUBJECT).collect();
    for (at, (earlier, spoil)) in rows.iter().enumerate() {
        for (later, spoil_too) in &rows[at + 1..] {
            // The earlier fault last: it wins where both are of one value.
            let reply = spoil(spoil_too(delegated(&it))).send(&it.world).await;
            assert_eq!(it.world.rule(), earlier.rule, "{} hides it", later.rule);
            earlier.assert_answer(&reply);
        }
    }
}

#[tokio::test]
async fn the_applications_rows_come_before_the_subject_tokens() {
    const UNKNOWN_KEY: Refusal = Refusal::new(
        "A15b",
        401,
        "invalid_request",
        "Invalid 'iss'/'sub' claims in client_assertion JWT",
    );
    const NO_KEY: Refusal = Refusal::new(
        "A17",
        403,
        "public_key error",
        "You need to register a public key to use this authentication method - please contact \
         support to configure",
    );
    const UNREACHABLE_KEY: Refusal = Refusal::new(
        "A18",
        403,
        "public_key error",
        "The JWKS endpoint, for your client_assertion can't be reached",
    );
    for (app, refusal) in [
        (app().approved(false), UNKNOWN_KEY),
        (app().developer_active(false), UNKNOWN_KEY),
        (app().company_active(false), UNKNOWN_KEY),
        (app().not_subscribed(), UNKNOWN_KEY),
        (NewApp::new("test"), NO_KEY),
        (NewApp::new("test").jwks_url("https://example.org"), UNREACHABLE_KEY),
    ] {
        let it = Trusting::new(app).await;
        let reply = delegated(&it).without("subject_token").send(&it.world).await;
        refusal.assert(&it.world, &reply);
    }
    let it = Trusting::new(app().rate_limit(0)).await;
    let reply = delegated(&it).without("subject_token").send(&it.world).await;
    assert_eq!((reply.status, it.world.rule()), (429, "A16"));
}

#[tokio::test]
async fn a_refused_subject_token_has_burnt_the_jti_of_the_assertion() {
    let it = Trusting::new(app()).await;
    let exchange = delegated(&it);
    for rule in ["S1", "A13"] {
        let reply = exchange.clone().without("subject_token").send(&it.world).await;
        assert_eq!((reply.status, it.world.rule()), (400, rule));
    }
    assert_eq!(exchange.send(&it.world).await.status, 400);
    assert_eq!(it.world.rule(), "A13");
}

#[tokio::test]
async fn what_counts_as_missing_and_what_does_not() {
    let it = Trusting::new(app()).await;
    let cases: Vec<(Jwt, &str)> = vec![
        (it.cis2_id_token().header("kid", ""), "S3"),
        (it.cis2_id_token().header("typ", "jwt"), "none"),
        (it.cis2_id_token().header("typ", json!(["JWT"])), "S4"),
        (it.cis2_id_token().header("alg", ""), "S5"),
        (it.cis2_id_token().claim("exp", json!(null)), "S6"),
        (it.cis2_id_token().claim("exp", 0), "S6"),
        // The text says integer, and any number passes.
        (it.cis2_id_token().claim("exp", 32_503_680_000.5), "none"),
        (it.cis2_id_token().claim("exp", FAR_S), "none"),
        (it.cis2_id_token().claim("iss", ""), "S9"),
        (it.cis2_id_token().claim("aud", ""), "S10"),
        // Whose it is, isn't looked at.
        (it.cis2_id_token().claim("aud", json!(["a", "b"])), "none"),
        (it.cis2_id_token().claim("aud", "anybody"), "none"),
        (it.cis2_id_token().claim("nbf", "never"), "none"),
    ];
    for (token, rule) in cases {
        let told = format!("{token:?}");
        let reply = Exchange::new(&it.world, token).send(&it.world).await;
        assert_eq!(it.world.rule(), rule, "{told}: {}", reply.text());
    }
}

#[tokio::test]
async fn only_a_patients_token_with_a_text_in_act_sub_is_delegated() {
    let it = Trusting::new(app()).await;
    for (token, rule) in [
        (it.nhs_login_id_token().claim("act", json!({"sub": 9_912_003_072_i64})), "none"),
        (it.nhs_login_id_token().claim("act", json!({"sub": null})), "none"),
        (it.nhs_login_id_token().claim("act", "9912003072"), "none"),
        (it.nhs_login_id_token().claim("act", json!({"sub": ""})), "D1"),
        (it.nhs_login_id_token().claim("act", json!({"sub": "a.b"})), "D1"),
        (
            it.nhs_login_id_token()
                .without_claim("nhs_number")
                .claim("act", json!({"sub": "corrupt"})),
            "none",
        ),
        (it.cis2_id_token().claim("act", json!({"sub": "corrupt"})), "none"),
        (
            it.cis2_id_token()
                .claim("nhs_number", "9912003071")
                .claim("act", json!({"sub": "corrupt"})),
            "D1",
        ),
    ] {
        let told = token.claims()["act"].clone();
        let reply = Exchange::new(&it.world, token).send(&it.world).await;
        assert_eq!(it.world.rule(), rule, "{told}: {}", reply.text());
    }
    // Nobody verifies it, and nobody asks whether it is past.
    let reply = delegated(&it).delegated(|jwt| jwt.claim("exp", PAST_S)).send(&it.world).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}
