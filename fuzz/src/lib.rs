//! What the fuzz targets share: reading an input as lines or as a script, editing header fields, and a site to talk to.

mod edit;
mod parts;
mod script;
mod site;

pub use edit::edit;
pub use parts::{parts, take_apart};
pub use script::{Command, lines, script};
pub use site::{Account, CHANNELS, NC_MAX, NC_WINDOW, Site, TIME};
