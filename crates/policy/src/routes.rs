//! Policies: files and one-line rules, read, checked, and sorted by what they are for.

use crate::check::{Piece, SCHEMA, validator};
use crate::index::Index;
use crate::literals::Known;
use crate::load::{Loaded, Source, load, validate};
use crate::names::{Names, What};
use crate::problem::{PolicyProblem, ProblemSource, Severity};
use crate::question::Action;
use crate::rule::{self, Rule, literal, policy_text};
use crate::{MAX_RULES, rule::RuleError};
use cedar_policy::{
    ActionConstraint, Authorizer, Effect, Entities, Entity, Policy, PolicyId, ResourceConstraint,
    RestrictedExpression, Validator,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

/// The rules of a route, or of a forward proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRules {
    /// What it is called in policies and questions: of a route, its origin and path, such as `https://www.example.com/api/`; of a
    /// forward proxy, its name.
    pub id: String,
    /// What it is: a route takes requests, a forward proxy connects.
    pub action: Action,
    /// Who comes in where no rule says anything.
    pub access: Access,
    /// One-line rules, one of which has to be met; only for [`Access::Protected`].
    pub allow: Vec<String>,
}

/// Who comes to a route where no rule says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Everybody; who can, is proven.
    Optional,
    /// Whom a rule permits. Without any rule of the route and any policy file: every proven principal.
    Protected,
}

/// All policies, ready to decide.
pub struct Policies {
    pub(crate) names: Names,
    pub(crate) authorizer: Authorizer,
    /// Policies of files that are not for one route or origin: for routes, and for forward proxies.
    general: [Index; 2],
    pub(crate) routes: HashMap<(Action, String), Route>,
    pub(crate) records: HashMap<PolicyId, Record>,
    warnings: Vec<PolicyProblem>,
}

/// A route's own.
#[derive(Debug)]
pub(crate) struct Route {
    /// Policies of files that are for this route or its origin, its one-line rules, and its default.
    pub(crate) own: Index,
    /// The default, if the route has nothing else of its own.
    pub(crate) default: Option<OwnDefault>,
    /// The route and where it belongs.
    pub(crate) entities: Entities,
}

/// The policy of a route where no rule says anything.
#[derive(Debug)]
pub(crate) struct OwnDefault {
    pub(crate) id: String,
    /// Whether it lets guests in.
    pub(crate) guests: bool,
}

/// What is known of a policy beside itself.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) effect: Effect,
    pub(crate) policy: Policy,
    pub(crate) from: From,
}

/// Where a policy comes from.
#[derive(Debug, Clone)]
pub(crate) enum From {
    File {
        name: String,
        line: usize,
        column: usize,
    },
    /// A one-line rule, with the text of each term.
    Rule {
        text: String,
        terms: Vec<String>,
    },
    Default,
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("routes", &self.routes.len()).field("policies", &self.len()).finish()
    }
}

impl Policies {
    /// Reads and checks everything. What is only doubtful is in [`Self::warnings`].
    ///
    /// With a file, even an empty one, protected routes without rules of their own are open to nobody but whom the file permits.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, and what is doubtful, in the order of files and routes.
    pub fn new(files: &[Source], routes: &[RouteRules]) -> Result<Self, Vec<PolicyProblem>> {
        let mut problems = Vec::new();
        let schema = ProblemSource::File("schema.cedarschema".into());
        let broken = |error: String| vec![PolicyProblem::new(schema.clone(), SCHEMA, 0..0, error)];
        let names = Names::new().map_err(broken)?;
        let validator = validator().map_err(broken)?;

        let known = known(routes);
        let loaded = load(files, &validator, &mut problems, |piece, policy| known.check(&names, piece, policy));
        let mut builder = Builder { names: &names, validator: &validator, records: HashMap::new(), problems };
        let general = builder.general(&loaded);
        let mut table = HashMap::new();
        for rules in routes {
            let route = builder.route(rules, &loaded, !files.is_empty());
            if table.insert((rules.action, rules.id.clone()), route).is_some() {
                builder.about_route(rules, "this route is there twice", "each route has its own rules");
            }
        }
        let Builder { records, problems, .. } = builder;
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(problems);
        }
        let authorizer = Authorizer::new();
        Ok(Self { names, authorizer, general, routes: table, records, warnings: problems })
    }

    /// The schema that policies are checked against, in Cedar's syntax for people.
    #[must_use]
    pub const fn schema() -> &'static str {
        SCHEMA
    }

    /// What is doubtful.
    #[must_use]
    pub fn warnings(&self) -> &[PolicyProblem] {
        &self.warnings
    }

    /// How many policies there are, one-line rules and defaults of routes among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none, not even routes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(crate) fn general(&self, action: Action) -> &Index {
        let [routes, proxies] = &self.general;
        match action {
            Action::Request => routes,
            Action::Connect => proxies,
        }
    }
}

