//! Whether the keys of TLS are private. (Those that only tagai makes have to be, or they are refused.)

use super::build::Warning;
use crate::config::Config;
use std::path::Path;

/// A warning for each key that every user of the machine can read.
pub(super) fn doubts(config: &Config) -> Vec<Warning> {
    let mut keys: Vec<&Path> = config.certificates.iter().map(|certificate| &*certificate.key).collect();
    keys.extend(config.raw_key.as_deref());
    keys.sort_unstable();
    keys.dedup();
    let open = keys.into_iter().filter(|path| is_open(path));
    open.map(|path| {
        let path = path.display();
        Warning(format!("the key {path} is others' as well: everybody on this machine may use it; chmod 600 {path}"))
    })
    .collect()
}

/// Whether it is more than its owner's alone, or its group's for reading, as Debian gives keys to the group "ssl-cert". It works all
/// the same: what an orchestrator mounts may have no other mode.
#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o037 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}
