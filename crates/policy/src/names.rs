//! Names of the schema, parsed once.

use crate::question::{Action, Kind, ProofMethod};
use crate::time::WEEKDAYS;
use cedar_policy::{EntityId, EntityTypeName, EntityUid, PolicyId, RestrictedExpression};

/// What Cedar says about a text that is ours; never seen, since tests parse them all.
pub(crate) type Broken = String;

/// Types and fixed entities of the schema.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    principal: EntityTypeName,
    group: EntityTypeName,
    kind: EntityTypeName,
    proof: EntityTypeName,
    origin: EntityTypeName,
    route: EntityTypeName,
    proxy: EntityTypeName,
    pub(crate) guest: EntityUid,
    request: EntityUid,
    connect: EntityUid,
    weekdays: Vec<EntityUid>,
}

impl Names {
    pub(crate) fn new() -> Result<Self, Broken> {
        let name = |text: &str| text.parse::<EntityTypeName>().map_err(|error| error.to_string());
        let (action, weekday) = (name("Action")?, name("Weekday")?);
        let of = |name: &EntityTypeName, id: &str| EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id));
        Ok(Self {
            principal: name("Principal")?,
            group: name("Group")?,
            kind: name("Kind")?,
            proof: name("Proof")?,
            origin: name("Origin")?,
            route: name("Route")?,
            proxy: name("Proxy")?,
            guest: of(&name("Guest")?, "guest"),
            request: of(&action, Action::Request.as_str()),
            connect: of(&action, Action::Connect.as_str()),
            weekdays: WEEKDAYS.iter().map(|day| of(&weekday, day)).collect(),
        })
    }

    pub(crate) fn principal(&self, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.principal.clone(), EntityId::new(name))
    }

    pub(crate) fn group(&self, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.group.clone(), EntityId::new(name))
    }

    pub(crate) fn kind(&self, kind: Kind) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(EntityUid::from_type_name_and_id(
            self.kind.clone(),
            EntityId::new(kind.as_str()),
        ))
    }

    pub(crate) fn proof(&self, method: ProofMethod) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(EntityUid::from_type_name_and_id(
            self.proof.clone(),
            EntityId::new(method.as_str()),
        ))
    }

    pub(crate) fn origin(&self, origin: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.origin.clone(), EntityId::new(origin))
    }

    pub(crate) fn resource(&self, action: Action, id: &str) -> EntityUid {
        let name = match action {
            Action::Request => &self.route,
            Action::Connect => &self.proxy,
        };
        EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
    }

    pub(crate) fn action(&self, action: Action) -> EntityUid {
        match action {
            Action::Request => self.request.clone(),
            Action::Connect => self.connect.clone(),
        }
    }

    pub(crate) fn weekday(&self, seconds: u64) -> Option<RestrictedExpression> {
        let day = self.weekdays.get(crate::time::weekday(seconds))?;
        Some(RestrictedExpression::new_entity_uid(day.clone()))
    }

    /// What an entity is, as far as routes and indexes ask.
    pub(crate) fn what(&self, uid: &EntityUid) -> What {
        let name = uid.type_name();
        [
            (&self.principal, What::Principal),
            (&self.group, What::Group),
            (&self.origin, What::Origin),
            (&self.route, What::Route),
            (&self.proxy, What::Proxy),
        ]
        .into_iter()
        .find(|(known, _)| *known == name)
        .map_or(What::Other, |(_, what)| what)
    }

    /// The action that may be done with resources of a type.
    pub(crate) fn action_of(&self, resource: &EntityTypeName) -> Option<Action> {
        if *resource == self.route {
            Some(Action::Request)
        } else if *resource == self.proxy {
            Some(Action::Connect)
        } else {
            None
        }
    }
}

/// A policy's id as it is; its `Display` escapes it.
pub(crate) fn text(id: &PolicyId) -> &str {
    id.as_ref()
}

/// Types of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Principal,
    Group,
    Origin,
    Route,
    Proxy,
    Other,
}
