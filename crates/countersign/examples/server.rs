//! A server that insists on client certificates. `countersign ca` makes the files it reads.

use std::io::Write;
use std::net::TcpListener;

use countersign::{Credential, ServerConfig, Stream, TrustStore, VerifyMode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = ServerConfig::builder()
        .credential(Credential::from_pem_files(
            "countersign-ca/server.pem",
            "countersign-ca/server.key",
        )?)
        .trust(TrustStore::from_pem_file("countersign-ca/ca.pem")?)
        .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
        .build()?;
    for socket in TcpListener::bind("127.0.0.1:4433")?.incoming() {
        match Stream::accept(&config, socket?) {
            Ok(mut stream) => {
                writeln!(stream, "Welcome.")?;
                stream.close()?;
            }
            Err(error) => eprintln!("Turned away: {error}"),
        }
    }
    Ok(())
}
