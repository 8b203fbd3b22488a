//! One private key of a token, in a session that may use it.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use nhs_auth::{CustodyErrorKind as Kind, PublicKey, SigningAlgorithm};
use secrecy::SecretString;

use super::failure::Failure;
use super::logins::Asking;
use super::place::{Access, Entered, Place};
use super::uri::{self, TokenUri};

pub(super) struct TokenKey {
    session: Session,
    handle: ObjectHandle,
    public: PublicKey,
    mechanisms: Vec<MechanismType>,
    /// Whether it wants to be unlocked before each signature.
    is_locked_each_time: bool,
    /// With which PIN, where the token has no keypad for it.
    pin: Option<SecretString>,
}

impl TokenKey {
    /// Finds the key and looks at what it is.
    pub(super) fn open(place: &Place, asking: Asking) -> Result<Self, Failure> {
        let Entered { context, token, session, pin } = place.enter(Access::Read, asking)?;
        let handle = find(&session, &place.uri)?;
        let is_locked_each_time = check_may_sign(&session, handle)?;
        let public = public_key(&session, handle)?;
        let mechanisms = context.get_mechanism_list(token.slot)?;
        let pin = pin.filter(|_| is_locked_each_time);
        Ok(Self { session, handle, public, mechanisms, is_locked_each_time, pin })
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Has it sign once, since nothing but a signature shows that it goes with its public key.
    pub(super) fn prove(&self) -> Result<(), Failure> {
        let message = b"nhs-auth asks whether this key goes with its public half";
        let signature = self.sign(SigningAlgorithm::Rs512, message)?;
        if verifies(&self.public, message, &signature) {
            return Ok(());
        }
        Err(Failure::new(Kind::Unsuitable, "the public key that the token gives is another's"))
    }

    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let (combined, kind) = match algorithm {
            SigningAlgorithm::Rs256 => (Mechanism::Sha256RsaPkcs, MechanismType::SHA256_RSA_PKCS),
            SigningAlgorithm::Rs512 => (Mechanism::Sha512RsaPkcs, MechanismType::SHA512_RSA_PKCS),
        };
        let signature = if self.mechanisms.contains(&kind) {
            self.sign_by(&combined, message)?
        } else if self.mechanisms.contains(&MechanismType::RSA_PKCS) {
            self.sign_by(&Mechanism::RsaPkcs, &digest_info(algorithm, message))?
        } else {
            let detail = format!("the token signs neither with {kind} nor CKM_RSA_PKCS");
            return Err(Failure::new(Kind::Unsuitable, detail));
        };
        if signature.len() == self.public.modulus().len() {
            return Ok(signature);
        }
        let detail = format!("the token gave a signature of {} bytes", signature.len());
        Err(Failure::new(Kind::Failed, detail))
    }

    fn sign_by(&self, mechanism: &Mechanism<'_>, data: &[u8]) -> Result<Vec<u8>, Failure> {
        if !self.is_locked_each_time {
            return Ok(self.session.sign(mechanism, self.handle, data)?);
        }
        self.session.sign_init(mechanism, self.handle)?;
        self.session.login(UserType::ContextSpecific, self.pin.as_ref())?;
        self.session.sign_update(data)?;
        Ok(self.session.sign_final()?)
    }
}

fn find(session: &Session, wanted: &TokenUri) -> Result<ObjectHandle, Failure> {
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    template.extend(wanted.text("object").map(|label| Attribute::Label(label.into())));
    template.extend(wanted.id.clone().map(Attribute::Id));
    let fitting = session.find_objects(&template)?;
    match fitting.as_slice() {
        [key] => Ok(*key),
        [] => {
            let others = session.find_objects(&template[..1])?;
            let detail = if others.is_empty() {
                "the token has no private key".to_owned()
            } else {
                format!("no private key fits; there is {}", listed(session, &others)?)
            };
            Err(Failure::new(Kind::NotFound, detail))
        }
        several => Err(Failure::invalid_uri(format!(
            "it fits {} private keys, and has to say which: {}",
            several.len(),
            listed(session, several)?
        ))),
    }
}

