use super::*;
use crate::config::{Diagnostic, Severity};

/// Checks that `SMALL`, with `old` replaced by `new`, is refused for one reason alone: on that line, with these words in its
/// message, its label or its help.
#[track_caller]
fn refused(old: &str, new: &str, line: usize, words: &[&str]) {
    assert!(old.is_empty() || SMALL.matches(old).count() == 1, "{old} has to stand in the text once");
    let text = if old.is_empty() { format!("{SMALL}{new}") } else { SMALL.replace(old, new) };
    let errors = parse(&text).expect_err(&format!("this has to be refused:\n{text}"));
    let shown = errors.to_string();
    let errors: Vec<&Diagnostic> =
        errors.diagnostics().iter().filter(|found| found.severity() == Severity::Error).collect();
    let [error] = errors[..] else { panic!("one error is expected:\n{shown}") };
    assert_eq!(error.position().unwrap().0, line, "the line:\n{shown}");
    for word in words {
        assert!(shown.contains(word), "{word:?} is missing:\n{shown}");
    }
    assert!(shown.contains(&format!("etc/tagai.toml:{line}:")) && shown.contains('^'), "{shown}");
}

#[test]
fn an_error_looks_like_this() {
    let errors = parse(&SMALL.replace("realm = \"staff\"", "realm = \"staf\"")).unwrap_err();
    // The realm is unused then, which is said as well.
    let error = errors.diagnostics().iter().find(|found| found.severity() == Severity::Error).unwrap();
    assert_eq!(
        error.to_string(),
        r#"error: there is no realm "staf"
  --> etc/tagai.toml:21:9
   |
21 | realm = "staf"
   |         ^^^^^^ no [[realm]] has this id
   = help: did you mean "staff"?
"#
    );
    assert_eq!(error.position(), Some((21, 9)));
    let coloured = error.render(true);
    assert!(coloured.starts_with("\x1b[1;31merror\x1b[0m"), "{coloured:?}");
}

#[test]
fn all_errors_are_said_at_once_in_the_order_of_the_file() {
    let text = SMALL
        .replace("database", "databse")
        .replace("127.0.0.1:8080", "127.0.0.1:8443")
        .replace("access = \"protected\"", "access = \"secret\"");
    let errors = parse(&text).unwrap_err();
    let lines: Vec<usize> = errors
        .diagnostics()
        .iter()
        .filter(|found| found.severity() == Severity::Error)
        .map(|found| found.position().unwrap().0)
        .collect();
    assert_eq!(lines, [1, 2, 8, 20], "{errors}");
    assert!(errors.to_string().ends_with("4 errors in the configuration; nothing was changed"), "{errors}");
}

#[test]
fn syntax() {
    refused("tls = true", "tls = ", 6, &["this is not TOML"]);
    refused("[[site]]", "[[site]", 16, &["this is not TOML"]);
    refused("name = \"Staff\"", "name = \"Staff\"\nname = \"Again\"", 15, &["duplicate key"]);
    let errors = parse("a = \nb = [1,\nc").unwrap_err();
    assert!(errors.diagnostics().len() > 1, "several errors of syntax are said at once:\n{errors}");
}

#[test]
fn names() {
    refused(
        "",
        "[limits]\nconections = 5",
        24,
        &["unknown field `conections` in [limits]", "did you mean `connections`?"],
    );
    refused("", "[limts]\n", 23, &["unknown field `limts` at the top level", "did you mean `limits`?"]);
    refused("", "[guessing]\ncolour = 5", 24, &["known here: failures-per-address, failures-per-user, recovery"]);
    refused("", "timeout = \"1s\"\nmax_body = \"1MiB\"", 24, &["did you mean `max-body`?"]);
    refused("", "[site.route.control]\nusernam = \"a\"", 24, &["did you mean `username`?"]);
}

