//! What a forward proxy would say.

use super::{Account, Imagined, Preview, describe};
use crate::forward_proxy::may_match;
use crate::proof::{Asked, question};
use http::{Method, StatusCode};
use tagai_core::realm::Host;
use tagai_policy::Action;

impl Preview {
    /// What would become of a request for the URL that goes through a forward proxy: in a tunnel if it is `https`, else in absolute
    /// form. To which addresses a name leads is not looked up.
    #[must_use]
    pub fn ask_proxy(&self, name: &str, imagined: &Imagined) -> Account {
        let mut account = Account::default();
        let Some(proxy) = self.config.forward_proxies.iter().find(|proxy| proxy.name.to_string() == name) else {
            account.step("proxy", false, format!("there is no [[forward-proxy]] of the name {name}"));
            return account;
        };
        account.route = Some(name.to_owned());
        let tunnel = imagined.url.scheme_str() == Some("https");
        let port = imagined.url.port_u16().unwrap_or(if tunnel { 443 } else { 80 });
        let host = imagined.url.host().unwrap_or_default();
        let Ok(host) = Host::parse(host.strip_suffix('.').unwrap_or(host)) else {
            account.refuse("request", StatusCode::BAD_REQUEST, "the host is not written in its usual way");
            return account;
        };
        let how = if tunnel { "by CONNECT" } else { "in absolute form" };
        account.step("proxy", true, format!("{name}, {how} to {host}:{port}"));
        let identified = match self.identify_to_proxy(&imagined.sender, proxy) {
            Ok(identified) => identified,
            Err(refusal) => {
                let reason = format!("{}; the proxy takes mutual ({})", refusal.reason, proxy.realm.id);
                account.refuse("proof", StatusCode::PROXY_AUTHENTICATION_REQUIRED, reason);
                return account;
            }
        };
        account.credential = Some(identified.credential.to_string());
        account.method = Some(identified.method.as_str());
        account.step("proof", true, format!("{}, by {}", identified.credential, identified.method));
        if !may_match(&proxy.allow, &host, port) {
            account.refuse("target", StatusCode::FORBIDDEN, "`allow` of the [[forward-proxy]] does not lead there");
            account.code = Some("target".to_owned());
            return account;
        }
        account.step("target", true, "`allow` of the [[forward-proxy]] may lead there");
        if matches!(host, Host::Domain(_)) {
            account
                .note("names are not looked up here: whether `allow` has their addresses is found out by the proxy");
        }
        let who = match identified.resolve(&self.principals) {
            Ok(who) => who,
            Err(refusal) => {
                account.refuse("principal", refusal.status(), refusal.reason);
                account.code = Some(refusal.code.to_owned());
                return account;
            }
        };
        account.principal = Some(who.name.clone());
        account.step("principal", true, describe(&who));
        let host = host.to_string();
        let asked = Asked {
            action: Action::Connect,
            route: name,
            host: &host,
            port,
            tls: proxy.tls,
            path: if tunnel { "" } else { imagined.url.path() },
            method: if tunnel { Method::CONNECT.as_str() } else { imagined.method.as_str() },
            source: imagined.source,
            time: imagined.time.as_secs(),
        };
        let explained = self.rules.policies.explain(&question(Some(&who), &asked));
        account.judge(explained);
        account
    }
}
