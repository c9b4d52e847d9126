use super::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::time::Duration;
use tagai_pki::client_ca::{ClientCaConfig, CrlPolicy};
use tagai_pki::names::NameKind;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The first of June 2030.
fn now() -> UnixTime {
    at(6, 1)
}

fn at(month: u8, day: u8) -> UnixTime {
    let seconds = u64::try_from(date_time_ymd(2030, month, day).unix_timestamp()).unwrap();
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

struct Ca {
    params: CertificateParams,
    key: KeyPair,
    der: CertificateDer<'static>,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { params, key, der }
    }

    /// From the first of `month` on, for two months.
    fn crl(&self, number: u64, month: u8, revoked: &[u64]) -> Vec<u8> {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2030, month, 1),
            next_update: date_time_ymd(2030, month + 2, 1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from(*serial),
                    revocation_time: date_time_ymd(2030, month, 1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&Issuer::from_params(&self.params, &self.key)).unwrap().der().to_vec()
    }

    fn client_ca(&self) -> Arc<ClientCa> {
        let config = ClientCaConfig {
            id: "partners".into(),
            roots: vec![self.der.clone()],
            intermediates: Vec::new(),
            names: NameKind::DEFAULT.to_vec(),
            crl_policy: CrlPolicy::Refuse,
        };
        Arc::new(ClientCa::new(config).unwrap())
    }
}

/// Answers each connection with the next of `answers`, and then no more. What it was asked comes back.
async fn serve(listener: TcpListener, answers: Vec<Vec<u8>>, tls: Option<tokio_rustls::TlsAcceptor>) -> Vec<String> {
    let mut asked = Vec::new();
    for answer in answers {
        let (stream, _) = listener.accept().await.unwrap();
        match &tls {
            None => asked.push(answer_one(stream, &answer).await),
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => asked.push(answer_one(stream, &answer).await),
                Err(error) => asked.push(error.to_string()),
            },
        }
    }
    asked
}

async fn answer_one(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(octet) = stream.read_u8().await else { break };
        head.push(octet);
    }
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
    String::from_utf8(head).unwrap()
}

fn ok(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/partners.crl?x", listener.local_addr().unwrap());
    (listener, url)
}

fn plain() -> Fetcher {
    Fetcher::new(RootCertStore::empty()).unwrap()
}

fn sources(ca: &Ca, urls: &[&str]) -> Arc<CrlSources> {
    let sources = urls.iter().map(|url| Source::parse(url, Path::new("/nowhere")).unwrap()).collect();
    CrlSources::new(ca.client_ca(), sources, None, now())
}

fn numbers(sources: &CrlSources) -> Vec<String> {
    sources.current().crls().map(|crl| crl.number().unwrap()).collect()
}

/// Fetches once for each answer: whether it worked, and the error that is kept.
async fn outcomes(ca: &Ca, answers: Vec<Vec<u8>>) -> (Arc<CrlSources>, Vec<Result<(), String>>) {
    let (listener, url) = listen().await;
    let sources = sources(ca, &[&url]);
    let count = answers.len();
    let server = tokio::spawn(serve(listener, answers, None));
    let mut outcomes = Vec::new();
    for _ in 0..count {
        let result = sources.fetch_one(0, &plain(), now).await;
        let error = sources.states()[0].last_error.clone();
        outcomes.push(result.map(|_| ()).map_err(|()| error.unwrap_or_default()));
    }
    server.await.unwrap();
    (sources, outcomes)
}

