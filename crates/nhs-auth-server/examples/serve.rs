//! Serves the public halves of two new keys until it is told to stop:
//! `cargo run --example serve -- 127.0.0.1:8083`, and with TLS
//! `cargo run --example serve -- 127.0.0.1:8083 CERTIFICATES KEY`.

use std::error::Error;

use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};
use nhs_auth_server::{JwksEndpoint, JwksServer, TlsFiles};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("say where to listen: ADDRESS [CERTIFICATES KEY]")?;
    let tls = arguments.next().zip(arguments.next()).map(|(chain, key)| TlsFiles::new(chain, key));

    let keys = ["int-1", "int-2"].map(new_key).into_iter().collect::<Result<_, _>>()?;
    let endpoint = JwksEndpoint::new();
    endpoint.publish(&KeySet::new(keys)?)?;

    let server = JwksServer::builder(endpoint).listen(address.parse()?).tls(tls).bind().await?;
    server.run_until(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await;
    Ok(())
}

fn new_key(name: &str) -> Result<PublishedKey, Box<dyn Error>> {
    Ok(PublishedKey::new(Kid::parse(name)?, PrivateKey::generate()?.public().clone()))
}
