//! The file `nhs-auth.toml`: its keys are the flags' names, at the top or in an `[app.NAME]` table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use nhs_auth::{Destinations, TokenEndpoint};
use toml::{Table, Value};

use crate::console::Console;
use crate::failure::Failure;
use crate::layers::ONE_OR_THE_OTHER;

const FILE_NAME: &str = "nhs-auth.toml";

/// Flags whose values are paths, which count from the file's folder.
const PATHS: [&str; 7] =
    ["ca-file", "client-private-key", "jwks", "key-ring", "private-key", "tls-cert", "tls-key"];

/// What a configuration file sets, for the application that was chosen.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    /// The file; `None` when there is none.
    pub(crate) path: Option<PathBuf>,
    /// The application that was chosen, if one was.
    pub(crate) app: Option<String>,
    /// Flag to values; several for a flag that can be repeated.
    pub(crate) values: BTreeMap<String, Vec<String>>,
    /// The table `[mock]`, for the platform in a box.
    pub(crate) mock: Option<Table>,
    /// The table `[proxy]`, for the sidecar.
    pub(crate) proxy: Option<Table>,
    /// What stands at the top, and in the tables of all applications.
    apps: Apps,
}

/// What the file has for applications. A table is read when its application is asked for.
#[derive(Debug, Default)]
struct Apps {
    file: PathBuf,
    top: BTreeMap<String, Vec<String>>,
    tables: Table,
    flags: BTreeSet<String>,
}

impl ConfigFile {
    /// Reads the file that was named, or else the first that is there: in the working directory,
    /// then in the user's configuration directory. `flags` are the names that it may set.
    pub(crate) fn find(
        named: Option<&Path>,
        app: Option<&str>,
        flags: &BTreeSet<String>,
    ) -> Result<Self, Failure> {
        let chosen = named.map(ToOwned::to_owned).or_else(|| usual_places().next());
        let found = chosen.map(|path| read(&path).map(|text| (path, text))).transpose()?;
        match found {
            Some((path, text)) => Self::parse(path, &text, app, flags),
            None => match app {
                Some(app) => Err(Failure::usage(format!(
                    "there is no application `{app}`: no {FILE_NAME} was found"
                ))),
                None => Ok(Self::default()),
            },
        }
    }

    /// A file that lies in the working directory may be somebody else's, and a base URL in it
    /// decides where an assertion goes.
    pub(crate) fn warn_of_stand_in(&self, console: Console) {
        let (Some(path), Some(base_url)) = (&self.path, self.values.get("base-url")) else {
            return;
        };
        let is_found = path.as_path() == Path::new(FILE_NAME);
        for base_url in base_url.iter().filter(|_| is_found) {
            let is_own = TokenEndpoint::at(base_url, None).is_ok_and(|endpoint| {
                endpoint.is_loopback() || Destinations::nhs_only().check(endpoint.url()).is_ok()
            });
            if !is_own {
                console.warn(format_args!(
                    "{FILE_NAME} in this folder has tokens asked from {base_url}, which is not NHS England's"
                ));
            }
        }
    }

    fn parse(
        path: PathBuf,
        text: &str,
        app: Option<&str>,
        flags: &BTreeSet<String>,
    ) -> Result<Self, Failure> {
        let in_file = |message: String| Failure::usage(format!("{}: {message}", path.display()));
        let mut top: Table =
            toml::from_str(text).map_err(|error| in_file(parse_error(text, &error)))?;
        let tables = take_table(&mut top, "app").map_err(in_file)?.unwrap_or_default();
        let proxy = take_table(&mut top, "proxy").map_err(in_file)?;
        let mock = take_table(&mut top, "mock").map_err(in_file)?;
        let default_app = take_text(&mut top, "default-app").map_err(in_file)?;

        let apps = Apps::of(&path, top, tables, flags).map_err(in_file)?;
        let app = app.map(ToOwned::to_owned).or(default_app);
        let values = match &app {
            Some(name) => apps.values(name).map_err(in_file)?,
            None => apps.top.clone(),
        };
        Ok(Self { path: Some(path), app, values, mock, proxy, apps })
    }

    /// What the file sets for the application of that name.
    pub(crate) fn values_of(&self, app: &str) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let file = self.path.as_deref().unwrap_or(Path::new(FILE_NAME));
        self.apps
            .values(app)
            .map_err(|message| Failure::usage(format!("{}: {message}", file.display())))
    }
}

impl Apps {
    fn of(
        file: &Path,
        top: Table,
        tables: Table,
        flags: &BTreeSet<String>,
    ) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        collect(top, flags, &mut values)?;
        relative_to(file, &mut values);
        Ok(Self { file: file.to_owned(), top: values, tables, flags: flags.clone() })
    }

    /// The values of one application: its own go before those at the top.
    fn values(&self, name: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
        let Some(Value::Table(table)) = self.tables.get(name) else {
            return Err(format!("there is no table `[app.{name}]`"));
        };
        let mut values = self.top.clone();
        // They also go before what stands for the same at the top.
        for (one, other) in ONE_OR_THE_OTHER {
            for (has, gives_way) in [(one, other), (other, one)] {
                if table.contains_key(has) {
                    values.remove(gives_way);
                }
            }
        }
        let mut own = BTreeMap::new();
        collect(table.clone(), &self.flags, &mut own)?;
        relative_to(&self.file, &mut own);
        values.extend(own);
        Ok(values)
    }
}

