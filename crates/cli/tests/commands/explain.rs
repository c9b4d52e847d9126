//! `tagai explain`, `tagai policy`, and what `tagai check` says of policies.

use crate::support::Dir;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};

const PIN: &str = "key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const API: &str = "https://www.example.test/api/x";
const HOME: &str = "https://localhost:8443/page";

const SITE: &str = r#"
[[client-ca]]
id = "partners"
certificates = "partners.pem"
unregistered = "refuse"

[[client-ca]]
id = "others"
certificates = "partners.pem"
names = ["email", "dns"]

[[site]]
origins = ["https://www.example.test"]
[[site.route]]
path = "/"
access = "public"
upstream = "http://127.0.0.1:9000"
[[site.route]]
path = "/api/"
access = "protected"
proof = ["x509", "raw-key"]
client-ca = ["partners"]
allow = ["group:ops and proof:x509 and from:10.0.0.0/8", "group:sensors and method:GET"]
methods = ["GET", "POST"]
upstream = "http://127.0.0.1:9000"
[[site.route]]
path = "/open/"
access = "optional"
proof = ["x509"]
client-ca = ["others"]
upstream = "http://127.0.0.1:9000"
"#;

/// A configuration with a route for partners; alice is in the group ops, by a certificate.
fn ready() -> Dir {
    let dir = Dir::ready();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    dir.write("partners.pem", &ca.as_ref().pem());
    for (file, name) in [("d1.pem", "d1.example.com"), ("d2.pem", "d2.example.com")] {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let key = KeyPair::generate().unwrap();
        dir.write(file, &params.signed_by(&key, &ca).unwrap().pem());
    }
    let stranger = CertificateParams::new(vec!["d1.example.com".to_owned()]).unwrap();
    dir.write("stranger.pem", &stranger.self_signed(&KeyPair::generate().unwrap()).unwrap().pem());
    let config = dir.read("tagai.toml");
    dir.write("tagai.toml", &format!("{config}{SITE}"));
    dir.run(&["principal", "add", "alice", "--group", "ops"]).exits(0);
    dir.run(&["principal", "bind", "alice", "--certificate", "d1.pem", "--client-ca", "partners"]).exits(0);
    dir
}

/// What the program says, with its exit code.
#[track_caller]
fn explain(dir: &Dir, args: &[&str], code: i32, says: &[&str]) {
    let ran = dir.run(&[&["explain"], args].concat()).exits(code);
    for word in says {
        assert!(ran.out.contains(word), "{word:?} is missing in {ran:#?}");
    }
}

fn json(dir: &Dir, args: &[&str]) -> serde_json::Value {
    dir.run(&[&["explain"], args, &["--json"]].concat()).json()
}

#[test]
fn the_way_of_a_request_is_told_up_to_where_it_ends() {
    let dir = ready();
    let office = ["--as", "alice", "--from", "10.1.2.3"];
    explain(
        &dir,
        &[&[API], &office[..]].concat(),
        0,
        &["it would be let through", "x509:partners/dns:d1.example.com, by x509", "in ops", "a policy permits it"],
    );
    let account = json(&dir, &[&[API], &office[..]].concat());
    assert_eq!((account["passes"].as_bool(), account["principal"].as_str()), (Some(true), Some("alice")));
    assert_eq!(account["route"], "https://www.example.test/api/");
    // From elsewhere, the rule that came nearest is told, and what of it was missing.
    explain(
        &dir,
        &[API, "--as", "alice", "--proof", "x509"],
        1,
        &["403, not-permitted", "no policy permits it", "group:ops: yes", "from:10.0.0.0/8: no"],
    );
    explain(&dir, &[API, "--as", "alice", "--method", "DELETE"], 1, &["405", "takes GET, POST alone"]);
    explain(&dir, &[API], 1, &["403, certificate-required", "nothing is proven", "x509 (partners), raw-key"]);
    explain(&dir, &["https://elsewhere.test/"], 1, &["421", "no [[site]] has the origin https://elsewhere.test"]);
    explain(&dir, &["http://www.example.test/api/x"], 1, &["421"]);
    explain(&dir, &["https://WWW.example.test:443/%61pi/x"], 1, &["400", "two routes"]);
    explain(&dir, &["https://localhost:8443/.well-known/tagai/logout"], 0, &["the gateway's own"]);
    explain(
        &dir,
        &["https://www.example.test/page?x#y"],
        0,
        &["a guest here", "everybody at https://www.example.test/"],
    );
}

