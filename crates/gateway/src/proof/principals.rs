//! The directory of the moment, in the form that policies and applications are told of.

use std::collections::HashMap;
use std::sync::Arc;
use tagai_policy::Kind;
use tagai_store::principal::{Directory, Principal, PrincipalKind, PrincipalName};

/// All principals at one point in time.
#[derive(Debug, Default)]
pub struct Principals {
    directory: Directory,
    profiles: HashMap<PrincipalName, Arc<Profile>>,
}

/// What is known of a registered principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it is.
    pub kind: Kind,
    /// The groups it is in, sorted.
    pub groups: Vec<String>,
    /// Its attributes, sorted.
    pub attributes: Vec<(String, String)>,
}

impl Principals {
    /// Those of a directory.
    #[must_use]
    pub fn new(directory: Directory) -> Self {
        let profile = |principal: &Arc<Principal>| (principal.name.clone(), Arc::new(Profile::of(principal)));
        let profiles = directory.principals().map(profile).collect();
        Self { directory, profiles }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What is known of a registered principal of it.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Arc<Profile>> {
        self.profiles.get(name)
    }
}

impl Profile {
    fn of(principal: &Principal) -> Self {
        let attribute = |(key, value): &(_, _)| pair(key, value);
        Self {
            kind: match principal.kind {
                PrincipalKind::Person => Kind::Person,
                PrincipalKind::Device => Kind::Device,
                PrincipalKind::Service => Kind::Service,
            },
            groups: principal.groups.iter().map(ToString::to_string).collect(),
            attributes: principal.attributes.iter().map(attribute).collect(),
        }
    }
}

fn pair(key: &impl ToString, value: &impl ToString) -> (String, String) {
    (key.to_string(), value.to_string())
}
