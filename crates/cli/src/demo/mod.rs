//! `tagai demo`: a whole installation on this machine, made the first time and found the next.

mod app;

use crate::failure::Failure;
use crate::operator;
use crate::output;
use crate::password;
use crate::serving;
use crate::setup::{Plan, set_up};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tagai_core::credential::Username;
use tagai_core::realm::Origin;
use tagai_gateway::config::{Config, Listen};
use tagai_store::{NewUser, UserStore as _};
use tokio::net::TcpListener;

/// The usual ports.
pub(crate) const HTTPS_PORT: u16 = 8443;
/// Without TLS.
pub(crate) const HTTP_PORT: u16 = 8080;
/// Of the application.
pub(crate) const APP_PORT: u16 = 9000;

/// The user of the demo.
const USER: &str = "alice";

/// Where the demo is, and where it listens.
pub(crate) struct Demo {
    /// The directory.
    pub(crate) dir: PathBuf,
    /// The ports of the gateway.
    pub(crate) https_port: u16,
    /// The same without TLS.
    pub(crate) http_port: u16,
    /// The port of the application.
    pub(crate) app_port: u16,
}

/// The routes: a front page with optional login, public pages, and an application for users.
fn routes(app_port: u16) -> String {
    let upstream = format!("http://127.0.0.1:{app_port}");
    format!(
        r#"[[site.route]]
path = "/"                          # the front page: guests may see it, and who wants to can log in
access = "optional"
realm = "staff"
upstream = "{upstream}"

[[site.route]]
path = "/public/"                   # for everybody; nobody is asked
access = "public"
upstream = "{upstream}"

[[site.route]]
path = "/app/"                      # for users alone
access = "protected"
realm = "staff"
upstream = "{upstream}"
max-body = "unlimited"
"#
    )
}

/// Runs the demo until it is told to end.
pub(crate) fn run(demo: &Demo) -> Result<(), Failure> {
    let file = demo.dir.join("tagai.toml");
    let password_file = demo.dir.join("password.txt");
    let runtime = serving::runtime()?;
    let first = !file.exists();
    if first {
        // A directory that cannot be used because a port is taken would only be in the way.
        runtime.block_on(free_ports(demo))?;
        make(demo, &password_file)?;
    }
    let config = Config::load(&file)?;
    if !first {
        same_ports(demo, &config)?;
    }
    serving::start_log(&config);
    let served = runtime.block_on(async {
        let app = app_address(&config, demo.app_port);
        let listener = TcpListener::bind(app).await.map_err(|error| {
            Failure::other(format!("the demo application cannot listen on {app}: {error}")).help(
                "end what listens there, or choose another port and directory: tagai demo --app-port PORT --dir DIR",
            )
        })?;
        let application = tokio::spawn(async move { axum::serve(listener, app::application()).await });
        let origins = origins(&config);
        let served = serving::serve(config, |_| output::print(&welcome(demo, first, &origins, &password_file))).await;
        application.abort();
        served
    });
    runtime.shutdown_background();
    served
}

/// Everything that the demo keeps: made whole, or not at all.
fn make(demo: &Demo, password_file: &Path) -> Result<(), Failure> {
    let user = Username::prepare(USER).map_err(|error| Failure::other(format!("{USER}: {error}")))?;
    let made = set_up(&Plan {
        dir: demo.dir.clone(),
        host: "localhost".to_owned(),
        https_port: demo.https_port,
        http_port: demo.http_port,
        routes: routes(demo.app_port),
        invitations: true,
    })?;
    let config = Config::load(&made.config)?;
    let Some(realm) = config.realms.first() else { return Err(Failure::other("the demo has no realm")) };
    let password = password::generate()?;
    let verifier = password::verifier(&realm.realm, &user, &password)?;
    let store = operator::open_store(&config)?;
    let added = store.add(&NewUser { realm: &realm.realm, name: &user, verifier: &verifier });
    added.map_err(|error| Failure::other(format!("the user {USER} could not be added: {error}")))?;
    // A real installation keeps passwords nowhere; this one has to work by copy and paste.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(password_file).and_then(|mut file| writeln!(file, "{}", &*password));
    written.map_err(|error| {
        let _ = fs::remove_file(&made.config);
        Failure::other(format!("{} cannot be written: {error}", password_file.display()))
    })
}

/// Whether the demo can listen where it is told to.
async fn free_ports(demo: &Demo) -> Result<(), Failure> {
    let ports = [("--https-port", demo.https_port), ("--http-port", demo.http_port), ("--app-port", demo.app_port)];
    for (option, port) in ports {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
            Failure::other(format!("the demo cannot listen on 127.0.0.1:{port}: {error}"))
                .help(format!("choose another port: tagai demo {option} PORT"))
        })?;
    }
    Ok(())
}

