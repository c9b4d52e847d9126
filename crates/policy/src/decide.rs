//! Yes or no.

use crate::facts::{Facts, check_name};
use crate::index::Reads;
use crate::names::text;
use crate::question::Question;
use crate::readings::readings;
use crate::routes::{Policies, Route};
use cedar_policy::{AuthorizationError, Effect, PolicyId, Request};
use std::fmt;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Why not; `None` if the request may pass.
    pub refusal: Option<Refusal>,
    /// The ids of the policies that decided, sorted: those that permitted, or those that forbade. Empty if none permitted.
    pub policies: Vec<String>,
    /// Policies that could not be evaluated.
    pub errors: Vec<EvaluationFailure>,
}

/// Why a request may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No policy permits it.
    NotPermitted,
    /// A policy forbids it.
    Forbidden,
    /// It cannot be known whether a policy forbids it: see [`Decision::errors`].
    Failed,
    /// There is no such route.
    UnknownRoute,
    /// Its path could be read in too many ways to look at them all.
    AmbiguousPath,
}

impl Refusal {
    /// A word for the wire: it says nothing about policies, only what everybody may know.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotPermitted => "not-permitted",
            Self::Forbidden => "forbidden",
            Self::Failed => "policy-failed",
            Self::UnknownRoute => "unknown-route",
            Self::AmbiguousPath => "ambiguous-path",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPermitted => "no policy permits it",
            Self::Forbidden => "a policy forbids it",
            Self::Failed => "a policy that may forbid it could not be evaluated",
            Self::UnknownRoute => "there is no such route",
            Self::AmbiguousPath => "its path could be read in too many ways",
        })
    }
}

/// A policy that could not be evaluated, such as one whose numbers are too large.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EvaluationFailure {
    /// The id of the policy; empty if the question itself was at fault.
    pub policy: String,
    /// What happened.
    pub message: String,
}

impl Decision {
    /// Whether the request may pass.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        self.refusal.is_none()
    }

    pub(crate) const fn refused(refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), policies: Vec::new(), errors: Vec::new() }
    }

    pub(crate) fn failed(message: String) -> Self {
        let failure = EvaluationFailure { policy: String::new(), message };
        Self { errors: vec![failure], ..Self::refused(Refusal::Failed) }
    }
}

impl Policies {
    /// Whether a request may pass.
    ///
    /// Where a policy looks at the path, a request whose path can be read in several ways (escapes, `..`, `;`) passes if it may
    /// pass in each of them.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let Some(route) = self.route(question) else { return Decision::refused(Refusal::UnknownRoute) };
        if let Some(decision) = self.by_default(question, route) {
            return decision;
        }
        let facts = match Facts::new(&self.names, question, &route.entities) {
            Ok(facts) => facts,
            Err(error) => return Decision::failed(error),
        };
        let Some(paths) = self.paths(question, route) else { return Decision::refused(Refusal::AmbiguousPath) };
        let reads = self.reads(question, route);
        let mut first = None;
        for path in &paths {
            let decision = match facts.request(&self.names, question, path, reads) {
                Ok(request) => self.decide_one(question, route, &facts, &request),
                Err(error) => Decision::failed(error),
            };
            if !decision.is_allowed() {
                return decision;
            }
            first.get_or_insert(decision);
        }
        first.unwrap_or(Decision::refused(Refusal::AmbiguousPath))
    }

    pub(crate) fn route(&self, question: &Question<'_>) -> Option<&Route> {
        self.routes.get(&(question.action, question.route.to_owned()))
    }

    /// What the default of a route says where nothing else could be said: the same as Cedar would, without asking it.
    fn by_default(&self, question: &Question<'_>, route: &Route) -> Option<Decision> {
        let default = route.default.as_ref().filter(|_| self.general(question.action).is_empty())?;
        if let Some(Err(error)) = question.principal.as_ref().map(check_name) {
            return Some(Decision::failed(error));
        }
        if default.guests || question.principal.is_some() {
            let policies = vec![default.id.clone()];
            return Some(Decision { refusal: None, policies, errors: Vec::new() });
        }
        Some(Decision::refused(Refusal::NotPermitted))
    }

    /// What policies that matter for a route look at.
    pub(crate) fn reads(&self, question: &Question<'_>, route: &Route) -> Reads {
        self.general(question.action).reads.or(route.own.reads)
    }

    /// The readings of the path that policies of this route have to look at.
    pub(crate) fn paths(&self, question: &Question<'_>, route: &Route) -> Option<Vec<String>> {
        let path = question.path.split('?').next().unwrap_or_default();
        if self.reads(question, route).path { readings(path) } else { Some(vec![path.to_owned()]) }
    }

    pub(crate) fn decide_one(
        &self,
        question: &Question<'_>,
        route: &Route,
        facts: &Facts,
        request: &Request,
    ) -> Decision {
        let subject = question.principal.as_ref();
        let (mut permits, mut forbids) = (Vec::new(), Vec::new());
        let mut errors = Vec::new();
        let mut failed = false;
        for set in self.general(question.action).of(subject).chain(route.own.of(subject)) {
            let response = self.authorizer.is_authorized(request, set, &facts.entities);
            // Cedar leaves out what fails. A `forbid` that is left out would let pass what it is there to stop.
            for error in response.diagnostics().errors() {
                let AuthorizationError::PolicyEvaluationError(error) = error;
                failed |= self.effect(error.policy_id()) == Effect::Forbid;
                let (policy, message) = (text(error.policy_id()).to_owned(), error.inner().to_string());
                errors.push(EvaluationFailure { policy, message });
            }
            for id in response.diagnostics().reason() {
                match self.effect(id) {
                    Effect::Permit => permits.push(text(id).to_owned()),
                    Effect::Forbid => forbids.push(text(id).to_owned()),
                }
            }
        }
        errors.sort_by(|one, other| one.policy.cmp(&other.policy));
        let (refusal, mut policies) = if !forbids.is_empty() {
            (Some(Refusal::Forbidden), forbids)
        } else if failed {
            (Some(Refusal::Failed), Vec::new())
        } else if permits.is_empty() {
            (Some(Refusal::NotPermitted), Vec::new())
        } else {
            (None, permits)
        };
        policies.sort();
        Decision { refusal, policies, errors }
    }

    /// What a policy does; in doubt, it forbids.
    fn effect(&self, id: &PolicyId) -> Effect {
        self.records.get(id).map_or(Effect::Forbid, |record| record.effect)
    }
}