fn usual_places() -> impl Iterator<Item = PathBuf> {
    let user = etcetera::choose_base_strategy().ok();
    let user = user.map(|strategy| strategy.config_dir().join("nhs-auth").join(FILE_NAME));
    [Some(PathBuf::from(FILE_NAME)), user].into_iter().flatten().filter(|path| path.is_file())
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        let failure = Failure::usage(format!(
            "can't read the configuration file {}: {error}",
            path.display()
        ));
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("check the path given with --config"),
            _ => failure,
        }
    })
}

/// With the line, and without the line's text: it may hold a secret.
fn parse_error(text: &str, error: &toml::de::Error) -> String {
    let line =
        error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    match line {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

fn take_table(table: &mut Table, key: &str) -> Result<Option<Table>, String> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::Table(table)) => Ok(Some(table)),
        Some(_) => Err(format!("`{key}` must be a table")),
    }
}

fn take_text(table: &mut Table, key: &str) -> Result<Option<String>, String> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` must be a string")),
    }
}

fn collect(
    table: Table,
    flags: &BTreeSet<String>,
    values: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), String> {
    for (key, value) in table {
        if !flags.contains(&key) {
            return Err(unknown_key(&key, flags));
        }
        let texts = match value {
            Value::Array(items) => items.into_iter().map(text).collect::<Option<Vec<_>>>(),
            value => text(value).map(|text| vec![text]),
        };
        let texts = texts.ok_or_else(|| {
            format!("`{key}` must be a string, a number, a boolean, or an array of those")
        })?;
        values.insert(key, texts);
    }
    Ok(())
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Boolean(yes) => Some(yes.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn unknown_key(key: &str, flags: &BTreeSet<String>) -> String {
    let hyphens = key.replace('_', "-");
    if flags.contains(&hyphens) {
        return format!("`{key}` is not a key; did you mean `{hyphens}`?");
    }
    format!("`{key}` is not a key; the keys are the flags' names, such as `api-key`")
}

/// Paths count from the file that names them, those behind `file:` too.
fn relative_to(file: &Path, values: &mut BTreeMap<String, Vec<String>>) {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return;
    };
    for (flag, values) in values {
        for value in values {
            let joined = |path: &str| folder.join(path).display().to_string();
            match value.strip_prefix("file:") {
                Some(path) => *value = format!("file:{}", joined(path)),
                None if PATHS.contains(&flag.as_str()) && !value.contains(':') => {
                    *value = joined(value);
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, app: Option<&str>) -> Result<ConfigFile, String> {
        let flags = ["api-key", "env", "header", "no-cache", "private-key"];
        let flags = flags.map(ToOwned::to_owned).into();
        ConfigFile::parse("conf/nhs-auth.toml".into(), text, app, &flags)
            .map_err(|failure| failure.message)
    }

    #[test]
    fn an_app_table_goes_before_the_top() {
        let text = "env = 'int'\napi-key = 'a'\n[app.live]\nenv = 'prod'\n";
        assert_eq!(parse(text, None).unwrap().values["env"], ["int"]);
        let live = parse(text, Some("live")).unwrap();
        assert_eq!(
            (&live.values["env"], &live.values["api-key"]),
            (&vec!["prod".into()], &vec!["a".into()])
        );
        let default = parse(&format!("default-app = 'live'\n{text}"), None).unwrap();
        assert_eq!(default.values["env"], ["prod"]);
        assert_eq!(
            parse(text, Some("x")).unwrap_err(),
            "conf/nhs-auth.toml: there is no table `[app.x]`"
        );
    }

    #[test]
    fn values_of_each_kind() {
        let file = parse("header = ['A: b', 'C: d']\nno-cache = true\n", None).unwrap();
        assert_eq!(file.values["header"], ["A: b", "C: d"]);
        assert_eq!(file.values["no-cache"], ["true"]);
        assert!(parse("env = 1.5\n", None).is_err());
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_repeated() {
        let error = parse("env = 'int'\napi_key = 'x'\n", None).unwrap_err();
        assert_eq!(error, "conf/nhs-auth.toml: `api_key` is not a key; did you mean `api-key`?");
        let error = parse("env = 'int'\napi-key = 'hush\n", None).unwrap_err();
        assert!(
            error.starts_with("conf/nhs-auth.toml: line 2: ") && !error.contains("hush"),
            "{error}"
        );
    }

    #[test]
    fn paths_count_from_the_file() {
        let file = parse("private-key = 'int-1.pem'\n", None).unwrap();
        assert_eq!(file.values["private-key"], ["conf/int-1.pem"]);
        let file = parse("api-key = 'file:key.txt'\n", None).unwrap();
        assert_eq!(file.values["api-key"], ["file:conf/key.txt"]);
        let file = parse("private-key = '/k/int-1.pem'\n", None).unwrap();
        assert_eq!(file.values["private-key"], ["/k/int-1.pem"]);
    }
}