#[test]
fn who_is_kept_out_is_told_why() {
    let dir = ready();
    let asks = [API, "--as", "alice", "--from", "10.0.0.1"];
    dir.run(&["deny", "add", "principal", "alice", "--reason", "laptop stolen"]).exits(0);
    explain(&dir, &asks, 1, &["403, denied", "laptop stolen"]);
    dir.run(&["deny", "remove", "principal", "alice"]).exits(0);
    dir.run(&["principal", "disable", "alice"]).exits(0);
    explain(&dir, &asks, 1, &["403, disabled"]);
    dir.run(&["principal", "enable", "alice"]).exits(0);
    explain(&dir, &asks, 0, &[]);
    explain(
        &dir,
        &[API, "--credential", "x509:partners/dns:d2.example.com"],
        1,
        &["403, not-registered", "belongs to no registered principal"],
    );
    explain(&dir, &[API, "--as", "alice", "--proof", "raw-key"], 1, &["nothing could be proven by raw-key"]);
    explain(&dir, &[API, "--as", "bob"], 1, &["there is no principal bob"]);
    explain(&dir, &[API, "--credential", PIN], 1, &["403, not-registered"]);
    dir.run(&["principal", "add", "sensor-7", "--kind", "device", "--group", "sensors"]).exits(0);
    dir.run(&["principal", "bind", "sensor-7", PIN]).exits(0);
    explain(&dir, &[API, "--credential", PIN], 0, &["by raw-key", "sensor-7, a registered device"]);
    explain(&dir, &[API, "--as", "sensor-7", "--method", "POST"], 1, &["method:GET: no"]);
    // Where everybody may be, they are guests.
    explain(
        &dir,
        &["https://www.example.test/open/", "--as", "alice"],
        0,
        &["does not take certificates of partners"],
    );
}

#[test]
fn users_are_those_of_the_store() {
    let dir = ready();
    explain(&dir, &[HOME], 1, &["401, and asked for a login"]);
    explain(&dir, &[HOME, "--as", "staff/bob"], 1, &["there is no user bob in the realm staff"]);
    dir.run_with(&["user", "add", "bob", "--password-stdin"], "secret\n").exits(0);
    explain(
        &dir,
        &[HOME, "--as", "staff/bob"],
        0,
        &["user:staff/bob, by mutual", "staff/bob, who is not registered"],
    );
    explain(&dir, &[HOME, "--as", "staff/bob", "--proof", "password-tls"], 1, &["does not take password-tls"]);
    explain(&dir, &[API, "--as", "staff/bob"], 1, &["does not take mutual"]);
    dir.run(&["user", "disable", "bob"]).exits(0);
    explain(&dir, &[HOME, "--credential", "user:staff/bob"], 1, &["the user bob is disabled"]);
}

#[test]
fn forward_proxies_are_asked_as_well() {
    let dir = ready();
    let config = dir.read("tagai.toml");
    let proxy = "[[forward-proxy]]\naddress = \"127.0.0.1:3128\"\nname = \"localhost\"\nrealm = \"staff\"\n\
                 allow = [\"*.example.org:443\", \"10.0.0.1:80\"]\nwho = [\"group:ops and host:*.example.org\"]\n";
    dir.write("tagai.toml", &format!("{config}{proxy}"));
    let way = "https://www.example.org/";
    let ask = |url, who: &[&str], code, says: &[&str]| {
        explain(&dir, &[&[url, "--proxy", "localhost"], who].concat(), code, says);
    };
    ask(way, &[], 1, &["407, and asked for a login"]);
    ask(way, &["--as", "alice"], 1, &["407", "the proxy takes mutual (staff)"]);
    dir.run_with(&["user", "add", "al", "--password-stdin"], "secret\n").exits(0);
    dir.run(&["principal", "bind", "alice", "user:staff/al"]).exits(0);
    ask(way, &["--as", "alice"], 0, &["by CONNECT to www.example.org:443", "a policy permits it"]);
    ask("https://www.example.org:22/", &["--as", "alice"], 1, &["403, target"]);
    ask("http://10.0.0.1/", &["--as", "alice"], 1, &["403, not-permitted", "host:*.example.org: no"]);
    dir.run(&["principal", "disable", "alice"]).exits(0);
    ask(way, &["--as", "alice"], 1, &["403, disabled"]);
    explain(
        &dir,
        &[way, "--proxy", "elsewhere", "--as", "alice"],
        1,
        &["no [[forward-proxy]] of the name elsewhere"],
    );
}

#[test]
fn a_certificate_is_judged_as_the_gateway_does() {
    let dir = ready();
    let with =
        |file: &'static str| [API, "--certificate", file, "--from", "10.0.0.1", "--at", "2026-11-21T12:00:00Z"];
    explain(&dir, &with("d1.pem"), 0, &["x509:partners/dns:d1.example.com"]);
    explain(&dir, &with("d2.pem"), 1, &["not-registered"]);
    explain(&dir, &with("stranger.pem"), 1, &["403, certificate-"]);
    let late = [API, "--certificate", "d1.pem", "--at", "2031-01-01T00:00:00Z"];
    explain(&dir, &late, 1, &["403, certificate-expired"]);
    explain(&dir, &[HOME, "--certificate", "d1.pem"], 1, &["401", "asks for no certificate"]);
    let denied = dir.run(&["deny", "add", "key", "d1.pem"]).exits(0);
    assert!(denied.err.contains("is denied now"), "{denied:?}");
    explain(&dir, &with("d1.pem"), 1, &["403, denied"]);
    // Without the file, nobody knows the key: that is said.
    explain(
        &dir,
        &[API, "--as", "alice", "--from", "10.0.0.1"],
        0,
        &["note: of a certificate only the name is known"],
    );
}

