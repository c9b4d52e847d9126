//! The text of a new `tagai.toml`.

use super::{CA, DATABASE, KEYS, Plan};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tagai_core::realm::{Host, Origin};

/// A configuration with comments. Whatever stands behind `#` is the default.
pub(super) fn configuration(plan: &Plan, host: &Host, origins: &[Origin; 2], chain: &str, key: &str) -> String {
    let address: IpAddr = match host {
        Host::Domain(name) if name == "localhost" => Ipv4Addr::LOCALHOST.into(),
        Host::V4(address) if address.is_loopback() => (*address).into(),
        Host::V6(address) if address.is_loopback() => (*address).into(),
        Host::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        Host::Domain(_) | Host::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
    };
    let [tls, plain] = [plan.https_port, plan.http_port].map(|port| SocketAddr::new(address, port));
    let [https, http] = origins;
    let (database, keys) = (field("database", DATABASE), field("keys", KEYS));
    let (plain, chain) = (field("address", &plain.to_string()), field("chain", chain));
    let scope = field("scope", &host.to_string());
    let routes = &plan.routes;
    let registration = if plan.invitations {
        "registration = \"invitation\"         "
    } else {
        "# registration = \"off\"              "
    };
    format!(
        r#"# The configuration of tagai. `tagai check` says what is wrong with it, and where.
# Paths of files are relative to the directory of this file. Times are written "30s", "10m", "1h"; sizes "64KiB", "10MiB".

[store]
{database}# users, and sessions if they are kept here
{keys}# seal what is secret in it; or keys-env = "VARIABLE"
# sessions = "memory"               # or "sqlite": sessions outlive a restart

[[listen]]
address = "{tls}"
tls = true

[[listen]]
{plain}# tls = false is the default

[[certificate]]                     # several are possible: each is shown for the names in it, the first to all others
{chain}# PEM; made by `tagai init` and signed by {CA}
key = "{key}"
# Replace both by a certificate that your clients trust, and its key.

[[realm]]                           # a set of users
id = "staff"                        # how this file and `tagai user` call it
name = "Staff"                      # what users see when they are asked to log in
{scope}# where the passwords are valid: "host", "https://host:port", or "*.domain"
                                    # name, scope and algorithm are a part of every verifier: if one of them changes,
                                    # all users need new passwords; principals know their users by the id
# algorithm = "iso-kam3-ec-p256-sha256"
# session-time = "10m"              # until the password is needed again
# session-requests = 4294967295     # requests that one session serves
# nonce-window = 128                # how far requests may come out of order
# paths = ["/"]                     # where the realm applies, for clients; the whole server if it is missing
# unregistered = "accept"           # or "refuse": only users that belong to a principal (`tagai principal`)
{registration}# or "invitation": who has a code of `tagai user invite` becomes a user, over TLS
# password-change = true            # users change their passwords themselves, over TLS

# [[client-ca]]                     # whose certificates prove clients, for routes with "x509" in `proof`
# id = "partners"
# certificates = "partners.pem"     # trusted authorities, PEM; `tagai ca init` makes one
# intermediates = "between.pem"     # what clients may leave out
# names = ["uri", "dns", "email"]   # which name in a certificate is the client's, in this order; "cn" only if it is listed
# unregistered = "accept"           # or "refuse"
# crls = ["partners.crl", "http://crl.example.com/partners.crl"]
# crl-policy = "refuse"             # or "accept": what becomes of certificates that no current list speaks of

# [[raw-key]]                       # the gateway's own bare key, for clients that pin it (RFC 7250)
# key = "keys/gateway.key"          # made by `tagai key gen`

[[site]]
# What users have in their address bar; requests for other origins are answered 421.
origins = ["{https}", "{http}"]

{routes}
# [site.route.control]              # wishes for how clients behave (RFC 8053)
# auth-style = "non-modal"          # or "modal"
# location-when-unauthenticated = "/login"
# no-auth = false
# location-when-logout = "/bye"
# logout-timeout = 300              # seconds
# username = "admin"                # the only user; everybody can read this

# [identity]                        # header fields that tell the application who is asking; removed from what comes in
# user = "Tagai-User"
# realm = "Tagai-Realm"
# method = "Tagai-Method"
# principal = "Tagai-Principal"
# groups = "Tagai-Groups"

# [assertion]                       # a signed JWT for applications whose route has an `audience`
# issuer = "https://www.example.com"
# keys = "keys/assertion.pem"       # made by `tagai keys assertion new`; the first signs, all are published
# field = "Tagai-Assertion"
# life = "60s"

# [policy]                          # who may do what, in Cedar; without it, a route's `access` and `allow` decide alone
# file = "policy.cedar"

# [limits]
# connections = 10000
# connections-per-address = 256
# header-size = "32KiB"
# headers = 100
# header-timeout = "10s"
# handshake-timeout = "10s"
# idle-timeout = "60s"
# body-timeout = "30s"
# streams = 128                     # requests at once on one HTTP/2 connection
# half-open = 65536                 # logins that were begun
# half-open-per-address = 1024
# half-open-time = "60s"
# sessions = 1000000
# sessions-per-user = 256
# shutdown-timeout = "30s"

# [guessing]                        # failed logins, until they are slowed down
# failures-per-address = 20
# failures-per-user = 20
# recovery = "30s"                  # until one more is allowed

# [[forward-proxy]]                # a way out, for proven users (RFC 8120 section 14): see docs/operating/forward-proxy.md
# address = "127.0.0.1:3128"
# name = "localhost"                # its host name; the scope of its realm
# realm = "staff"
# allow = ["*.example.com:443", "10.0.0.0/8:*"] # where it connects to; no other, and no name leads to private addresses
# who = ["group:ops", "alice"]      # whom it takes there, in rules of one line as in `allow` of routes; else every user of the realm
# tls = false
# port = 3128                       # if users have another one than that of `address`
# connections = 1024
# connect-timeout = "10s"
# timeout = "60s"                   # until a server's answer begins; not in tunnels
# idle-timeout = "5m"
# max-body = "100MiB"

# [trust]
# proxies = ["10.0.0.0/8"]          # whose word on whom they forward for is believed; nobody's by default
# field = "X-Forwarded-For"         # where they say it; or "Forwarded". Only this one counts, the other is dropped

# [admin]
# address = "127.0.0.1:9901"        # /healthz, /readyz, /metrics; off by default

[log]
# format = "text"                   # or "json"
# level = "info"                    # error, warn, info, debug, trace, off
audit = "audit.log"                 # logins, refusals, logouts, changes of users; "-" is standard output
"#
    )
}

