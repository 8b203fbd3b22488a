//! A JWT under judgement: the checks that several groups make of several tokens, written once.

use crate::javascript::is_truthy;
use crate::json::{Kind, Object, Value};
use crate::rule::{Fault, Need, Outcome, Place};
use crate::{Jwks, Jwt, SignatureAlgorithm, SignatureVerifier, Span};

/// What the faults of one kind of token call its texts, and its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts {
    pub(crate) compact: Place,
    pub(crate) header: Place,
    pub(crate) payload: Place,
    /// What a rule that looks inside needs.
    pub(crate) decodable: Need,
    /// Whose the keys are, as an adjective.
    pub(crate) keys: &'static str,
}

/// The client assertion.
pub(crate) const ASSERTION: Texts = Texts {
    compact: Place::Assertion,
    header: Place::Header,
    payload: Place::Payload,
    decodable: Need::DecodableAssertion,
    keys: "registered",
};

/// A provider's ID token, whether as the subject token or at `/callback`.
pub(crate) const ID_TOKEN: Texts = Texts {
    compact: Place::IdToken,
    header: Place::IdTokenHeader,
    payload: Place::IdTokenPayload,
    decodable: Need::DecodableIdToken,
    keys: "provider's",
};

/// The delegated token in `act.sub` of an ID token. Nobody verifies it.
pub(crate) const DELEGATED_TOKEN: Texts = Texts {
    compact: Place::DelegatedToken,
    header: Place::DelegatedTokenHeader,
    payload: Place::DelegatedTokenPayload,
    decodable: Need::DecodableIdToken,
    keys: "provider's",
};

/// The logout token.
pub(crate) const LOGOUT_TOKEN: Texts = Texts {
    compact: Place::LogoutToken,
    header: Place::LogoutTokenHeader,
    payload: Place::LogoutTokenPayload,
    decodable: Need::DecodableLogoutToken,
    keys: "provider's",
};

/// A token, and what its faults call its texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JudgedJwt<'a> {
    jwt: &'a Jwt<'a>,
    texts: &'static Texts,
}

impl<'a> JudgedJwt<'a> {
    pub(crate) const fn new(jwt: &'a Jwt<'a>, texts: &'static Texts) -> Self {
        Self { jwt, texts }
    }

