//! What the environment's variables say of who asks, by the names that all of Azure's SDKs read.

use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use super::super::transport;

/// Where tokens come from.
pub(super) enum Sources {
    /// An application with a client secret.
    ClientSecret { tenant: String, client: String, secret: Secret },
    /// A pod whose service account is one of Entra ID's workload identities.
    Workload { tenant: String, client: String, token_file: String },
    /// The machine's identity, this one or its own; then the Azure CLI, unless the machine surely
    /// has one.
    Machine { client: Option<String>, is_certain: bool },
}

impl Sources {
    #[expect(clippy::disallowed_methods, reason = "Azure's own variables, as its SDKs read them")]
    pub(super) fn of_process() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// An empty variable counts as none.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let tenant = variable("AZURE_TENANT_ID");
        let client = variable("AZURE_CLIENT_ID");
        let secret = variable("AZURE_CLIENT_SECRET");
        let token_file = variable("AZURE_FEDERATED_TOKEN_FILE");
        match (tenant, client, secret, token_file) {
            (Some(tenant), Some(client), Some(secret), _) => {
                Self::ClientSecret { tenant, client, secret: Secret::new(secret) }
            }
            (Some(tenant), Some(client), None, Some(token_file)) => {
                Self::Workload { tenant, client, token_file }
            }
            (_, client, _, _) => {
                let is_certain =
                    variable("IDENTITY_ENDPOINT").or(variable("MSI_ENDPOINT")).is_some();
                Self::Machine { client, is_certain }
            }
        }
    }

    pub(super) fn credentials(self) -> azure_core::Result<Vec<Arc<dyn TokenCredential>>> {
        Ok(match self {
            Self::ClientSecret { tenant, client, secret } => {
                let options =
                    ClientSecretCredentialOptions { client_options: transport::network()? };
                vec![ClientSecretCredential::new(&tenant, client, secret, Some(options))?]
            }
            Self::Workload { tenant, client, token_file } => {
                let credential_options =
                    ClientAssertionCredentialOptions { client_options: transport::network()? };
                let options = WorkloadIdentityCredentialOptions {
                    credential_options,
                    client_id: Some(client),
                    tenant_id: Some(tenant),
                    token_file_path: Some(token_file.into()),
                };
                vec![WorkloadIdentityCredential::new(Some(options))?]
            }
            Self::Machine { client, is_certain } => {
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: client.map(UserAssignedId::ClientId),
                    client_options: transport::metadata()?,
                };
                let machine = ManagedIdentityCredential::new(Some(options))?;
                if is_certain {
                    vec![machine]
                } else {
                    vec![machine, AzureCliCredential::new(None)?]
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Sources {
        Sources::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_secret_comes_first_and_the_machine_last() {
        let application = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
        let secret = ("AZURE_CLIENT_SECRET", "s");
        let file = ("AZURE_FEDERATED_TOKEN_FILE", "/f");
        let [tenant, client] = application;
        let all = of(&[tenant, client, secret, file]);
        assert!(matches!(all, Sources::ClientSecret { .. }));
        let pod = of(&[tenant, client, file]);
        assert!(matches!(pod, Sources::Workload { token_file, .. } if token_file == "/f"));
        let empty = of(&[tenant, client, ("AZURE_CLIENT_SECRET", ""), file]);
        assert!(matches!(empty, Sources::Workload { .. }));
        let none = of(&[]);
        assert!(matches!(none, Sources::Machine { client: None, is_certain: false }));
        let service = of(&[client, ("IDENTITY_ENDPOINT", "http://127.0.0.1/")]);
        assert!(matches!(service, Sources::Machine { client: Some(_), is_certain: true }));
    }

    #[test]
    fn each_can_be_made() {
        let application = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
        let [tenant, client] = application;
        let machine = of(&[]).credentials().unwrap();
        assert_eq!(machine.len(), 2, "the machine and the Azure CLI");
        let secret = of(&[tenant, client, ("AZURE_CLIENT_SECRET", "s")]).credentials().unwrap();
        assert_eq!(secret.len(), 1);
        assert!(!format!("{secret:?}").contains("\"s\""));
    }
}