/// A line without its comment, as long as all of them. What an argument holds is escaped.
fn field(name: &str, value: &str) -> String {
    let field = format!("{name} = {}", toml::Value::String(value.to_owned()));
    format!("{field:<35} ")
}

/// One route for everything, with comments.
pub(crate) fn only_route(upstream: &str) -> String {
    let upstream = field("upstream", upstream);
    format!(
        r#"[[site.route]]                      # several are possible; the longest path wins
path = "/"                          # this and everything below
access = "protected"                # only who is proven; "optional": who wants to; "public": nobody is asked
realm = "staff"
# proof = ["mutual"]                # how: any of "mutual", "x509", "raw-key", "password-tls"; all but the first over https alone
# With "x509", client-ca=["partners"] says whose certificates; client-cert="leaf" or "chain" sends them on (RFC 9440).
# Only some of those who are proven: allow=["group:ops and proof:x509", "alice"]. audience="wiki" sends a signed assertion.
{upstream}# your application; or https:// or h2c://, with a path prefix
# methods = ["GET", "POST"]         # the only ones that are let through
# max-body = "100MiB"               # of a request; or "unlimited"
# timeout = "60s"                   # until the application's response begins
# idle-timeout = "5m"               # how long its response, or a WebSocket, may stand still
# An upstream with https:// shows a certificate of the system's authorities, or of those in upstream-ca="FILE".
# pass-host = true                  # the application sees the host that the client asked for
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tagai_core::realm::Scheme;
    use tagai_gateway::config::{Config, Guessing, Identity, Limits};
    use tagai_gateway::forward_proxy::ForwardLimits;

    fn text(host: &str, upstream: &str) -> String {
        let plan = Plan {
            dir: "x".into(),
            host: host.into(),
            https_port: 8443,
            http_port: 8080,
            routes: only_route(upstream),
            invitations: false,
        };
        let host = Host::parse(host).unwrap();
        let origins = [(Scheme::Https, 8443), (Scheme::Http, 8080)]
            .map(|(scheme, port)| Origin::new(scheme, host.clone(), port));
        configuration(&plan, &host, &origins, "keys/a.pem", "keys/a.key")
    }

    #[test]
    fn it_is_read_without_a_warning() {
        for host in ["localhost", "www.example.com", "127.0.0.1", "[::1]"] {
            let config = Config::parse(Path::new("tagai.toml"), &text(host, "http://127.0.0.1:9000")).unwrap();
            assert_eq!(config.warnings, []);
        }
    }

    /// Every commented line is what holds without it.
    #[test]
    fn the_comments_tell_the_defaults() {
        let text = text("localhost", "http://127.0.0.1:9000");
        let field = |line: &str| {
            line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = ")).map(str::to_owned)
        };
        let comments = text.lines().skip(2);
        let all = comments.map(|line| field(line).unwrap_or_else(|| line.to_owned())).collect::<Vec<_>>().join("\n");
        let config = Config::parse(Path::new("tagai.toml"), &all).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.forward_proxies[0].limits, ForwardLimits::default());
        assert_eq!((config.identity, config.guessing), (Identity::default(), Guessing::default()));
        let plain = Config::parse(Path::new("tagai.toml"), &text).unwrap();
        assert_eq!((config.store, config.log, config.listen), (plain.store, plain.log, plain.listen));
        let (realm, plain_realm) = (&config.realms[0], &plain.realms[0]);
        assert_eq!(realm.session_time, plain_realm.session_time);
        assert_eq!(
            (realm.session_requests, realm.nonce_window),
            (plain_realm.session_requests, plain_realm.nonce_window)
        );
        let (route, plain_route) = (&config.sites[0].routes[0], &plain.sites[0].routes[0]);
        assert_eq!(
            (route.max_body, route.timeout, route.pass_host),
            (plain_route.max_body, plain_route.timeout, plain_route.pass_host)
        );
    }

    #[test]
    fn an_upstream_cannot_break_out_of_its_string() {
        let errors =
            Config::parse(Path::new("tagai.toml"), &text("localhost", "http://a\"\n[admin]\n#")).unwrap_err();
        assert_eq!(errors.diagnostics().len(), 1, "{errors}");
        assert!(errors.to_string().contains("no upstream"), "{errors}");
    }
}
