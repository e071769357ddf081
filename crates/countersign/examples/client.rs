//! A client that presents a certificate. `countersign ca` makes the files it reads.

use std::error::Error;
use std::io::Read;
use std::net::TcpStream;
use std::process::ExitCode;

use countersign::{ClientConfig, Credential, Stream, TrustStore};

fn main() -> ExitCode {
    match greeting() {
        Ok(greeting) => {
            print!("{greeting}");
            ExitCode::SUCCESS
        }
        // `Display` says what is wrong and what to do, `Debug` everything that is known.
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn greeting() -> Result<String, Box<dyn Error>> {
    let config = ClientConfig::builder()
        .credential(Credential::from_pem_files(
            "countersign-ca/client.pem",
            "countersign-ca/client.key",
        )?)
        .trust(TrustStore::from_pem_file("countersign-ca/ca.pem")?)
        .build()?;
    let socket = TcpStream::connect("127.0.0.1:4433")?;
    let mut stream = Stream::connect(&config, "localhost".try_into()?, socket)?;
    let mut greeting = String::new();
    stream.read_to_string(&mut greeting)?;
    Ok(greeting)
}