#[test]
fn types() {
    refused(
        "tls = true",
        "tls = \"true\"",
        6,
        &["`tls` has to be true or false", "without quotation marks: tls = true"],
    );
    refused("\"tagai.db\"", "7", 2, &["`database` has to be a string", "this is an integer"]);
    refused("", "timeout = 60", 23, &["`timeout` has to be a string", "with its unit"]);
    refused("", "[limits]\nconnections = \"5\"", 24, &["without quotation marks: connections = 5"]);
    refused("", "methods = \"GET\"", 23, &["list in brackets"]);
    refused("", "methods = [1]", 23, &["this is an integer"]);
    refused("", "[[limits]]\n", 23, &["only one [limits]", "single brackets"]);
    refused("[[site]]", "[site]", 16, &["`site` is a list of tables", "double brackets: [[site]]"]);
    refused("", "[log]\nlevel = 1.5", 24, &["this is a float"]);
    refused("", "[log]\nlevel = 1979-05-27", 24, &["this is a date or time"]);
}

#[test]
fn what_has_to_be_there() {
    refused("database = \"tagai.db\"\n", "", 1, &["`database` is missing in [store]"]);
    refused("keys = \"keys/store.keys\"\n", "", 1, &["`keys` is missing", "keys-env"]);
    refused("id = \"staff\"\n", "", 12, &["`id` is missing in [[realm]]"]);
    refused("scope = \"localhost\"\n", "", 12, &["`scope` is missing"]);
    refused("address = \"127.0.0.1:8443\"\n", "", 4, &["`address` is missing"]);
    refused("path = \"/\"\n", "", 18, &["`path` is missing in [[site.route]]"]);
    refused("access = \"protected\"\n", "", 18, &["`access` is missing", "\"public\" lets everybody through"]);
    refused("realm = \"staff\"\n", "", 18, &["`realm` is missing", "realm = \"staff\""]);
    refused("upstream = \"http://127.0.0.1:9000\"\n", "", 18, &["`upstream` is missing"]);
    refused("key = \"keys/localhost.key\"\n", "", 9, &["`key` is missing in [[certificate]]"]);
    let errors = parse("").unwrap_err().to_string();
    for section in ["[store]", "[[listen]]", "[[site]]"] {
        assert!(errors.contains(&format!("there is no {section}")), "{errors}");
    }
}

#[test]
fn places_of_the_machine() {
    refused("keys = \"keys/store.keys\"", "keys = \"a\"\nkeys-env = \"B\"", 4, &["in one place, not in two"]);
    refused("keys = \"keys/store.keys\"", "keys-env = \"1 B\"", 3, &["name of an environment variable"]);
    refused("\"tagai.db\"", "\"\"", 2, &["not the path of a file"]);
    refused("\"tagai.db\"", "\"~/tagai.db\"", 2, &["`~` is not known here"]);
    refused(
        "keys = \"keys/store.keys\"",
        "keys = \"k\"\nsessions = \"redis\"",
        4,
        &["one of \"memory\", \"sqlite\""],
    );
    refused("127.0.0.1:8080", "localhost:8080", 8, &["write \"127.0.0.1:8080\""]);
    refused("127.0.0.1:8080", ":8080", 8, &["\"0.0.0.0:8080\" is every IPv4 address"]);
    refused("127.0.0.1:8080", "127.0.0.1", 8, &["not an address with a port"]);
    refused("127.0.0.1:8080", "127.0.0.1:8443", 8, &["two [[listen]] have the address"]);
    refused("", "[admin]\naddress = \"127.0.0.1:8080\"", 24, &["is that of a [[listen]]"]);
    refused("", "[trust]\nproxies = [\"10.0.0.1/8\"]", 24, &["write \"10.0.0.0/8\""]);
    refused("", "[trust]\nproxies = [\"::1\", \"10.0.0.0/33\"]", 24, &["not a network"]);
    refused("", "[trust]\nproxies = [\"0.0.0.0/0\"]", 24, &["everybody is trusted"]);
    refused("", "[trust]\nfield = \"forwarded\"", 24, &["did you mean \"Forwarded\"?"]);
    refused("", "[log]\nlevel = \"warning\"", 24, &["did you mean \"warn\"?"]);
    refused("", "[log]\nformat = \"xml\"", 24, &["one of \"text\", \"json\""]);
}

