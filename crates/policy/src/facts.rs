//! A question, as Cedar takes it: entities, and what is known of the request.

use crate::index::Reads;
use crate::names::Names;
use crate::question::{Certificate, Question, Subject};
use crate::time::rfc3339;
use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression as Value};
use std::collections::{HashMap, HashSet};

/// All that is known.
pub(crate) struct Facts {
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    /// The principal, and what the route is.
    pub(crate) entities: Entities,
}

impl Facts {
    /// # Errors
    ///
    /// Why the question makes no sense.
    pub(crate) fn new(names: &Names, question: &Question<'_>, route: &Entities) -> Result<Self, String> {
        let (principal, entities) = match &question.principal {
            None => (names.guest.clone(), route.clone()),
            Some(subject) => {
                let uid = names.principal(subject.name);
                let entity = entity(names, uid.clone(), subject)?;
                (uid, route.clone().add_entities([entity], None).map_err(|error| error.to_string())?)
            }
        };
        let resource = names.resource(question.action, question.route);
        Ok(Self { principal, action: names.action(question.action), resource, entities })
    }

    /// The request, with one reading of its path. What no policy `reads` is left out: Cedar takes addresses and times as text alone,
    /// which takes longer than to decide.
    ///
    /// # Errors
    ///
    /// Those of Cedar; none is known that can happen.
    pub(crate) fn request(
        &self,
        names: &Names,
        question: &Question<'_>,
        path: &str,
        reads: Reads,
    ) -> Result<Request, String> {
        let host = question.host.strip_suffix('.').unwrap_or(question.host).to_ascii_lowercase();
        let mut pairs = vec![
            ("host".to_owned(), Value::new_string(host)),
            ("port".to_owned(), Value::new_long(question.port.into())),
            ("path".to_owned(), Value::new_string(path.to_owned())),
            ("method".to_owned(), Value::new_string(question.method.to_owned())),
            ("tls".to_owned(), Value::new_bool(question.tls)),
        ];
        if reads.source {
            pairs.push(("source".to_owned(), Value::new_ip(question.source.to_canonical().to_string())));
        }
        if reads.time {
            pairs.push(("time".to_owned(), Value::new_datetime(rfc3339(question.time))));
        }
        if reads.weekday {
            pairs.extend(names.weekday(question.time).map(|day| ("weekday".to_owned(), day)));
        }
        let context = Context::from_pairs(pairs).map_err(|error| error.to_string())?;
        let (principal, action, resource) = (self.principal.clone(), self.action.clone(), self.resource.clone());
        Request::new(principal, action, resource, context, None).map_err(|error| error.to_string())
    }
}

/// The slash is what keeps the names of authorities apart from those in the directory.
pub(crate) fn check_name(subject: &Subject<'_>) -> Result<(), String> {
    if subject.name.is_empty() || subject.registered == subject.name.contains('/') {
        let what = if subject.registered { "a registered" } else { "an unregistered" };
        return Err(format!("{:?} cannot be the name of {what} principal", subject.name));
    }
    Ok(())
}

fn entity(names: &Names, uid: EntityUid, subject: &Subject<'_>) -> Result<Entity, String> {
    check_name(subject)?;
    let proof = &subject.proof;
    let mut attributes = HashMap::from([
        ("name".to_owned(), Value::new_string(subject.name.to_owned())),
        ("kind".to_owned(), names.kind(subject.kind)),
        ("registered".to_owned(), Value::new_bool(subject.registered)),
        ("proof".to_owned(), names.proof(proof.method)),
        ("authority".to_owned(), Value::new_string(proof.authority.to_owned())),
        ("credential".to_owned(), Value::new_string(proof.credential.to_owned())),
    ]);
    if let Some(shown) = &proof.certificate {
        attributes.insert("certificate".to_owned(), certificate(shown)?);
    }
    let groups: HashSet<EntityUid> = subject.groups.iter().map(|group| names.group(group)).collect();
    let tags: HashMap<String, Value> =
        subject.attributes.iter().map(|(name, value)| (name.clone(), Value::new_string(value.clone()))).collect();
    Entity::new_with_tags(uid, attributes, groups, tags).map_err(|error| error.to_string())
}

fn certificate(shown: &Certificate<'_>) -> Result<Value, String> {
    let names = Value::new_set(shown.names.iter().map(|name| Value::new_string(name.clone())));
    let fields = [
        ("ca", Value::new_string(shown.ca.to_owned())),
        ("issuer", Value::new_string(shown.issuer.to_owned())),
        ("subject", Value::new_string(shown.subject.to_owned())),
        ("serial", Value::new_string(shown.serial.to_ascii_lowercase())),
        ("names", names),
        ("notAfter", Value::new_datetime(rfc3339(shown.not_after))),
        ("key", Value::new_string(shown.key.to_owned())),
    ];
    Value::new_record(fields.map(|(name, value)| (name.to_owned(), value))).map_err(|error| error.to_string())
}
