//! What is fetched, and where it goes: bodies both ways, files, JSON, exit codes.

use super::program::{Home, done, read};
use super::site::{PASSWORD, Site};
use http::Method;
use std::io::Read as _;

#[test]
fn a_page_without_login_is_fetched_and_said_to_be_unproven() {
    let (site, home) = (Site::http(), Home::new());
    for user in [&[][..], &["--user", "alice"]] {
        let done = home.get(&site.url("/public"), user).expect(0, &["not proven: ", "asked for no login"]);
        assert_eq!(done.text(), "/public for anybody (0 octets)");
        assert!(!done.err.contains('\x1b'), "no colours but on terminals");
    }
    assert_eq!(home.get(&site.url("/public"), &["-s"]).expect(0, &[]).err, "");
    let done = home.get(&site.url("/public"), &["-i"]).expect(0, &[]);
    assert!(done.text().starts_with("HTTP/1.1 200 OK\r\n") && done.text().contains("\r\n\r\n/public"));
}

#[test]
fn what_is_wrong_with_the_command_line_is_said_before_anything_is_sent() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/public");
    for (arguments, words) in [
        (&["get", "localhost"][..], "http://"),
        (&["get", "http://alice:secret@localhost/"], "user name or a password"),
        (&["get", &url, "-X", "A B"], "not a method"),
        (&["get", &url, "-H", "nonsense"], "a colon"),
        (&["get", &url, "-H", "Host: x"], "cannot be given"),
        (&["get", &url, "-H", "a b: x"], "not a header"),
        (&["get", &url, "-d", "@missing"], "cannot read missing"),
        (&["get", &url, "-o", "no/where"], "there is no directory no"),
        (&["get", &url, "-o", "."], "is a directory"),
        (&["get", &url, "--cacert", "missing"], "cannot read missing"),
        (&["get", &url, "--user", ""], "cannot be a user name"),
        (&["get", &url, "--password-stdin"], "--user"),
        (&["get", &url, "--user", "a", "--password-stdin", "-d", "@-"], "both read standard input"),
        (&["get", &url, "--json", "-i"], "cannot be used with"),
        (&["get"], "<URL>"),
    ] {
        let done = home.run(arguments, b"").expect(2, &[words]);
        assert!(done.out.is_empty() && !done.err.contains("secret"), "{done:?}");
    }
    assert!(site.seen().is_empty());
}

#[test]
fn errors_of_network_and_tls() {
    let (site, home) = (Site::https(), Home::new());
    let closed = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // At an address where nothing of these tests listens, so that nobody gets the port meanwhile.
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.2:0")).unwrap();
        listener.local_addr().unwrap()
    };
    home.get(&format!("http://{closed}/"), &[]).expect(5, &["cannot connect"]);
    let other = Site::https();
    home.ca(&other);
    home.get(&site.url("/public"), &["--cacert", "ca.pem"]).expect(5, &["no TLS connection", "help: ", "--cacert"]);
    home.ca(&site);
    let by_number = format!("https://127.0.0.1:{}/public", site.port);
    home.get(&by_number, &["--cacert", "ca.pem"]).expect(5, &["not valid for name"]);
    home.get(&format!("https://localhost:{}/", Site::http().port), &["--cacert", "ca.pem"]).expect(5, &[]);
    let done =
        home.get(&site.url("/public"), &["--cacert", "ca.pem", "-v"]).expect(0, &["< HTTP/2.0 200", "fingerprint"]);
    assert_eq!(done.text(), "/public for anybody (0 octets)");
    let done = home.get(&format!("http://{closed}/"), &["--json"]).expect(5, &["tagai: "]);
    assert_eq!(done.json()["error"]["kind"], "network");
    home.write("empty.pem", b"nothing");
    home.get(&site.url("/public"), &["--cacert", "empty.pem"]).expect(2, &["BEGIN CERTIFICATE"]);
}

#[test]
fn an_http_error_is_printed_and_said() {
    let (site, home) = (Site::http(), Home::new());
    let done = home.get(&site.url("/public/missing"), &[]).expect(22, &["not proven", "answered 404 Not Found"]);
    assert_eq!(done.text(), "/public/missing for anybody (0 octets)");
    home.get(&site.url("/public/basic"), &[]).expect(22, &["401 Unauthorized", "Basic", "none that tagai knows"]);
    let done = home.login(&site.url("/private/missing"), PASSWORD, &["--json"]).expect(22, &["knows alice"]);
    assert_eq!(done.json()["status"], 404);
    assert_eq!(done.json()["proof"]["kind"], "mutual");
    home.get(&site.url("/private/missing"), &["-o", "page"]).expect(22, &[]);
    assert_eq!(read(&home.path("page")), "/private/missing for alice (0 octets)");
}