    pub(crate) fn header(&self) -> Result<&'a Object, Outcome> {
        let jwt = self.jwt;
        jwt.header.content.as_ref().map_err(|_| Outcome::CannotTell(self.texts.decodable))
    }

    pub(crate) fn payload(&self) -> Result<&'a Object, Outcome> {
        let jwt = self.jwt;
        jwt.payload.content.as_ref().map_err(|_| Outcome::CannotTell(self.texts.decodable))
    }

    /// Three parts with dots between them, each of which decodes.
    pub(crate) fn decodes(&self) -> Outcome {
        let jwt = self.jwt;
        if jwt.part_count != 3 {
            let message = match jwt.part_count {
                1 => "it has no dots, where a JWT has two".to_owned(),
                count => format!("it has {count} parts, where a JWT has three"),
            };
            return Fault::fail(self.texts.compact, Span::new(0, jwt.compact.len()), message);
        }
        let names = [
            (jwt.header.span, "header", jwt.header.content.as_ref().err()),
            (jwt.payload.span, "payload", jwt.payload.content.as_ref().err()),
            (jwt.signature.span, "signature", jwt.signature.content.as_ref().err()),
        ];
        match names.into_iter().find_map(|(span, name, damage)| Some((span, name, damage?))) {
            None => Outcome::Pass,
            Some((span, name, damage)) => {
                Fault::fail(self.texts.compact, span, format!("the {name} is damaged: {damage}"))
            }
        }
    }

    /// The header has that member, and it is truthy.
    pub(crate) fn has_header(&self, name: &str) -> Outcome {
        settled(self.header().map(|header| is_there(self.texts.header, header, name)))
    }

    /// The payload has that claim, and it is truthy.
    pub(crate) fn has_claim(&self, name: &str) -> Outcome {
        settled(self.payload().map(|payload| is_there(self.texts.payload, payload, name)))
    }

    /// `typ` is `JWT`, in any case of letters.
    pub(crate) fn typ_is_jwt(&self) -> Outcome {
        settled(self.header().map(|header| match header.get("typ") {
            Some(typ) if typ.as_str().is_some_and(|text| text.to_lowercase() == "jwt") => {
                Outcome::Pass
            }
            Some(typ) => {
                let message = format!("the typ is {} and not \"JWT\"", typ.text());
                Fault::fail(self.texts.header, typ.span(), message)
            }
            None => Fault::fail(self.texts.header, header.span(), "there is no typ"),
        }))
    }

    /// `exp` is a JSON number. Of one that counts as missing another rule speaks.
    pub(crate) fn exp_is_a_number(&self) -> Outcome {
        settled(self.payload().map(|payload| match payload.get("exp") {
            Some(exp) if exp.kind() != Kind::Number && is_truthy(Some(&exp)) => {
                let message = format!("{} is not a JSON number", exp.text());
                Fault::fail(self.texts.payload, exp.span(), message)
            }
            _ => Outcome::Pass,
        }))
    }

    /// The key set has a key of the header's `kid`. Of a `kid` that isn't there another rule
    /// speaks.
    pub(crate) fn key_is_in(&self, key_set: &Jwks) -> Outcome {
        settled(self.header().map(|header| {
            let Some(kid) = header.get("kid").filter(|kid| is_truthy(Some(kid))) else {
                return Outcome::Pass;
            };
            if kid.as_str().is_some_and(|name| key_set.named(&name).next().is_some()) {
                return Outcome::Pass;
            }
            let whose = self.texts.keys;
            let names: Vec<_> = key_set.keys.iter().filter_map(|key| key.text("kid")).collect();
            let message = if names.is_empty() {
                format!("the {whose} key set has no named key")
            } else {
                let quoted: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
                format!("the {whose} key set has {} and no {}", quoted.join(", "), kid.text())
            };
            Fault::fail(self.texts.header, kid.span(), message)
        }))
    }

    /// A key of the header's `kid` made the signature. Of a key that isn't there another rule
    /// speaks.
    pub(crate) fn is_signed_by(
        &self,
        key_set: &Jwks,
        algorithm: SignatureAlgorithm,
        verifier: Option<&dyn SignatureVerifier>,
    ) -> Result<Outcome, Outcome> {
        let jwt = self.jwt;
        let damaged = |_| Outcome::CannotTell(self.texts.decodable);
        let signature = jwt.signature.content.as_ref().map_err(damaged)?;
        let kid = self.header()?.get("kid").and_then(|kid| kid.as_str().map(String::from));
        let mut named = kid.iter().flat_map(|kid| key_set.named(kid)).peekable();
        if named.peek().is_none() {
            return Ok(Outcome::Pass);
        }
        let verifier = verifier.ok_or(Outcome::CannotTell(Need::Verifier))?;
        let message = jwt.signing_input();
        if named.any(|key| verifier.verifies(algorithm, key, message, signature)) {
            return Ok(Outcome::Pass);
        }
        let message =
            format!("the {} key of that kid did not make this signature", self.texts.keys);
        Ok(Fault::fail(self.texts.compact, jwt.signature.span, message))
    }

    /// A fault of one claim: it points at its value, or at the whole payload where there is none.
    pub(crate) fn claim_fault(
        &self,
        name: &str,
        message: impl Into<String>,
    ) -> Result<Outcome, Outcome> {
        let payload = self.payload()?;
        let span = payload.get(name).map_or(payload.span(), |claim| claim.span());
        Ok(Fault::fail(self.texts.payload, span, message))
    }

    /// A fault of one member of the header: it points at its value, or at the whole header where
    /// there is none.
    pub(crate) fn header_fault(
        &self,
        name: &str,
        message: impl Into<String>,
    ) -> Result<Outcome, Outcome> {
        let header = self.header()?;
        let span = header.get(name).map_or(header.span(), |member| member.span());
        Ok(Fault::fail(self.texts.header, span, message))
    }
}

/// `aud` is one string or an array of them (RFC 7519 §4.1.3).
pub(crate) fn audiences<'a>(aud: &Value<'a>) -> Vec<Value<'a>> {
    match aud.kind() {
        Kind::Array => aud.elements().unwrap_or_default(),
        _ => vec![*aud],
    }
}

/// A check that may end early reads best with `?`; a rule wants one outcome.
pub(crate) fn settled(outcome: Result<Outcome, Outcome>) -> Outcome {
    outcome.unwrap_or_else(|early| early)
}

fn is_there(place: Place, object: &Object, name: &str) -> Outcome {
    match object.get(name) {
        member if is_truthy(member.as_ref()) => Outcome::Pass,
        Some(member) => {
            let message = format!("the {name} is {}, which counts as missing", member.text());
            Fault::fail(place, member.span(), message)
        }
        None => Fault::fail(place, object.span(), format!("there is no {name}")),
    }
}
