//! The applications, and the API products that they are subscribed to.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use nhs_auth_rules::ApplicationRecord;

use super::key_sets::KeySet;
use super::quota::RollingMinute;
use crate::app::{App, EVERY_LEVEL, HELLO_WORLD, KeySource, NewApp};

/// The most applications that can be made through the control API.
const MOST: usize = 10_000;

/// The most API products.
const MOST_PRODUCTS: usize = 1000;

/// The applications.
pub(crate) struct Apps {
    rate_limit: u32,
    first: Vec<(App, NewApp)>,
    first_products: Products,
    now: RwLock<Directory>,
}

/// What each API product allows, by its name.
pub(crate) type Products = BTreeMap<String, Vec<String>>;

/// An application as the platform has it.
pub(crate) struct Registered {
    pub(crate) identity: App,
    pub(crate) settings: NewApp,
    /// What the rules look at.
    pub(crate) record: ApplicationRecord,
    /// The key set, where it was uploaded.
    pub(crate) uploaded: Option<Arc<KeySet>>,
    /// Its token requests of the last minute.
    pub(crate) token_requests: Arc<RollingMinute>,
}

#[derive(Default)]
struct Directory {
    by_id: HashMap<String, Arc<Registered>>,
    id_by_key: HashMap<String, String>,
    products: Products,
}

impl Apps {
    pub(crate) fn new(
        rate_limit: u32,
        first: Vec<(App, NewApp)>,
        mut first_products: Products,
    ) -> Self {
        let hello_world = EVERY_LEVEL.map(str::to_owned).to_vec();
        first_products.entry(HELLO_WORLD.to_owned()).or_insert(hello_world);
        let apps = Self { rate_limit, first, first_products, now: RwLock::default() };
        apps.reset();
        apps
    }

    /// Registers an application. One that has the application ID or the API key of another
    /// takes its place.
    pub(crate) fn add(&self, settings: NewApp) -> App {
        let identity = settings.identity();
        let mut directory = self.write();
        let app = directory.registered(identity.clone(), settings, self.rate_limit);
        directory.insert(app);
        identity
    }

    /// These applications and products, and on top of them those of the start.
    pub(crate) fn restore(&self, mut products: Products, apps: Vec<(App, NewApp)>) {
        products.extend(self.first_products.clone());
        self.fill(products, apps.into_iter().chain(self.first.iter().cloned()));
    }

    pub(crate) fn is_full(&self) -> bool {
        self.read().by_id.len() >= MOST
    }

    pub(crate) fn by_id(&self, application_id: &str) -> Option<Arc<Registered>> {
        self.read().by_id.get(application_id).cloned()
    }