#[test]
fn origins_and_who_listens_for_them() {
    refused("tls = true\n", "", 16, &["nothing listens for https://localhost:8443", "tls = true"]);
    refused(
        "address = \"127.0.0.1:8080\"",
        "address = \"127.0.0.1:8080\"\ntls = true",
        18,
        &["nothing listens for http://"],
    );
    refused(
        "[[certificate]]\nchain = \"keys/localhost.pem\"\nkey = \"keys/localhost.key\"\n",
        "",
        1,
        &["no [[certificate]]"],
    );
    refused("\"http://localhost:8080\"", "\"https://LOCALHOST:8443\"", 17, &["named twice"]);
    refused("\"http://localhost:8080\"", "\"http://localhost:8080/\"", 17, &["write \"http://localhost:8080\""]);
    refused("\"http://localhost:8080\"", "\"localhost\"", 17, &["write \"https://localhost\""]);
    refused("\"http://localhost:8080\"", "\"ftp://localhost\"", 17, &["is no origin"]);
    refused("\"http://localhost:8080\"", "\"http://日本.jp\"", 17, &["A-labels"]);
    refused("[\"https://localhost:8443\", \"http://localhost:8080\"]", "[]", 17, &["`origins` is empty"]);
    let twice = "[[site]]\norigins = [\"http://localhost:8080\"]\n[[site.route]]\npath = \"/\"\naccess = \"public\"\nupstream = \"http://a\"";
    refused("", twice, 24, &["named twice", "all of its routes into one [[site]]"]);
}

#[test]
fn realms() {
    refused("id = \"staff\"", "id = \"the staff\"", 13, &["this cannot be an id"]);
    refused("name = \"Staff\"", "name = \"\"", 14, &["cannot be the name of a realm"]);
    refused(
        "scope = \"localhost\"",
        "scope = \"*.com\"",
        15,
        &["spans domains of different owners", "*.example.com"],
    );
    refused("scope = \"localhost\"", "scope = \"Localhost\"", 15, &["write \"localhost\""]);
    refused("scope = \"localhost\"", "scope = \"https://localhost:443/\"", 15, &["write \"https://localhost\""]);
    refused("scope = \"localhost\"", "scope = \"a b\"", 15, &["not an authentication scope"]);
    refused(
        "scope = \"localhost\"",
        "scope = \"localhost\"\nalgorithm = \"sha256\"",
        16,
        &["iso-kam3-ec-p256-sha256"],
    );
    refused("scope = \"localhost\"", "scope = \"localhost\"\nsession-time = \"0s\"", 16, &["the duration is zero"]);
    refused("scope = \"localhost\"", "scope = \"localhost\"\nsession-time = \"1500ms\"", 16, &["whole seconds"]);
    refused("scope = \"localhost\"", "scope = \"localhost\"\nsession-requests = 0", 16, &["it has to be 1 or more"]);
    refused("scope = \"localhost\"", "scope = \"localhost\"\nsession-requests = -1", 16, &["out of range"]);
    refused(
        "scope = \"localhost\"",
        "scope = \"localhost\"\nregistration = true",
        16,
        &["a string", "\"invitation\""],
    );
    refused("scope = \"localhost\"", "scope = \"localhost\"\nregistration = \"open\"", 16, &["invitation"]);
    refused("scope = \"localhost\"", "scope = \"localhost\"\npassword-change = \"yes\"", 16, &["true or false"]);
    refused("scope = \"localhost\"", "scope = \"localhost\"\nnonce-window = 0", 16, &["from 1 to 4096"]);
    refused("scope = \"localhost\"", "scope = \"localhost\"\nnonce-window = 4097", 16, &["from 1 to 4096"]);
    refused(
        "scope = \"localhost\"",
        "scope = \"localhost\"\npaths = [\"app\"]",
        16,
        &["cannot stand in a list of paths"],
    );
    refused("scope = \"localhost\"", "scope = \"localhost\"\npaths = [\"/a /b\"]", 16, &["a string of its own"]);
    refused("scope = \"localhost\"", "scope = \"localhost\"\npaths = []", 16, &["`paths` is empty"]);
    let many = (0..65).map(|n| format!("\"/{n}/\"")).collect::<Vec<_>>().join(",");
    refused(
        "scope = \"localhost\"",
        &format!("scope = \"localhost\"\npaths = [{many}]"),
        16,
        &["`paths` is too long"],
    );
    refused(
        "[[realm]]",
        "[[realm]]\nid = \"staff\"\nname = \"Other\"\nscope = \"localhost\"\n[[realm]]",
        17,
        &["two realms \"staff\""],
    );
    refused(
        "[[realm]]",
        "[[realm]]\nid = \"other\"\nname = \"Staff\"\nscope = \"localhost\"\n[[realm]]",
        17,
        &["are the same"],
    );
}

