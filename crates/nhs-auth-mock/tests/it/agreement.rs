//! The mock and the diagnosis agree: what the mock answers is what the diagnosis marks as first.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaPublicKeyComponents,
};
use nhs_auth_mock::NewApp;
use nhs_auth_rules::SignatureAlgorithm;
use nhs_auth_rules::diagnosis::{Crypto, Inputs, JwksInput, diagnose};
use serde_json::{Value, json};

use crate::assertion::{Assertion, KID, new_jti};
use crate::key::Key;
use crate::world::{FORM, World, encoded, form};

/// How many requests are made.
const CASES: u32 = 2000;

/// The crypto library, as a diagnosis wants it.
struct Lc;

impl Crypto for Lc {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        modulus: &[u8],
        exponent: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let parameters = match algorithm {
            SignatureAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            SignatureAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            SignatureAlgorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            SignatureAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
            SignatureAlgorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
            SignatureAlgorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        };
        RsaPublicKeyComponents { n: modulus, e: exponent }
            .verify(parameters, message, signature)
            .is_ok()
    }

    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        digest(&SHA256, bytes).as_ref().try_into().unwrap()
    }

    fn sha1(&self, bytes: &[u8]) -> [u8; 20] {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().try_into().unwrap()
    }
}

/// Xorshift: the same choices in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// Breaks one value, or makes it look odd.
fn mutated(assertion: Assertion, dice: &mut Dice, now: i64, url: &str, used: &str) -> Assertion {
    let null = Value::Null;
    match dice.below(14) {
        0 => {
            let algorithms = [json!("RS256"), json!("none"), json!("rs512"), json!("HS256"), null];
            assertion.header("alg", dice.one_of(&algorithms))
        }
        1 => {
            let names =
                [json!("Test-1"), json!("tset-1"), json!("test-2"), json!(7), json!(""), null];
            assertion.header("kid", dice.one_of(&names))
        }
        2 => {
            let types = [json!("jwt"), json!("at+jwt"), json!(["JWT"]), json!(""), null];
            assertion.header("typ", dice.one_of(&types))
        }
        3 => {
            let name = dice.one_of(&["alg", "kid", "typ"]);
            assertion.without_header(name)
        }
        4 => {
            let name = dice.one_of(&["iss", "sub", "aud", "jti", "exp"]);
            assertion.without_claim(name)
        }
        5 | 6 => {
            let times = [
                json!(now - 60),
                json!(now - 3450),
                json!(now - 86_400),
                json!(now + 290),
                json!(now + 305),
                json!(now + 3600),
                json!(now + 3750),
                json!((now + 150) * 1000),
                json!((now + 150).to_string()),
                json!((now - 150).to_string()),
                json!("soon"),
                json!(300),
                json!(0),
                json!(1e30),
                json!([now + 150]),
                json!({}),
                json!(true),
                json!(""),
                null,
            ];
            assertion.claim("exp", dice.one_of(&times))
        }
        7 => {
            let clients = [json!(new_jti()), json!(5), json!(""), json!([]), null];
            let client = dice.one_of(&clients);
            match dice.below(3) {
                0 => assertion.claim("iss", client),
                1 => assertion.claim("sub", client),
                _ => assertion.claim("iss", client.clone()).claim("sub", client),
            }
        }
        8 => {
            let uuid = format!("0f5e1c5a-68a0-4a9c-8c6e-{:012}", dice.below(1_000_000_000));
            assertion.claim("iss", uuid.clone()).claim("sub", uuid)
        }
        9 => {
            let names = [
                json!(7),
                json!(0),
                json!(""),
                json!({}),
                json!(format!("~{}", new_jti())),
                null,
                json!(used),
            ];
            assertion.claim("jti", dice.one_of(&names))
        }
        10 => assertion.claim("jti", used),
        11 | 12 => {
            let audiences = [
                json!(format!("{url}/")),
                json!(url.to_uppercase()),
                json!(url.replace("/token", "")),
                json!(url.replace("/oauth2/", "/oauth2-mock/")),
                json!("https://int.api.service.nhs.uk/oauth2/token"),
                json!([url, "x"]),
                json!(["x"]),
                json!([]),
                json!(7),
                null,
            ];
            assertion.claim("aud", dice.one_of(&audiences))
        }
        _ => {
            let ahead = dice.one_of(&[-60, 5, 60, 3600]);
            let name = dice.one_of(&["nbf", "iat"]);
            assertion.claim(name, now + ahead)
        }
    }
}

