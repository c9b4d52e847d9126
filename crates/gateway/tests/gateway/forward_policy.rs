//! Who is taken where by a forward proxy: the principal that a user is, the deny list, rules of one line, and policies.

use super::support::*;
use std::net::SocketAddr;
use tagai_core::client::Outcome;
use tagai_core::realm::Origin;
use tagai_store::principal::{
    Credential, DenialTarget, NewPrincipal, PrincipalKind, PrincipalName, PrincipalStore as _, SubjectName,
};

const PROXY: &str = r#"
[log]
audit = "audit.log"
[[forward-proxy]]
address = "127.0.0.1:0"
name = "127.0.0.1"
realm = "staff"
allow = ["{app}", "127.0.0.1:{https}"]
"#;

struct Way {
    site: Site,
    proxy: Origin,
    app: SocketAddr,
}

impl Way {
    async fn start(more: &str) -> Self {
        let app = App::start().await;
        let setup = Setup {
            more: format!("{PROXY}{more}"),
            users: vec![("staff", "bob", "battery staple")],
            ..Setup::default()
        };
        let site = Site::start(app.address, setup).await;
        let port = site.gateway.proxies()[0].address.port();
        Self { site, proxy: Origin::parse(&format!("http://127.0.0.1:{port}")).unwrap(), app: app.address }
    }

    /// Asks as bob; the answer is proven, whatever it is.
    async fn ask(&self, method: &str, target: &str) -> (Connection, Response) {
        let (mut connection, mut bob) =
            (Connection::plain(self.proxy.port()).await, User::of_proxy(&self.proxy, "bob", "battery staple"));
        // Logs in, to somewhere that is not allowed.
        drop(bob.ask(&mut connection, "GET", "http://169.254.169.254/", "").await);
        match bob.ask(&mut connection, method, target, "").await {
            Ok(Outcome::AuthSucceed(proven)) => (connection, proven.into_body()),
            other => panic!("{method} {target}: {other:?}"),
        }
    }

    async fn get(&self) -> Response {
        self.ask("GET", &format!("http://{}/page", self.app)).await.1
    }

    /// The code of a refusal, once the answer, its field and the audit log are found to have the same id.
    async fn refused(&self) -> String {
        let response = self.get().await;
        assert_eq!(response.status, 403, "{}", response.text());
        let (code, id) = response.field("tagai-refusal").unwrap().split_once("; id=").unwrap();
        let (text, id) = (response.text(), id.trim_matches('"'));
        assert!(text.contains(&format!("({code})")) && text.contains(id), "{text}");
        let line = self.noted(id);
        assert!(
            line.contains(&format!("\"reason\":\"{code}: ")) && line.contains("\"origin\":\"127.0.0.1\""),
            "{line}"
        );
        assert!(line.contains("bob\",\"method\":\"mutual\"") && line.contains(&self.app.to_string()), "{line}");
        code.to_owned()
    }

    fn noted(&self, text: &str) -> String {
        self.site.gateway.journal().flush();
        let log = std::fs::read_to_string(self.site.dir.path().join("audit.log")).unwrap();
        log.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {log}")).to_owned()
    }

    async fn reload(&mut self, more: &str) {
        self.site.setup.more = format!("{PROXY}{more}");
        self.site.write_config();
        self.site.gateway.reload().await.unwrap();
    }
}

fn bob() -> PrincipalName {
    "bob".parse().unwrap()
}