    pub(crate) fn by_key(&self, api_key: &str) -> Option<Arc<Registered>> {
        let directory = self.read();
        let id = directory.id_by_key.get(api_key)?;
        directory.by_id.get(id).cloned()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Registered>> {
        let mut all: Vec<_> = self.read().by_id.values().cloned().collect();
        all.sort_by(|a, b| {
            let key = |app: &Registered| {
                (app.settings.name.clone(), app.identity.application_id().to_owned())
            };
            key(a).cmp(&key(b))
        });
        all
    }

    /// Changes an application; its count of requests goes on. `None` when there is none of that ID.
    pub(crate) fn change(
        &self,
        application_id: &str,
        change: impl FnOnce(&mut NewApp),
    ) -> Option<Arc<Registered>> {
        let mut directory = self.write();
        let old = directory.by_id.get(application_id)?;
        let mut settings = old.settings.clone();
        change(&mut settings);
        let mut app = directory.registered(old.identity.clone(), settings, self.rate_limit);
        app.token_requests = Arc::clone(&old.token_requests);
        app.token_requests.set_limit(app.settings.rate_limit.unwrap_or(self.rate_limit));
        directory.insert(app);
        directory.by_id.get(application_id).cloned()
    }

    /// Whether there was one of that ID.
    pub(crate) fn remove(&self, application_id: &str) -> bool {
        self.write().remove(application_id)
    }

    /// The API products.
    pub(crate) fn products(&self) -> Products {
        self.read().products.clone()
    }

    /// Says what a product allows, new or not. Its subscribers notice at once. False when there
    /// are too many.
    pub(crate) fn set_product(&self, name: &str, scopes: Vec<String>) -> bool {
        let directory = &mut *self.write();
        let is_new = !directory.products.contains_key(name);
        if is_new && directory.products.len() >= MOST_PRODUCTS {
            return false;
        }
        directory.products.insert(name.to_owned(), scopes);
        directory.notice(name);
        true
    }

    /// Whether there was one of that name.
    pub(crate) fn remove_product(&self, name: &str) -> bool {
        let directory = &mut *self.write();
        let was_there = directory.products.remove(name).is_some();
        directory.notice(name);
        was_there
    }

    /// The applications and products of the start, and no other.
    pub(crate) fn reset(&self) {
        self.fill(self.first_products.clone(), self.first.iter().cloned());
    }

    fn fill(&self, products: Products, apps: impl Iterator<Item = (App, NewApp)>) {
        let mut directory = Directory { products, ..Directory::default() };
        for (identity, settings) in apps {
            let app = directory.registered(identity, settings, self.rate_limit);
            directory.insert(app);
        }
        *self.write() = directory;
    }

    fn read(&self) -> RwLockReadGuard<'_, Directory> {
        self.now.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Directory> {
        self.now.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory {
    fn registered(&self, identity: App, settings: NewApp, rate_limit: u32) -> Registered {
        let allowed_by = |product: &str| self.products.get(product).cloned().unwrap_or_default();
        let record = settings.record(allowed_by);
        Registered::new(identity, settings, record, rate_limit)
    }

    /// Lets a product's subscribers have what it allows now.
    fn notice(&mut self, product: &str) {
        let has_it = |app: &&Arc<Registered>| app.settings.products.iter().any(|it| it == product);
        let subscribers: Vec<_> = self.by_id.values().filter(has_it).cloned().collect();
        for app in subscribers {
            let mut changed = self.registered(app.identity.clone(), app.settings.clone(), 0);
            changed.token_requests = Arc::clone(&app.token_requests);
            self.insert(changed);
        }
    }

    fn insert(&mut self, app: Registered) {
        let id = app.identity.application_id().to_owned();
        let key = app.identity.api_key().to_owned();
        self.remove(&id);
        if let Some(holder) = self.id_by_key.get(&key).cloned() {
            self.remove(&holder);
        }
        self.id_by_key.insert(key, id.clone());
        self.by_id.insert(id, Arc::new(app));
    }

    fn remove(&mut self, application_id: &str) -> bool {
        let removed = self.by_id.remove(application_id);
        if let Some(app) = &removed {
            self.id_by_key.remove(app.identity.api_key());
        }
        removed.is_some()
    }
}

impl Registered {
    fn new(identity: App, settings: NewApp, record: ApplicationRecord, rate_limit: u32) -> Self {
        let uploaded = match &settings.keys {
            KeySource::Uploaded(document) => Some(Arc::new(KeySet::parse(document))),
            KeySource::Nowhere | KeySource::Url(_) => None,
        };
        Self {
            record,
            token_requests: Arc::new(RollingMinute::new(settings.rate_limit.unwrap_or(rate_limit))),
            uploaded,
            identity,
            settings,
        }
    }
}

impl fmt::Debug for Apps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apps").field("number", &self.read().by_id.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_with_anothers_key_takes_its_place() {
        let apps = Apps::new(300, Vec::new(), Products::new());
        let first = apps.add(NewApp::new("first").api_key("k"));
        let second = apps.add(NewApp::new("second").api_key("k"));
        assert!(apps.by_id(first.application_id()).is_none());
        let found = apps.by_key("k").unwrap();
        assert_eq!(found.identity.application_id(), second.application_id());
        assert!(apps.remove(second.application_id()));
        assert!(apps.by_key("k").is_none() && apps.all().is_empty());
    }

    #[test]
    fn subscribers_notice_when_a_product_changes() {
        let apps = Apps::new(300, Vec::new(), Products::new());
        let app = apps.add(NewApp::new("a").products(["records"]));
        let scopes = || apps.by_id(app.application_id()).unwrap().record.scopes.clone();
        assert_eq!(scopes(), Some(Vec::new()), "subscribed to what allows nothing yet");
        apps.set_product("records", vec!["urn:nhsd:apim:app:level3:records".to_owned()]);
        assert_eq!(scopes().unwrap(), ["urn:nhsd:apim:app:level3:records"]);
        assert!(apps.remove_product("records") && !apps.remove_product("records"));
        assert_eq!(scopes(), Some(Vec::new()));
    }
}