/// Damages the text.
fn damaged(compact: &str, dice: &mut Dice) -> String {
    let at = dice.below(compact.len());
    let (before, after) = compact.split_at(at);
    match dice.below(12) {
        0 => format!("{before} {after}"),
        1 => format!("{before}\n{after}"),
        2 => compact.replacen('.', "=.", 1),
        3 => format!("{compact}=="),
        4 => before.to_owned(),
        5 => compact.rsplit_once('.').unwrap().0.to_owned(),
        6 => format!("{}.", compact.rsplit_once('.').unwrap().0),
        7 => format!("b'{compact}'"),
        8 => format!("Bearer {compact}"),
        9 => compact.replace(['-', '_'], "–"),
        10 => compact.replace('-', "+").replace('_', "/"),
        _ => {
            let other = if after.starts_with('A') { 'B' } else { 'A' };
            format!("{before}{other}{}", &after[1..])
        }
    }
}

/// Changes a parameter of the form.
fn reformed<'a>(form: &[(&'a str, &'a str)], dice: &mut Dice) -> Vec<(&'a str, &'a str)> {
    let mut form = form.to_vec();
    let at = dice.below(form.len());
    match dice.below(4) {
        0 => drop(form.remove(at)),
        1 => form[at].1 = "",
        2 => form[at].0 = dice.one_of(&["grantType", "assertion", "client_assertion_typ"]),
        _ => {
            let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
            form[0].1 = dice.one_of(&["password", "Client_Credentials", grant]);
        }
    }
    form
}

#[tokio::test]
async fn what_the_mock_answers_is_what_the_diagnosis_marks_as_first() {
    let keys = json!({"keys": [Key::usual().jwk(KID), Key::other().jwk("test-2")]}).to_string();
    let app = NewApp::new("test").jwks(keys.clone()).rate_limit(u32::MAX);
    let world = World::with_app(app).await;
    let url = world.platform.token_url();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);

    let earlier = world.assertion().claim("scope", "told apart from a later one");
    let used = earlier.jti();
    let earlier = earlier.sign(Key::usual());
    assert_eq!(world.present(&earlier).await.status, 200);

    let mut named = std::collections::BTreeMap::<&str, u32>::new();
    let mut disagreements = Vec::new();
    for case in 0..CASES {
        let now = world.platform.now().0 / 1000;
        let mut assertion = world.assertion();
        for _ in 0..dice.below(3) {
            assertion = mutated(assertion, &mut dice, now, &url, &used);
        }
        let key = if dice.below(8) == 0 { Key::other() } else { Key::usual() };
        let mut compact = assertion.sign(key);
        if dice.below(4) == 0 {
            compact = damaged(&compact, &mut dice);
        }
        let form = form(&compact);
        let form = if dice.below(10) == 0 { reformed(&form, &mut dice) } else { form.to_vec() };
        let body = encoded(&form);
        let content_type = match dice.below(20) {
            0 => ("Content-Type", "application/json"),
            1 => ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            _ => FORM,
        };
        world.send("POST", "/oauth2/token", &[content_type], body.as_bytes()).await;

        let answered = world.latest();
        let host = url.strip_prefix("http://").unwrap().split_once('/').unwrap().0;
        let request = format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\n{}: {}\r\n\r\n{body}",
            content_type.0, content_type.1
        );
        let report = diagnose(
            &Inputs {
                assertions: vec![&earlier],
                jwks: Some(JwksInput::Document(&keys)),
                api_key: Some(world.app.api_key()),
                token_url: Some(&url),
                request: Some(&request),
                at: Some(answered.at),
                now: answered.at,
                ..Inputs::default()
            },
            &Lc,
        );
        let first = report.first().and_then(|finding| finding.rule).map(|rule| rule.id.as_str());
        let has_error = report.has_error();
        if first != answered.rule || has_error == (answered.status == 200) {
            let found: Vec<_> = report
                .findings
                .iter()
                .map(|finding| (finding.rule.map(|rule| rule.id), finding.cause, finding.severity))
                .collect();
            disagreements.push(format!(
                "case {case}: the mock names {:?}, the diagnosis {first:?}: {found:?} {form:?}",
                answered.rule
            ));
        }
        *named.entry(first.unwrap_or("a token")).or_default() += 1;
    }
    let shown: Vec<_> = disagreements.iter().take(5).collect();
    assert!(disagreements.is_empty(), "{} disagreements: {shown:#?}", disagreements.len());
    // The corpus reaches every row that a request can break by itself.
    for rule in [
        "R1", "R6", "R7", "R7b", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10",
        "A11", "A12", "A13", "A14", "A15", "A19", "A20", "A20b", "A21", "a token",
    ] {
        assert!(named.contains_key(rule), "no case of {rule} in {named:?}");
    }
}