#[test]
fn realms_where_they_are_used() {
    refused(
        "realm = \"staff\"",
        "realm = \"stuff\"",
        21,
        &["there is no realm \"stuff\"", "did you mean \"staff\"?"],
    );
    refused("realm = \"staff\"", "realm = \"guests\"", 21, &["there is staff"]);
    refused(
        "scope = \"localhost\"",
        "scope = \"https://localhost:8443\"",
        21,
        &[
            "the realm \"staff\" is not valid on http://localhost:8080",
            "its scope is \"https://localhost:8443\"",
            "widen the scope",
        ],
    );
    let with_path = "scope = \"localhost\"\npaths = [\"https://example.org/\"]";
    let text = SMALL.replace("scope = \"localhost\"", with_path);
    let errors = parse(&text).unwrap_err();
    assert!(errors.to_string().contains("etc/tagai.toml:16:10"), "{errors}");
    assert!(errors.to_string().contains("the path https://example.org/ is outside of the realm's scope"), "{errors}");
    refused("access = \"protected\"", "access = \"public\"", 21, &["a public route has no realm"]);
}

#[test]
fn routes() {
    refused("path = \"/\"", "path = \"app\"", 19, &["a path starts with \"/\"", "write \"/app\""]);
    refused("path = \"/\"", "path = \"/a?b\"", 19, &["by the path alone"]);
    refused("path = \"/\"", "path = \"/a/../b\"", 19, &["\"..\" segments never match"]);
    refused("path = \"/\"", "path = \"/é\"", 19, &["percent-encoded"]);
    for odd in
        ["/a;b", "/caf%c3%a9", "/%61", "/a%2Fb", "/a%5Cb", "/a%3Bb", "/a%25b", "/%2E%2E", "/a%", "/a%4", "/a%zz"]
    {
        refused("path = \"/\"", &format!("path = \"{odd}\""), 19, &["cannot be the path of a route"]);
    }
    refused("access = \"protected\"", "access = \"privat\"", 20, &["one of \"public\", \"optional\", \"protected\""]);
    for (upstream, words) in [
        ("127.0.0.1:9000", "it has to start with http://"),
        ("ftp://127.0.0.1", "only http, https and h2c"),
        ("http://user:secret@127.0.0.1", "a user and a password cannot be given here"),
        ("http://127.0.0.1:9000/?a=b", "no \"?\" and \"#\""),
        ("http://127.0.0.1:99999", "upstream"),
        ("http://127.0.0.1:0", "the host or the port is wrong"),
        ("http://127.0.0.1:", "the host or the port is wrong"),
        ("http://", "upstream"),
        ("http:// x", "this is not a URL"),
    ] {
        refused("http://127.0.0.1:9000", upstream, 22, &[words]);
    }
    refused("", "methods = [\"GET\", \"post\"]", 23, &["write \"POST\""]);
    refused("", "methods = [\"CONNECT\"]", 23, &["CONNECT cannot be routed"]);
    refused("", "methods = []", 23, &["lets nothing through"]);
    refused("", "max-body = \"10MB\"", 23, &["write \"10MiB\""]);
    refused("", "max-body = \"10\"", 23, &["write \"10B\""]);
    refused("", "max-body = \"ten\"", 23, &["this is not a size", "\"unlimited\""]);
    refused("", "max-body = \"0B\"", 23, &["the size is zero"]);
    refused("", "max-body = \"99999999999GiB\"", 23, &["the size is too large"]);
    for bad in ["60", "s", "1x", "1.5s", "-1s", "", "1 s"] {
        refused("", &format!("timeout = \"{bad}\""), 23, &["this is not a duration"]);
    }
    refused("", "timeout = \"400d\"", 23, &["365d is the longest"]);
    refused("", "timeout = \"99999999999999999999s\"", 23, &["this is not a duration"]);
    refused("", "upstream-ca = \"ca.pem\"", 23, &["`upstream-ca` is for https"]);
    refused("", "pass-host = 1", 23, &["`pass-host` has to be true or false"]);
    let again = "[[site.route]]\npath = \"/\"\naccess = \"public\"\nupstream = \"http://a\"";
    refused("", again, 24, &["the site has two routes \"/\""]);
}

