//! The npm package `oidc-provider` as a process, which is told what to do line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::interop::{node, script};

/// The provider. It ends when this is dropped.
pub(super) struct OidcProvider {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    issuer: String,
}

impl OidcProvider {
    /// With settings as `oidc_provider.mjs` tells of them.
    pub(super) fn start(settings: &Value) -> Self {
        let mut command = node();
        command.arg(script("oidc_provider.mjs")).arg(settings.to_string());
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts");
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut provider = Self { process, commands, answers, issuer: String::new() };
        provider.issuer = provider.line();
        provider
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The user signs in. Returns the query with which the browser comes back.
    pub(super) fn sign_in(&mut self, url: &str, account: &str) -> String {
        self.browse(&json!({"sign_in": url, "account": account}))
    }

    /// The same with a password that was given so long ago.
    pub(super) fn sign_in_of_old(&mut self, url: &str, account: &str, seconds_ago: u32) -> String {
        self.browse(&json!({"sign_in": url, "account": account, "seconds_ago": seconds_ago}))
    }

    /// The user leaves without signing in.
    pub(super) fn cancel(&mut self, url: &str) -> String {
        self.browse(&json!({"sign_in": url}))
    }

    fn browse(&mut self, command: &Value) -> String {
        let answer = self.tell(command);
        let callback = answer["callback"].as_str().unwrap();
        let (_, query) = callback.split_once('?').unwrap();
        query.to_owned()
    }

    /// Has the next answer of the token endpoint forged, as `forged_answer.mjs` tells of it.
    pub(super) fn forge_next(&mut self, forgery: &Value) {
        self.tell(&json!({"forge_next": forgery}));
    }

    /// New keys, and none of the old.
    pub(super) fn rotate(&mut self) {
        self.tell(&json!({"rotate": true}));
    }

    /// How often the JWKS was fetched.
    pub(super) fn jwks_fetches(&mut self) -> u64 {
        self.tell(&json!({"requests": true}))["/jwks"].as_u64().unwrap_or(0)
    }

    /// What it sends to the client when the user signs out.
    pub(super) fn logout_token(&mut self, client_id: &str, sub: &str, sid: &str) -> String {
        let of = json!({"client": client_id, "sub": sub, "sid": sid});
        let answer = self.tell(&json!({"log_out": of}));
        answer["logout_token"].as_str().unwrap().to_owned()
    }

    /// Logout tokens of others, each naming a key that there isn't.
    pub(super) fn logout_tokens_of_unknown_keys(&mut self, count: usize) -> Vec<String> {
        let answer = self.tell(&json!({"unknown_keys": count}));
        let tokens = answer["logout_tokens"].as_array().unwrap();
        tokens.iter().map(|token| token.as_str().unwrap().to_owned()).collect()
    }

    fn tell(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        serde_json::from_str(&self.line()).unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(
            line.ends_with('\n'),
            "oidc_provider.mjs ended, and said why on standard error; a package that is missing \
             there is installed by `cargo xtask test`"
        );
        line.trim_end().to_owned()
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
