//! One token for a fleet, with a real server and the platform in a box: under load, and with the
//! server killed, stopped, emptied and garbled meanwhile.

use std::fmt;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use nhs_auth::{
    ApiKey, Application, IssuedToken, KeySet, Kid, LocalSigner, OsEntropy, PrivateKey,
    PublishedKey, SealingKey, Signer as _, SystemClock, TokenCache, TokenClient, TokenEndpoint,
    TokenError, TokenIssuer, TokenSource,
};
use nhs_auth_custody::{ValkeyServer, ValkeyTokenStore};
use nhs_auth_mock::{Fault, FaultKind, MockPlatform, NewApp};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::server::Server;

const SECRET: &str = "a secret that all instances of it share";

/// How long tokens live here, so that many are renewed in the time of a test.
const LIFETIME: Duration = Duration::from_secs(5);

const INSTANCES: usize = 10;

/// The platform, an application there, and how often a token was asked for.
struct Scene {
    platform: MockPlatform,
    application: Application,
    issuer: Arc<Counting>,
}

/// Asks the platform, and counts. Its tokens live as long as is told.
struct Counting {
    client: TokenClient,
    lifetime: Duration,
    requests: AtomicUsize,
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting").finish_non_exhaustive()
    }
}

impl TokenIssuer for Counting {
    fn issue<'a>(
        &'a self,
        application: &'a Application,
    ) -> Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>> {
        Box::pin(async move {
            self.requests.fetch_add(1, Ordering::SeqCst);
            let mut token = self.client.request(application).await?;
            token.expires_in = Some(self.lifetime);
            Ok(token)
        })
    }
}

impl Scene {
    async fn new(lifetime: Duration) -> Self {
        static KEY: LazyLock<Arc<LocalSigner>> =
            LazyLock::new(|| Arc::new(LocalSigner::new(PrivateKey::generate().unwrap())));
        let kid = Kid::parse("int-1").unwrap();
        let published = PublishedKey::new(kid.clone(), KEY.public_key().clone());
        let jwks = KeySet::new(vec![published]).unwrap().to_json();
        let platform = MockPlatform::start().await.unwrap();
        let app = platform.create_app(NewApp::new("fleet").jwks(jwks));
        let application = Application::new(
            TokenEndpoint::at(&platform.base_url(), None).unwrap(),
            ApiKey::parse(app.api_key()).unwrap(),
            kid,
            Arc::clone(&KEY),
        );
        let (client, requests) = (TokenClient::new(), AtomicUsize::new(0));
        let issuer = Arc::new(Counting { client, lifetime, requests });
        Self { platform, application, issuer }
    }

    /// One more instance: its own memory and its own connection.
    fn instance(&self, server: &Server) -> TokenSource {
        self.instance_with(server, SECRET)
    }

    fn instance_with(&self, server: &Server, secret: &str) -> TokenSource {
        let key = SealingKey::derived_from(&secret.into()).unwrap();
        let (clock, entropy) = (SystemClock::default(), OsEntropy::default());
        TokenCache::with(self.issuer.clone(), Arc::new(clock), Arc::new(entropy))
            .with_store(Arc::new(server.token_store()), key)
            .source(&self.application)
    }

    fn requests(&self) -> usize {
        self.issuer.requests.load(Ordering::SeqCst)
    }

    /// Ten instances that call an API without a pause. What is given in the end is how many calls
    /// there were, of which none has failed.
    fn load(&self, server: &Server, time: Duration) -> JoinSet<usize> {
        let url = format!("{}/hello-world/hello/application", self.platform.base_url());
        // Made before, for all: making one takes a moment of the thread that answers wait for.
        let client = reqwest::Client::new();
        let until = Instant::now() + time;
        let mut load = JoinSet::new();
        for _ in 0..INSTANCES {
            let (source, url, client) = (self.instance(server), url.clone(), client.clone());
            load.spawn(async move {
                let mut calls = 0;
                while Instant::now() < until {
                    let token = source.token().await.expect("there is a token");
                    let call = client.get(&url).bearer_auth(token.expose()).send().await.unwrap();
                    assert_eq!(call.status(), 200);
                    calls += 1;
                    sleep(Duration::from_millis(10)).await;
                }
                calls
            });
        }
        load
    }
}

