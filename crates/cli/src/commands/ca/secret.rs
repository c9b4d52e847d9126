//! Where passphrases come from: never from the command line.

use crate::failure::Failure;
use crate::output;
use crate::password::generate;
use std::path::{Path, PathBuf};
use tagai_pki::ca::{Passphrase, files};
use zeroize::Zeroizing;

/// The most octets of a file with a passphrase.
const MAX_FILE: u64 = 4096;

/// How a command gets the passphrase of the CA.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Secret {
    /// Read the passphrase of the CA's keys from a file: one line
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_env")]
    passphrase_file: Option<PathBuf>,
    /// Read it from an environment variable
    #[arg(long, value_name = "VARIABLE")]
    passphrase_env: Option<String>,
}

impl Secret {
    fn given(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        given(self.passphrase_file.as_deref(), self.passphrase_env.as_deref())
    }

    /// The passphrase of keys that are there.
    pub(super) fn known(&self) -> Result<Passphrase, Failure> {
        let text = match self.given()? {
            Some(text) => text,
            None => ask("Passphrase of the CA: ", PASSPHRASE)?,
        };
        Ok(Passphrase::new(text))
    }

    /// The passphrase of keys that will be made: asked for twice.
    pub(super) fn chosen(&self) -> Result<Passphrase, Failure> {
        let given = self.given()?;
        let asked = given.is_none();
        let text = match given {
            Some(text) => text,
            None => ask("New passphrase for the keys of the CA: ", PASSPHRASE)?,
        };
        let passphrase = Passphrase::new(text.clone());
        passphrase.check()?;
        if asked && ask("The same again: ", PASSPHRASE)? != text {
            return Err(Failure::other("the two passphrases are not the same").help("nothing was made; try again"));
        }
        Ok(passphrase)
    }
}

/// How a command gets the password of a `.p12` file.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Bundle {
    /// Write the certificate and its key to NAME.p12 as well, for browsers and phones; its password is asked for
    #[arg(long)]
    p12: bool,
    /// Read the password of the .p12 file from a file: one line
    #[arg(long, value_name = "FILE", requires = "p12", conflicts_with_all = ["p12_password_env", "p12_generate"])]
    p12_password_file: Option<PathBuf>,
    /// Read it from an environment variable
    #[arg(long, value_name = "VARIABLE", requires = "p12", conflicts_with = "p12_generate")]
    p12_password_env: Option<String>,
    /// Make a strong one and print it, once
    #[arg(long, requires = "p12")]
    p12_generate: bool,
}

impl Bundle {
    pub(super) const fn is_wanted(&self) -> bool {
        self.p12
    }

    /// Whether the password has to be shown, because nobody knows it yet.
    pub(super) const fn is_generated(&self) -> bool {
        self.p12_generate
    }

    /// The password, if a file is wanted.
    pub(super) fn password(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if !self.p12 {
            return Ok(None);
        }
        if self.p12_generate {
            return generate().map(Some);
        }
        if let Some(text) = given(self.p12_password_file.as_deref(), self.p12_password_env.as_deref())? {
            return Ok(Some(text));
        }
        let help = "name a file with --p12-password-file, a variable with --p12-password-env, or say --p12-generate";
        let text = ask("New password for the .p12 file: ", help)?;
        if ask("The same again: ", help)? != text {
            return Err(Failure::other("the two passwords are not the same").help("nothing was issued; try again"));
        }
        Ok(Some(text))
    }
}

const PASSPHRASE: &str = "name a file with --passphrase-file FILE, or a variable with --passphrase-env VARIABLE";

fn ask(prompt: &str, help: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        Failure::usage(format!("there is no terminal on which it could be asked for: {error}")).help(help)
    })
}

fn given(file: Option<&Path>, variable: Option<&str>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(path) = file {
        let octets = files::read(path, MAX_FILE)?;
        let text =
            std::str::from_utf8(&octets).map_err(|_| Failure::other(format!("{} is not UTF-8", path.display())))?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() || line.contains('\n') {
            return Err(Failure::other(format!("{} is not one line with a passphrase", path.display())));
        }
        warn_of_readers(path);
        return Ok(Some(Zeroizing::new(line.to_owned())));
    }
    let Some(variable) = variable else { return Ok(None) };
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => Ok(Some(Zeroizing::new(text))),
        Ok(_) => Err(Failure::usage(format!("the environment variable {variable} is empty"))),
        Err(std::env::VarError::NotPresent) => {
            Err(Failure::usage(format!("there is no environment variable {variable}")))
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("the environment variable {variable} is not UTF-8")))
        }
    }
}

/// Says so if everybody on this machine can read the file.
fn warn_of_readers(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if let Ok(about) = std::fs::metadata(path)
        && about.is_file()
        && about.permissions().mode() & 0o004 != 0
    {
        output::note(&format!(
            "warning: everybody on this machine may read {path}; chmod 600 {path}",
            path = path.display()
        ));
    }
}
