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
mod proof_file;
mod registrar;
mod serving;
mod setup;
mod verifier_line;

fn main() -> std::process::ExitCode {
    // A crash must not write passwords and keys to a disk, nor may others of the same user look into this process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    commands::run()
}
