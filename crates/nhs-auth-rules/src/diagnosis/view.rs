//! One assertion, and everything that it is held against.

use std::borrow::Cow;

use std::collections::BTreeMap;

use super::finding::rule;
use super::key_set::KeySet;
use super::modulus;
use super::moment::countable;
use super::source::{Shown, Sources};
use super::{Crypto, Inputs, PrivateKeyInput, SourceId};
use crate::json::{Kind, Object, Value};
use crate::{
    Evidence, Fault, Form, JtiHistory, Jwk, Jwt, KeySetRecord, Outcome, Rule, SignatureAlgorithm,
    SignatureVerifier, Span, UnixMillis, UnixSeconds, assertion, findings, request,
};

/// What an assertion is judged with.
#[derive(Clone, Copy)]
pub(super) struct Context<'v> {
    pub(super) inputs: &'v Inputs<'v>,
    pub(super) crypto: &'v dyn Crypto,
    pub(super) set: Option<&'v KeySet>,
    /// The key set's URL can't be fetched, by its shape.
    pub(super) unreachable: bool,
    pub(super) token_url: Option<&'v str>,
    pub(super) method: Option<&'v str>,
    #[expect(clippy::option_option, reason = "not known, and known to have none, differ")]
    pub(super) content_type: Option<Option<&'v str>>,
    pub(super) form: Option<&'v Form>,
    pub(super) history: Option<JtiHistory>,
    /// When the platform looked.
    pub(super) now: UnixMillis,
    /// Whether that is known, or is only the time of the diagnosis.
    pub(super) at_known: bool,
}

/// An assertion beside its context, with what every rule says of it.
pub(super) struct View<'v> {
    pub(super) context: Context<'v>,
    pub(super) jwt: &'v Jwt<'v>,
    pub(super) header: Option<(&'v Object, Shown)>,
    pub(super) payload: Option<(&'v Object, Shown)>,
    pub(super) outcomes: Vec<(&'static Rule, Outcome)>,
    pub(super) signer: Option<Signer>,
}

/// Who made a signature, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signer {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) who: Who,
}

/// A key that is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The private key that was given, and no key of the set.
    PrivateKey,
    /// The key of the set with this index.
    Registered(usize),
}