/// In the words of a URI, to be put into one.
fn listed(session: &Session, keys: &[ObjectHandle]) -> Result<String, Failure> {
    let mut listed = Vec::new();
    for key in keys.iter().take(MOST_LISTED) {
        let (mut label, mut id) = (String::new(), String::new());
        for attribute in session.get_attributes(*key, &[AttributeType::Label, AttributeType::Id])? {
            match attribute {
                Attribute::Label(text) => label = String::from_utf8_lossy(&text).into_owned(),
                Attribute::Id(bytes) => {
                    id = uri::every_byte_encoded(&bytes);
                }
                _ => {}
            }
        }
        listed.push(format!("`object={label};id={id}`"));
    }
    if keys.len() > MOST_LISTED {
        listed.push("…".to_owned());
    }
    Ok(listed.join(", "))
}

const MOST_LISTED: usize = 10;

/// Whether it wants to be unlocked before each signature.
fn check_may_sign(session: &Session, key: ObjectHandle) -> Result<bool, Failure> {
    let unsuitable = |detail| Err(Failure::new(Kind::Unsuitable, detail));
    let wanted = [AttributeType::KeyType, AttributeType::Sign, AttributeType::AlwaysAuthenticate];
    let mut is_locked_each_time = false;
    for attribute in session.get_attributes(key, &wanted)? {
        match attribute {
            Attribute::KeyType(kind) if kind != KeyType::RSA => {
                return unsuitable("it is not an RSA key");
            }
            Attribute::Sign(false) => return unsuitable("the token doesn't let it sign"),
            Attribute::AlwaysAuthenticate(wants) => is_locked_each_time = wants,
            _ => {}
        }
    }
    Ok(is_locked_each_time)
}

/// The numbers that the private key shows, or else those of the public key of the same modulus:
/// tokens need not keep the exponent with the former.
fn public_key(session: &Session, key: ObjectHandle) -> Result<PublicKey, Failure> {
    let Numbers { modulus, exponent } = numbers(session, key)?;
    let Some(modulus) = modulus else {
        return Err(Failure::new(Kind::Unsuitable, "the token doesn't give its modulus"));
    };
    let exponent = match exponent {
        Some(exponent) => exponent,
        None => exponent_beside(session, &modulus)?,
    };
    let public = PublicKey::from_components(&modulus, &exponent)
        .map_err(|error| Failure::new(Kind::Unsuitable, error))?;
    if (MIN_BITS..=MAX_BITS).contains(&public.bits()) {
        return Ok(public);
    }
    Err(Failure::new(Kind::Unsuitable, format!("it has {} bits", public.bits())))
}

/// What other private keys have to have, too.
const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 8192;

fn exponent_beside(session: &Session, modulus: &[u8]) -> Result<Vec<u8>, Failure> {
    let template =
        [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Modulus(modulus.to_vec())];
    for key in session.find_objects(&template)? {
        if let Some(exponent) = numbers(session, key)?.exponent {
            return Ok(exponent);
        }
    }
    Err(Failure::new(Kind::Unsuitable, "the token has no public key that belongs to it"))
}

/// Those of an RSA key that the token gives.
#[derive(Default)]
struct Numbers {
    modulus: Option<Vec<u8>>,
    exponent: Option<Vec<u8>>,
}

fn numbers(session: &Session, key: ObjectHandle) -> Result<Numbers, Failure> {
    let mut numbers = Numbers::default();
    let wanted = [AttributeType::Modulus, AttributeType::PublicExponent];
    for attribute in session.get_attributes(key, &wanted)? {
        match attribute {
            Attribute::Modulus(number) if !number.is_empty() => {
                numbers.modulus = Some(number);
            }
            Attribute::PublicExponent(number) if !number.is_empty() => {
                numbers.exponent = Some(number);
            }
            _ => {}
        }
    }
    Ok(numbers)
}

/// By RS512, which is what the platform takes.
fn verifies(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let key = RsaPublicKeyComponents { n: key.modulus(), e: key.exponent() };
    key.verify(&RSA_PKCS1_2048_8192_SHA512, message, signature).is_ok()
}

/// What PKCS#1 v1.5 signs: the hash, and which one it is (RFC 8017, section 9.2, note 1).
fn digest_info(algorithm: SigningAlgorithm, message: &[u8]) -> Vec<u8> {
    let (last_of_oid, hash) = match algorithm {
        SigningAlgorithm::Rs256 => (1, digest(&SHA256, message)),
        SigningAlgorithm::Rs512 => (3, digest(&SHA512, message)),
    };
    let hash = hash.as_ref();
    let length = u8::try_from(hash.len()).expect("a hash has 64 bytes at most");
    let mut info = vec![0x30, 17 + length, 0x30, 13, 0x06, 9];
    info.extend([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last_of_oid]);
    info.extend([0x05, 0, 0x04, length]);
    info.extend(hash);
    info
}
