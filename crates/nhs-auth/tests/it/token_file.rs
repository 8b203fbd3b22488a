//! Tokens that outlive their process.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use nhs_auth::{
    Clock as _, RefusalBody, TokenCache, TokenErrorKind, TokenFile, TokenSource, UnixMillis,
};
use tokio::time::sleep;

use crate::stand_ins::{Fixed, TestClock, TestIssuer, application, application_named, token};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

#[test]
fn a_token_comes_back_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::new(folder.path(), &application());
    assert!(file.read(NOW).is_none());
    file.write(&token(1, NOW)).unwrap();
    assert_eq!(file.read(NOW.plus(598_999)).unwrap().access_token.expose(), "token-1");
    assert!(file.read(NOW.plus(599_000)).is_none());
    assert!(file.read(NOW.plus(-1)).is_none(), "a token from the future");
    assert!(TokenFile::new(folder.path(), &application_named("int-2")).read(NOW).is_none());
}

#[test]
fn a_file_that_is_something_else_counts_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::new(folder.path(), &application());
    file.write(&token(1, NOW)).unwrap();
    let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let good = fs::read_to_string(&path).unwrap();
    for text in [
        "",
        "{",
        "null",
        &good[..good.len() / 2],
        &good.replace("\"version\":1", "\"version\":9"),
        &good.replace("599", "18446744073709551615"),
    ] {
        fs::write(&path, text).unwrap();
        assert!(file.read(NOW).is_none(), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it_and_its_name_tells_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("nhs-auth/tokens");
    TokenFile::new(&folder, &application()).write(&token(1, NOW)).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    assert!(!path.to_string_lossy().contains("abcdefgh"));
}

#[tokio::test]
async fn of_several_processes_one_asks() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new());
    let issuer = Arc::new(TestIssuer::new(Arc::clone(&clock), Duration::from_millis(30)));
    // Each cache of its own is as good as a process of its own: they share the folder alone.
    let processes: Vec<_> = (0..8)
        .map(|_| {
            let cache = TokenCache::with(issuer.clone(), clock.clone(), Arc::new(Fixed(0.0)))
                .with_files(folder.path().to_owned());
            tokio::spawn(async move { cache.source(&application()).token().await.unwrap() })
        })
        .collect();
    for process in processes {
        assert_eq!(process.await.unwrap().expose(), "token-1");
    }
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn an_old_token_serves_when_no_new_one_can_be_had() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new());
    let issuer = Arc::new(TestIssuer::new(Arc::clone(&clock), Duration::ZERO));
    TokenFile::new(folder.path(), &application()).write(&token(77, clock.now())).unwrap();
    clock.jump(Duration::from_secs(500));
    issuer.fail_next(TokenErrorKind::Unreachable { reason: "down".to_owned() });
    let cache = TokenCache::with(issuer.clone(), clock, Arc::new(Fixed(0.0)))
        .with_files(folder.path().to_owned());
    assert_eq!(cache.source(&application()).token().await.unwrap().expose(), "token-77");
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn a_rejected_token_is_not_taken_from_the_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new());
    let issuer = Arc::new(TestIssuer::new(Arc::clone(&clock), Duration::ZERO));
    let cache = TokenCache::with(issuer.clone(), clock, Arc::new(Fixed(0.0)))
        .with_files(folder.path().to_owned());
    let source = cache.source(&application());
    let first = source.token().await.unwrap();
    source.reject(&first);
    assert_eq!(source.token().await.unwrap().expose(), "token-2");
}

struct Scene {
    folder: tempfile::TempDir,
    clock: Arc<TestClock>,
    issuer: Arc<TestIssuer>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(TestClock::new());
        let issuer = Arc::new(TestIssuer::new(Arc::clone(&clock), Duration::ZERO));
        Self { folder: tempfile::tempdir().unwrap(), clock, issuer }
    }

    fn file(&self) -> TokenFile {
        TokenFile::new(self.folder.path(), &application())
    }

    fn source(&self, jitter: f64) -> TokenSource {
        let entropy = Arc::new(Fixed(jitter));
        TokenCache::with(self.issuer.clone(), self.clock.clone(), entropy)
            .with_files(self.folder.path().to_owned())
            .source(&application())
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_refused_is_not_begun_again_at_every_call() {
    let scene = Scene::new();
    let source = scene.source(0.0);
    source.token().await.unwrap();
    sleep(Duration::from_secs(500)).await;
    for _ in 0..100 {
        let refused = TokenErrorKind::Refused { status: 401, body: RefusalBody::default() };
        scene.issuer.fail_next(refused);
    }
    for _ in 0..900 {
        assert_eq!(source.token().await.unwrap().expose(), "token-1");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(scene.issuer.requests() <= 6, "{}", scene.issuer.requests());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_brought_forward_by_jitter_renews() {
    let scene = Scene::new();
    let source = scene.source(0.999);
    source.token().await.unwrap();
    sleep(Duration::from_secs(460)).await;
    source.token().await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(source.token().await.unwrap().expose(), "token-2");
    assert_eq!(scene.issuer.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_in_the_file_needs_no_lock() {
    let scene = Scene::new();
    scene.file().write(&token(7, scene.clock.now())).unwrap();
    let _other_process = scene.file().try_lock().unwrap().unwrap();
    assert_eq!(scene.source(0.0).token().await.unwrap().expose(), "token-7");
}

#[tokio::test(start_paused = true)]
async fn while_another_process_renews_the_old_token_serves() {
    let scene = Scene::new();
    scene.file().write(&token(7, scene.clock.now())).unwrap();
    scene.clock.jump(Duration::from_secs(500));
    let other_process = scene.file().try_lock().unwrap().unwrap();
    let source = scene.source(0.0);
    assert_eq!(source.token().await.unwrap().expose(), "token-7");
    assert_eq!(scene.issuer.requests(), 0);
    scene.file().write(&token(8, scene.clock.now())).unwrap();
    drop(other_process);
    sleep(Duration::from_secs(3)).await;
    source.token().await.unwrap();
    sleep(Duration::from_millis(10)).await;
    assert_eq!(source.token().await.unwrap().expose(), "token-8");
    assert_eq!(scene.issuer.requests(), 0);
}

/// A process that is started again while the token server hangs.
#[tokio::test(start_paused = true)]
async fn a_slow_token_server_is_not_waited_for_where_an_old_token_serves() {
    let mut scene = Scene::new();
    scene.issuer = Arc::new(TestIssuer::new(Arc::clone(&scene.clock), Duration::from_mins(1)));
    scene.file().write(&token(77, scene.clock.now())).unwrap();
    scene.clock.jump(Duration::from_secs(500));
    let source = scene.source(0.0);
    let began = scene.clock.now();
    assert_eq!(source.token().await.unwrap().expose(), "token-77");
    assert!(scene.clock.now() < began.plus(6_000), "{:?}", scene.clock.now());
    // The next request has all the time that it needs.
    for _ in 0..80 {
        source.token().await.unwrap();
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(source.token().await.unwrap().expose(), "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_holds_the_lock_for_ever_is_not_waited_for_as_long() {
    let scene = Scene::new();
    let _stopped_process = scene.file().try_lock().unwrap().unwrap();
    assert_eq!(scene.source(0.0).token().await.unwrap().expose(), "token-1");
}
