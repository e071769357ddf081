//! The command `countersign`.
//!
//! The command itself is [`run`]; its help is its documentation. [`authority`] makes throwaway
//! certificates and is public so that tests and examples elsewhere can use it.

#![allow(dead_code, reason = "parts wait for the engine")]

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::{Exit, Failure};

mod address;
mod arguments;
pub mod authority;
mod ca;
mod demo;
mod escape;
mod failure;
mod files;
mod http;
mod page;
mod summary;
mod table;
mod terminal;

/// Reads the process's arguments, does what they ask, and says how it ended.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Command::Ca(arguments) => ca::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Connect(_) | Command::Serve(_) => {
            Err(Failure::new(Exit::Other, "This command is not there yet."))
        }
    };
    match result {
        Ok(()) => ExitCode::from(Exit::Success.code()),
        Err(failure) => {
            terminal::print_aside(&format!(
                "{} {}",
                terminal::paint(terminal::BAD, "error:"),
                failure.what()
            ));
            if let Some(advice) = failure.advice() {
                terminal::print_aside(&format!(
                    "  {} {advice}",
                    terminal::paint(terminal::HEADING, "hint:")
                ));
            }
            ExitCode::from(failure.exit().code())
        }
    }
}
