//! The commands, one module each.

pub(crate) mod account;
mod ca;
mod check;
mod completions;
mod demo;
mod deny;
mod explain;
pub(crate) mod get;
mod init;
mod key;
mod keys;
pub(crate) mod logout;
mod man;
mod passwd;
mod policy;
mod principal;
mod serve;
mod user;
mod version;

use crate::failure::Failure;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

const ABOUT: &str = "\
Mutual authentication for any web application, in one program.

tagai stands in front of a web application and lets through whoever is proven, and proves itself to them: by HTTP Mutual \
authentication (RFC 8120), in which the password never leaves the user's machine.";

const AFTER: &str = "\
Examples:
  tagai demo                                 try it on this machine
  tagai init /etc/tagai                      write a configuration to start from
  tagai user add alice                       add a user; the password is asked for
  tagai serve                                run the gateway
  tagai explain https://localhost:8443/ --as alice
  tagai get https://localhost:8443/ --user alice --cacert ca.pem

Exit codes:
  0  it was done
  1  it failed
  2  the command line or the configuration is wrong
`tagai get` has more of them; see `tagai get --help`.

Passwords are asked for, or read with --password-stdin. There is no option that holds one: command lines can be read by every \
process of the machine, and are kept in histories.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "tagai", version, about = ABOUT, after_help = AFTER, max_term_width = 100)]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::Args),
    /// Try it: run a gateway with an application and a user behind it, on this machine
    Demo(demo::Args),
    /// Write a configuration, and the keys, certificate and database that it names
    Init(init::Args),
    /// Say what is wrong with a configuration, and where
    Check(check::Args),
    /// Work on users: add, invite, list, show, disable, enable, rm, import, export
    User(user::Args),
    /// Work on principals: who a user, a certificate or a key is, with groups and attributes
    Principal(principal::Args),
    /// Keep somebody out at once: by principal, key, or serial number of a certificate
    Deny(deny::Args),
    /// Say why a request was refused, or what would become of one
    Explain(explain::Args),
    /// Work on policies: schema, check
    Policy(policy::Args),
    /// Give a user another password
    Passwd(passwd::Args),
    /// Work on the keys that seal what is secret in the store (list, rotate, reseal, generate), and on those that sign assertions
    Keys(keys::Args),
    /// Be a CA: init, issue, renew, revoke, crl, list
    Ca(ca::Args),
    /// Make and show bare keys and their pins: gen, show, pin
    Key(key::Args),
    /// Fetch a URL as a user, proven and proving: the curl of this scheme
    Get(get::Args),
    /// Register by invitation, or change your password, at a server that lets you
    Account(account::Args),
    /// End kept sessions of `tagai get`
    Logout(logout::Args),
    /// Say which version this is
    Version(version::Args),
    /// Write a completion script for a shell
    Completions(completions::Args),
    /// Write the manual pages
    Man(man::Args),
}

/// Does what the command line says.
pub(crate) fn run() -> ExitCode {
    let outcome: Result<(), Failure> = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::User(args) => user::run(&args),
        Command::Principal(args) => principal::run(&args),
        Command::Deny(args) => deny::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Passwd(args) => passwd::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Ca(args) => ca::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Get(args) => get::run(&args),
        Command::Account(args) => account::run(&args),
        Command::Logout(args) => logout::run(&args),
        Command::Version(args) => version::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Each command has examples, and no option that holds a password.
    #[test]
    fn every_help_has_examples_and_no_option_is_a_password() {
        fn look(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{}", command.get_name());
            assert!(command.get_arguments().all(|arg| arg.get_long() != Some("password")));
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }
}
