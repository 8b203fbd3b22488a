//! The platform in a box: its token requests a CPU second, against bare verifications.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA512};
use nhs_auth::{
    ApiKey, AssertionClaims, ClientAssertion, Clock as _, Entropy as _, KeySet, Kid, LocalSigner,
    OsEntropy, PrivateKey, PublishedKey, Signer as _, SigningAlgorithm, SystemClock,
};
use secrecy::ExposeSecret as _;

use crate::{Bar, Figure, Setting, cpu};

const REQUESTS: usize = 4000;
const CONNECTIONS: usize = 4;

pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let mock = RunningMock::start(&setting.binary);
    let key = PrivateKey::generate().unwrap();
    let kid = Kid::parse("int-1").unwrap();
    let published = PublishedKey::new(kid.clone(), key.public().clone());
    let api_key = mock.register(&KeySet::new(vec![published]).unwrap().to_json());
    let signer = LocalSigner::new(key);

    let verifications = verifications_a_cpu_second(&signer);
    let token_url = format!("{}/oauth2/token", mock.base_url());
    let requests = signed_requests(&signer, &api_key, &kid, &token_url, &mock.address);
    let before = cpu::of_process(mock.process.id());
    thread::scope(|scope| {
        for part in requests.chunks(REQUESTS.div_ceil(CONNECTIONS)) {
            scope.spawn(|| send_all(&mock.address, part));
        }
    });
    let used = cpu::of_process(mock.process.id()) - before;
    let tokens = as_f64(REQUESTS) / used;
    vec![Figure {
        name: "mock's token requests, against bare RSA-4096",
        value: tokens / verifications,
        unit: "of the rate",
        bar: Bar::AtLeast(0.5),
        from: format!("{tokens:.0} against {verifications:.0} verifications a CPU second"),
    }]
}

fn verifications_a_cpu_second(signer: &LocalSigner) -> f64 {
    const COUNT: usize = 20_000;
    let message = [b'x'; 600];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let signature = runtime.block_on(signer.sign(SigningAlgorithm::Rs512, &message)).unwrap();
    let pem = signer.public_key().to_spki_pem();
    let der = pem_body(&pem);
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, der).unwrap();
    let before = cpu::of_this_thread();
    for _ in 0..COUNT {
        key.verify_sig(&message, signature.as_bytes()).unwrap();
    }
    as_f64(COUNT) / (cpu::of_this_thread() - before)
}

fn pem_body(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

fn signed_requests(
    signer: &LocalSigner,
    api_key: &str,
    kid: &Kid,
    token_url: &str,
    host: &str,
) -> Vec<String> {
    let api_key = ApiKey::parse(api_key).unwrap();
    let sign = |_| {
        let claims = AssertionClaims {
            api_key: &api_key,
            audience: token_url,
            kid,
            jti: OsEntropy::default().uuid().to_string(),
            expires_at: SystemClock::default().now().to_seconds().plus(300),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let assertion = runtime.block_on(ClientAssertion::sign(claims, signer)).unwrap();
        let body = format!(
            "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
             client-assertion-type%3Ajwt-bearer&client_assertion={}",
            assertion.into_compact().expose_secret()
        );
        format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    (0..REQUESTS).map(sign).collect()
}

fn send_all(address: &str, requests: &[String]) {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    for request in requests {
        writer.write_all(request.as_bytes()).unwrap();
        let (status, body) = read_answer(&mut reader);
        assert_eq!(status, "200", "{body}");
    }
}

pub(crate) fn read_answer(reader: &mut BufReader<TcpStream>) -> (String, String) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap();
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (status, String::from_utf8(body).unwrap())
}

/// `nhs-auth mock` in a process of its own.
pub(crate) struct RunningMock {
    process: Child,
    base_url: String,
    address: String,
}

impl RunningMock {
    pub(crate) fn start(binary: &Path) -> Self {
        let mut process = Command::new(binary)
            .args(["mock", "--quiet", "--listen", "127.0.0.1:0", "--rate-limit", "1000000000"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base_url = line.trim_end().to_owned();
        let address = base_url.strip_prefix("http://").unwrap().to_owned();
        Self { process, base_url, address }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Registers an application with this key set, and gives its API key.
    pub(crate) fn register(&self, jwks: &str) -> String {
        let body = format!(r#"{{"name":"bench","jwks":{jwks}}}"#);
        let answer = self.exchange("POST", "/_mock/apps", &body);
        answer["api_key"].as_str().unwrap().to_owned()
    }

    /// How many requests have come in.
    pub(crate) fn requests(&self) -> usize {
        self.exchange("GET", "/_mock/requests", "")["requests"].as_array().unwrap().len()
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let stream = TcpStream::connect(&self.address).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        (&stream).write_all(request.as_bytes()).unwrap();
        serde_json::from_str(&read_answer(&mut reader).1).unwrap()
    }
}

impl Drop for RunningMock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousands")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