#[tokio::test]
async fn what_is_fetched_counts() {
    let ca = Ca::new("Root");
    let (listener, url) = listen().await;
    let sources = sources(&ca, &[&url]);
    let mut changes = sources.changes();
    let before = sources.current();
    assert_eq!(numbers(&sources), [""; 0]);
    let server = tokio::spawn(serve(listener, vec![ok(&ca.crl(1, 5, &[7])), ok(&ca.crl(2, 5, &[7, 8]))], None));
    assert_eq!(sources.fetch_one(0, &plain(), now).await, Ok(at(7, 1)));
    assert_eq!(numbers(&sources), ["01"]);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert!(!Arc::ptr_eq(&before, &sources.current()));
    assert_eq!(sources.fetch_one(0, &plain(), now).await, Ok(at(7, 1)));
    assert_eq!(numbers(&sources), ["02"]);
    assert!(changes.has_changed().unwrap());
    let state = SourceState {
        source: url,
        last_success: Some(now()),
        next_update: Some(at(7, 1)),
        entries: 2,
        last_error: None,
    };
    assert_eq!(sources.states(), [state]);
    let asked = server.await.unwrap();
    assert!(asked[0].starts_with("GET /partners.crl?x HTTP/1.1\r\nhost: 127.0.0.1:"), "{asked:?}");
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let ca = Ca::new("Root");
    let crl = ca.crl(1, 5, &[]);
    let (listener, url) = listen().await;
    let sources = sources(&ca, &[&url]);
    let server = tokio::spawn(serve(listener, vec![ok(&crl), ok(&crl), ok(&crl)], None));
    assert!(sources.fetch_one(0, &plain(), now).await.is_ok());
    let (first, mut changes) = (sources.current(), sources.changes());
    changes.mark_unchanged();
    for _ in 0..2 {
        assert!(sources.fetch_one(0, &plain(), now).await.is_ok());
        assert!(Arc::ptr_eq(&first, &sources.current()));
    }
    assert!(!changes.has_changed().unwrap());
    server.await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_believed_changes_nothing() {
    let (ca, forger, stranger) = (Ca::new("Root"), Ca::new("Root"), Ca::new("Stranger"));
    let answers = vec![
        ok(&ca.crl(5, 5, &[7])),
        ok(&forger.crl(99, 5, &[])),
        ok(&stranger.crl(99, 5, &[])),
        ok(&ca.crl(4, 4, &[])),
        ok(b"<!doctype html>"),
        ok(b""),
    ];
    let (sources, outcomes) = outcomes(&ca, answers).await;
    assert_eq!(outcomes[0], Ok(()));
    for (outcome, part) in outcomes[1..].iter().zip(["did not sign", "not known", "older", "no CRL", "no CRL"]) {
        assert!(outcome.as_ref().unwrap_err().contains(part), "{outcome:?}");
    }
    assert_eq!(numbers(&sources), ["05"]);
    assert_eq!(sources.states()[0].entries, 1);
    assert_eq!(sources.states()[0].last_success, Some(now()));
}

#[tokio::test]
async fn servers_that_fail_leave_what_is_there() {
    let ca = Ca::new("Root");
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", MAX_CRL_LEN + 1);
    let answers = vec![
        ok(&ca.crl(1, 5, &[])),
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n".to_vec(),
        b"SSH-2.0-nothing\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off".to_vec(),
        [long.as_bytes(), &vec![0x30; MAX_CRL_LEN + 1]].concat(),
        Vec::new(),
    ];
    let (sources, outcomes) = outcomes(&ca, answers).await;
    assert_eq!(outcomes[0], Ok(()));
    for (outcome, part) in outcomes[1..].iter().zip([
        "404",
        "http://elsewhere.example/",
        "no response",
        "early",
        "longer",
        "no response",
    ]) {
        assert!(outcome.as_ref().unwrap_err().contains(part), "{outcome:?}");
    }
    assert_eq!(numbers(&sources), ["01"]);
}

#[tokio::test]
async fn one_that_is_too_old_is_a_failure_and_still_the_best_there_is() {
    let ca = Ca::new("Root");
    let (sources, outcomes) = outcomes(&ca, vec![ok(&ca.crl(1, 1, &[7]))]).await;
    assert!(outcomes[0].as_ref().unwrap_err().contains("too old"), "{outcomes:?}");
    assert_eq!(numbers(&sources), ["01"]);
}

#[tokio::test]
async fn nobody_listens() {
    let ca = Ca::new("Root");
    let (listener, url) = listen().await;
    drop(listener);
    let sources = sources(&ca, &[&url]);
    assert_eq!(sources.fetch_one(0, &plain(), now).await, Err(()));
    assert!(sources.states()[0].last_error.as_ref().unwrap().contains("no connection"));
    assert_eq!(sources.states()[0].last_success, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let ca = Ca::new("Root");
    let (listener, url) = listen().await;
    let sources = sources(&ca, &[&url]);
    let silent = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        std::future::pending::<()>().await;
        drop(stream);
    });
    assert_eq!(sources.fetch_one(0, &plain(), now).await, Err(()));
    let error = sources.states()[0].last_error.clone().unwrap();
    assert!(error.contains("took too long"), "{error}");
    silent.abort();
}

