//! Where the body goes: standard output, or a file that appears when it is whole.

use super::interrupt::Mess;
use super::trouble::Trouble;
use std::fs::{File, Permissions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where the body goes.
pub(crate) enum Sink {
    /// Standard output; `terminal` until it was seen that the body is text.
    Stdout { terminal: bool },
    /// A file beside the one that is meant.
    Whole { half: Box<NamedTempFile>, path: PathBuf, mess: Mess },
    /// A device or a pipe, for which nothing else can stand in.
    Direct { file: File, path: PathBuf },
}

/// Whether the place that `-o` names can be a file, before anything is fetched.
pub(crate) fn check(output: Option<&Path>) -> Result<(), Trouble> {
    let Some(path) = output.filter(|path| !is_stdout(path)) else { return Ok(()) };
    if path.is_dir() {
        return Err(Trouble::usage(format!("{} is a directory", path.display())).help("-o FILE names a file"));
    }
    let directory = directory(path);
    if !directory.is_dir() {
        return Err(Trouble::usage(format!("there is no directory {}", directory.display()))
            .help("-o FILE writes into a directory that exists"));
    }
    Ok(())
}

/// Whether `-o` names standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Sink {
    pub(crate) fn open(output: Option<&Path>, mess: &Mess) -> Result<Self, Trouble> {
        match output {
            None => Ok(Self::Stdout { terminal: io::stdout().is_terminal() }),
            // Whoever names it wants whatever comes.
            Some(path) if is_stdout(path) => Ok(Self::Stdout { terminal: false }),
            Some(path) => Self::file(path, mess),
        }
    }

    fn file(path: &Path, mess: &Mess) -> Result<Self, Trouble> {
        let failed = |error: io::Error| Trouble::file("write", path, &error);
        // Where a link points is what is replaced, and not the link.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            let file = File::options().write(true).open(&path).map_err(failed)?;
            return Ok(Self::Direct { file, path });
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let half = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".part")
            // As any new file: the user's umask takes away what it does.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(directory(&path))
            .map_err(failed)?;
        mess.half_file(Some(half.path()));
        Ok(Self::Whole { half: Box::new(half), path, mess: mess.clone() })
    }

    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        match self {
            Self::Stdout { terminal } => {
                if std::mem::take(terminal) && octets.contains(&0) {
                    return Err(Trouble::local(
                        "the answer is binary, which may upset the terminal; it is not shown",
                    )
                    .help("-o FILE writes it to a file; -o - writes it here all the same"));
                }
                let mut stdout = io::stdout().lock();
                stdout.write_all(octets).map_err(|error| stdout_failed(&error))
            }
            Self::Whole { half, path, .. } => {
                half.write_all(octets).map_err(|error| Trouble::file("write", path, &error))
            }
            Self::Direct { file, path } => {
                file.write_all(octets).map_err(|error| Trouble::file("write", path, &error))
            }
        }
    }

    /// All of it was written.
    pub(crate) fn finish(self) -> Result<(), Trouble> {
        match self {
            Self::Stdout { .. } => io::stdout().lock().flush().map_err(|error| stdout_failed(&error)),
            Self::Whole { half, path, mess } => {
                let kept = half.persist(&path);
                mess.half_file(None);
                kept.map(drop).map_err(|error| Trouble::file("write", &path, &error.error))
            }
            Self::Direct { .. } => Ok(()),
        }
    }
}

/// A reader that has gone, as `head` does, wants no more: that is no error.
fn stdout_failed(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::BrokenPipe => crate::failure::Failure::said(0).into(),
        _ => Trouble::local(format!("standard output cannot be written: {error}")).printed(),
    }
}