#[test]
fn bodies_are_posted() {
    let (site, home) = (Site::http(), Home::new());
    let done = home.login(&site.url("/private/echo"), PASSWORD, &["-d", "a=1&b=2"]).expect(0, &[]);
    assert_eq!(done.text(), "a=1&b=2");
    let seen = site.seen();
    assert!(seen.iter().all(|seen| seen.method == Method::POST));
    assert_eq!(seen.last().unwrap().content_type.as_deref(), Some("application/x-www-form-urlencoded"));

    home.write("order.json", b"{}\n");
    let more = ["-d", "@order.json", "-H", "Content-Type: application/json", "-X", "PUT"];
    assert_eq!(home.get(&site.url("/private/echo"), &more).expect(0, &["(kept session)"]).text(), "{}\n");
    let seen = site.seen();
    assert_eq!((seen.len(), &seen[0].method), (1, &Method::PUT), "one round trip");
    assert_eq!(seen[0].content_type.as_deref(), Some("application/json"));

    let done = home.run(&["get", &site.url("/private/echo"), "-d", "@-"], b"from a pipe").expect(0, &[]);
    assert_eq!(done.text(), "from a pipe");
}

#[test]
fn a_large_body_follows_the_login() {
    let large = vec![b'y'; 3 << 20];
    for site in [Site::http(), Site::https()] {
        let home = Home::new();
        home.write("large", &large);
        let trust = site.ca.as_ref().map(|_| home.ca(&site));
        let trust: Vec<&str> = trust.iter().flat_map(|file| ["--cacert", file]).collect();
        let more = [&["-d", "@large", "-o", "back"][..], &trust].concat();
        home.login(&site.url("/private/echo"), PASSWORD, &more).expect(0, &["(logged in)"]);
        assert_eq!(std::fs::read(home.path("back")).unwrap(), large);
        let seen = site.seen();
        assert!(seen.iter().rev().skip(1).all(|seen| seen.method == Method::HEAD && seen.body == 0), "{seen:?}");
        assert_eq!(seen.last().unwrap().body, large.len());
        // Of unknown length, with a session that is kept: nobody is asked.
        let url = site.url("/private/echo");
        let arguments = [&["get", &url, "-d", "@-"][..], &trust].concat();
        assert_eq!(home.run(&arguments, &large).expect(0, &["(kept session)"]).out.len(), large.len());
    }
}

#[test]
fn where_proof_is_required_no_body_goes_to_a_stranger() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/private/echo");
    home.login(&url, PASSWORD, &["-d", "secret", "--require-proof"]).expect(0, &["proven"]);
    site.turn_evil();
    site.seen();
    home.get(&url, &["-d", "secret", "--require-proof"]).expect(4, &[]);
    assert!(site.seen().iter().all(|seen| seen.body == 0));
}

#[test]
fn json_has_everything() {
    let (site, home) = (Site::https(), Home::new());
    home.ca(&site);
    let trust = ["--cacert", "ca.pem", "--json"];
    let object = home.login(&site.url("/private"), PASSWORD, &trust).expect(0, &["proven: "]).json();
    assert_eq!(object["url"], site.url("/private"));
    assert_eq!((object["status"].as_u64(), object["http_version"].as_str()), (Some(200), Some("2")));
    assert_eq!(object["body"], "/private for alice (0 octets)");
    assert_eq!(object["proof"]["user"], "alice");
    assert_eq!(object["proof"]["server"], site.origin);
    assert_eq!(object["proof"]["kept_session"], false);
    assert_eq!(object["proof"]["realm"]["name"], "Staff");
    assert_eq!(object["proof"]["realm"]["algorithm"], "iso-kam3-ec-p256-sha256");
    assert!(object["headers"].as_array().unwrap().iter().any(|pair| pair[0] == "content-length" && pair[1] == "29"));
    let object = home.get(&site.url("/private/binary"), &trust).expect(0, &[]).json();
    assert_eq!((object["body_base64"].as_str(), object.get("body")), (Some("/wD+"), None));
    assert_eq!(object["proof"]["kept_session"], true);
    let object = home.get(&site.url("/private/large"), &trust).expect(1, &["16 MiB", "-o FILE"]).json();
    assert_eq!(object["error"]["exit_code"], 1);
    let more = [&trust[..], &["-o", "large"]].concat();
    let object = home.get(&site.url("/private/large"), &more).expect(0, &[]).json();
    assert_eq!((object["body_file"].as_str(), object.get("body")), (Some("large"), None));
    assert_eq!(std::fs::metadata(home.path("large")).unwrap().len(), 17 << 20);
}

