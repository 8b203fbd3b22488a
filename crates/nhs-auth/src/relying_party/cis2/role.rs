//! The roles of a healthcare worker. None of them can be taken for granted: a user may have none,
//! and CIS2 may name none, or an empty one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One role: an item of `nhsid_nrbac_roles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Role {
    /// `person_roleid`: the role of this user, which APIs want as `NHSD-Session-URID`.
    pub person_roleid: String,
    /// `org_code`: the organisation's ODS code.
    pub org_code: Option<String>,
    /// `role_code`, such as `S8000:G8000:R8001`.
    pub role_code: Option<String>,
    /// `role_name`, such as `"Clinical":"Clinical Provision":"Nurse Access Role"`.
    pub role_name: Option<String>,
    /// `activity_codes`; empty when CIS2 sends none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activity_codes: Vec<String>,
    /// `workgroups_codes`; empty when CIS2 sends none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workgroups_codes: Vec<String>,
}

/// An organisation of a user: an item of `nhsid_user_orgs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Organisation {
    /// `org_code`: the ODS code.
    pub org_code: String,
    /// `org_name`.
    pub org_name: Option<String>,
}

/// What CIS2 says of the role that was chosen there: `selected_roleid`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectedRole {
    /// The claim is missing: the user has no role, or none was asked for.
    Absent,
    /// The claim is empty, as it has been seen in production.
    Empty,
    /// One of the user's roles.
    Role(Role),
    /// A name that is none of the user's roles.
    Unknown(String),
}

/// What is left to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is none, one, or more to choose from")]
pub enum RoleChoice {
    /// The user has no role that can be used: show a page that says so.
    None,
    /// This one.
    Settled(Role),
    /// The user chooses one of these.
    Choose(Vec<Role>),
}

/// The user has no such role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user has no such role")]
#[non_exhaustive]
pub struct NoSuchRole;

impl Role {
    /// The last part of the name, without quotes, such as `Nurse Access Role`.
    pub fn short_name(&self) -> Option<&str> {
        let name = self.role_name.as_deref()?;
        Some(name.rsplit(':').next()?.trim_matches('"'))
    }

    /// `None` for an item without a name for the role.
    fn read(item: &Value) -> Option<Self> {
        let text = |name: &str| item[name].as_str().map(str::to_owned);
        let list = |name: &str| -> Vec<String> {
            let items = item[name].as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        };
        Some(Self {
            person_roleid: text("person_roleid").filter(|id| !id.is_empty())?,
            org_code: text("org_code"),
            role_code: text("role_code"),
            role_name: text("role_name"),
            activity_codes: list("activity_codes"),
            workgroups_codes: list("workgroups_codes"),
        })
    }
}

/// The roles in a user info.
pub(crate) fn roles_in(user_info: &Map<String, Value>) -> Vec<Role> {
    items(user_info, "nhsid_nrbac_roles").iter().filter_map(Role::read).collect()
}

/// The organisations in a user info.
pub(super) fn organisations(user_info: &Map<String, Value>) -> Vec<Organisation> {
    let read = |item: &Value| {
        Some(Organisation {
            org_code: item["org_code"].as_str()?.to_owned(),
            org_name: item["org_name"].as_str().map(str::to_owned),
        })
    };
    items(user_info, "nhsid_user_orgs").iter().filter_map(read).collect()
}

fn items<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    claims.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The role that was chosen at CIS2: of the ID token, which is signed, before the user info.
pub(super) fn selected(
    id_token: &Map<String, Value>,
    user_info: &Map<String, Value>,
    roles: &[Role],
) -> SelectedRole {
    let claim = id_token.get("selected_roleid").or_else(|| user_info.get("selected_roleid"));
    match claim.and_then(Value::as_str) {
        None => SelectedRole::Absent,
        Some("") => SelectedRole::Empty,
        Some(id) => match roles.iter().find(|role| role.person_roleid == id) {
            Some(role) => SelectedRole::Role(role.clone()),
            None => SelectedRole::Unknown(id.to_owned()),
        },
    }
}

/// What is left to choose, after what was chosen at CIS2.
pub(super) fn choice(selected: &SelectedRole, roles: &[Role]) -> RoleChoice {
    match (selected, roles) {
        (SelectedRole::Role(role), _) => RoleChoice::Settled(role.clone()),
        (_, []) => RoleChoice::None,
        // The user chose one that isn't here: which of these they act in is for them to say.
        (SelectedRole::Unknown(_), several) => RoleChoice::Choose(several.to_vec()),
        (_, [only]) => RoleChoice::Settled(only.clone()),
        (_, several) => RoleChoice::Choose(several.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn user_info(ids: &[&str]) -> Map<String, Value> {
        let roles: Vec<_> = ids.iter().map(|id| json!({"person_roleid": id})).collect();
        object(&json!({"nhsid_nrbac_roles": roles}))
    }

    fn chosen(id_token: &Value, ids: &[&str]) -> (SelectedRole, RoleChoice) {
        let user_info = user_info(ids);
        let roles = roles_in(&user_info);
        let selected = selected(&object(id_token), &user_info, &roles);
        let choice = choice(&selected, &roles);
        (selected, choice)
    }

    #[test]
    fn a_role_may_be_absent_empty_or_one_of_many() {
        let (selected, choice) = chosen(&json!({}), &[]);
        assert_eq!((selected, choice), (SelectedRole::Absent, RoleChoice::None));

        let (selected, choice) = chosen(&json!({"selected_roleid": ""}), &["1", "2"]);
        assert_eq!(selected, SelectedRole::Empty);
        assert!(matches!(choice, RoleChoice::Choose(roles) if roles.len() == 2));

        let (selected, choice) = chosen(&json!({"selected_roleid": "2"}), &["1", "2"]);
        assert!(matches!(selected, SelectedRole::Role(role) if role.person_roleid == "2"));
        assert!(matches!(choice, RoleChoice::Settled(role) if role.person_roleid == "2"));

        let (selected, choice) = chosen(&json!({"selected_roleid": "9"}), &["1"]);
        assert_eq!(selected, SelectedRole::Unknown("9".to_owned()));
        assert!(matches!(choice, RoleChoice::Choose(roles) if roles[0].person_roleid == "1"));

        let (selected, _) = chosen(&json!({"selected_roleid": null}), &["1"]);
        assert_eq!(selected, SelectedRole::Absent);
    }

    #[test]
    fn lists_that_are_left_out_are_empty_and_items_of_another_kind_are_passed_over() {
        let info = object(&json!({"nhsid_nrbac_roles": [
            {"person_roleid": "1", "role_name": "\"Clinical\":\"Provision\":\"Nurse Access Role\""},
            {"org_code": "X"}, 7, null, {"person_roleid": ""},
            {"person_roleid": "2", "activity_codes": ["B0001", 7]},
        ]}));
        let roles = roles_in(&info);
        assert_eq!(roles.len(), 2);
        assert_eq!(roles[0].short_name(), Some("Nurse Access Role"));
        assert!(roles[0].activity_codes.is_empty());
        assert_eq!(roles[1].activity_codes, ["B0001"]);
        assert!(organisations(&info).is_empty());
        assert!(roles_in(&object(&json!({"nhsid_nrbac_roles": "none"}))).is_empty());
    }
}