/// Ports are a part of what was made: others than the usual ones have to be those.
fn same_ports(demo: &Demo, config: &Config) -> Result<(), Failure> {
    let listens = |port: u16| config.listen.iter().any(|listen| listen.address.port() == port);
    let usual = demo.https_port == HTTPS_PORT && demo.http_port == HTTP_PORT && demo.app_port == APP_PORT;
    let same = listens(demo.https_port)
        && listens(demo.http_port)
        && app_address(config, demo.app_port).port() == demo.app_port;
    if usual || same {
        return Ok(());
    }
    Err(Failure::usage(format!("the demo in {} was made with other ports", demo.dir.display()))
        .help("name another directory with --dir, or remove this one to make it anew"))
}

/// Where the routes of the configuration expect the application.
fn app_address(config: &Config, usual: u16) -> SocketAddr {
    let routes = config.sites.iter().flat_map(|site| &site.routes);
    let port = routes.filter_map(|route| route.upstream.uri.port_u16()).next().unwrap_or(usual);
    (Ipv4Addr::LOCALHOST, port).into()
}

/// What to ask for: over TLS, and without.
fn origins(config: &Config) -> Vec<Origin> {
    let listens = |origin: &Origin, listen: &Listen| listen.address.port() == origin.port();
    let all = config.sites.iter().flat_map(|site| &site.origins);
    all.filter(|origin| config.listen.iter().any(|listen| listens(origin, listen))).cloned().collect()
}

/// How to call this program from the directory one is in, by copy and paste.
fn program() -> String {
    let Ok(exe) = std::env::current_exe() else { return "tagai".into() };
    let in_path = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|dir| dir.join("tagai").canonicalize().is_ok_and(|found| found == exe))
    });
    if in_path {
        return "tagai".into();
    }
    let here = std::env::current_dir().ok().and_then(|dir| dir.canonicalize().ok());
    let relative = here.and_then(|dir| exe.strip_prefix(dir).map(Path::to_path_buf).ok());
    let shown = relative.unwrap_or(exe).display().to_string();
    // What a shell would read in another way is quoted.
    let plain = shown.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    if plain { shown } else { format!("'{}'", shown.replace('\'', "'\\''")) }
}

fn welcome(demo: &Demo, first: bool, origins: &[Origin], password_file: &Path) -> String {
    let (bold, dim, plain) =
        if output::colour_on_stdout() { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let dir = demo.dir.display();
    let password_file = password_file.display();
    let [https, http, ..] = origins else {
        return "the demo's configuration has other origins than it was made with\n".into();
    };
    let made = if first { "was made" } else { "is used again" };
    let tagai = program();
    format!(
        "\n{bold}tagai demo{plain}: a web application behind the gateway, at {bold}{https}{plain} and {bold}{http}{plain}\n\
         \n\
         Try, in another terminal in this directory:\n\
         \n\
         {dim}# log in as {USER}; the password never leaves your machine, and the gateway proves that it knows it{plain}\n  \
         {tagai} get {https}/app/ --cacert {dir}/ca.pem --user {USER} --password-stdin < {password_file}\n\
         {dim}# the second time takes one round trip and no password{plain}\n  \
         {tagai} get {https}/app/ --cacert {dir}/ca.pem --user {USER}\n\
         {dim}# post a form; download 50 MB; see events come in{plain}\n  \
         {tagai} get {https}/app/messages --cacert {dir}/ca.pem --user {USER} -d text=hello\n  \
         {tagai} get {https}/app/download --cacert {dir}/ca.pem --user {USER} -o download.bin\n  \
         {tagai} get {https}/app/events --cacert {dir}/ca.pem --user {USER}\n\
         {dim}# without TLS the login is as safe from phishing, only the pages can be read{plain}\n  \
         {tagai} get {http}/app/ --user {USER} --password-stdin < {password_file}\n\
         {dim}# curl does not know the scheme: it sees a public page, a guest's page, and a 401{plain}\n  \
         curl --cacert {dir}/ca.pem {https}/public/\n  \
         curl --cacert {dir}/ca.pem -i {https}/app/\n\
         {dim}# end the session{plain}\n  \
         {tagai} logout --all --cacert {dir}/ca.pem\n\
         {dim}# users{plain}\n  \
         {tagai} user add bob --config {dir}/tagai.toml\n\
         {dim}# let carol choose her password herself, with a code: in Firefox, or by `tagai account register`{plain}\n  \
         {tagai} user invite carol --config {dir}/tagai.toml\n\
         \n\
         In Firefox, from tagai's sources: run {bold}browser/make{plain}; at about:debugging#/runtime/this-firefox press \"Load Temporary\n\
         Add-on\" and choose browser/build/firefox-mv2/manifest.json. Then open {bold}{http}/app/{plain} and log in as {USER} beside the\n\
         address bar, with the password in {password_file}. For {https}, search Firefox's settings for \"certificates\" and\n\
         import {dir}/ca.pem as an authority first.\n\
         \n\
         {dir} {made}: tagai.toml (the configuration, with comments), ca.pem, keys/, tagai.db (users), audit.log,\n\
         password.txt (of {USER}; a real installation has no such file). Ctrl-C ends the demo.\n\n"
    )
}
