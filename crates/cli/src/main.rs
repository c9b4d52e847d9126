//! `tagai`: mutual authentication for any web application, in one program.

mod check;
mod commands;
mod demo;
mod failure;
mod get;
mod htpasswd;
mod operator;
mod output;
mod password;
mod serving;
mod setup;
mod verifier_line;

fn main() -> std::process::ExitCode {
    commands::run()
}
