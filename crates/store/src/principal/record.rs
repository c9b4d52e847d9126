//! Registered principals.

use super::{AttributeKey, AttributeValue, Credential, GroupName, NameError, PrincipalName};
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

/// The most principals that a store keeps, since all of them are held in memory.
pub const MAX_PRINCIPALS: usize = 1_000_000;
/// The most groups of a principal.
pub const MAX_GROUPS: usize = 256;
/// The most attributes of a principal.
pub const MAX_ATTRIBUTES: usize = 64;
/// The most credentials of a principal.
pub const MAX_CREDENTIALS: usize = 256;

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// Somebody.
    Person,
    /// A thing.
    Device,
    /// A program.
    Service,
}

impl PrincipalKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Person, Self::Device, Self::Service];

    /// The text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Device => "device",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for PrincipalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PrincipalKind {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(NameError::PrincipalKind)
    }
}

/// A principal to be added. It has no groups, attributes or credentials yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrincipal {
    /// The name.
    pub name: PrincipalName,
    /// What it is.
    pub kind: PrincipalKind,
}

/// A registered principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name.
    pub name: PrincipalName,
    /// What it is.
    pub kind: PrincipalKind,
    /// Whether it may do nothing.
    pub disabled: bool,
    /// The groups it is in, sorted, each once.
    pub groups: Vec<GroupName>,
    /// Its attributes, sorted by their keys, each key once.
    pub attributes: Vec<(AttributeKey, AttributeValue)>,
    /// What it proves itself with, sorted, each once.
    pub credentials: Vec<Credential>,
    /// When it was added, in whole seconds.
    pub created: SystemTime,
    /// When anything of it was last changed, in whole seconds.
    pub changed: SystemTime,
}

impl Principal {
    /// Whether it is in a group.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.binary_search_by(|known| known.as_str().cmp(group)).is_ok()
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let place = self.attributes.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        self.attributes.get(place).map(|(_, value)| value.as_str())
    }
}
