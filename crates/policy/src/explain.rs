//! Why, in words for whoever runs the gateway. Never for the wire: it tells what policies say.

mod parts;

use crate::decide::{Decision, EvaluationFailure, Refusal};
use crate::facts::Facts;
use crate::index::Reads;
use crate::names::text;
use crate::question::Question;
use crate::routes::{From, Policies, Record, Route};
use cedar_policy::{Effect, Request};
use serde::Serialize;
use std::fmt;

/// The most permits that are shown of those that did not permit.
const MAX_PERMITS: usize = 16;

/// A decision, and how it came about. Serialises to JSON; its `Display` is text of several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The route.
    pub route: String,
    /// Who asked; `None` for a guest.
    pub principal: Option<String>,
    /// The path as it was read, if in another way than it was sent.
    pub read_as: Option<String>,
    /// Whether the request may pass.
    pub allowed: bool,
    /// [`Refusal::code`] if not.
    pub code: Option<&'static str>,
    /// The same in words.
    pub reason: String,
    /// The policies that decided.
    pub decided_by: Vec<Considered>,
    /// If no policy permitted it: those that there are for this route, the one that came nearest first.
    pub permits: Vec<Considered>,
    /// How many more there are.
    pub more_permits: usize,
    /// Policies that could not be evaluated.
    pub failures: Vec<EvaluationFailure>,
}

/// A policy, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// Its id.
    pub id: String,
    /// `permit` or `forbid`.
    pub effect: &'static str,
    /// Its file; `None` for one-line rules and for defaults of routes.
    pub file: Option<String>,
    /// Its line there, from 1.
    pub line: Option<usize>,
    /// Its column there, in characters, from 1.
    pub column: Option<usize>,
    /// The one-line rule, as written.
    pub rule: Option<String>,
    /// What it asks for.
    pub parts: Vec<Part>,
}

/// One condition of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The condition: a term of a one-line rule, or Cedar.
    pub text: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is met.
    Yes,
    /// It is not met.
    No,
    /// It makes no sense, since one before it is not met.
    NotReached,
    /// It could not be evaluated.
    Failed,
}

impl Policies {
    /// Decides as [`Self::decide`] does, and says why. It takes much longer.
    #[must_use]
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let decision = self.decide(question);
        let mut explanation = Explanation {
            route: question.route.to_owned(),
            principal: question.principal.map(|subject| subject.name.to_owned()),
            read_as: None,
            allowed: decision.is_allowed(),
            code: decision.refusal.map(Refusal::code),
            reason: decision.refusal.map_or_else(|| "a policy permits it".to_owned(), |refusal| refusal.to_string()),
            decided_by: Vec::new(),
            permits: Vec::new(),
            more_permits: 0,
            failures: decision.errors.clone(),
        };
        let Some(route) = self.route(question) else { return explanation };
        let Ok(facts) = Facts::new(&self.names, question, &route.entities) else { return explanation };
        let Some((path, request)) = self.reading(question, route, &facts, &decision) else { return explanation };
        explanation.read_as = Some(path).filter(|path| path != question.path);

        let consider = |record: &Record| self.consider(record, &facts, &request);
        let all = || self.general(question.action).all().chain(route.own.all());
        let records = || all().filter_map(|policy| self.records.get(policy.id()));
        let is_decisive = |record: &&Record| decision.policies.iter().any(|id| *id == text(record.policy.id()));
        explanation.decided_by = records().filter(is_decisive).map(consider).collect();
        explanation.decided_by.sort_by(|one, other| one.id.cmp(&other.id));
        if decision.refusal == Some(Refusal::NotPermitted) {
            let permits = records().filter(|record| record.effect == Effect::Permit);
            let mut permits: Vec<Considered> = permits.map(consider).collect();
            permits.sort_by_cached_key(|policy| (policy.missing(), policy.id.clone()));
            explanation.more_permits = permits.len().saturating_sub(MAX_PERMITS);
            permits.truncate(MAX_PERMITS);
            explanation.permits = permits;
        }
        explanation
    }

    /// The reading of the path that was decided by, and the request with it.
    fn reading(
        &self,
        question: &Question<'_>,
        route: &Route,
        facts: &Facts,
        decision: &Decision,
    ) -> Option<(String, Request)> {
        self.paths(question, route)?.into_iter().find_map(|path| {
            let request = facts.request(&self.names, question, &path, Reads::ALL).ok()?;
            (self.decide_one(question, route, facts, &request) == *decision).then_some((path, request))
        })
    }

    fn consider(&self, record: &Record, facts: &Facts, request: &Request) -> Considered {
        let (file, line, column, rule) = match &record.from {
            From::File { name, line, column } => (Some(name.clone()), Some(*line), Some(*column), None),
            From::Rule { text, .. } => (None, None, None, Some(text.clone())),
            From::Default => (None, None, None, None),
        };
        let effect = match record.effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        let parts = parts::evaluate(&self.authorizer, record, facts, request);
        Considered { id: text(record.policy.id()).to_owned(), effect, file, line, column, rule, parts }
    }
}

impl Considered {
    /// How many conditions are not met.
    fn missing(&self) -> usize {
        self.parts.iter().filter(|part| part.outcome != Outcome::Yes).count()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotReached => "not looked at",
            Self::Failed => "failed",
        })
    }
}

impl fmt::Display for Considered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {} {}", self.effect, self.id)?;
        if let (Some(file), Some(line)) = (&self.file, self.line) {
            let place = format!("{file}:{line}");
            if place != self.id {
                write!(f, " ({place})")?;
            }
        }
        writeln!(f)?;
        self.parts.iter().try_for_each(|part| writeln!(f, "    {}: {}", part.text, part.outcome))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "allowed" } else { "refused" };
        writeln!(f, "{verdict}: {}", self.reason)?;
        if let Some(path) = &self.read_as {
            writeln!(f, "  with its path read as {path:?}")?;
        }
        self.decided_by.iter().try_for_each(|policy| policy.fmt(f))?;
        for failure in &self.failures {
            let policy = if failure.policy.is_empty() { "the question" } else { &failure.policy };
            writeln!(f, "  failed: {policy}: {}", failure.message)?;
        }
        if self.code == Some(Refusal::NotPermitted.code()) {
            let none = "there is no policy that permits anything here";
            writeln!(
                f,
                "{}",
                if self.permits.is_empty() { none } else { "what would permit it, the nearest first:" }
            )?;
            self.permits.iter().try_for_each(|policy| policy.fmt(f))?;
            if self.more_permits > 0 {
                writeln!(f, "  and {} more", self.more_permits)?;
            }
        }
        Ok(())
    }
}
