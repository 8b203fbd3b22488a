//! The client assertion, judged by the rulebook's group A.
//!
//! The inquiry says what it needs to know next, and only then is it looked up: what a request
//! that fails early never asks for has no effect, and the one effect that outlives a failure, the
//! burnt `jti`, comes exactly where the platform has it.

use std::borrow::Cow;
use std::sync::Arc;

use nhs_auth_rules::{
    Evidence, Form, Inquiry, JtiHistory, Jwt, KeySetRecord, Need, Quota, Rule, SignatureVerifier,
    Step, UnixMillis, assertion,
};

use crate::answer::Note;
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;
use crate::state::jtis::Burn;
use crate::state::key_sets::KeySet;

/// What came of it.
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// The application and the `jti`, as far as the assertion tells.
    pub(super) note: Note,
}

/// What the platform decides.
pub(super) enum Verdict {
    Accepted(Arc<Registered>),
    Refused(&'static Rule),
    /// The rules and the platform don't fit together: its own fault and not the client's.
    Unknown,
}

/// Judges the form's assertion, to the first rule that fails.
pub(super) async fn judge(state: &State, call: &Call, form: &Form) -> Judgement {
    let token_url = state.url_as_called(call);
    let mut case = Case::open(state, call, form, &token_url);
    let mut inquiry = Inquiry::new(assertion::RULES);
    let mut step = inquiry.resume(&case.evidence());
    let verdict = loop {
        step = match step {
            Step::Accepted => {
                break case.client.take().map_or(Verdict::Unknown, Verdict::Accepted);
            }
            Step::Refused(rule, _) => break Verdict::Refused(rule),
            Step::Needs(_, Need::JtiHistory) => case.consult_jtis(state, &mut inquiry),
            Step::Needs(_, need) => {
                if !case.look_up(state, call, need).await {
                    break Verdict::Unknown;
                }
                inquiry.resume(&case.evidence())
            }
        };
    };
    Judgement { verdict, note: case.note }
}

/// The application that the assertion says it is from.
pub(super) fn claimed_client(state: &State, jwt: &Jwt<'_>) -> Option<Arc<Registered>> {
    let payload = jwt.payload.content.as_ref().ok()?;
    let sub = payload.get("sub")?;
    state.apps.by_key(&sub.as_str()?)
}

/// What is known so far.
struct Case<'a> {
    form: &'a Form,
    jwt: Option<Jwt<'a>>,
    token_url: &'a str,
    now: UnixMillis,
    /// Found at once, for the list of requests; the rules see it when they ask.
    client: Option<Arc<Registered>>,
    client_is_known: bool,
    jti: Option<JtiHistory>,
    quota: Option<Quota>,
    key_set: Option<Fetched>,
    note: Note,
}

/// What asking for a key set came to.
enum Fetched {
    KeySet(Arc<KeySet>),
    Nothing,
}

impl<'a> Case<'a> {
    fn open(state: &State, call: &Call, form: &'a Form, token_url: &'a str) -> Self {
        let jwt = form.get("client_assertion").map(Jwt::decode);
        let client = jwt.as_ref().and_then(|jwt| claimed_client(state, jwt));
        let note = Note {
            application_id: client
                .as_ref()
                .map(|client| client.identity.application_id().to_owned()),
            jti: jwt.as_ref().and_then(|jwt| claim(jwt, "jti")).map(Cow::into_owned),
            judged: vec![assertion::RULES],
            ..Note::default()
        };
        Self {
            form,
            jwt,
            token_url,
            now: call.now,
            client,
            client_is_known: false,
            jti: None,
            quota: None,
            key_set: None,
            note,
        }
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            form: Some(self.form),
            assertion: self.jwt.as_ref(),
            now: Some(self.now),
            token_url: Some(self.token_url),
            jti: self.jti,
            application: self
                .client_is_known
                .then(|| self.client.as_deref().map(|client| &client.record)),
            quota: self.quota,
            key_set: self.key_set.as_ref().map(|fetched| match fetched {
                Fetched::KeySet(key_set) => KeySetRecord::Fetched(&key_set.jwks),
                Fetched::Nothing => KeySetRecord::Unreachable,
            }),
            verifier: match &self.key_set {
                Some(Fetched::KeySet(key_set)) => Some(&**key_set as &dyn SignatureVerifier),
                Some(Fetched::Nothing) | None => None,
            },
            ..Evidence::default()
        }
    }

    /// Rows 13 and 14, and then the `jti` is burnt, all in one go: two requests with one `jti`
    /// can't both find it new. Whatever isn't refused by now is burnt.
    fn consult_jtis(&mut self, state: &State, inquiry: &mut Inquiry) -> Step {
        let (sub, jti) = match &self.jwt {
            Some(jwt) => (claim(jwt, "sub"), claim(jwt, "jti")),
            None => (None, None),
        };
        let sub = sub.unwrap_or_default().into_owned();
        let jti = jti.unwrap_or_default().into_owned();
        state.jtis.consult(&sub, &jti, state.clock.now(), |history| {
            self.jti = Some(history);
            let step = inquiry.resume(&self.evidence());
            let burn = match step {
                Step::Refused(..) => Burn::No,
                Step::Accepted | Step::Needs(..) => Burn::Yes,
            };
            (step, burn)
        })
    }

    /// Gets what a rule needs to know. False for what nobody here can know.
    async fn look_up(&mut self, state: &State, call: &Call, need: Need) -> bool {
        match (need, &self.client) {
            (Need::Application, _) => self.client_is_known = true,
            (Need::Quota, Some(client)) => {
                self.quota = Some(client.token_requests.count(state.clock.now()));
            }
            (Need::KeySet, Some(client)) => {
                let fetched = if call.key_sets_unreachable {
                    None
                } else {
                    state.key_set_of(&client.settings.keys, client.uploaded.as_ref()).await
                };
                self.key_set = Some(fetched.map_or(Fetched::Nothing, Fetched::KeySet));
            }
            _ => return false,
        }
        true
    }
}

/// A claim's text: a string's content, or the JSON of anything else.
fn claim<'a>(jwt: &'a Jwt<'_>, name: &str) -> Option<Cow<'a, str>> {
    let value = jwt.payload.content.as_ref().ok()?.get(name)?;
    Some(value.as_str().unwrap_or(Cow::Borrowed(value.text())))
}
