//! The shim through which BoringSSL's protocol tests drive countersign.
//!
//! The runner starts it once for each test. It connects to the runner, as a TLS client or server, does what its
//! flags say, and checks what they expect. `README.md` says how to run the runner.

mod configure;
mod conversation;
mod credential;
mod exchange;
mod expectations;
mod flags;
mod hello;
mod memory;
mod reason;
mod settings;
mod stop;

use std::process::ExitCode;

use crate::flags::Plan;

fn main() -> ExitCode {
    let arguments: Vec<Vec<u8>> = std::env::args_os()
        .skip(1)
        .map(std::ffi::OsString::into_encoded_bytes)
        .collect();
    // The runner asks whether a handshake can be handed over to another process.
    if arguments
        .first()
        .is_some_and(|argument| argument == b"-is-handshaker-supported")
    {
        println!("No");
        return ExitCode::SUCCESS;
    }
    match Plan::read(arguments).and_then(|plan| exchange::run(&plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("{stop}");
            stop.exit_code()
        }
    }
}
