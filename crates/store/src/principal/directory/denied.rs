//! The deny list in memory.

use super::Facts;
use crate::principal::{Denial, DenialTarget, KeyPin, Serial, SubjectName};
use std::collections::HashMap;

/// Denials, each by what it denies.
#[derive(Debug, Clone, Default)]
pub(super) struct Denied {
    /// Those of one number differ in their client CAs, of which there are few.
    serials: HashMap<Serial, Vec<Denial>>,
    keys: HashMap<KeyPin, Denial>,
    principals: HashMap<SubjectName, Denial>,
}

impl Denied {
    pub(super) fn new(denials: Vec<Denial>) -> Self {
        let mut all = Self::default();
        for denial in denials {
            match denial.target.clone() {
                DenialTarget::Serial { serial, .. } => all.serials.entry(serial).or_default().push(denial),
                DenialTarget::Key(pin) => {
                    all.keys.insert(pin, denial);
                }
                DenialTarget::Principal(name) => {
                    all.principals.insert(name, denial);
                }
            }
        }
        all
    }

    pub(super) fn find(&self, facts: &Facts<'_>) -> Option<&Denial> {
        let principal = || facts.principal.and_then(|name| self.principal(name));
        let credential = || {
            let subject = facts.credential.filter(|_| self.has_principals())?.subject()?;
            self.principal(subject.as_str())
        };
        let key = || facts.keys.iter().find_map(|pin| self.keys.get(pin));
        let serial = || {
            let applies = |denial: &&Denial| match &denial.target {
                DenialTarget::Serial { client_ca: Some(id), .. } => facts.client_ca == Some(id.as_str()),
                _ => true,
            };
            self.serials.get(facts.serial?)?.iter().find(applies)
        };
        principal().or_else(credential).or_else(key).or_else(serial)
    }

    pub(super) fn principal(&self, name: &str) -> Option<&Denial> {
        self.principals.get(name)
    }

    /// Whether any principal is denied. Most often none is, and nobody's name is needed.
    pub(super) fn has_principals(&self) -> bool {
        !self.principals.is_empty()
    }

    /// The principals that are denied, by their names.
    pub(super) fn principals(&self) -> impl Iterator<Item = &SubjectName> {
        self.principals.keys()
    }
}