async fn all(load: JoinSet<usize>) -> usize {
    load.join_all().await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_instances_share_one_token() {
    let server = Server::start().await;
    let scene = Scene::new(Duration::from_secs(599)).await;
    let mut instances = JoinSet::new();
    for _ in 0..INSTANCES {
        let source = scene.instance(&server);
        instances.spawn(async move { source.token().await.unwrap().expose().to_owned() });
    }
    let mut tokens = instances.join_all().await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(scene.requests(), 1);

    let () = server.ask(&[b"CONFIG", b"SET", b"rdbcompression", b"no"]).await;
    for name in server.names().await {
        let value: Vec<u8> = server.ask(&[b"DUMP", name.as_bytes()]).await;
        let kept = [name.as_bytes(), &value].concat();
        for text in [tokens[0].as_str(), scene.application.api_key().as_str()] {
            assert!(!kept.windows(text.len()).any(|it| it == text.as_bytes()), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_comes_back_empty_costs_no_call() {
    let mut server = Server::start().await;
    let scene = Scene::new(LIFETIME).await;
    let load = scene.load(&server, Duration::from_secs(24));
    sleep(Duration::from_secs(6)).await;
    let with_it = scene.requests();
    for _ in 0..2 {
        server.stop().await;
        sleep(Duration::from_secs(6)).await;
        server.start_again_with(&[]).await;
        sleep(Duration::from_millis(500)).await;
    }
    let calls = all(load).await;
    let requests = scene.requests();
    println!("{calls} calls, none failed; {with_it} token requests in 6 s, {requests} in 24 s");
    assert!(calls > 1000, "{calls}: this is no load");
    assert!((1..INSTANCES / 2).contains(&with_it), "{with_it}: the token is not shared");
    // Away twice, for one lifetime and some: there each instance asks for itself, at most twice. The
    // rest of the time one does, every four seconds.
    assert!(requests <= 2 * 2 * INSTANCES + 6, "{requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_slows_nobody() {
    let server = Server::start().await;
    let scene = Scene::new(LIFETIME).await;
    let load = scene.load(&server, Duration::from_secs(16));
    sleep(Duration::from_secs(3)).await;
    server.pause().await;
    // Who has no token waits for half a second, and not until the connection is given up: that
    // takes two seconds, and seven where there is none.
    let newcomer = scene.instance(&server);
    timeout(Duration::from_millis(1900), newcomer.token()).await.expect("too slow").unwrap();
    sleep(Duration::from_secs(7)).await;
    server.go_on().await;
    let calls = all(load).await;
    println!("{calls} calls, none failed; {} token requests in 16 s", scene.requests());
    assert!(scene.requests() <= 3 * INSTANCES + 6, "{}", scene.requests());
    // It is one token again.
    let before = scene.requests();
    scene.instance(&server).token().await.unwrap();
    assert!(scene.requests() <= before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_what_another_key_has_sealed_cost_one_request_each() {
    let server = Server::start().await;
    let scene = Scene::new(Duration::from_secs(599)).await;
    scene.instance(&server).token().await.unwrap();
    let [name] = server.names().await.try_into().unwrap();
    let good: Vec<u8> = server.ask(&[b"GET", name.as_bytes()]).await;
    scene.instance_with(&server, "another secret, of another fleet").token().await.unwrap();
    let names = server.names().await;
    let other = names.iter().find(|it| **it != name).expect("it is at another name");
    let of_another_key: Vec<u8> = server.ask(&[b"GET", other.as_bytes()]).await;
    assert_eq!(scene.requests(), 2);

    let garbage: [&[u8]; 4] = [b"", b"garbage", &of_another_key, &good[1..]];
    for (number, garbage) in (3..).zip(garbage) {
        for with_an_end in [true, false] {
            let mut set: Vec<&[u8]> = vec![b"SET", name.as_bytes(), garbage];
            set.extend(with_an_end.then_some([&b"EX"[..], b"599"]).into_iter().flatten());
            let () = server.ask(&set).await;
            let before = scene.requests();
            for _ in 0..3 {
                scene.instance(&server).token().await.unwrap();
            }
            assert_eq!(scene.requests(), before + 1, "{number}: {garbage:?}");
        }
    }
    let _: redis::Value = server.ask(&[b"DEL", name.as_bytes()]).await;
    let _: redis::Value = server.ask(&[b"RPUSH", name.as_bytes(), b"member"]).await;
    let before = scene.requests();
    for _ in 0..3 {
        scene.instance(&server).token().await.unwrap();
    }
    assert_eq!(scene.requests(), before + 1);
}

/// The test is its own leaseholder: it starts itself once more, and kills that.
#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_killed_instance_is_free_in_time() {
    const HOLDER: &str = "NHS_AUTH_TEST_HOLDER";
    if let Ok(told) = std::env::var(HOLDER) {
        let (redis, platform, api_key) = three(&told);
        hold_the_lease(redis, platform, api_key).await;
    }
    let server = Server::start().await;
    let scene = Scene::new(Duration::from_secs(599)).await;
    scene.platform.add_fault(Fault::new(FaultKind::Hang).path("/oauth2").times(1));
    let api_key = scene.application.api_key().as_str();
    let told = format!("{} {} {api_key}", server.url(), scene.platform.base_url());
    let mut dies = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fleet::the_lease_of_a_killed_instance_is_free_in_time"])
        .env(HOLDER, told)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let has_it = async {
        while server.names().await.is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_mins(1), has_it).await.expect("it asks for no token");
    // Longer than the lease lasts by itself: it keeps it up.
    sleep(Duration::from_secs(9)).await;
    let [lease] = server.names().await.try_into().unwrap();
    assert!(lease.starts_with("nhs-auth:token-lease:"), "{lease}");
    dies.kill().await.unwrap();

    let left: i64 = server.ask(&[b"PTTL", lease.as_bytes()]).await;
    assert!((0..=8000).contains(&left), "{left}");
    // Less than the patience of who waits for another.
    let newcomer = scene.instance(&server);
    timeout(Duration::from_secs(20), newcomer.token()).await.expect("too late").unwrap();
    assert_eq!(scene.requests(), 1, "beside the one of who was killed");
}

fn three(told: &str) -> (&str, &str, &str) {
    let mut parts = told.split(' ');
    let mut part = || parts.next().unwrap();
    (part(), part(), part())
}

/// Asks a platform that doesn't answer, for ever.
async fn hold_the_lease(redis: &str, platform: &str, api_key: &str) -> ! {
    let signer = LocalSigner::new(PrivateKey::generate().unwrap());
    let application = Application::new(
        TokenEndpoint::at(platform, None).unwrap(),
        ApiKey::parse(api_key).unwrap(),
        Kid::parse("int-1").unwrap(),
        signer,
    );
    let store = ValkeyTokenStore::connect_lazily(&ValkeyServer::parse(redis).unwrap());
    let key = SealingKey::derived_from(&SECRET.into()).unwrap();
    let cache = TokenCache::new(TokenClient::new()).with_store(Arc::new(store), key);
    loop {
        let _ = cache.source(&application).token().await;
    }
}