#[test]
fn controls() {
    let control = |line: &str| format!("[site.route.control]\n{line}");
    refused("", &control("auth-style = \"model\""), 24, &["did you mean \"modal\"?"]);
    refused(
        "",
        &control("location-when-unauthenticated = \"javascript:alert(1)\""),
        24,
        &["users cannot be sent there"],
    );
    refused("", &control("location-when-logout = \"\""), 24, &["users cannot be sent there"]);
    refused("", &control("logout-timeout = -5"), 24, &["out of range"]);
    refused("", &control("logout-timeout = \"5m\""), 24, &["`logout-timeout` has to be an integer"]);
    refused("", &control("username = \"ad\\u0007min\""), 24, &["this cannot be a user name", "not allowed"]);
    refused("", &control("username = \"ａｄｍｉｎ\""), 24, &["write \"admin\""]);
    let optional = SMALL.replace("\"protected\"", "\"optional\"") + &control("auth-style = \"modal\"");
    let errors = parse(&optional).unwrap_err().to_string();
    assert!(errors.contains("etc/tagai.toml:24:14") && errors.contains("never modal"), "{errors}");
    let public = SMALL.replace("\"protected\"\nrealm = \"staff\"", "\"public\"") + &control("no-auth = true");
    let errors = parse(&public).unwrap_err().to_string();
    assert!(errors.contains("etc/tagai.toml:22:1") && errors.contains("there is nothing to control"), "{errors}");
}

#[test]
fn identity_headers() {
    let identity = |line: &str| format!("[identity]\n{line}");
    refused("", &identity("user = \"Tagai User\""), 24, &["no name of a header field"]);
    refused("", &identity("user = \"Tagai_User\""), 24, &["write \"Tagai-User\""]);
    for taken in ["Authorization", "cookie", "X-Forwarded-For", "HOST", "Sec-Fetch-Site", "Transfer-Encoding"] {
        refused("", &identity(&format!("user = \"{taken}\"")), 24, &["has a meaning of its own"]);
    }
    refused("", &identity("user = \"X-A\"\nrealm = \"x-a\""), 25, &["would say two things"]);
    refused("", &identity("user = \"Tagai-Realm\""), 24, &["would say two things"]);
}

#[test]
fn limits() {
    let limit = |line: &str| format!("[limits]\n{line}");
    for name in [
        "connections",
        "connections-per-address",
        "half-open",
        "half-open-per-address",
        "sessions",
        "sessions-per-user",
    ] {
        refused("", &limit(&format!("{name} = 0")), 24, &["is out of range"]);
    }
    refused("", &limit("connections = 10\nconnections-per-address = 11"), 25, &["more than `connections`"]);
    refused("", &limit("sessions = 10\nsessions-per-user = 11"), 25, &["more than `sessions`"]);
    refused("", &limit("headers = 2"), 24, &["from 16 to 4096"]);
    refused("", &limit("streams = 0"), 24, &["from 1 to 65536"]);
    refused("", &limit("header-size = \"1KiB\""), 24, &["from 8KiB to 1MiB"]);
    refused("", &limit("header-timeout = \"0s\""), 24, &["the duration is zero"]);
    refused("", "[guessing]\nrecovery = \"soon\"", 24, &["this is not a duration"]);
    refused("", "[guessing]\nfailures-per-user = 0", 24, &["is out of range"]);
}

