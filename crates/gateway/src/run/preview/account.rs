//! What became of a request that nobody has sent.

use http::StatusCode;
use serde::Serialize;
use std::fmt;
use tagai_policy::Explanation;

/// What would become of a request, and why. Serialises to JSON; its `Display` is text of several lines.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Account {
    /// Whether it would go to the application.
    pub passes: bool,
    /// The status of the gateway's own answer, if it would not.
    pub status: Option<u16>,
    /// The code that the answer would have.
    pub code: Option<String>,
    /// The route.
    pub route: Option<String>,
    /// Who the sender is; `None` for a guest.
    pub principal: Option<String>,
    /// What the sender would have proven.
    pub credential: Option<String>,
    /// By which method.
    pub method: Option<&'static str>,
    /// What was looked at, in this order, up to the first refusal.
    pub steps: Vec<Step>,
    /// What the answer does not say.
    pub notes: Vec<String>,
    /// What the policies say, if they were asked.
    pub policy: Option<Explanation>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What: `request`, `origin`, `route`, `method`, `proof`, `principal` or `policy`; at forward proxies `proxy` and `target` too.
    pub what: &'static str,
    /// Whether it goes on.
    pub passed: bool,
    /// What was found.
    pub found: String,
}

impl Account {
    pub(super) fn step(&mut self, what: &'static str, passed: bool, found: impl Into<String>) {
        self.steps.push(Step { what, passed, found: found.into() });
    }

    pub(super) fn refuse(&mut self, what: &'static str, status: StatusCode, found: impl Into<String>) {
        self.passes = false;
        self.status = Some(status.as_u16());
        self.step(what, false, found);
    }

    /// What the policies say is the end of it.
    pub(super) fn judge(&mut self, explained: Explanation) {
        self.passes = explained.allowed;
        if explained.allowed {
            self.step("policy", true, explained.reason.clone());
        } else {
            self.refuse("policy", StatusCode::FORBIDDEN, explained.reason.clone());
            self.code = explained.code.map(str::to_owned);
        }
        self.policy = Some(explained);
    }

    pub(super) fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.passes, self.status, &self.code) {
            (true, ..) => writeln!(f, "it would be let through")?,
            (false, Some(status), Some(code)) => writeln!(f, "it would be refused: {status}, {code}")?,
            (false, Some(407), None) => writeln!(f, "it would be refused: 407, and asked for a login")?,
            (false, Some(401), None) => writeln!(f, "it would be refused: 401, and asked for a login")?,
            (false, Some(status), None) => writeln!(f, "it would be refused: {status}")?,
            (false, None, _) => writeln!(f, "it would be refused")?,
        }
        for Step { what, passed, found } in &self.steps {
            writeln!(f, "  {:<4} {what:<10} {found}", if *passed { "ok" } else { "no" })?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note: {note}"))?;
        self.policy.iter().try_for_each(|policy| write!(f, "\n{policy}"))
    }
}
