//! Pages of other origins, which ask before they send (the Fetch standard, §3.2).

use crate::combined::{self, NURSE};
use crate::world::{FORM, World, encoded};

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");

#[tokio::test]
async fn a_browsers_question_is_answered_and_another_options_is_not() {
    let world = World::new().await;
    for endpoint in ["/oauth2/token", "/oauth2-mock/token", "/oauth2/userinfo"] {
        let asked = [ORIGIN, ("Access-Control-Request-Method", "POST")];
        let reply = world.send("OPTIONS", endpoint, &asked, b"").await;
        assert_eq!(reply.status, 200, "{endpoint}");
        assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN.1), "{endpoint}");
        assert!(reply.header("access-control-allow-methods").unwrap().contains("POST"));
    }
    let reply = world.send("OPTIONS", "/oauth2/token", &[ORIGIN], b"").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn a_page_may_read_what_its_code_became() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    let form = combined::redemption(&world, &code);
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = encoded(&form);
    let reply = world.send("POST", "/oauth2/token", &[FORM, ORIGIN], body.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN.1));
}