#[test]
fn what_is_only_doubtful_is_a_warning() {
    for (old, new, line, words) in [
        ("scope = \"localhost\"", "scope = \"localhost\"\nsession-time = \"30s\"", 16, "over very soon"),
        ("scope = \"localhost\"", "scope = \"localhost\"\nnonce-window = 16", 16, "128 or more is recommended"),
        (
            "scope = \"localhost\"\n[[site]]\norigins = [\"https://localhost:8443\", ",
            "scope = \"localhost\"\nregistration = \"invitation\"\n[[site]]\norigins = [",
            16,
            "nobody can do this",
        ),
        (
            "scope = \"localhost\"\n[[site]]\norigins = [\"https://localhost:8443\", ",
            "scope = \"localhost\"\npassword-change = true\n[[site]]\norigins = [",
            16,
            "over TLS alone",
        ),
        (
            "scope = \"localhost\"",
            "scope = \"localhost\"\npaths = [\"/app/\"]",
            16,
            "leaves other pages of https://localhost:8443",
        ),
        ("name = \"Staff\"", "name = \"職員\"", 14, "not ASCII"),
        ("[[realm]]", "[[realm]]\nid = \"other\"\nname = \"O\"\nscope = \"localhost\"\n[[realm]]", 13, "is not used"),
        ("[store]", "[admin]\naddress = \"0.0.0.0:9901\"\n[store]", 2, "from other machines"),
    ] {
        let config = parse(&SMALL.replace(old, new)).unwrap_or_else(|errors| panic!("{errors}"));
        let [warning] = &config.warnings[..] else { panic!("{:?}", config.warnings) };
        assert_eq!((warning.severity(), warning.position().unwrap().0), (Severity::Warning, line), "{warning}");
        assert!(warning.to_string().starts_with("warning: ") && warning.to_string().contains(words), "{warning}");
    }
}

/// However much there is to say, an error is never lost among warnings, and what is said stays readable.
#[test]
fn many_findings() {
    let realms: String = (0..200)
        .map(|n| format!("[[realm]]\nid = \"r{n}\"\nname = \"R{n}\"\nscope = \"localhost\"\nsession-time = \"1s\"\n"))
        .collect();
    let warned = parse(&format!("{SMALL}{realms}")).unwrap();
    assert_eq!(warned.warnings.len(), 50);
    let errors = parse(&format!("{SMALL}{realms}[log]\nlevel = \"loud\"\n")).unwrap_err();
    assert!(errors.to_string().contains("\"loud\" is not known here"), "{errors}");
    let nonsense: String = (0..200).map(|n| format!("nonsense{n} = 1\n")).collect();
    let errors = parse(&format!("{nonsense}{SMALL}")).unwrap_err();
    assert_eq!(errors.diagnostics().len(), 50);
}

