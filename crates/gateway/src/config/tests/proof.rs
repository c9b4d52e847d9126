use super::*;
use crate::config::*;
use crate::crls::Source;
use std::time::Duration;

/// Everything that is about who may prove themselves how; the lines are counted in the table below.
const PROOF: &str = r#"[store]
database = "tagai.db"
keys = "store.keys"
[[listen]]
address = "127.0.0.1:8443"
tls = true
[[certificate]]
chain = "a.pem"
key = "a.key"
[[realm]]
id = "staff"
name = "Staff"
scope = "localhost"
unregistered = "refuse"
[[client-ca]]
id = "partners"
certificates = "partners.pem"
intermediates = "between.pem"
names = ["email", "cn"]
unregistered = "refuse"
crls = ["partners.crl", "http://crl.example.com/partners.crl"]
crl-policy = "accept"
[[client-ca]]
id = "fleet"
certificates = "fleet.pem"
[[raw-key]]
key = "gateway.key"
[policy]
file = "policy.cedar"
[assertion]
issuer = "https://localhost:8443"
keys = "assertion.pem"
field = "X-Proof"
life = "30s"
[[site]]
origins = ["https://localhost:8443"]
[[site.route]]
path = "/"
access = "protected"
proof = ["mutual", "x509", "raw-key", "password-tls"]
realm = "staff"
client-ca = ["partners", "fleet"]
allow = ["group:ops and proof:x509", "alice"]
audience = "wiki"
client-cert = "chain"
upstream = "http://127.0.0.1:9000"
[[site.route]]
path = "/devices/"
access = "optional"
proof = ["raw-key"]
upstream = "http://127.0.0.1:9000"
"#;

#[test]
fn what_is_said_is_what_is_read() {
    let config = parse(PROOF).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let partners = ClientCa {
        id: "partners".into(),
        certificates: "etc/partners.pem".into(),
        intermediates: Some("etc/between.pem".into()),
        names: vec![CertificateName::Email, CertificateName::CommonName],
        unregistered: Unregistered::Refuse,
        crls: vec![
            Source::parse("partners.crl", Path::new("etc")).unwrap(),
            Source::parse("http://crl.example.com/partners.crl", Path::new("etc")).unwrap(),
        ],
        crl_policy: CrlPolicy::Accept,
    };
    let [first, fleet] = &config.client_cas[..] else { panic!("two of them") };
    assert_eq!(**first, partners);
    assert_eq!(fleet.names, [CertificateName::Uri, CertificateName::Dns, CertificateName::Email]);
    assert_eq!((fleet.unregistered, fleet.crl_policy), (Unregistered::Accept, CrlPolicy::Refuse));
    assert!(fleet.crls.is_empty());
    assert_eq!(config.raw_key.as_deref(), Some(Path::new("etc/gateway.key")));
    assert_eq!(config.policy.as_deref(), Some(Path::new("etc/policy.cedar")));
    assert_eq!(config.realms[0].unregistered, Unregistered::Refuse);
    let assertion = config.assertion.unwrap();
    assert_eq!((assertion.field.as_str(), assertion.life), ("x-proof", Duration::from_secs(30)));
    let [devices, root] = &config.sites[0].routes[..] else { panic!("two routes") };
    let asks = root.access.asks().unwrap();
    assert_eq!(asks.proofs, Proofs { mutual: true, x509: true, raw_key: true, password_tls: true });
    assert_eq!(asks.client_cas.iter().map(|ca| &*ca.id).collect::<Vec<_>>(), ["partners", "fleet"]);
    assert_eq!(root.allow.as_deref().unwrap().len(), 2);
    assert_eq!((root.audience.as_deref(), root.client_cert), (Some("wiki"), ClientCertFields::Chain));
    let Access::Optional(asks) = &devices.access else { panic!("it is optional") };
    assert_eq!((asks.proofs, &asks.realm), (Proofs { raw_key: true, ..Proofs::default() }, &None));
}

#[test]
fn nothing_said_is_the_password_that_stays() {
    let config = parse(SMALL).unwrap();
    let asks = config.sites[0].routes[0].access.asks().unwrap().clone();
    assert_eq!(asks.proofs, Proofs { mutual: true, ..Proofs::default() });
    assert!(asks.realm.is_some() && asks.client_cas.is_empty());
    assert!(config.client_cas.is_empty() && config.policy.is_none() && config.assertion.is_none());
}

/// Checks that `PROOF`, with `old` replaced by `new`, is refused on that line, with these words.
#[track_caller]
fn refused(old: &str, new: &str, line: usize, words: &[&str]) {
    assert_eq!(PROOF.matches(old).count(), 1, "{old} has to stand in the text once");
    let text = PROOF.replace(old, new);
    let errors = parse(&text).expect_err(&format!("this has to be refused:\n{text}"));
    let shown = errors.to_string();
    let lines: Vec<usize> = errors
        .diagnostics()
        .iter()
        .filter(|found| found.severity() == Severity::Error)
        .map(|found| found.position().unwrap().0)
        .collect();
    assert_eq!(lines, [line], "{shown}");
    for word in words {
        assert!(shown.contains(word), "{word:?} is missing:\n{shown}");
    }
}