#[test]
fn a_policy_file_decides_and_is_quoted_by_its_line() {
    let dir = ready();
    let config = dir.read("tagai.toml");
    dir.write("tagai.toml", &format!("{config}[policy]\nfile = \"policy.cedar\"\n"));
    dir.write(
        "policy.cedar",
        "permit (principal is Principal, action, resource);\n\n@id(\"office-hours\")\nforbid (principal, action, resource)\n\
         unless { context.time.toTime() >= duration(\"8h\") && context.time.toTime() < duration(\"18h\") };\n",
    );
    let at = |time: &'static str| [API, "--as", "alice", "--at", time];
    explain(&dir, &at("2026-11-21T12:00:00Z"), 0, &["policy.cedar:1"]);
    explain(&dir, &at("2026-11-21T20:00:00Z"), 1, &["403, forbidden", "office-hours (policy.cedar:3)"]);
    dir.run(&["policy", "check", "policy.cedar"]).exits(0);

    dir.write("policy.cedar", "permit (principal is Principal, action, resource)\nwhen { principal.prof == 1 };\n");
    for (args, code) in [(&["policy", "check", "policy.cedar"][..], 1), (&["check"], 1)] {
        let ran = dir.run(args).exits(code);
        for word in ["error: ", "--> policy.cedar:2:", "2 | when { principal.prof == 1 };", "^^^"] {
            assert!(ran.out.contains(word), "{word:?} is missing in {ran:#?}");
        }
    }
    let report = dir.run(&["check", "--json"]).exits(1).json();
    let wrong = report["checks"].as_array().unwrap().iter().find(|check| check["problem"].is_string()).unwrap();
    assert_eq!((&wrong["what"], &wrong["problem"]), (&"policies policy.cedar".into(), &"1 error".into()));
    assert_eq!((&wrong["findings"][0]["line"], &wrong["findings"][0]["file"]), (&2.into(), &"policy.cedar".into()));
    dir.run(&["explain", API]).exits(1).says(&["the policies cannot be used", "--> policy.cedar:2:"]);
    dir.run(&["policy", "check", "missing.cedar"]).exits(1).says(&["missing.cedar"]);
    let schema = dir.run(&["policy", "schema"]).exits(0).out;
    assert!(schema.contains("entity Principal") && schema.contains("action Connect"), "{schema}");
}

const LINES: &str = r#"{"time":"2026-11-20T08:00:00.000Z","event":"refused","principal":"nobody","method":"x509","origin":"https://www.example.test/api/","address":"10.0.0.1","id":"4f3a9c0d5e6b7a81","reason":"older"}
{"time":"2026-11-20T09:00:00.000Z","event":"refused","principal":"alice","method":"x509","origin":"https://www.example.test/api/","address":"10.0.0.1","id":"4f3a9c0d5e6b7a81","reason":"denied: the deny list has principal alice (lost)"}
{"time":"2026-11-20T09:00:01.000Z","event":"refused","origin":"https://www.example.test/api/","address":"192.0.2.1","id":"00aa00aa00aa00aa","reason":"certificate-required: no certificate was shown"}
{"time":"2026-11-20T09:00:02.000Z","event":"refused","user":"\"id\":\"ffffffffffffffff","reason":"not an id of its own"}
no JSON at all, "id":"eeeeeeeeeeeeeeee
"#;

