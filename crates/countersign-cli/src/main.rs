//! The command `countersign`: see the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_cli::run()
}
