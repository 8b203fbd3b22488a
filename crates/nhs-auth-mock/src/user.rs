//! Who can sign in.

use std::fmt;

use nhs_auth_rules::IdentityProvider;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// Somebody who can sign in at CIS2 (a healthcare worker) or at NHS login (a patient). There is no
/// password: the user name is all that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub(crate) provider: UserProvider,
    pub(crate) username: String,
    /// `authentication_assurance_level` (as it stands, a number or a string) or
    /// `identity_proofing_level`.
    #[serde(deserialize_with = "number_or_text")]
    pub(crate) level: Value,
    #[serde(default = "some_given_name", alias = "given-name")]
    pub(crate) given_name: String,
    #[serde(default = "some_family_name", alias = "family-name")]
    pub(crate) family_name: String,
    #[serde(default)]
    pub(crate) roles: Vec<Role>,
    #[serde(default, alias = "selected-roleid")]
    pub(crate) selected_roleid: SelectedRole,
    /// Claims on top of all others, in the ID token and in the user info.
    #[serde(default)]
    pub(crate) claims: Map<String, Value>,
}

/// Where a user signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UserProvider {
    Cis2,
    NhsLogin,
}

/// What `selected_roleid` becomes where a role is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SelectedRole {
    /// The claim is left out.
    Absent,
    /// The role that was chosen.
    #[default]
    Chosen,
    /// The claim is there and empty, as it has been seen in production.
    Empty,
}

/// A role of a healthcare worker: an item of `nhsid_nrbac_roles`.
#[expect(clippy::struct_field_names, reason = "they are named as the claim's members are")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// The role's name for one person in one organisation: digits.
    pub(crate) person_roleid: String,
    pub(crate) role_name: String,
    pub(crate) role_code: String,
    #[serde(default = "some_org_code")]
    pub(crate) org_code: String,
    /// `activities`, `workgroups` and what else a role has.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

impl User {
    /// A healthcare worker who signs in at CIS2 with that assurance level: 1, 2 or 3. Without a
    /// [`role`](Self::role) the user has none.
    pub fn cis2(username: impl Into<String>, level: u8) -> Self {
        Self::new(UserProvider::Cis2, username.into(), json!(level))
    }

    /// A patient who signs in at NHS login, with that identity proofing level: `P0`, `P5` or `P9`.
    /// A user name of ten digits is the NHS number.
    pub fn nhs_login(username: impl Into<String>, level: impl Into<String>) -> Self {
        Self::new(UserProvider::NhsLogin, username.into(), json!(level.into()))
    }

    /// Somebody who signs in there, with that level as it stands.
    pub(crate) fn of(provider: IdentityProvider, username: String, level: Value) -> Self {
        let provider = match provider {
            IdentityProvider::Cis2 => UserProvider::Cis2,
            IdentityProvider::NhsLogin => UserProvider::NhsLogin,
        };
        Self::new(provider, username, level)
    }

    fn new(provider: UserProvider, username: String, level: Value) -> Self {
        Self {
            provider,
            username,
            level,
            given_name: some_given_name(),
            family_name: some_family_name(),
            roles: Vec::new(),
            selected_roleid: SelectedRole::default(),
            claims: Map::new(),
        }
    }

    /// Gives the user one more role.
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// The user's names.
    pub fn name(mut self, given_name: impl Into<String>, family_name: impl Into<String>) -> Self {
        self.given_name = given_name.into();
        self.family_name = family_name.into();
        self
    }

    /// What `selected_roleid` becomes where a role is asked for.
    pub fn selected_roleid(mut self, selected: SelectedRole) -> Self {
        self.selected_roleid = selected;
        self
    }

    /// The level as a string in place of a number, as CIS2 has been seen to send it.
    pub fn level_as_text(mut self) -> Self {
        self.level = json!(self.level_text());
        self
    }

    /// A claim on top of all others, in the ID token and in the user info; null takes one out.
    pub fn claim(mut self, name: impl Into<String>, value: Value) -> Self {
        self.claims.insert(name.into(), value);
        self
    }

    pub(crate) fn provider(&self) -> IdentityProvider {
        match self.provider {
            UserProvider::Cis2 => IdentityProvider::Cis2,
            UserProvider::NhsLogin => IdentityProvider::NhsLogin,
        }
    }

    /// The level without quotes: `3` or `P9`.
    pub(crate) fn level_text(&self) -> String {
        self.level.as_str().map_or_else(|| self.level.to_string(), str::to_owned)
    }

    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// The level as people say it: `AAL3` or `P9`.
    pub(crate) fn level_name(&self) -> String {
        match self.provider {
            UserProvider::Cis2 => format!("AAL{}", self.level_text()),
            UserProvider::NhsLogin => self.level_text(),
        }
    }

