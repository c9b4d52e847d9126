//! What the application is told of who sent a request, and what nobody else can tell it.

use super::support::*;
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};

const SITES: &str = r#"
[[site]]
origins = ["https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["mutual", "x509"]
realm = "staff"
client-ca = ["fleet"]
audience = "app"
client-cert = "chain"
upstream = "http://{app}"
[[site.route]]
path = "/leaf"
access = "protected"
proof = ["x509"]
client-ca = ["fleet"]
client-cert = "leaf"
audience = "other"
upstream = "http://{app}"
[[site.route]]
path = "/quiet"
access = "protected"
proof = ["x509"]
client-ca = ["fleet"]
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
proof = ["x509"]
client-ca = ["fleet"]
audience = "app"
client-cert = "leaf"
upstream = "http://{app}"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
[assertion]
issuer = "https://gateway.example.test"
keys = "assertion.pem"
"#;

const JWKS: &str = "/.well-known/tagai/jwks.json";

struct World {
    app: App,
    site: Site,
    between: Authority,
    device: Issued,
    key: KeyPair,
}

async fn world() -> World {
    let (app, fleet, key) = (App::start().await, Authority::new("Fleet"), KeyPair::generate().unwrap());
    let between = fleet.below("Fleet 2027");
    let setup = Setup {
        sites: SITES.into(),
        more: "\n[[client-ca]]\nid = \"fleet\"\ncertificates = \"fleet.pem\"\nintermediates = \"between.pem\"\n"
            .into(),
        files: vec![
            ("fleet.pem", fleet.pem()),
            ("between.pem", between.pem()),
            ("assertion.pem", key.serialize_pem()),
        ],
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    let device = between.issue(client("device.example"));
    World { app, site, between, device, key }
}

impl World {
    async fn device(&self) -> Connection {
        TlsClient::with(&self.site.certificate, &self.device).connect(self.site.https, "127.0.0.1").await
    }

    fn at(&self) -> String {
        self.site.at("127.0.0.1")
    }

    /// What an application does with a token: the key is one of those that are published, whatever the token says of it.
    async fn check(&self, token: &str, audience: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        let answer = self.site.connect("https").await.get(&self.at(), JWKS, "").await;
        assert_eq!((answer.status, answer.field("content-type")), (200, Some("application/jwk-set+json")));
        let keys: JwkSet = serde_json::from_slice(&answer.body).unwrap();
        let id = decode_header(token)?.kid.unwrap_or_default();
        let key = keys.find(&id).ok_or(jsonwebtoken::errors::ErrorKind::InvalidSignature)?;
        let mut validation = Validation::new(key.common.key_algorithm.unwrap().to_string().parse().unwrap());
        validation.set_audience(&[audience]);
        validation.set_issuer(&["https://gateway.example.test"]);
        Ok(decode(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
    }
}

fn bytes(der: &[u8]) -> String {
    format!(":{}:", Base64::encode_string(der))
}

fn thumbprint(der: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_gets_the_certificate_as_the_route_says() {
    let world = world().await;
    let (leaf, above) = (bytes(world.device.certificate.der()), bytes(&world.between.der()));
    let mut device = world.device().await;
    for (path, fields) in [
        ("/", (Some(&*leaf), Some(&*above))),
        ("/leaf", (Some(&*leaf), None)),
        ("/quiet", (None, None)),
        ("/maybe", (Some(&*leaf), None)),
        ("/open", (None, None)),
    ] {
        assert_eq!(device.get(&world.at(), path, "").await.status, 200, "{path}");
        let seen = world.app.take_one();
        assert_eq!((seen.field("client-cert"), seen.field("client-cert-chain")), fields, "{path}");
    }
    // Who logs in shows no certificate, although the connection has one.
    let mut alice = User::new(&world.site.origin("https"), "alice", "correct horse");
    alice.get(&mut world.site.connect("https").await, "/").await;
    world.app.take();
    let (_, proof) = alice.proof("/", &device.channel);
    assert_eq!(device.get(&world.at(), "/", &format!("Authorization: {proof}\r\n")).await.status, 200);
    let seen = world.app.take_one();
    assert_eq!((seen.field("tagai-method"), seen.field("client-cert")), (Some("mutual"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_is_verified_with_the_published_keys() {
    let world = world().await;
    let mut device = world.device().await;
    assert_eq!(device.get(&world.at(), "/a/b?c=d", "").await.status, 200);
    let token = world.app.take_one().field("tagai-assertion").unwrap().to_owned();
    let said = world.check(&token, "app").await.unwrap();
    assert_eq!(said["sub"], "fleet/dns:device.example");
    assert_eq!((&said["method"], &said["amr"]), (&json!("x509"), &json!(["pop"])));
    assert_eq!(said["cnf"], json!({ "x5t#S256": thumbprint(world.device.certificate.der()) }));
    assert_eq!((&said["htm"], &said["htu"]), (&json!("GET"), &json!(format!("https://{}/a/b", world.at()))));
    let (made, ends) = (said["iat"].as_u64().unwrap(), said["exp"].as_u64().unwrap());
    assert_eq!(ends - made, 60);
    // It is for one application, and each is another.
    assert!(world.check(&token, "other").await.is_err());
    assert_eq!(device.get(&world.at(), "/leaf", "").await.status, 200);
    let other = world.app.take_one().field("tagai-assertion").unwrap().to_owned();
    assert!(world.check(&other, "app").await.is_err());
    assert_ne!(world.check(&other, "other").await.unwrap()["jti"], said["jti"]);
    // Who logs in has no key that it could be bound to.
    let mut connection = world.site.connect("https").await;
    User::new(&world.site.origin("https"), "alice", "correct horse").get(&mut connection, "/").await;
    let token = world.app.take_one().field("tagai-assertion").unwrap().to_owned();
    let said = world.check(&token, "app").await.unwrap();
    assert_eq!((&said["sub"], &said["user"], &said["cnf"]), (&json!("staff/alice"), &json!("alice"), &Value::Null));
    // Nothing is asserted of guests, nor where no audience is.
    for path in ["/maybe", "/open"] {
        assert_eq!(world.site.connect("https").await.get(&world.at(), path, "").await.status, 200);
        assert_eq!(world.app.take_one().field("tagai-assertion"), None, "{path}");
    }
    assert_eq!(device.get(&world.at(), "/quiet", "").await.status, 200);
    assert_eq!(world.app.take_one().field("tagai-assertion"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_assertion_is_refused_by_whoever_verifies() {
    let world = world().await;
    assert_eq!(world.device().await.get(&world.at(), "/", "").await.status, 200);
    let token = world.app.take_one().field("tagai-assertion").unwrap().to_owned();
    let claims = world.check(&token, "app").await.unwrap();
    let [head, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let encoded = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let kid = decode_header(&token).unwrap().kid.unwrap();
    let root = encoded(&claims.to_string().replace("fleet/dns:device.example", "root"));
    let none = encoded(&format!(r#"{{"alg":"none","typ":"JWT","kid":"{kid}"}}"#));
    let other = EncodingKey::from_ec_der(&KeyPair::generate().unwrap().serialize_der());
    let mut header = Header::new(jsonwebtoken::Algorithm::ES256);
    header.kid = Some(kid.clone());
    let stranger = encode(&header, &claims, &other).unwrap();
    header.kid = Some("other".into());
    let unknown = encode(&header, &claims, &other).unwrap();
    // The public key as the secret of a MAC.
    let public = rcgen::PublicKeyData::subject_public_key_info(&world.key);
    let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some(kid);
    let mac = encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
    for forged in [
        format!("{none}.{payload}."),
        format!("{none}.{root}."),
        format!("{head}.{payload}."),
        format!("{head}.{root}.{signature}"),
        stranger,
        unknown,
        mac,
    ] {
        assert!(world.check(&forged, "app").await.is_err(), "{forged}");
    }
    // And none of them gets through the gateway.
    let forged = format!("Tagai-Assertion: {none}.{root}.\r\n");
    assert_eq!(world.site.connect("https").await.get(&world.at(), "/open", &forged).await.status, 200);
    assert_eq!(world.app.take_one().field("tagai-assertion"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_set_is_for_everybody_and_holds_no_secret() {
    let world = world().await;
    let mut guest = world.site.connect("https").await;
    let answer = guest.get(&world.at(), JWKS, "").await;
    assert!(answer.field("cache-control").is_some_and(|value| value.contains("max-age=")), "{answer:?}");
    let keys: Value = serde_json::from_slice(&answer.body).unwrap();
    let [key] = &keys["keys"].as_array().unwrap()[..] else { panic!("{keys}") };
    assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("EC"), &json!("ES256"), &json!("sig")));
    assert!(key.get("d").is_none(), "{key}");
    guest.send(head("POST", JWKS, &world.at(), "Content-Length: 0\r\n")).await;
    assert_eq!(guest.response("POST").await.status, 405);
    assert!(world.app.take().is_empty());
    // A new key signs, and what the old one has signed is still verified.
    assert_eq!(world.device().await.get(&world.at(), "/", "").await.status, 200);
    let old = world.app.take_one().field("tagai-assertion").unwrap().to_owned();
    let new = KeyPair::generate().unwrap().serialize_pem();
    world.site.write_file("assertion.pem", &format!("{new}{}", world.key.serialize_pem()));
    world.site.gateway.reload().await.unwrap();
    assert_eq!(world.device().await.get(&world.at(), "/", "").await.status, 200);
    let next = world.app.take_one().field("tagai-assertion").unwrap().to_owned();
    assert_ne!(decode_header(&old).unwrap().kid, decode_header(&next).unwrap().kid);
    for token in [&old, &next] {
        world.check(token, "app").await.unwrap();
    }
    // Taken out, it is nobody's any more.
    world.site.write_file("assertion.pem", &new);
    world.site.gateway.reload().await.unwrap();
    assert!(world.check(&old, "app").await.is_err());
    world.check(&next, "app").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_there_is_no_key_set() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let answer = site.connect("https").await.get(&site.at("127.0.0.1"), JWKS, "").await;
    assert_eq!(answer.status, 401, "it is a path like any other");
}

const NAMES: [&str; 8] = [
    "tagai-user",
    "tagai-realm",
    "tagai-method",
    "tagai-principal",
    "tagai-groups",
    "tagai-assertion",
    "client-cert",
    "client-cert-chain",
];

/// As applications read names: CGI makes `HTTP_TAGAI_USER` of all of these.
fn meant(name: &str) -> String {
    name.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_forge_is_removed_in_every_spelling_on_every_route() {
    let world = world().await;
    let spell = |name: &str| {
        let under = name.replace('-', "_");
        let mixed = name.replacen('-', "_", 1);
        let [dots, upper] = [name.replace('-', "."), name.to_uppercase()];
        [name.to_owned(), upper, under.clone(), under.to_uppercase(), mixed, dots]
            .map(|name| format!("{name}: root\r\n"))
    };
    let forged: Vec<String> = NAMES.into_iter().flat_map(spell).collect();
    let mut connections = [world.device().await, world.site.connect("https").await];
    let mut reached = 0;
    for (number, connection) in connections.iter_mut().enumerate() {
        for path in ["/", "/leaf", "/quiet", "/maybe", "/open"] {
            // Some at a time: heads are bounded.
            for some in forged.chunks(12) {
                let status = connection.get(&world.at(), path, &some.concat()).await.status;
                let seen = world.app.take();
                assert_eq!(seen.len(), usize::from(status == 200), "{path}");
                reached += seen.len();
                for seen in seen {
                    for (name, value) in &seen.fields {
                        assert_ne!(value, "root", "{number} {path} {name}");
                        let own = NAMES.contains(&&*meant(name.as_str()));
                        assert!(!own || NAMES.contains(&name.as_str()), "{number} {path} {name}");
                    }
                    for name in NAMES {
                        assert!(seen.fields.get_all(name).iter().count() <= 1, "{number} {path} {name}");
                    }
                }
            }
        }
    }
    assert_eq!(reached, (5 + 2) * forged.len().div_ceil(12), "a device everywhere, a guest where guests may be");
}

/// In trailers, and by way of `Connection`, which names fields to be left out.
#[tokio::test(flavor = "multi_thread")]
async fn neither_trailers_nor_connection_are_a_way_round() {
    let world = world().await;
    let mut device = world.device().await;
    let drop = "Connection: tagai-principal, tagai-method, client-cert, tagai-assertion\r\n";
    let answer = device.get(&world.at(), "/", drop).await;
    if answer.status == 200 {
        let seen = world.app.take_one();
        assert_eq!(seen.field("tagai-principal"), Some("fleet/dns:device.example"));
        assert_eq!(seen.field("tagai-method"), Some("x509"));
        assert!(seen.field("client-cert").is_some() && seen.field("tagai-assertion").is_some());
    } else {
        assert_eq!(answer.status, 400);
    }
    let chunked = "Transfer-Encoding: chunked\r\nTrailer: tagai-principal\r\n";
    let body = "1\r\nx\r\n0\r\nTagai-Principal: root\r\ntagai_groups: ops\r\nClient-Cert: :AA==:\r\nX-Sum: 1\r\n\r\n";
    let mut device = world.device().await;
    device.send(format!("{}{body}", head("POST", "/", &world.at(), chunked))).await;
    assert_eq!(device.response("POST").await.status, 200);
    let seen = world.app.take_one();
    assert_eq!(seen.field("tagai-principal"), Some("fleet/dns:device.example"));
    for name in ["tagai-principal", "tagai_groups", "client-cert"] {
        assert!(!seen.trailers.contains_key(name), "{name}: {seen:?}");
    }
}