#[test]
fn a_refusal_is_found_by_its_id() {
    let dir = ready();
    dir.write("audit.log", LINES);
    let says = [
        "refused at 2026-11-20T09:00:00.000Z: denied: the deny list has principal alice (lost)",
        "from       10.0.0.1",
        "By what holds now",
        "it would be let through",
    ];
    explain(&dir, &["4f3a9c0d5e6b7a81"], 0, &says);
    explain(&dir, &["4F3A9C"], 0, &says);
    explain(&dir, &["00aa00aa00aa00aa"], 0, &["certificate-required: no certificate", "it would be refused: 403"]);
    let found = json(&dir, &["4f3a9c0d5e6b7a81"]);
    assert_eq!((&found["noted"]["principal"], &found["now"]["passes"]), (&"alice".into(), &true.into()));
    for id in ["ffffffffffffffff", "eeeeeeeeeeeeeeee", "123456"] {
        dir.run(&["explain", id]).exits(1).says(&["has no refusal", id]);
    }
    // Rotated away.
    std::fs::rename(dir.path("audit.log"), dir.path("audit.log.1")).unwrap();
    explain(&dir, &["4f3a9c0d5e6b7a81"], 0, &says[..2]);
    dir.write("audit.log", "");
    explain(&dir, &["4f3a9c0d5e6b7a81"], 0, &says[..2]);

    dir.edit("tagai.toml", "audit = \"audit.log\"", "audit = \"-\"");
    dir.run(&["explain", "4f3a9c0d5e6b7a81"]).exits(1).says(&["standard output", "audit = \"audit.log\" in [log]"]);
    dir.edit("tagai.toml", "audit = \"-\"", "#");
    dir.run(&["explain", "4f3a9c0d5e6b7a81"]).exits(1).says(&["in the log of the gateway", "grep 4f3a9c0d5e6b7a81"]);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    let dir = ready();
    for (args, says) in [
        (&["4f3"][..], "neither a URL nor the id"),
        (&["www.example.test"], "a URL begins with https://"),
        (&["ftp://www.example.test/"], "no route has"),
        (&["https://a b/"], "is no URL"),
        (&["4f3a9c0d5e6b7a81", "--as", "alice"], "there is no URL"),
        (&[API, "--proof", "x509"], "nothing says who"),
        (&[API, "--as", "alice", "--proof", "oath"], "there are mutual, x509"),
        (&[API, "--credential", PIN, "--proof", "x509"], "cannot be proven by x509"),
        (&[API, "--certificate", "d1.pem", "--proof", "mutual"], "a proof by x509"),
        (&[API, "--as", "alice", "--credential", PIN], "cannot be used with"),
        (&[API, "--at", "noon"], "2026-11-21T12:00:00Z"),
        (&[API, "--from", "here"], "invalid"),
        (&[API, "--method", "GE T"], "is no HTTP method"),
        (&[API, "--as", "a b"], "cannot be the name of a principal"),
    ] {
        dir.run(&[&["explain"], args].concat()).exits(2).says(&[says]);
    }
    dir.run(&["explain", API, "--certificate", "missing.pem"]).exits(1).says(&["missing.pem"]);
    dir.run(&["explain"]).exits(2).says(&["Examples:"]);
}

#[test]
fn credentials_that_nobody_can_prove_are_warned_of() {
    let dir = ready();
    let bind = |credential| dir.run(&["principal", "bind", "alice", credential]).exits(0);
    bind("x509:partner/dns:a.example.com").says(&["warning: there is no client-ca partner in", "partners, others"]);
    assert!(!bind("x509:others/dns:a.example.com").err.contains("warning"));
    bind("user:staf/al").says(&["warning: there is no realm staf"]);
    let checked = dir.run(&["check"]).exits(0).out;
    assert!(checked.contains("x509:partner/dns:a.example.com of the principal alice is of no use"), "{checked}");
    assert!(checked.contains("user:staf/al of the principal alice is of no use"), "{checked}");
    assert!(!checked.contains("x509:others/dns:a.example.com of"), "{checked}");
    let report = dir.run(&["check", "--json"]).exits(0).json();
    let warned: usize =
        report["checks"].as_array().unwrap().iter().map(|check| check["warnings"].as_array().unwrap().len()).sum();
    assert_eq!(warned, 2, "{report}");
}

#[test]
fn a_certificate_is_bound_by_the_names_that_its_client_ca_looks_for() {
    let dir = ready();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["d9.example.com".to_owned()]).unwrap();
    params.subject_alt_names.push(rcgen::SanType::Rfc822Name("ops@example.com".try_into().unwrap()));
    dir.write("d9.pem", &params.self_signed(&key).unwrap().pem());
    let bind = ["principal", "bind", "alice", "--certificate", "d9.pem", "--client-ca"];
    dir.run(&[&bind[..], &["others"]].concat()).exits(0).says(&["x509:others/email:ops@example.com is alice now"]);
    dir.run(&[&bind[..], &["partners"]].concat()).exits(0).says(&["x509:partners/dns:d9.example.com is alice now"]);
    let named = [&bind[..], &["others", "--names", "dns"]].concat();
    dir.run(&named).exits(0).says(&["x509:others/dns:d9.example.com is alice now"]);
    // Several common names are no name.
    params.distinguished_name.push(rcgen::DnType::CommonName, "one");
    params.distinguished_name.push(rcgen::DnType::CustomDnType(vec![2, 5, 4, 3]), "two");
    dir.write("d9.pem", &params.self_signed(&key).unwrap().pem());
    dir.run(&[&bind[..], &["others", "--names", "cn"]].concat()).exits(1).says(&["several names of the kind cn"]);
}