fn known(routes: &[RouteRules]) -> Known {
    let of = |action: Action| routes.iter().filter(move |rules| rules.action == action).map(|rules| rules.id.clone());
    let origins: BTreeSet<String> = of(Action::Request).map(|id| split(&id).0.to_owned()).collect();
    Known { routes: of(Action::Request).collect(), origins, proxies: of(Action::Connect).collect() }
}

/// Origin and path of a route.
pub(crate) fn split(id: &str) -> (&str, &str) {
    let start = id.find("://").map_or(0, |at| at + 3);
    let slash = id.get(start..).and_then(|rest| rest.find('/')).map_or(id.len(), |at| start + at);
    id.split_at_checked(slash).unwrap_or((id, ""))
}

struct Builder<'b> {
    names: &'b Names,
    validator: &'b Validator,
    records: HashMap<PolicyId, Record>,
    problems: Vec<PolicyProblem>,
}

impl Builder<'_> {
    fn about_route(&mut self, rules: &RouteRules, message: &str, help: &str) {
        let problem = PolicyProblem::new(ProblemSource::Route(rules.id.clone()), "", 0..0, message);
        self.problems.push(problem.help(help));
    }

    /// Records the policies of the files, and sorts those that are not for one route.
    fn general(&mut self, loaded: &[Loaded]) -> [Index; 2] {
        let mut general = [Index::default(), Index::default()];
        for Loaded { policy, file, line, column } in loaded {
            let from = From::File { name: file.clone(), line: *line, column: *column };
            let record = Record { effect: policy.effect(), policy: policy.clone(), from };
            self.records.insert(policy.id().clone(), record);
            for (index, action) in general.iter_mut().zip([Action::Request, Action::Connect]) {
                if scope(self.names, policy) == Scope::General && self.may_be(policy, action) {
                    self.add(index, policy);
                }
            }
        }
        general
    }

    fn may_be(&self, policy: &Policy, action: Action) -> bool {
        let is_action = match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => uid == self.names.action(action),
            ActionConstraint::In(uids) => uids.contains(&self.names.action(action)),
        };
        let is_resource = match policy.resource_constraint() {
            ResourceConstraint::Is(name) | ResourceConstraint::IsIn(name, _) => {
                self.names.action_of(&name).is_none_or(|of| of == action)
            }
            _ => true,
        };
        is_action && is_resource
    }

    fn add(&mut self, index: &mut Index, policy: &Policy) {
        if let Err(error) = index.add(self.names, policy) {
            let source = ProblemSource::File(crate::names::text(policy.id()).to_owned());
            self.problems.push(PolicyProblem::new(source, "", 0..0, error));
        }
    }

    fn route(&mut self, rules: &RouteRules, loaded: &[Loaded], has_file: bool) -> Route {
        let mut own = Index::default();
        let (origin, path) = split(&rules.id);
        for Loaded { policy, .. } in loaded {
            let is_own = match scope(self.names, policy) {
                Scope::General => false,
                Scope::One(action, id) => action == rules.action && id == rules.id,
                Scope::Origin(id) => rules.action == Action::Request && id == origin,
            };
            if is_own && self.may_be(policy, rules.action) {
                self.add(&mut own, policy);
            }
        }
        let alone = own.is_empty();
        let mut default = None;
        match rules.access {
            Access::Public | Access::Optional => {
                if !rules.allow.is_empty() {
                    let help = "make the route protected, or leave the rules out; a `forbid` in a policy file works here as well";
                    self.about_route(rules, "a route that is open to everybody has rules that let some in", help);
                }
                default = Some(self.default(&mut own, rules, "everybody", "principal"));
            }
            Access::Protected if !rules.allow.is_empty() => self.rules(&mut own, rules),
            Access::Protected if has_file => {}
            Access::Protected => {
                default = Some(self.default(&mut own, rules, "anyone proven", "principal is Principal"));
            }
        }
        let attributes = HashMap::from([
            ("origin".to_owned(), RestrictedExpression::new_string(origin.to_owned())),
            ("path".to_owned(), RestrictedExpression::new_string(path.to_owned())),
        ]);
        let resource = self.names.resource(rules.action, &rules.id);
        let entity = match rules.action {
            Action::Request => Entity::new(resource, attributes, HashSet::from([self.names.origin(origin)])).ok(),
            Action::Connect => Some(Entity::with_uid(resource)),
        };
        // Strings and one parent cannot fail; without them, policies that look at them would not apply.
        let entities = entity.and_then(|entity| Entities::from_entities([entity], None).ok());
        if entities.is_none() {
            self.about_route(rules, "the route cannot be written for Cedar", "report this");
        }
        let guests = rules.access != Access::Protected;
        let default = default.filter(|_| alone).map(|id| OwnDefault { id, guests });
        Route { own, default, entities: entities.unwrap_or_else(Entities::empty) }
    }

    fn default(&mut self, own: &mut Index, rules: &RouteRules, who: &str, scope: &str) -> String {
        let resource = match rules.action {
            Action::Request => "Route",
            Action::Connect => "Proxy",
        };
        let (id, action) = (literal(&rules.id), rules.action);
        let text = format!("permit ({scope}, action == Action::\"{action}\", resource == {resource}::{id});");
        let source = ProblemSource::Route(rules.id.clone());
        let piece = Piece { source: &source, whole: &text, span: 0..text.len() };
        let id = format!("{who} at {}", rules.id);
        self.generated(own, &piece, &text, id.clone(), From::Default);
        id
    }

    fn rules(&mut self, own: &mut Index, rules: &RouteRules) {
        if rules.allow.len() > MAX_RULES {
            let message = format!("{} rules, more than {MAX_RULES}", rules.allow.len());
            return self.about_route(rules, &message, "use groups, or a policy file");
        }
        let mut seen = BTreeSet::new();
        for (index, line) in rules.allow.iter().enumerate() {
            let source = ProblemSource::Rule { route: rules.id.clone(), index };
            let piece = Piece { source: &source, whole: line, span: 0..line.len() };
            let rule = match rule::parse(line) {
                Ok(rule) => rule,
                Err(RuleError { span, message, help }) => {
                    let problem = piece.problem(span, message);
                    self.problems.push(match help {
                        Some(help) => problem.help(help),
                        None => problem,
                    });
                    continue;
                }
            };
            let Rule { terms } = &rule;
            let terms: Vec<String> =
                terms.iter().map(|term| line.get(term.span.clone()).unwrap_or_default().to_owned()).collect();
            if !seen.insert(terms.clone()) {
                self.problems.push(piece.problem(0..line.len(), "this rule is there twice").warning());
                continue;
            }
            let id = format!("allow {:?} at {}", terms.join(" and "), rules.id);
            let from = From::Rule { text: line.clone(), terms };
            self.generated(own, &piece, &policy_text(&rule, rules.action, &rules.id), id, from);
        }
    }

    /// A policy of our own making goes the way of all others.
    fn generated(&mut self, own: &mut Index, piece: &Piece<'_>, text: &str, id: String, from: From) {
        let policy = match Policy::parse(Some(PolicyId::new(id)), text) {
            Ok(policy) => policy,
            Err(error) => {
                let message = format!("this cannot be said in Cedar: {error}");
                return self.problems.push(piece.problem(0..piece.span.len(), message));
            }
        };
        let generated = Piece { source: piece.source, whole: text, span: 0..text.len() };
        for found in validate(&generated, &policy, self.validator) {
            let mut problem = piece.problem(0..piece.span.len(), found.message);
            problem.severity = found.severity;
            self.problems.push(problem);
        }
        self.add(own, &policy);
        let record = Record { effect: policy.effect(), policy: policy.clone(), from };
        self.records.insert(policy.id().clone(), record);
    }
}

/// Which routes the first line of a policy is for.
#[derive(Debug, PartialEq, Eq)]
enum Scope {
    General,
    One(Action, String),
    Origin(String),
}

fn scope(names: &Names, policy: &Policy) -> Scope {
    let (ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid)) =
        policy.resource_constraint()
    else {
        return Scope::General;
    };
    let id = uid.id().unescaped().to_owned();
    match names.what(&uid) {
        What::Route => Scope::One(Action::Request, id),
        What::Proxy => Scope::One(Action::Connect, id),
        What::Origin => Scope::Origin(id),
        _ => Scope::General,
    }
}
