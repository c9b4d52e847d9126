//! The four parameters that stay the same through an exchange: algorithm, validation, auth-scope and realm.

use super::{MessageError, mandatory};
use crate::algorithm::Algorithm;
use crate::grammar::{ExtensiveToken, FieldWriter, ParamError, Params};
use crate::realm::{AuthRealm, AuthScope, Origin, RealmName};
use crate::validation::ValidationMethod;
use alloc::string::ToString as _;

/// What a server asks for and every later message repeats: "MUST be the same values" (RFC 8120 §4.2 to §4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The authentication algorithm.
    pub algorithm: Algorithm,
    /// The method of host validation.
    pub validation: ValidationMethod,
    /// The authentication scope. A server of this crate always sends it; if another leaves it out, the scope is its own
    /// single-server one (RFC 8120 §4.1), and the client leaves it out as well.
    pub auth_scope: Option<AuthScope>,
    /// The realm's name.
    pub realm: RealmName,
}

impl Terms {
    /// The terms of a realm, with its scope told.
    pub(crate) fn of_realm(realm: &AuthRealm, validation: ValidationMethod) -> Self {
        Self {
            algorithm: realm.algorithm,
            validation,
            auth_scope: Some(realm.auth_scope.clone()),
            realm: realm.name.clone(),
        }
    }

    /// The authentication realm that these terms mean when `server` sent them, or received them.
    #[must_use]
    pub fn auth_realm(&self, server: &Origin) -> AuthRealm {
        AuthRealm {
            algorithm: self.algorithm,
            auth_scope: self.auth_scope.clone().unwrap_or_else(|| AuthScope::SingleServer(server.clone())),
            name: self.realm.clone(),
        }
    }

    pub(super) fn read(params: &Params) -> Result<Self, MessageError> {
        super::check_version(params)?;
        let algorithm = mandatory(params.token("algorithm")?, "algorithm")?;
        let validation = mandatory(params.token("validation")?, "validation")?;
        let auth_scope = params.string("auth-scope")?;
        let realm = mandatory(params.plain_string("realm")?, "realm")?;
        Ok(Self {
            algorithm: Algorithm::from_token(&algorithm)
                .ok_or_else(|| MessageError::Algorithm(algorithm.as_str().into()))?,
            validation: ValidationMethod::from_token(&validation)
                .ok_or_else(|| MessageError::Validation(validation.as_str().into()))?,
            auth_scope: auth_scope.map(|scope| AuthScope::parse(&scope)).transpose().map_err(|_| {
                ParamError::Invalid { name: "auth-scope", expected: "one of the three types of RFC 8120 section 5" }
            })?,
            realm: RealmName::new(realm)
                .map_err(|_| ParamError::Invalid { name: "realm", expected: "a realm's name" })?,
        })
    }

    pub(super) fn write(&self, fields: &mut FieldWriter) {
        fields.token("version", &ExtensiveToken::known("1"));
        fields.token("algorithm", &ExtensiveToken::known(self.algorithm.as_str()));
        fields.token("validation", &ExtensiveToken::known(self.validation.as_str()));
        if let Some(scope) = &self.auth_scope {
            fields.string("auth-scope", &scope.to_string());
        }
        fields.plain_string("realm", self.realm.as_str());
    }
}
