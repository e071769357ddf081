//! The command `countersign`.
//!
//! The command itself is [`run`]; its help is its documentation. [`authority`] makes throwaway
//! certificates and is public so that tests and examples elsewhere can use it.

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

mod address;
mod arguments;
mod ask;
pub mod authority;
mod ca;
mod connect;
mod demo;
mod escape;
mod explain;
mod failure;
mod files;
mod http;
mod ladder;
mod observe;
mod page;
mod patient;
mod plumbing;
mod probe;
mod serve;
mod session;
mod summary;
mod table;
mod terminal;
mod trust;
mod verify;
mod wire;
mod wording;

/// Reads the process's arguments, does what they ask, and says how it ended.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Connect(arguments) => connect::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Ca(arguments) => ca::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
    };
    match result {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            terminal::print_aside(&terminal::failure_text(&failure));
            ExitCode::from(failure.exit().code())
        }
    }
}

/// The programs in the papers compile, and run where they can.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/modes.md")]
#[doc = include_str!("../../../docs/post-handshake-authentication.md")]
#[doc = include_str!("../../../docs/renegotiation.md")]
#[doc = include_str!("../../../docs/tls12.md")]
#[doc = include_str!("../../../docs/verification.md")]
#[doc = include_str!("../../../docs/coming-from-openssl.md")]
pub mod papers {}