fn register(site: &Site) {
    let credential: Credential = "user:staff/bob".parse().unwrap();
    site.store().add_principal(&NewPrincipal { name: bob(), kind: PrincipalKind::Person }).unwrap();
    site.store().bind(&bob(), &credential).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_kept_out_is_kept_out_of_the_proxy_as_well() {
    let way = Way::start("").await;
    assert_eq!(way.get().await.status, 200, "without rules, every user of the realm is taken there");
    register(&way.site);
    let (mut tunnel, response) = way.ask("CONNECT", &way.app.to_string()).await;
    assert_eq!(response.status, 200);
    way.site.store().set_principal_disabled(&bob(), true).unwrap();
    assert!(tunnel.is_closed().await, "within a second or so");
    assert_eq!(way.refused().await, "disabled");
    assert!(way.noted("an open tunnel").contains("disabled: "));

    way.site.store().set_principal_disabled(&bob(), false).unwrap();
    until(async || way.get().await.status == 200).await;
    let target = DenialTarget::Principal(SubjectName::from(&bob()));
    way.site.store().deny(&target, "lost", "root").unwrap();
    until(async || way.get().await.status == 403).await;
    assert_eq!(way.refused().await, "denied");
    assert!(way.noted("\"reason\":\"denied: ").contains("(lost)"));
    way.site.store().allow(&target).unwrap();
    until(async || way.get().await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_changed_loses_tunnels_and_transfers() {
    let way = Way::start("").await;
    let (mut tunnel, response) = way.ask("CONNECT", &way.app.to_string()).await;
    assert_eq!(response.status, 200);
    let (mut transfer, mut bob) =
        (Connection::plain(way.proxy.port()).await, User::of_proxy(&way.proxy, "bob", "battery staple"));
    drop(bob.ask(&mut transfer, "GET", "http://169.254.169.254/", "").await);
    let target = format!("http://{}/slow", way.app);
    let (_, proof) = bob.proof(&target, &transfer.channel);
    transfer.send(head("GET", &target, &way.app.to_string(), &format!("Proxy-Authorization: {proof}\r\n"))).await;
    assert!(read_head(&mut transfer.stream).await.unwrap().starts_with("HTTP/1.1 200 "));

    way.site.change_password("staff", "bob", "another staple");
    assert!(tunnel.is_closed().await);
    assert!(way.noted("an open tunnel").contains("session-ended: "));
    // What had come of it, and then the end.
    let mut rest = Vec::new();
    drop(patiently(tokio::io::AsyncReadExt::read_to_end(&mut transfer.stream, &mut rest)).await);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
    assert!(way.noted("a transfer").contains("session-ended: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_realm_takes_nobody_from_the_one_before() {
    let mut way = Way::start("").await;
    let (mut tunnel, response) = way.ask("CONNECT", &way.app.to_string()).await;
    assert_eq!(response.status, 200);
    way.site.setup.realms += "[[realm]]\nid = \"partners\"\nname = \"Partners\"\nscope = \"127.0.0.1\"\n";
    way.site.setup.more = PROXY.replace("realm = \"staff\"", "realm = \"partners\"");
    way.site.write_config();
    way.site.gateway.reload().await.unwrap();
    assert!(tunnel.is_closed().await);
    assert!(way.noted("an open tunnel").contains("not-configured: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_may_want_its_users_registered() {
    let setup_realm = Setup::default().realms.replace("scope =", "unregistered = \"refuse\"\nscope =");
    let app = App::start().await;
    let setup = Setup {
        realms: setup_realm,
        more: PROXY.into(),
        users: vec![("staff", "bob", "battery staple")],
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    let port = site.gateway.proxies()[0].address.port();
    let proxy = Origin::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let way = Way { site, proxy, app: app.address };
    assert_eq!(way.refused().await, "not-registered");
    register(&way.site);
    until(async || way.get().await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_policies_decide_and_a_reload_replaces_them() {
    let mut way = Way::start("who = [\"group:ops\"]\n").await;
    register(&way.site);
    assert_eq!(way.refused().await, "not-permitted");
    way.site.store().add_to_group(&bob(), &"ops".parse().unwrap()).unwrap();
    until(async || way.get().await.status == 200).await;
    let (mut tunnel, response) = way.ask("CONNECT", &way.app.to_string()).await;
    assert_eq!(response.status, 200);

    let policy = |port: u16| {
        format!(
            "permit (principal in Group::\"ops\", action == Action::\"Connect\", resource == Proxy::\"127.0.0.1\");\n\
             @id(\"closed\") forbid (principal, action == Action::\"Connect\", resource)\n\
             when {{ context.host == \"127.0.0.1\" && context.port == {port} }};\n"
        )
    };
    let file = way.site.dir.path().join("policy.cedar");
    std::fs::write(&file, policy(way.app.port())).unwrap();
    way.reload("[policy]\nfile = \"policy.cedar\"\n").await;
    assert_eq!(way.refused().await, "forbidden");
    assert!(way.noted("\"reason\":\"forbidden: ").contains("closed"));
    assert!(tunnel.is_closed().await, "an open tunnel is judged by the policies of the moment");
    let https = format!("127.0.0.1:{}", way.site.https);
    assert_eq!(way.ask("CONNECT", &https).await.1.status, 200, "another port is not forbidden");

    // Broken policies are not taken over.
    std::fs::write(&file, "permit (principal, action, resource) when { nonsense };").unwrap();
    let error = way.site.gateway.reload().await.unwrap_err().to_string();
    assert!(error.contains("policy.cedar:1:") && error.contains("^^^"), "{error}");
    assert_eq!(way.refused().await, "forbidden");
    std::fs::write(&file, policy(1)).unwrap();
    way.site.gateway.reload().await.unwrap();
    assert_eq!(way.get().await.status, 200);
    // Once there is a file, nobody is let through whom it does not permit.
    std::fs::write(&file, "").unwrap();
    way.site.gateway.reload().await.unwrap();
    assert_eq!(way.refused().await, "not-permitted");
}