    pub(crate) fn role_of_id(&self, person_roleid: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.person_roleid == person_roleid)
    }

    /// The users that the hosted mocks are documented to have, and a few with what a client has to
    /// be ready for. User names, levels and the roles' last codes are documented; the rest is
    /// made up.
    pub(crate) fn documented() -> Vec<Self> {
        const CIS2: [(&str, u8, &str, usize); 9] = [
            ("656005750104", 3, "Avery", ADMIN),
            ("656005750105", 3, "Blake", NURSE),
            ("656005750106", 3, "Casey", NURSE),
            ("656005750107", 3, "Drew", CLINICIAN),
            ("656005750108", 3, "Ellis", GP),
            ("656005750109", 2, "Frankie", CLINICIAN),
            ("656005750110", 1, "Gray", CLINICIAN),
            ("656005750111", 2, "Harper", GP),
            ("656005750112", 2, "Indigo", ADMIN),
        ];
        let cis2 = CIS2.iter().zip(1..).map(|(&(username, level, given_name, role), number)| {
            Self::cis2(username, level)
                .name(given_name, "Example")
                .role(Role::of_kind(role, number * 10))
        });
        let with_roles = |username: &str, name: &str, kinds: &[usize], first: u32| {
            let user = Self::cis2(username, 3).name(name, "Roles");
            let orgs = ["Z9Z9Z", "X8X8X", "W7W7W"].into_iter().cycle();
            kinds.iter().zip(first..).zip(orgs).fold(user, |user, ((&kind, number), org)| {
                user.role(Role::of_kind(kind, number).org_code(org))
            })
        };
        let more = [
            with_roles("tutorialuser", "Tutorial", &[CLINICIAN], 100),
            with_roles("no-roles", "No", &[], 0),
            with_roles("two-roles", "Two", &[NURSE, ADMIN], 200),
            with_roles("many-roles", "Many", &[NURSE, ADMIN, GP, CLINICIAN, NURSE, ADMIN, GP], 300),
            with_roles("empty-role", "Empty", &[NURSE], 400)
                .selected_roleid(SelectedRole::Empty)
                .level_as_text(),
        ];
        let nhs_login = [("9912003071", "P9"), ("9912003072", "P5"), ("9912003073", "P0")]
            .map(|(username, level)| Self::nhs_login(username, level).name("Jordan", "Example"));
        let tutorial = Self::nhs_login("tutorialuser", "P9").name("Tutorial", "Example");
        cis2.chain(more).chain(nhs_login).chain([tutorial]).collect()
    }
}

const ADMIN: usize = 0;
const CLINICIAN: usize = 1;
const GP: usize = 2;
const NURSE: usize = 3;

impl Role {
    /// A role by its name for the person (`person_roleid`, digits), its name in three quoted
    /// parts, and its code, such as `S8000:G8000:R8001`.
    pub fn new(
        person_roleid: impl Into<String>,
        role_name: impl Into<String>,
        role_code: impl Into<String>,
    ) -> Self {
        Self {
            person_roleid: person_roleid.into(),
            role_name: role_name.into(),
            role_code: role_code.into(),
            org_code: some_org_code(),
            more: Map::new(),
        }
    }

    /// The code of the organisation (ODS).
    pub fn org_code(mut self, org_code: impl Into<String>) -> Self {
        self.org_code = org_code.into();
        self
    }

    /// What else the role has, such as `activities`.
    pub fn with(mut self, member: impl Into<String>, value: Value) -> Self {
        self.more.insert(member.into(), value);
        self
    }

    fn of_kind(kind: usize, number: u32) -> Self {
        let (name, code) = [
            (
                r#""Admin & Clerical":"Clinical Support":"Admin/Clinical Support Access Role""#,
                "S8001:G8002:R8008",
            ),
            (
                r#""Clinical":"Clinical Provision":"Clinical Practitioner Access Role""#,
                "S8000:G8000:R8000",
            ),
            (r#""Medical":"General Practice":"General Medical Practitioner""#, "S0010:G0020:R0260"),
            (r#""Clinical":"Clinical Provision":"Nurse Access Role""#, "S8000:G8000:R8001"),
        ][kind];
        let role =
            Self::new(format!("{:012}", 800_000_000_000_u64 + u64::from(number)), name, code);
        if kind == NURSE {
            role.with("activities", json!(["Perform Patient Administration"]))
                .with("activity_codes", json!(["B9999"]))
        } else {
            role
        }
    }

    /// The last part of the name, for people: what the role is.
    pub(crate) fn short_name(&self) -> &str {
        self.parts().next_back().unwrap_or_default()
    }

    /// The parts before it: where such roles are.
    pub(crate) fn area(&self) -> String {
        let mut parts: Vec<_> = self.parts().collect();
        parts.pop();
        parts.join(", ")
    }

    fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.role_name.split(':').map(|part| part.trim_matches('"'))
    }

    /// The item of `nhsid_nrbac_roles`. Members that a role hasn't are left out of it.
    pub(crate) fn claim(&self, person_orgid: &str) -> Value {
        let mut item = self.more.clone();
        for (name, text) in [
            ("person_roleid", &*self.person_roleid),
            ("person_orgid", person_orgid),
            ("role_name", &self.role_name),
            ("role_code", &self.role_code),
            ("org_code", &self.org_code),
        ] {
            item.entry(name).or_insert_with(|| json!(text));
        }
        Value::Object(item)
    }
}

impl fmt::Display for UserProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cis2 => "cis2",
            Self::NhsLogin => "nhs-login",
        })
    }
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let level = Value::deserialize(deserializer)?;
    if level.is_u64() || level.is_string() {
        Ok(level)
    } else {
        Err(D::Error::custom("`level` must be a whole number or a string"))
    }
}

fn some_given_name() -> String {
    "Alex".to_owned()
}

fn some_family_name() -> String {
    "Example".to_owned()
}

fn some_org_code() -> String {
    "Z9Z9Z".to_owned()
}