/// What nests without end is refused before it fills the stack.
#[test]
fn depth() {
    for text in [
        format!("a = {}", "[".repeat(500_000)),
        format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a = {}", "{a=".repeat(250_000)),
        format!("{}a = 1", "a.".repeat(500_000)),
        format!("[{}a]", "a.".repeat(500_000)),
    ] {
        assert!(parse(&text).is_err());
    }
}

#[test]
fn a_long_line_is_cut_around_what_is_wrong() {
    let text = SMALL.replace("\"http://localhost:8080\"", &format!("\"http://{}/\", \"x\"", "a".repeat(5000)));
    let errors = parse(&text).unwrap_err().to_string();
    assert!(errors.contains("etc/tagai.toml:17:"), "{errors}");
    assert!(errors.lines().all(|line| line.chars().count() < 6000), "{errors}");
    assert!(errors.lines().filter(|line| line.contains('|')).all(|line| line.chars().count() < 300), "{errors}");
}

#[test]
fn forward_proxies() {
    const PROXY: &str = "[[forward-proxy]]\naddress = \"127.0.0.1:3128\"\nname = \"localhost\"\nrealm = \"staff\"\nallow = [\"*:443\"]\n";
    let with = |old: &str, new: &str, line: usize, words: &[&str]| {
        assert_eq!(PROXY.matches(old).count(), 1);
        refused("", &PROXY.replace(old, new), line, words);
    };
    with("127.0.0.1:3128", "127.0.0.1:8443", 24, &["is taken"]);
    with("address = \"127.0.0.1:3128\"\n", "", 23, &["`address` is missing in [[forward-proxy]]"]);
    with("name = \"localhost\"\n", "", 23, &["`name` is missing"]);
    with("realm = \"staff\"\n", "", 23, &["`realm` is missing", "scope is the name of this proxy"]);
    with("allow = [\"*:443\"]\n", "", 23, &["`allow` is missing", "and nowhere else"]);
    with("[\"*:443\"]", "[]", 27, &["`allow` is empty"]);
    with("\"*:443\"", "\"a.example\"", 27, &["is nowhere to connect to", "a.example:443"]);
    with("\"*:443\"", "\"10.0.0.1/8:*\"", 27, &["bits behind the network's length"]);
    with("\"staff\"", "\"staf\"", 26, &["there is no realm \"staf\"", "did you mean \"staff\"?"]);
    with("\"localhost\"", "\"LocalHost\"", 25, &["write \"localhost\""]);
    with("\"localhost\"", "\"localhost:3128\"", 25, &["is no host"]);
    with(
        "\"localhost\"",
        "\"proxy.example.com\"",
        26,
        &["its scope is \"localhost\"", "RFC 8120 §14", "scope = \"proxy.example.com\""],
    );
    with("[\"*:443\"]", "[\"*:443\"]\nport = 0", 28, &["out of range"]);
    with("[\"*:443\"]", "[\"*:443\"]\nalow = []", 28, &["did you mean `allow`?"]);
    refused("", &format!("{PROXY}{PROXY}"), 29, &["is taken"]);
    with("[\"*:443\"]", "[\"*:443\"]\nwho = []", 28, &["`who` takes nobody anywhere", "[policy]"]);
    with("[\"*:443\"]", "[\"*:443\"]\nwho = [\"alice and\"]", 28, &["rule"]);
    let other = PROXY.replace("3128", "3129");
    refused(
        "",
        &format!("{PROXY}who = [\"alice\"]\n{other}"),
        31,
        &["different rules in `who`", "a name of its own"],
    );
}

/// What policies say is shown as what the configuration says: with the line, and the part of it that is wrong.
#[test]
fn policies_are_shown_by_their_lines() {
    use tagai_policy::{Access, Action, Policies, RouteRules, Source};
    let of = |text: &str, allow: &[&str]| {
        let files: Vec<Source> = [text]
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| Source { name: "p.cedar".into(), text: (*text).into() })
            .collect();
        let route = RouteRules {
            id: "https://a.example/".into(),
            access: Access::Protected,
            action: Action::Request,
            allow: allow.iter().map(ToString::to_string).collect(),
        };
        let problems = Policies::new(&files, &[route]).unwrap_err();
        problems.iter().map(Diagnostic::of_policy).collect::<Vec<_>>()
    };
    let text =
        "// いろは\npermit (principal is Principal, action, resource)\nwhen { \"いろは\" == principal.nam };\n";
    let found = &of(text, &[])[0];
    assert_eq!(found.file(), Path::new("p.cedar"));
    let (line, column) = found.position().unwrap();
    assert_eq!(line, 3);
    let shown = found.to_string();
    assert!(
        shown.contains("3 | when { \"いろは\" == principal.nam };")
            && shown.contains(&format!("--> p.cedar:3:{column}")),
        "{shown}"
    );
    let carets = shown.lines().find(|line| line.contains('^')).unwrap();
    let marked = carets.split_once("| ").unwrap().1;
    let shown_line = shown.lines().find(|line| line.starts_with("3 | ")).unwrap().split_once("| ").unwrap().1;
    assert_eq!(marked.chars().take_while(|c| *c == ' ').count(), column - 1);
    assert!(marked.trim_end().chars().count() <= shown_line.chars().count(), "{shown}");
    assert!(found.render(true).contains("\x1b[1;31m") && !shown.contains('\x1b'));

    let found = &of("", &["alice", "alice and"])[0];
    assert_eq!((found.file(), found.position().unwrap().0), (Path::new("rule 2 of https://a.example/"), 1));
    assert!(found.to_string().contains("1 | alice and"), "{found}");
}
