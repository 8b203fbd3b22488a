//! Identity providers of the test's own, which the platform is told to trust: what they sign is in
//! the test's hands to the last byte.

use nhs_auth_mock::{MockConfig, MockPlatform, NewApp};

use crate::id_token::{self, PROVIDER_KID};
use crate::jwt::Jwt;
use crate::key::Key;
use crate::site::Site;
use crate::world::World;

/// A provider: its issuer, and the web server that has its key set.
pub(crate) struct Provider {
    pub(crate) issuer: &'static str,
    pub(crate) site: Site,
}

/// A platform with one application, and the two providers that it trusts.
pub(crate) struct Trusting {
    pub(crate) world: World,
    pub(crate) cis2: Provider,
    pub(crate) nhs_login: Provider,
}

/// A base path like `/oauth2`, where neither provider's key set can be fetched.
pub(crate) const UNREACHABLE: &str = "/oauth2-unreachable";

const CIS2: &str = "https://am.cis2.test:443/openam/oauth2/realms/root/realms/NHSIdentity";
const NHS_LOGIN: &str = "https://auth.nhs-login.test";

impl Provider {
    async fn new(issuer: &'static str) -> Self {
        let site = Site::new("200 OK", &Key::provider().jwks(PROVIDER_KID)).await;
        Self { issuer, site }
    }
}

impl Trusting {
    pub(crate) async fn new(app: NewApp) -> Self {
        let (cis2, nhs_login) = (Provider::new(CIS2).await, Provider::new(NHS_LOGIN).await);
        let nowhere = Site::new("503 Service Unavailable", "").await;
        let base_path = |path: &str, cis2: &Site, nhs_login: &Site| {
            format!(
                "[[base_paths]]\n\
                 path = '{path}'\n\
                 cis2 = {{ issuer = '{CIS2}', jwks_url = '{}' }}\n\
                 nhs_login = {{ issuer = '{NHS_LOGIN}', jwks_url = '{}' }}\n",
                cis2.url, nhs_login.url
            )
        };
        let text = base_path("/oauth2", &cis2.site, &nhs_login.site)
            + &base_path(UNREACHABLE, &nowhere, &nowhere);
        let config: MockConfig = toml::from_str(&text).unwrap();
        let platform = MockPlatform::builder().config(config).unwrap().start().await.unwrap();
        let app = platform.create_app(app);
        Self { world: World { platform, app }, cis2, nhs_login }
    }

    pub(crate) fn cis2_id_token(&self) -> Jwt {
        id_token::of_cis2(self.cis2.issuer, self.now_s())
    }

    pub(crate) fn nhs_login_id_token(&self) -> Jwt {
        id_token::of_nhs_login(self.nhs_login.issuer, self.now_s())
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.world.platform.now().0 / 1000
    }
}