#[tokio::test]
async fn https_is_for_the_right_server() {
    let ca = Ca::new("Root");
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().self_signed(&key).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(crate::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let (listener, url) = listen().await;
    let sources = sources(&ca, &[&url.replace("http://", "https://")]);
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let crl = ok(&ca.crl(1, 5, &[]));
    let server = tokio::spawn(serve(listener, vec![crl.clone(), crl], Some(acceptor)));
    assert_eq!(sources.fetch_one(0, &plain(), now).await, Err(()));
    let mut roots = RootCertStore::empty();
    roots.add(own.der().clone()).unwrap();
    assert_eq!(sources.fetch_one(0, &Fetcher::new(roots).unwrap(), now).await, Ok(at(7, 1)));
    server.await.unwrap();
}

#[tokio::test]
async fn the_refresher_fetches_at_once_and_ends_with_its_sources() {
    let ca = Ca::new("Root");
    let (listener, url) = listen().await;
    let sources = sources(&ca, &[&url]);
    let mut changes = sources.changes();
    let server = tokio::spawn(serve(listener, vec![ok(&ca.crl(1, 5, &[]))], None));
    let task = tokio::spawn(refresher(Arc::downgrade(&sources), plain(), now));
    changes.changed().await.unwrap();
    assert_eq!(numbers(&sources), ["01"]);
    server.await.unwrap();
    drop(sources);
    tokio::time::pause();
    task.await.unwrap();
}

#[test]
fn files_are_taken_over_as_a_whole() {
    let (ca, forger) = (Ca::new("Root"), Ca::new("Root"));
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("a.crl"), ca.crl(1, 4, &[])).unwrap();
    std::fs::write(path("b.crl"), ca.crl(2, 5, &[7])).unwrap();
    let parse = |name: &str| Source::parse(name, directory.path()).unwrap();
    let sources = CrlSources::new(ca.client_ca(), vec![parse("a.crl"), parse("b.crl")], None, now());
    assert_eq!(sources.files().collect::<Vec<_>>(), [path("a.crl"), path("b.crl")]);
    assert!(!sources.has_urls());
    sources.load_files(now()).unwrap();
    assert_eq!(numbers(&sources), ["02"], "the newest, wherever it is listed");

    std::fs::write(path("a.crl"), ca.crl(3, 5, &[])).unwrap();
    std::fs::write(path("b.crl"), forger.crl(9, 5, &[])).unwrap();
    let error = sources.load_files(now()).unwrap_err();
    assert_eq!(error.file, path("b.crl"));
    assert!(error.to_string().contains("did not sign"), "{error}");
    assert_eq!(numbers(&sources), ["02"], "nothing of it");
    std::fs::write(path("b.crl"), "nothing").unwrap();
    assert!(sources.load_files(now()).is_err());
    std::fs::remove_file(path("b.crl")).unwrap();
    assert!(sources.load_files(now()).is_err());
    std::fs::write(path("b.crl"), ca.crl(2, 5, &[7])).unwrap();
    sources.load_files(now()).unwrap();
    assert_eq!(numbers(&sources), ["03"]);
}

#[tokio::test]
async fn a_reload_keeps_what_was_fetched() {
    let (ca, other) = (Ca::new("Root"), Ca::new("Root"));
    let (before, _) = outcomes(&ca, vec![ok(&ca.crl(1, 5, &[7]))]).await;
    let again = CrlSources::new(ca.client_ca(), before.sources.clone(), Some(&before), now());
    assert_eq!(numbers(&again), ["01"]);
    assert_eq!(again.states(), before.states());
    // Another authority does not believe it; another URL is another source.
    let distrusted = CrlSources::new(other.client_ca(), before.sources.clone(), Some(&before), now());
    assert_eq!(numbers(&distrusted), [""; 0]);
    let elsewhere = sources(&ca, &["http://elsewhere.example/"]);
    let elsewhere = CrlSources::new(ca.client_ca(), elsewhere.sources.clone(), Some(&before), now());
    assert_eq!(numbers(&elsewhere), [""; 0]);
}

#[test]
fn sources_are_files_or_urls() {
    let parse = |text: &str| Source::parse(text, Path::new("/etc/tagai"));
    assert_eq!(parse("a.crl").map(|source| source.to_string()).as_deref(), Ok("/etc/tagai/a.crl"));
    assert_eq!(parse("/b.crl").map(|source| source.to_string()).as_deref(), Ok("/b.crl"));
    let url = parse("https://[::1]:8443/a?b").unwrap();
    let url = url.url().unwrap();
    assert_eq!((url.host(), url.port(), url.target(), url.is_https()), ("::1", 8443, "/a?b", true));
    assert_eq!(
        CrlUrl::parse("http://crl.example").map(|url| (url.port(), url.target().to_owned())),
        Ok((80, "/".into()))
    );
    for bad in ["ldap://crl.example/", "http://", "http://user@crl.example/", "http://:80/", "://"] {
        assert_eq!(parse(bad), Err(SourceError), "{bad}");
    }
}
