//! What a URI may get wrong, and what is said of it.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use nhs_auth::{Custody as _, CustodyError, CustodyErrorKind as Kind};
use nhs_auth_custody::Pkcs11;

use crate::names::{kid, uri};
use crate::pkcs11::{make, make_with_id, secret};
use crate::softhsm::{PIN, SoftHsm, alone, module, signed_in};

async fn refusal(custody: &Pkcs11, text: &str) -> CustodyError {
    let opened = custody.open(&uri(text)).await;
    opened.err().unwrap_or_else(|| panic!("{text} was opened"))
}

/// That it is refused so, in words that have this in them.
async fn assert_refused(custody: &Pkcs11, text: &str, kind: Kind, expected: &str) {
    let error = refusal(custody, text).await;
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_pin_is_found_or_asked_for() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let context = hsm.context();
        make(&signed_in(&context), "a", &[Attribute::Sign(true)]);
        let bare = hsm.custody_without_pin();

        assert_refused(&bare, "pkcs11:object=a", Kind::PinNeeded, "for the token `nhs`").await;
        let wrong = hsm.custody_without_pin().with_pin(secret("wrong-1"));
        assert_refused(&wrong, "pkcs11:object=a", Kind::PinWrong, "CKR_PIN_INCORRECT").await;
        let short = hsm.custody_without_pin().with_pin(secret("1"));
        assert_refused(&short, "pkcs11:object=a", Kind::PinWrong, "C_Login").await;
        hsm.custody().open(&uri("pkcs11:object=a")).await.unwrap();

        let file = hsm.folder().join("pin.txt");
        let from_file = format!("pkcs11:object=a?pin-source=file:{}", file.display());
        assert_refused(&bare, &from_file, Kind::Failed, "No such file").await;
        for ending in ["", "\n", "\r\n"] {
            std::fs::write(&file, format!("{PIN}{ending}")).unwrap();
            // The file comes before the PIN for URIs that have none.
            wrong.open(&uri(&from_file)).await.unwrap();
        }
        std::fs::write(&file, "\n").unwrap();
        assert_refused(&bare, &from_file, Kind::Failed, "it is empty").await;
        bare.open(&uri(&format!("pkcs11:object=a?pin-value={PIN}"))).await.unwrap();
    });
}

#[test]
fn a_wrong_pin_is_refused_although_the_process_is_signed_in() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let context = hsm.context();
        make(&signed_in(&context), "a", &[Attribute::Sign(true)]);
        let _open = hsm.custody().open(&uri("pkcs11:object=a")).await.unwrap();
        let wrong = hsm.custody_without_pin().with_pin(secret("wrong-1"));
        assert_refused(&wrong, "pkcs11:object=a", Kind::PinWrong, "with another one").await;
        hsm.custody().open(&uri("pkcs11:object=a")).await.unwrap();
    });
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let custody = hsm.custody();
        assert_refused(&custody, "pkcs11:", Kind::NotFound, "has no private key").await;
        let context = hsm.context();
        make(&signed_in(&context), "a", &[Attribute::Sign(true)]);
        let there = "there is `object=a;id=%61`";
        assert_refused(&custody, "pkcs11:object=b", Kind::NotFound, there).await;
        assert_refused(&custody, "pkcs11:object=a;id=%62", Kind::NotFound, there).await;
        for other in
            ["token=b", "serial=b", "manufacturer=b", "model=b", "slot-id=77", "slot-description=b"]
        {
            let there = "no token fits; there is `token=nhs;serial=";
            assert_refused(&custody, &format!("pkcs11:{other}"), Kind::NotFound, there).await;
        }
        for other in ["library-manufacturer=b", "library-description=b", "library-version=9"] {
            let there = "of `SoftHSM`";
            assert_refused(&custody, &format!("pkcs11:{other}"), Kind::NotFound, there).await;
        }
        custody.open(&uri("pkcs11:manufacturer=SoftHSM%20project;model=SoftHSM%20v2;library-manufacturer=SoftHSM;library-version=2.6")).await.unwrap();
    });
}

#[test]
fn of_several_that_fit_it_says_what_tells_them_apart() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let context = hsm.context();
        let session = signed_in(&context);
        make_with_id(&session, "same", b"\x01", &[Attribute::Sign(true)]);
        make_with_id(&session, "same", b"\x02", &[Attribute::Sign(true)]);
        let custody = hsm.custody();
        let expected = "fits 2 private keys, and has to say which: `object=same;id=%0";
        assert_refused(&custody, "pkcs11:object=same", Kind::InvalidUri, expected).await;
        custody.open(&uri("pkcs11:object=same;id=%02")).await.unwrap();
    });
}

