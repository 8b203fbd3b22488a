//! Keys in a token, from outside.

use std::sync::Arc;
use std::time::Duration;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::{Session, UserType};
use nhs_auth::{CreatedKey, Custody as _, CustodyErrorKind as Kind, SigningAlgorithm};
use nhs_auth::{SignError, Signer};
use secrecy::SecretString;

use crate::every_signer;
use crate::names::{kid, uri};
use crate::softhsm::{PIN, SoftHsm, alone, alone_with, signed_in};

const BOTH: [SigningAlgorithm; 2] = [SigningAlgorithm::Rs512, SigningAlgorithm::Rs256];

async fn created(hsm: &SoftHsm) -> CreatedKey {
    hsm.custody().create(&uri("pkcs11:token=nhs"), &kid("int-1")).await.unwrap()
}

/// A smaller key by other hands, which takes no time to make.
async fn opened(hsm: &SoftHsm) -> Arc<dyn Signer> {
    make(&signed_in(&hsm.context()), "a", &[Attribute::Sign(true)]);
    hsm.custody().open(&uri("pkcs11:object=a")).await.unwrap()
}

async fn failure(signer: &Arc<dyn Signer>) -> nhs_auth::CustodyError {
    match signer.sign(SigningAlgorithm::Rs512, b"message").await {
        Err(SignError::Custody(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn assert_signs(signer: &Arc<dyn Signer>) {
    let signature = signer.sign(SigningAlgorithm::Rs512, b"message").await.unwrap();
    let algorithm = SigningAlgorithm::Rs512;
    every_signer::assert_verified(signer.public_key(), algorithm, b"message", &signature);
}

#[test]
fn a_key_that_was_made_in_a_token_keeps_to_it() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let made = created(&hsm).await;
        every_signer::keeps_to_it(made.signer, &BOTH).await;
    });
}

#[test]
fn a_token_that_cannot_hash_signs_what_was_hashed_here() {
    let lacking = "slots.mechanisms = -CKM_SHA256_RSA_PKCS,CKM_SHA512_RSA_PKCS";
    alone_with(lacking, async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let made = created(&hsm).await;
        every_signer::keeps_to_it(made.signer, &BOTH).await;
    });
}

#[test]
fn a_token_that_does_not_sign_so_is_told() {
    let lacking = "slots.mechanisms = CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS_PSS";
    alone_with(lacking, async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let place = uri("pkcs11:token=nhs");
        let error = hsm.custody().create(&place, &kid("int-1")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unsuitable);
        assert!(error.to_string().contains("neither with"), "{error}");
    });
}

#[test]
fn a_key_is_opened_by_the_uri_that_it_was_given() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let place = uri(&format!("pkcs11:token=nhs?module-name=softhsm2&pin-value={PIN}"));
        let custody = nhs_auth_custody::Pkcs11::new();
        let made = custody.create(&place, &kid("int-1")).await.unwrap();
        let text = made.uri.expose();
        assert!(text.starts_with("pkcs11:object=int-1;token=nhs;id=%"), "{text}");
        assert!(text.ends_with(";type=private?module-name=softhsm2"), "{text}");
        assert_signs(&made.signer).await;

        let opened = hsm.custody().open(&made.uri).await.unwrap();
        assert_eq!(opened.public_key(), made.signer.public_key());
        assert_signs(&opened).await;
        for other in ["pkcs11:", "pkcs11:object=int-1", "pkcs11:token=nhs;type=private"] {
            let opened = hsm.custody().open(&uri(other)).await.unwrap();
            assert_eq!(opened.public_key(), made.signer.public_key());
        }

        let error = custody.create(&place, &kid("int-1")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::AlreadyThere);
        let named = uri(&format!("{};object=int-2", "pkcs11:token=nhs"));
        let second = hsm.custody().create(&named, &kid("int-1")).await.unwrap();
        assert!(second.uri.expose().contains("object=int-2;"), "the URI's name comes first");
        assert_ne!(second.signer.public_key(), made.signer.public_key());
    });
}

#[test]
fn a_key_that_was_made_cannot_leave_and_only_signs() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let _made = created(&hsm).await;
        let context = hsm.context();
        let session = signed_in(&context);
        let keys = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap();
        let secret = [AttributeType::PrivateExponent, AttributeType::Prime1];
        assert_eq!(session.get_attributes(keys[0], &secret).unwrap(), []);
        for (attribute, expected) in [
            (AttributeType::Sensitive, Attribute::Sensitive(true)),
            (AttributeType::AlwaysSensitive, Attribute::AlwaysSensitive(true)),
            (AttributeType::Extractable, Attribute::Extractable(false)),
            (AttributeType::NeverExtractable, Attribute::NeverExtractable(true)),
            (AttributeType::Token, Attribute::Token(true)),
            (AttributeType::Private, Attribute::Private(true)),
            (AttributeType::Sign, Attribute::Sign(true)),
            (AttributeType::Decrypt, Attribute::Decrypt(false)),
            (AttributeType::Unwrap, Attribute::Unwrap(false)),
        ] {
            assert_eq!(session.get_attributes(keys[0], &[attribute]).unwrap(), [expected]);
        }
    });
}

#[test]
fn a_session_that_was_lost_is_opened_again() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let signer = opened(&hsm).await;
        let other = hsm.custody().open(&uri("pkcs11:object=a")).await.unwrap();
        let context = hsm.context();
        for _ in 0..2 {
            // Somebody else signs out for all of us.
            signed_in(&context).logout().unwrap();
            assert_signs(&signer).await;
            assert_signs(&other).await;
            // And ends the module.
            hsm.context().finalize().unwrap();
            assert_signs(&signer).await;
            assert_signs(&other).await;
        }
    });
}

