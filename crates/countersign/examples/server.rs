//! A server that insists on client certificates. `countersign ca` makes the files it reads.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use countersign::{Credential, ServerConfig, Stream, StreamError, TrustStore, VerifyMode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = ServerConfig::builder()
        .credential(Credential::from_pem_files(
            "countersign-ca/server.pem",
            "countersign-ca/server.key",
        )?)
        .trust(TrustStore::from_pem_file("countersign-ca/ca.pem")?)
        .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
        .build()?;
    let welcome = |socket: TcpStream| -> Result<(), StreamError> {
        let mut stream = Stream::accept(&config, socket)?;
        writeln!(stream, "Welcome.")?;
        stream.close()
    };
    for socket in TcpListener::bind("127.0.0.1:4433")?.incoming() {
        if let Err(error) = welcome(socket?) {
            eprintln!("Turned away: {error}");
        }
    }
    Ok(())
}