#[test]
fn of_several_tokens_that_fit_it_says_what_tells_them_apart() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs").token("nhs");
        let custody = hsm.custody();
        let error = refusal(&custody, "pkcs11:token=nhs").await;
        assert_eq!(error.kind(), Kind::InvalidUri);
        let text = error.to_string();
        assert!(
            text.contains("it fits 2 tokens, and has to say which: `token=nhs;serial="),
            "{text}"
        );
        let serial = text.split("serial=").nth(1).unwrap().split(';').next().unwrap();
        let slot = text.split("slot-id=").nth(1).unwrap().split('`').next().unwrap();
        for place in [format!("pkcs11:serial={serial}"), format!("pkcs11:slot-id={slot}")] {
            let name = if place.contains("slot-id") { "by-slot" } else { "by-serial" };
            let made = custody.create(&uri(&place), &kid(name)).await.unwrap();
            // The number of a slot may change, and is not kept.
            assert!(made.uri.expose().contains(&format!("serial={serial}")), "{:?}", made.uri);
            assert!(!made.uri.expose().contains("slot-id"), "{:?}", made.uri);
            custody.open(&made.uri).await.unwrap();
        }
    });
}

#[test]
fn a_key_that_is_not_for_this_is_told() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let context = hsm.context();
        let session = signed_in(&context);
        make(&session, "reads", &[Attribute::Sign(false), Attribute::Decrypt(true)]);
        let curve = vec![0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let label = Attribute::Label(b"curve".to_vec());
        let public = [Attribute::Token(true), Attribute::EcParams(curve), label.clone()];
        let private = [Attribute::Token(true), Attribute::Sign(true), label];
        session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
        let short = [Attribute::Token(true), Attribute::Label(b"short".to_vec())];
        let public = [&short[..], &[Attribute::ModulusBits(1024.into())]].concat();
        let private = [&short[..], &[Attribute::Sign(true)]].concat();
        session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private).unwrap();

        let custody = hsm.custody();
        let kind = Kind::Unsuitable;
        assert_refused(&custody, "pkcs11:object=reads", kind, "doesn't let it sign").await;
        assert_refused(&custody, "pkcs11:object=curve", kind, "is not an RSA key").await;
        assert_refused(&custody, "pkcs11:object=short", kind, "it has 1024 bits").await;
    });
}

#[tokio::test]
async fn a_module_that_is_none_is_told() {
    let custody = Pkcs11::new();
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.so");
    std::fs::write(&text, "no library").unwrap();
    // A library that is none of PKCS#11.
    let other = std::fs::read_dir("/usr/lib/x86_64-linux-gnu")
        .or_else(|_| std::fs::read_dir("/usr/lib64"))
        .or_else(|_| std::fs::read_dir("/usr/lib"))
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.file_name().is_some_and(|name| name == "libm.so.6"))
        .unwrap();
    for (path, kind, expected) in [
        (text, Kind::Failed, "can't be loaded"),
        (other, Kind::Failed, "is no PKCS#11 module"),
        (folder.path().join("none.so"), Kind::NotFound, "there is no file"),
        (folder.path().to_owned(), Kind::NotFound, "there is no file"),
    ] {
        let text = format!("pkcs11:?module-path={}", path.display());
        assert_refused(&custody, &text, kind, expected).await;
    }
    assert_refused(&custody, "pkcs11:", Kind::InvalidUri, "no `module-path`").await;
    let none = "pkcs11:?module-name=no-such-module";
    assert_refused(&custody, none, Kind::NotFound, "in the usual folders").await;
    let path = "pkcs11:?module-name=%2Fm.so";
    assert_refused(&custody, path, Kind::InvalidUri, "a name, not a path").await;
    assert_refused(&custody, "awskms:alias/a", Kind::Unsupported, "awskms").await;
}

#[test]
fn a_module_is_found_by_its_name_in_a_folder() {
    alone(async |hsm: SoftHsm| {
        let hsm = hsm.token("nhs");
        let folder = module().parent().unwrap().display().to_string();
        make(&signed_in(&hsm.context()), "a", &[Attribute::Sign(true)]);
        let place = uri(&format!("pkcs11:?module-path={folder}&module-name=softhsm2"));
        Pkcs11::new().with_pin(secret(PIN)).open(&place).await.unwrap();
    });
}