#[test]
fn methods_and_what_they_need() {
    let all = r#"proof = ["mutual", "x509", "raw-key", "password-tls"]"#;
    refused(all, r#"proof = ["mutual", "x509", "raw-key", "password-tls", "x509"]"#, 40, &["twice"]);
    refused(all, r#"proof = []"#, 40, &["`proof` is empty"]);
    refused(all, r#"proof = "x509""#, 40, &["a list in brackets"]);
    refused(all, r#"proof = ["x508"]"#, 40, &["did you mean \"x509\"?"]);
    refused("realm = \"staff\"\n", "", 37, &["`realm` is missing", "realm = \"staff\""]);
    refused(
        "client-ca = [\"partners\", \"fleet\"]\n",
        "",
        37,
        &["`client-ca` is missing", "client-ca = [\"fleet\"]"],
    );
    refused("\"partners\", \"fleet\"]", "\"partner\"]", 42, &["there is no client-ca", "did you mean \"partners\"?"]);
    refused("\"partners\", \"fleet\"]", "\"fleet\", \"fleet\"]", 42, &["twice"]);
    refused("proof = [\"raw-key\"]", "proof = [\"raw-key\"]\nrealm = \"staff\"", 51, &["asks users of a realm"]);
    refused(
        "proof = [\"raw-key\"]",
        "proof = [\"raw-key\"]\nclient-ca = [\"fleet\"]",
        51,
        &["takes no certificates"],
    );
    refused("proof = [\"raw-key\"]", "proof = [\"raw-key\"]\nclient-cert = \"leaf\"", 51, &["takes no certificates"]);
    refused("proof = [\"raw-key\"]", "proof = [\"raw-key\"]\nallow = [\"bob\"]", 51, &["keep nobody out"]);
    refused("access = \"optional\"\nproof", "access = \"public\"\nproof", 50, &["has no `proof`"]);
}

#[test]
fn methods_of_tls_need_tls() {
    let text = PROOF
        .replace(
            "origins = [\"https://localhost:8443\"]",
            "origins = [\"https://localhost:8443\", \"http://localhost:8080\"]",
        )
        .replace("tls = true\n", "tls = true\n[[listen]]\naddress = \"127.0.0.1:8080\"\n");
    let shown = parse(&text).unwrap_err().to_string();
    assert_eq!(shown.matches("served without TLS as well").count(), 4, "{shown}");
    assert!(!shown.contains("^^^^^^^^ this method is a part of TLS, or needs its protection\n50"), "{shown}");
}

#[test]
fn authorities() {
    refused("crl-policy = \"accept\"\n", "", 15, &["`crl-policy` is missing", "only you can know which is worse"]);
    refused(
        "certificates = \"fleet.pem\"\n",
        "certificates = \"fleet.pem\"\ncrl-policy = \"refuse\"\n",
        26,
        &["no lists"],
    );
    refused("names = [\"email\", \"cn\"]", "names = []", 19, &["would name anybody"]);
    refused("names = [\"email\", \"cn\"]", "names = [\"cn\", \"cn\"]", 19, &["twice"]);
    refused("names = [\"email\", \"cn\"]", "names = [\"mail\"]", 19, &["\"mail\" is not known here"]);
    refused("id = \"fleet\"", "id = \"partners\"", 24, &["two [[client-ca]]"]);
    refused("http://crl.example.com", "ldap://crl.example.com", 21, &["https:// URLs are fetched"]);
    refused("http://crl.example.com", "http://me:secret@crl.example.com", 21, &["cannot be fetched"]);
    refused("certificates = \"fleet.pem\"\n", "", 23, &["`certificates` is missing"]);
}

#[test]
fn the_rest() {
    refused(
        "key = \"gateway.key\"\n",
        "key = \"gateway.key\"\n[[raw-key]]\nkey = \"b.key\"\n",
        28,
        &["one bare key"],
    );
    refused("file = \"policy.cedar\"\n", "", 28, &["`file` is missing"]);
    refused("issuer = \"https://localhost:8443\"\n", "", 30, &["`issuer` is missing"]);
    refused("life = \"30s\"", "life = \"1d\"", 34, &["1h is the longest"]);
    refused("life = \"30s\"", "life = \"1500ms\"", 34, &["whole seconds"]);
    refused("field = \"X-Proof\"", "field = \"Tagai-Groups\"", 33, &["say two things"]);
    refused("field = \"X-Proof\"", "field = \"Client-Cert\"", 33, &["a meaning of its own"]);
    refused("audience = \"wiki\"", "audience = \"\"", 44, &["cannot be an audience"]);
    refused("\"alice\"]", "\"grup:ops\"]", 43, &["did you mean", "group"]);
    refused("allow = [\"group:ops and proof:x509\", \"alice\"]", "allow = []", 43, &["no rule in it"]);
}

#[test]
fn an_audience_needs_an_assertion() {
    let start = PROOF.find("[assertion]").unwrap();
    let end = PROOF.find("[[site]]").unwrap();
    let shown = parse(&format!("{}{}", &PROOF[..start], &PROOF[end..])).unwrap_err().to_string();
    assert!(shown.contains("there is no [assertion]") && shown.contains("audience = \"wiki\""), "{shown}");
}

#[test]
fn what_no_route_uses_is_worth_a_warning() {
    let text = PROOF.replace("[\"partners\", \"fleet\"]", "[\"partners\"]");
    let config = parse(&text).unwrap();
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert!(matches!(&warnings[..], [one] if one.contains("\"fleet\" is not used")), "{warnings:?}");
}