#[test]
fn a_pin_that_was_refused_is_not_tried_again() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let signer = opened(&hsm).await;
        let other = hsm.custody().open(&uri("pkcs11:object=a")).await.unwrap();
        let context = hsm.context();
        let slot = context.get_slots_with_initialized_token().unwrap()[0];
        // And signs everybody out.
        let change = |from: &str, to: &str| {
            let session = context.open_rw_session(slot).unwrap();
            let _ = session.login(UserType::User, Some(&secret(from)));
            session.set_pin(&secret(from), &secret(to)).unwrap();
            session.logout().unwrap();
        };
        change(PIN, "another-1");
        assert_eq!(failure(&signer).await.kind(), Kind::PinWrong);
        assert!(context.get_token_info(slot).unwrap().user_pin_count_low(), "it was tried");

        // It would be right again, which nobody finds out who doesn't try.
        change("another-1", PIN);
        for signer in [&signer, &other, &signer] {
            assert_eq!(failure(signer).await.kind(), Kind::PinWrong);
        }
        assert_signs(&hsm.custody().open(&uri("pkcs11:object=a")).await.unwrap()).await;
    });
}

#[test]
fn a_token_that_is_away_is_told_of_and_used_again_when_it_is_back() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let signer = opened(&hsm).await;
        let away = hsm.folder().join("away");
        let context = hsm.context();
        for _ in 0..2 {
            std::fs::rename(hsm.tokens(), &away).unwrap();
            // SoftHSM keeps what it has read until it begins anew.
            hsm.context().finalize().unwrap();
            let error = failure(&signer).await;
            assert!(matches!(error.kind(), Kind::NotFound | Kind::Failed), "{error}");
            std::fs::rename(&away, hsm.tokens()).unwrap();
            let _ = context.clone().finalize();
            assert_signs(&signer).await;
        }
    });
}

#[test]
fn a_key_that_wants_its_pin_each_time_gets_it() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let context = hsm.context();
        let session = signed_in(&context);
        make(&session, "careful", &[Attribute::Sign(true), Attribute::AlwaysAuthenticate(true)]);
        let signer = hsm.custody().open(&uri("pkcs11:object=careful")).await.unwrap();
        assert_signs(&signer).await;
        assert_signs(&signer).await;
    });
}

#[test]
fn no_secret_shows() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let with_pin = uri(&format!("pkcs11:token=nhs?pin-value={PIN}"));
        let custody = hsm.custody();
        let made = custody.create(&with_pin, &kid("int-1")).await.unwrap();
        let wrong = "wrong-secret-1";
        let with_wrong = uri(&format!("pkcs11:token=none?pin-value={wrong}"));
        let error = custody.open(&with_wrong).await.unwrap_err();
        let shown =
            format!("{custody:?} {made:?} {:?} {error} {error:?} {:?}", made.signer, error.hints());
        assert!(!shown.contains("hush") && !shown.contains("wrong-secret"), "{shown}");
        assert!(shown.contains("pin-value=…"), "{shown}");
    });
}

#[test]
fn a_call_that_never_returns_is_left_and_threads_do_not_pile_up() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let signer = opened(&hsm).await;
        // Opening the file of a PIN hangs in the thread as a module's call would.
        let pipe = hsm.folder().join("pipe");
        let made_pipe = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made_pipe.success());
        let hanging = uri(&format!("pkcs11:object=a?pin-source={}", pipe.display()));

        let custody = hsm.custody_without_pin();
        let began = tokio::time::Instant::now();
        let error = custody.open(&hanging).await.unwrap_err();
        assert_eq!(error.kind(), Kind::TimedOut);
        assert!((9..12).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert_signs(&signer).await;

        let mut outcomes = Vec::new();
        for _ in 0..80 {
            let opened = custody.open(&hanging);
            // Whoever gives up earlier leaves the same thread behind.
            outcomes.push(tokio::time::timeout(Duration::from_millis(5), opened).await.is_err());
        }
        let waited = outcomes.iter().filter(|waited| **waited).count();
        assert_eq!(waited, 62, "of 64 threads one signs, and one was left before");
        let error = custody.open(&hanging).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable);
        assert!(error.to_string().contains("64 threads"), "{error}");
        assert_signs(&signer).await;
    });
}

#[test]
fn many_open_at_once_and_the_module_may_be_in_use_already() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let context = hsm.context();
        let made = created(&hsm).await;
        let opening: Vec<_> = (0..8)
            .map(|_| {
                let (custody, key) = (hsm.custody(), made.uri.clone());
                tokio::spawn(async move { custody.open(&key).await.unwrap() })
            })
            .collect();
        for opened in opening {
            assert_signs(&opened.await.unwrap()).await;
        }
        let same = [kid("int-2"), kid("int-2")];
        let place = uri("pkcs11:token=nhs");
        let custody = hsm.custody();
        let (one, other) =
            tokio::join!(custody.create(&place, &same[0]), custody.create(&place, &same[1]));
        let failed = [one, other].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].kind(), Kind::AlreadyThere);
        assert!(context.get_library_info().is_ok());
    });
}

/// A key of 2048 bits by other hands.
pub(crate) fn make(session: &Session, label: &str, private: &[Attribute]) {
    make_with_id(session, label, label.as_bytes(), private);
}

pub(crate) fn make_with_id(session: &Session, label: &str, id: &[u8], private: &[Attribute]) {
    let names = [Attribute::Label(label.into()), Attribute::Id(id.into()), Attribute::Token(true)];
    let public = [&names[..], &[Attribute::ModulusBits(2048.into())]].concat();
    let private = [&names[..], private].concat();
    session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private).unwrap();
}

pub(crate) fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}
