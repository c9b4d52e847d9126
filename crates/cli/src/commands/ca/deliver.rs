//! Where a certificate and its key are written, and what is said of them.

use super::secret::Bundle;
use super::{Folder, when};
use crate::failure::Failure;
use crate::output;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tagai_pki::ca::files::{self, Mode};
use tagai_pki::ca::{CaError, Issued, bundle};
use zeroize::Zeroizing;

/// The most characters of a file's name, without its ending.
const MAX_STEM: usize = 100;

/// Where it goes.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Target {
    /// Where to write NAME.pem and NAME.key; the directory is made if it is not there
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Put them in the place of older ones
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    pub(super) bundle: Bundle,
    /// Print what was issued as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) secret: super::secret::Secret,
}

/// The files of one certificate.
#[derive(Debug)]
pub(super) struct Files {
    certificate: PathBuf,
    key: Option<PathBuf>,
    p12: Option<PathBuf>,
    replace: bool,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    name: &'a str,
    serial: String,
    purpose: &'static str,
    names: Vec<String>,
    not_before: String,
    not_after: String,
    certificate: &'a Path,
    key: Option<&'a Path>,
    p12: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p12_password: Option<&'a str>,
}

impl Target {
    /// The files for a certificate of this name. Fails if one is there that may not be replaced: before anything is issued.
    pub(super) fn files(&self, name: &str, with_key: bool) -> Result<Files, Failure> {
        let stem = stem(name);
        let here = self.out == Path::new(".");
        let path = |ending: &str| {
            let file = PathBuf::from(format!("{stem}.{ending}"));
            if here { file } else { self.out.join(file) }
        };
        let files = Files {
            certificate: path("pem"),
            key: with_key.then(|| path("key")),
            p12: self.bundle.is_wanted().then(|| path("p12")),
            replace: self.replace,
        };
        if let Some(there) = files.all().find(|path| path.symlink_metadata().is_ok())
            && !self.replace
        {
            return Err(Failure::other(format!("{} exists already, and nothing was issued", there.display()))
                .help("name another directory with --out DIR, or say --replace"));
        }
        std::fs::create_dir_all(&self.out).map_err(|error| {
            Failure::other(format!("the directory {} cannot be made: {error}", self.out.display()))
        })?;
        Ok(files)
    }

    /// Writes the files, and says what they are.
    pub(super) fn deliver(
        &self,
        issued: &Issued,
        files: &Files,
        password: Option<&Zeroizing<String>>,
        bundle: Option<&Zeroizing<Vec<u8>>>,
    ) -> Result<(), Failure> {
        files.write(issued, bundle).map_err(|error| {
            let serial = issued.record.serial;
            Failure::other(format!("{serial} was issued, but {error}")).help(format!(
                "make room for it and issue another; `tagai ca revoke {serial}` if somebody could have got this one"
            ))
        })?;
        if issued.shortened {
            output::note(
                "note: it is valid for less time than was asked for, because the intermediate is over then; `tagai ca renew \
                 --intermediate` makes a new one",
            );
        }
        let shown = password.filter(|_| self.bundle.is_generated());
        if self.json {
            return output::json(&files.shown(issued, shown.map(|text| text.as_str())));
        }
        output::print(&files.report(issued, shown.map(|text| text.as_str())))
    }
}

impl Files {
    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.certificate).chain(&self.key).chain(&self.p12)
    }

    /// The key first: a program that sees the new certificate finds its key there.
    fn write(&self, issued: &Issued, bundle: Option<&Zeroizing<Vec<u8>>>) -> Result<(), CaError> {
        let write = if self.replace { files::replace } else { files::write_new };
        if let (Some(path), Some(key)) = (&self.key, &issued.key) {
            write(path, key.as_bytes(), Mode::Private)?;
        }
        if let (Some(path), Some(bundle)) = (&self.p12, bundle) {
            write(path, bundle, Mode::Private)?;
        }
        write(&self.certificate, issued.chain.as_bytes(), Mode::Public)
    }

    fn shown<'a>(&'a self, issued: &'a Issued, p12_password: Option<&'a str>) -> Shown<'a> {
        let record = &issued.record;
        Shown {
            name: &record.name,
            serial: record.serial.to_string(),
            purpose: record.purpose.word(),
            names: record.names.iter().map(ToString::to_string).collect(),
            not_before: when(record.since()),
            not_after: when(record.until()),
            certificate: &self.certificate,
            key: self.key.as_deref(),
            p12: self.p12.as_deref(),
            p12_password,
        }
    }

    fn report(&self, issued: &Issued, p12_password: Option<&str>) -> String {
        let record = &issued.record;
        let names: Vec<String> = record.names.iter().map(ToString::to_string).collect();
        let mut text = format!(
            "serial   {}\npurpose  {}\nnames    {}\nuntil    {}\n",
            record.serial,
            record.purpose.word(),
            names.join(" "),
            when(record.until())
        );
        let mut made = vec![(&self.certificate, "the certificate, then the intermediate")];
        made.extend(self.key.iter().map(|path| (path, "its private key; it is nowhere else")));
        made.extend(self.p12.iter().map(|path| (path, "both, for a browser")));
        let width = made.iter().map(|(path, _)| path.display().to_string().chars().count()).max().unwrap_or_default();
        for (path, what) in made {
            // Writing to a String does not fail.
            let _ = writeln!(text, "  {:width$}  {what}", path.display().to_string());
        }
        if let Some(password) = p12_password {
            let _ = writeln!(text, "password of the .p12 file: {password}");
        }
        text
    }
}

/// Makes the `.p12` file of what was issued, if it is wanted.
pub(super) fn bundled(
    issued: &Issued,
    password: Option<&Zeroizing<String>>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    Ok(password.map(|password| bundle(issued, password)).transpose()?)
}

/// The name of a file for a certificate of this name.
fn stem(name: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() || "._@+-".contains(char) { char } else { '_' };
    let name = name.rsplit_once("://").map_or(name, |(_, rest)| rest);
    let stem: String = name.chars().map(plain).take(MAX_STEM).collect();
    let stem = stem.trim_start_matches(['.', '-']);
    if stem.is_empty() { "certificate".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_without_surprises() {
        for (name, wanted) in [
            ("www.example.com", "www.example.com"),
            ("*.example.com", "_.example.com"),
            ("alice@example.com", "alice@example.com"),
            ("spiffe://example.com/ns/a", "example.com_ns_a"),
            ("urn:uuid:1", "urn_uuid_1"),
            ("::1", "__1"),
            ("a/../../etc", "a_.._.._etc"),
            ("../x", "_x"),
            ("..", "certificate"),
        ] {
            assert_eq!(stem(name), wanted);
        }
        assert_eq!(stem(&"a".repeat(300)).len(), MAX_STEM);
    }
}
