//! Policies by what their first line asks for, so that only those are evaluated that can matter.

use crate::names::{Names, What};
use crate::question::Subject;
use cedar_policy::{Policy, PolicySet, PrincipalConstraint};
use std::collections::HashMap;

/// Policies, sorted by their constraint of the principal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    always: PolicySet,
    principals: HashMap<String, PolicySet>,
    groups: HashMap<String, PolicySet>,
    /// What policies look at.
    pub(crate) reads: Reads,
}

/// What policies may look at, of that which takes time to be made for each request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reads {
    pub(crate) path: bool,
    pub(crate) source: bool,
    pub(crate) time: bool,
    pub(crate) weekday: bool,
}

impl Reads {
    /// All of it.
    pub(crate) const ALL: Self = Self { path: true, source: true, time: true, weekday: true };

    /// Yes if in doubt.
    fn of(policy: &Policy) -> Self {
        // As JSON, names have one spelling, escaped or not in the source.
        let json = policy.to_json().map(|json| json.to_string());
        let reads = |name: &str| json.as_ref().map_or(true, |json| json.contains(&format!("\"{name}\"")));
        Self { path: reads("path"), source: reads("source"), time: reads("time"), weekday: reads("weekday") }
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            path: self.path || other.path,
            source: self.source || other.source,
            time: self.time || other.time,
            weekday: self.weekday || other.weekday,
        }
    }
}

impl Index {
    /// # Errors
    ///
    /// What Cedar says, such as of an id that is there already.
    pub(crate) fn add(&mut self, names: &Names, policy: &Policy) -> Result<(), String> {
        self.reads = self.reads.or(Reads::of(policy));
        let set = match policy.principal_constraint() {
            PrincipalConstraint::Eq(uid) if names.what(&uid) == What::Principal => {
                self.principals.entry(uid.id().unescaped().to_owned()).or_default()
            }
            PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) if names.what(&uid) == What::Group => {
                self.groups.entry(uid.id().unescaped().to_owned()).or_default()
            }
            _ => &mut self.always,
        };
        set.add(policy.clone()).map_err(|error| error.to_string())
    }

    /// Whether there is no policy.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// What can matter for a principal, or for a guest.
    pub(crate) fn of<'i>(&'i self, subject: Option<&'i Subject<'_>>) -> impl Iterator<Item = &'i PolicySet> {
        let name = subject.and_then(|subject| self.principals.get(subject.name));
        let groups = subject.map(|subject| subject.groups).unwrap_or_default();
        // A group that is named twice must not be evaluated twice; there are few.
        let distinct = groups.iter().enumerate().filter(|(at, group)| !groups.iter().take(*at).any(|g| g == *group));
        let groups = distinct.filter_map(|(_, group)| self.groups.get(group));
        std::iter::once(&self.always).chain(name).chain(groups).filter(|set| !set.is_empty())
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Policy> {
        let sets = std::iter::once(&self.always).chain(self.principals.values()).chain(self.groups.values());
        sets.flat_map(PolicySet::policies)
    }
}
