//! The names of all fields that only the gateway sets.

use super::client_cert::{CLIENT_CERT, CLIENT_CERT_CHAIN};
use crate::config;
use crate::proxy::StripList;
use http::HeaderName;

/// What the fields are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The user's name, if a password was proven; `Tagai-User` if nothing else is said.
    pub user: HeaderName,
    /// The realm's name, if a password was proven; `Tagai-Realm`.
    pub realm: HeaderName,
    /// The method of proof; `Tagai-Method`.
    pub method: HeaderName,
    /// The principal's name; `Tagai-Principal`.
    pub principal: HeaderName,
    /// The principal's groups; `Tagai-Groups`.
    pub groups: HeaderName,
    /// The signed assertion; `Tagai-Assertion`.
    pub assertion: HeaderName,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            user: HeaderName::from_static("tagai-user"),
            realm: HeaderName::from_static("tagai-realm"),
            method: HeaderName::from_static("tagai-method"),
            principal: HeaderName::from_static("tagai-principal"),
            groups: HeaderName::from_static("tagai-groups"),
            assertion: HeaderName::from_static("tagai-assertion"),
        }
    }
}

impl Names {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &config::Config) -> Self {
        let config::Identity { user, realm, method, principal, groups } = config.identity.clone();
        let assertion = config.assertion.as_ref().map(|assertion| assertion.field.clone());
        Self { user, realm, method, principal, groups, assertion: assertion.unwrap_or(Self::default().assertion) }
    }

    /// What is removed from every request and from its trailers, on every route: all of these names, their defaults (an application
    /// may have been written for them), and the fields of RFC 9440, whether the route sets them or not (RFC 9440 §2.4).
    #[must_use]
    pub fn strip_list(&self) -> StripList {
        let of = |names: &Self| {
            let Self { user, realm, method, principal, groups, assertion } = names.clone();
            [user, realm, method, principal, groups, assertion]
        };
        StripList::new(of(self).into_iter().chain(of(&Self::default())).chain([CLIENT_CERT, CLIENT_CERT_CHAIN]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    #[test]
    fn forged_fields_go_in_every_spelling() {
        let names = Names { user: HeaderName::from_static("x-user"), ..Names::default() };
        let list = names.strip_list();
        let forged = [
            "X-User",
            "x_user",
            "x.user",
            "tagai-user",
            "Tagai_User",
            "tagai-realm",
            "Tagai-Method",
            "tagai.principal",
            "TAGAI-GROUPS",
            "tagai_groups",
            "Tagai-Assertion",
            "tagai_assertion",
            "tagai~assertion",
            "Client-Cert",
            "client_cert",
            "client.cert",
            "CLIENT-CERT-CHAIN",
            "Client_Cert-Chain",
            "client-cert_chain",
        ];
        let mut fields = HeaderMap::new();
        for name in forged {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            assert!(list.has(&name), "{name}");
            fields.append(name, "root".parse().unwrap());
        }
        for kept in ["x-users", "client-certs", "accept", "x-client-cert"] {
            fields.append(HeaderName::from_static(kept), "kept".parse().unwrap());
        }
        list.strip(&mut fields);
        let mut left: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "client-certs", "x-client-cert", "x-users"]);
    }
}