#[test]
fn a_file_appears_when_it_is_whole() {
    let (site, home) = (Site::http(), Home::new());
    home.login(&site.url("/private"), PASSWORD, &["-o", "page"]).expect(0, &[]);
    assert_eq!(read(&home.path("page")), "/private for alice (0 octets)");
    let done =
        home.get(&site.url("/private/broken"), &["-o", "page"]).expect(5, &["broke off", "page was left as it was"]);
    assert!(done.out.is_empty());
    assert_eq!(read(&home.path("page")), "/private for alice (0 octets)", "the old one");
    home.get(&site.url("/private/broken"), &["-o", "new"]).expect(5, &[]);
    assert!(!home.path("new").exists() && home.files(".part").is_empty());
    home.get(&site.url("/private/broken"), &["--json"]).expect(5, &[]);
    assert!(!home.get(&site.url("/private/broken"), &[]).expect(5, &["broke off"]).out.is_empty());
    // Through a link, and into what is no file.
    std::os::unix::fs::symlink(home.path("page"), home.path("link")).unwrap();
    home.get(&site.url("/private/linked"), &["-o", "link"]).expect(0, &[]);
    assert_eq!(read(&home.path("page")), "/private/linked for alice (0 octets)");
    assert!(home.path("link").is_symlink());
    home.get(&site.url("/private"), &["-o", "/dev/null"]).expect(0, &[]);
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    assert_eq!(home.get(&site.url("/private/binary"), &["-o", "-"]).expect(0, &[]).out, [0xff, 0, 0xfe]);
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let (site, home) = (Site::http(), Home::new());
    home.login(&site.url("/private"), PASSWORD, &[]).expect(0, &[]);
    let mut child = home.command(["get", &site.url("/private/large"), "-s"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let done = done(child.wait_with_output().unwrap()).expect(0, &[]);
    assert_eq!(done.err, "");
}

#[test]
fn verbose_shows_what_happens_and_no_secrets() {
    let (site, home) = (Site::http(), Home::new());
    let more = ["-v", "-H", "Cookie: id=topsecret", "-H", "X-Other: shown", "-d", "x"];
    let done = home.login(&site.url("/private"), PASSWORD, &more).expect(
        0,
        &[
            "> POST ",
            "> X-Other: shown",
            "> Cookie: (not shown)",
            "asks for a login to \"Staff\"",
            "< HTTP/1.1 200 OK",
        ],
    );
    assert!(!done.err.contains("topsecret") && !done.err.contains(PASSWORD), "{}", done.err);
    let info = done.err.lines().find(|line| line.starts_with("< authentication-info: ")).unwrap();
    assert!(info.contains("version=1") && info.contains("vks=") && info.contains('…'), "{info}");
    let done = home.get(&site.url("/private"), &["-v"]).expect(0, &["* a session of alice in \"Staff\""]);
    assert!(!done.err.contains("asks for a login"));
}

#[test]
fn whoever_is_stopped_leaves_no_half_file() {
    let (site, home) = (Site::http(), Home::new());
    home.login(&site.url("/private"), PASSWORD, &[]).expect(0, &[]);
    let child = home.command(["get", &site.url("/private/stuck"), "-o", "page"]).spawn().unwrap();
    let begun = || home.files(".part").iter().any(|path| std::fs::metadata(path).is_ok_and(|found| found.len() > 0));
    while !begun() {
        std::thread::yield_now();
    }
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    done(child.wait_with_output().unwrap()).expect(143, &["proven"]);
    assert!(home.files(".part").is_empty() && !home.path("page").exists());
    home.get(&site.url("/private/stuck"), &["-m", "1", "-o", "page"]).expect(5, &["--max-time"]);
    assert!(home.files(".part").is_empty() && !home.path("page").exists());
}