impl<'v> View<'v> {
    pub(super) fn new(
        context: Context<'v>,
        jwt: &'v Jwt<'v>,
        application_is_unknown: bool,
        name: &str,
        sources: &mut Sources,
    ) -> Self {
        let verifier = Strict(context.crypto);
        let key_set = match (context.set, context.unreachable) {
            (_, true) => Some(KeySetRecord::Unreachable),
            (Some(set), _) => Some(KeySetRecord::Fetched(&set.jwks)),
            (None, false) => None,
        };
        let evidence = Evidence {
            method: context.method,
            content_type: context.content_type,
            form: context.form,
            assertion: Some(jwt),
            now: Some(context.now),
            token_url: context.token_url,
            jti: context.history,
            application: application_is_unknown.then_some(None),
            key_set,
            verifier: Some(&verifier),
            ..Evidence::default()
        };
        let outcomes = findings(request::RULES, &evidence)
            .chain(findings(assertion::RULES, &evidence))
            .map(|finding| (finding.rule, finding.outcome))
            .collect();
        let mut shown = |part: &'v Result<Object, crate::Damage>, what: &str| {
            let object = part.as_ref().ok()?;
            Some((object, sources.object(&format!("{name} ({what})"), object)))
        };
        Self {
            context,
            jwt,
            header: shown(&jwt.header.content, "header"),
            payload: shown(&jwt.payload.content, "payload"),
            outcomes,
            signer: signer(&context, jwt),
        }
    }

    /// The fault that this rule finds.
    pub(super) fn fault(&self, id: &str) -> Option<&Fault> {
        self.outcomes.iter().find_map(|(rule, outcome)| match outcome {
            Outcome::Fail(fault) if rule.id.as_str() == id => Some(fault),
            _ => None,
        })
    }

    /// The first of these rules that fails.
    pub(super) fn first_of(&self, ids: &[&str]) -> Option<&'static Rule> {
        ids.iter().find(|id| self.fault(id).is_some()).map(|id| rule(id))
    }

    pub(super) fn claim(&self, name: &str) -> Option<Value<'v>> {
        self.payload.as_ref()?.0.get(name)
    }

    pub(super) fn member(&self, name: &str) -> Option<Value<'v>> {
        self.header.as_ref()?.0.get(name)
    }

    /// Where a claim is shown; the whole payload for one that is missing.
    pub(super) fn claim_place(&self, name: &str) -> Option<(SourceId, Span)> {
        let (object, shown) = self.payload.as_ref()?;
        Some(place(object, shown, name))
    }

    /// Where a member of the header is shown; the whole header for one that is missing.
    pub(super) fn member_place(&self, name: &str) -> Option<(SourceId, Span)> {
        let (object, shown) = self.header.as_ref()?;
        Some(place(object, shown, name))
    }

    pub(super) fn now(&self) -> UnixSeconds {
        self.context.now.to_seconds()
    }

    /// The header's kid, if it is one.
    pub(super) fn kid(&self) -> Option<String> {
        self.member("kid").and_then(|kid| kid.as_str()).map(Cow::into_owned)
    }

    /// The keys of the set that the header names.
    pub(super) fn named_keys(&self) -> Vec<&'v Jwk> {
        let kid = self.kid();
        match (self.context.set, kid) {
            (Some(set), Some(kid)) => set
                .jwks
                .keys
                .iter()
                .filter(|key| key.text("kid").as_deref() == Some(&kid))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A string claim.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.claim(name).and_then(|claim| claim.as_str()).map(Cow::into_owned)
    }

    /// A numeric claim, whole seconds.
    pub(super) fn seconds(&self, name: &str) -> Option<i64> {
        let claim = self.claim(name)?;
        (claim.kind() == Kind::Number).then(|| claim.as_number().map(countable))?
    }
}

/// Where a member is shown; the whole object for one that is missing.
pub(super) fn place(object: &Object, shown: &Shown, name: &str) -> (SourceId, Span) {
    let original = object.get(name).map_or(object.span(), |value| value.span());
    (shown.id, shown.span(original))
}

/// Tries every key that is at hand, with every algorithm that an RSA key has.
fn signer(context: &Context<'_>, jwt: &Jwt<'_>) -> Option<Signer> {
    let signature = jwt.signature.content.as_deref().ok().filter(|bytes| !bytes.is_empty())?;
    // A padded part is signed as it stands.
    let message = jwt.signing_input();
    SignatureAlgorithm::ALL.iter().find_map(|&algorithm| {
        if let Some(set) = context.set
            && let Some(key) = set.signer(context.crypto, algorithm, message, signature)
        {
            return Some(Signer { algorithm, who: Who::Registered(key.index) });
        }
        let Some(PrivateKeyInput::Facts { modulus, exponent, .. }) = &context.inputs.private_key
        else {
            return None;
        };
        let verifies = context.crypto.verifies(algorithm, modulus, exponent, message, signature);
        verifies.then_some(Signer { algorithm, who: Who::PrivateKey })
    })
}

/// Verifies as the platform does: with the key as it was written.
struct Strict<'c>(&'c dyn Crypto);

impl SignatureVerifier for Strict<'_> {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Jwk,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let (Some(n), Some(e)) = (key.bytes("n"), key.bytes("e")) else { return false };
        let (n, e) = (modulus::significant(&n), modulus::significant(&e));
        key.is_rsa() && self.0.verifies(algorithm, n, e, message, signature)
    }
}

/// The rules that failed, as a map from their names.
pub(super) fn failed<'o>(
    outcomes: &'o [(&'static Rule, Outcome)],
) -> BTreeMap<&'static str, &'o Fault> {
    outcomes
        .iter()
        .filter_map(|(rule, outcome)| match outcome {
            Outcome::Fail(fault) => Some((rule.id.as_str(), fault)),
            _ => None,
        })
        .collect()
}
