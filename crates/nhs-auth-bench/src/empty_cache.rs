//! A thousand tasks that want a token when there is none.

use nhs_auth::{
    ApiKey, Application, KeySet, Kid, LocalSigner, PrivateKey, PublishedKey, TokenCache,
    TokenClient, TokenEndpoint,
};

use crate::mock::RunningMock;
use crate::{Bar, Figure, Setting};

const TASKS: usize = 1000;

#[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let mock = RunningMock::start(&setting.binary);
    let key = PrivateKey::generate().unwrap();
    let kid = Kid::parse("int-1").unwrap();
    let published = PublishedKey::new(kid.clone(), key.public().clone());
    let api_key = mock.register(&KeySet::new(vec![published]).unwrap().to_json());
    let endpoint = TokenEndpoint::at(mock.base_url(), None).unwrap();
    let api_key = ApiKey::parse(&api_key).unwrap();
    let application = Application::new(endpoint, api_key, kid, LocalSigner::new(key));

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let source = TokenCache::new(TokenClient::new()).source(&application);
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let source = source.clone();
                tokio::spawn(async move { source.token().await.map(drop) })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    vec![Figure {
        name: "1,000 tasks on an empty cache",
        value: mock.requests() as f64,
        unit: "requests",
        bar: Bar::AtMost(1.0),
        from: "as the platform in a box counted them".to_owned(),
    }]
}
