//! The program: arguments, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    bootwright::cli::main(std::env::args_os())
}
