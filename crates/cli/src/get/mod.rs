//! `tagai get`: one request, from the command line to standard output.
//!
//! ```text
//! order ─► sessions (lease) ─► login, if asked ─► reply ─► sessions (keep) ─► report ─► sink
//! ```
//!
//! Nothing of an answer is written before the client has said that it may be used.

pub(crate) mod account;
mod interrupt;
mod keys;
mod login;
pub(crate) mod logout;
mod order;
mod report;
mod sessions;
mod sink;
mod trouble;
mod upload;
mod verbose;
mod way;

pub(crate) use keys::KeyArgs;
pub(crate) use order::trusting;
pub(crate) use trouble::Trouble;

use crate::commands::get::Args;
use crate::failure::Failure;
use crate::output;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use interrupt::Mess;
use login::{Asked, Login};
use order::Order;
use sessions::Kept;
use sink::Sink;
use std::sync::Arc;
use std::time::Duration;
use tagai_client::core::client::StoredSession;
use tagai_client::core::credential::Username;
use tagai_client::core::grammar::parse_challenges;
use tagai_client::core::realm::ScopeError;
use tagai_client::{Client, Error, Reply, Url};
use trouble::Kind;
use verbose::Verbose;
use way::{Prompts, Way};

/// The longest body in JSON.
const MAX_JSON_BODY: usize = 16 << 20;

/// Fetches; says on standard output and standard error how that went.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    attempt(args).map_err(|trouble| {
        if let Some(object) = trouble.object().filter(|_| args.json)
            && let Err(unwritten) = output::json(&object)
        {
            return unwritten;
        }
        trouble.into_failure()
    })
}

fn attempt(args: &Args) -> Result<(), Trouble> {
    let order = Order::new(args)?;
    sink::check(args.output.as_deref())?;
    let leased = if args.no_session || args.password_tls {
        None
    } else {
        let file = sessions::file(args.session_file.as_deref())?;
        Some(Kept::lease(file, order.url.origin(), order.user.as_ref())?)
    };
    let way = Way::new(args)?;
    let leased_way = match &way {
        Some(way) if !args.no_session => Some(way.lease(args.session_file.as_deref())?),
        _ => None,
    };
    let builder = args.keys.apply(trusting(args.cacert.as_deref(), &order.url)?, &order.url)?;
    let builder = match &way {
        Some(way) => builder.proxy(&way.url).map_err(Error::from)?,
        None => builder,
    };
    let (mess, verbose) = (Mess::default(), Verbose(args.verbose));
    let login = |user: &Option<_>, url: &Url, given| {
        let who = user.as_ref().map(|user: &Username| (user.clone(), url.origin().clone()));
        who.map(|who| Login::new(who, given, (mess.clone(), verbose))).unzip()
    };
    let user = order.user.clone().filter(|_| !args.password_tls);
    let (server, asked) = login(&user, &order.url, order.password.clone());
    let (proxy, asked_by_proxy) = match &way {
        Some(way) => login(&way.user, &way.url, way.password.clone()),
        None => (None, None),
    };
    let client = builder.prompt(Arc::new(Prompts { server, proxy })).build()?;
    let (kept, restored) = leased.unzip();
    restore(restored, |session| client.restore(session), verbose);
    let (kept_way, restored) = leased_way.unzip();
    restore(restored, |session| client.restore_proxy(session), verbose);
    let asked = (asked.unwrap_or_default(), asked_by_proxy.unwrap_or_default());
    let call = Call { args, kept, client, asked, mess, verbose, way, kept_way };
    let runtime = runtime()?;
    let done = runtime.block_on(call.within_time(order));
    // Whoever still waits for a disk or a name server is not waited for.
    runtime.shutdown_background();
    done
}

/// What runs the client. Two threads: writing to a slow pipe on the main one keeps no connection waiting.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    built.map_err(|error| Trouble::local(format!("the program cannot start its threads: {error}")))
}

fn restore(
    sessions: Option<Vec<StoredSession>>,
    restore: impl Fn(StoredSession) -> Result<(), ScopeError>,
    verbose: Verbose,
) {
    for session in sessions.into_iter().flatten() {
        if let Err(error) = restore(session) {
            verbose.say(|| format!("a kept session is not used: {error}"));
        }
    }
}

/// One call of the program.
struct Call<'a> {
    args: &'a Args,
    kept: Option<Kept>,
    client: Client,
    /// What became of the questions of the server, and of the proxy.
    asked: (Asked, Asked),
    mess: Mess,
    verbose: Verbose,
    way: Option<Way>,
    /// The sessions with the proxy.
    kept_way: Option<Kept>,
}

impl Call<'_> {
    async fn within_time(self, order: Order) -> Result<(), Trouble> {
        let watched = self.mess.watch();
        watched.map_err(|error| Trouble::local(format!("signals cannot be waited for: {error}")))?;
        let Some(seconds) = self.args.max_time else { return self.make(order).await };
        let limit = Duration::from_secs(seconds.into());
        tokio::time::timeout(limit, self.make(order)).await.unwrap_or_else(|_| {
            Err(Trouble::new(Kind::Network, format!("it was not done within {seconds} s (--max-time)")))
        })
    }

    async fn make(&self, order: Order) -> Result<(), Trouble> {
        for text in self.kept.iter().chain(&self.kept_way).flat_map(Kept::describe) {
            self.verbose.say(|| text);
        }
        let user = order.user.clone();
        let outcome = self.send(order).await;
        // What comes now makes no more requests.
        let client = &self.client;
        let own = self.kept.as_ref().map(|kept| kept.keep(&client.logins(), client.sessions()));
        let ways = self.kept_way.as_ref().map(|kept| kept.keep(&client.proxy_logins(), client.proxy_sessions()));
        for error in [own, ways].into_iter().flatten().filter_map(Result::err) {
            output::note(&format!("tagai: the session is not kept: {error}"));
        }
        match outcome {
            Ok(reply) => match self.asked.0.fell_back(reply.url().origin()).filter(|_| !reply.is_proven()) {
                Some(trouble) => Err(trouble),
                None => self.deliver(reply).await,
            },
            Err(Error::Login(required)) if self.args.password_tls => {
                let message = format!("{} did not accept the password that was sent", required.origin);
                let help = "check the user name and the password; or the server takes no password here, and asks for the proof of one: \
                            leave out --password-tls";
                Err(Trouble::new(Kind::Login, message).help(help))
            }
            Err(Error::Login(required)) => {
                if let Some(way) = self.way.as_ref().filter(|_| required.proxy) {
                    let kept = self.kept_way.as_ref().and_then(Kept::user);
                    return Err(way::trouble(&required, &self.asked.1, way, kept));
                }
                let kept = self.kept.as_ref().and_then(Kept::user);
                Err(self.asked.0.trouble(&required, user.as_ref(), kept))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn send(&self, mut order: Order) -> Result<Reply, Error> {
        let somebody = order.user.is_some() || self.kept.as_ref().is_some_and(|kept| kept.user().is_some());
        if order.wants_login_first() && somebody {
            self.verbose.say(|| format!("> HEAD {}, before the body is sent", order.url));
            let reply = order.login_first(&self.client).send().await?;
            self.verbose.reply(&reply);
            // It has no body, and its connection is needed next.
            drop(reply.bytes(0).await);
        }
        self.verbose.order(&order);
        order.request(&self.client).send().await
    }

    /// Hands out what may be used.
    async fn deliver(&self, mut reply: Reply) -> Result<(), Trouble> {
        let Self { args, .. } = self;
        self.verbose.reply(&reply);
        let new_login = self.asked.0.any();
        if !args.silent {
            if let (Some(proof), Some(way)) = (reply.proxy(), &self.way) {
                output::note(&report::line_of_proxy(proof, &way.url, self.asked.1.any()));
            }
            let beside = report::Beside {
                pinned: reply.server_key().is_some(),
                password_sent: args.password_tls,
                identity: args.keys.has_identity(),
            };
            output::note(&report::line(reply.proof(), reply.url(), beside, new_login));
        }
        let (status, url, other_login) = (reply.status(), reply.url().clone(), other_login(&reply));
        let file = args.output.as_deref().filter(|path| !sink::is_stdout(path));
        if args.json {
            let mut object = report::object(&reply, new_login);
            match file {
                Some(path) => {
                    self.stream(&mut reply).await?;
                    report::add_file(&mut object, path);
                }
                None => {
                    let body = reply.bytes(MAX_JSON_BODY).await?.ok_or_else(too_long)?;
                    report::add_body(&mut object, &body);
                }
            }
            output::json(&object)?;
        } else {
            self.stream(&mut reply).await?;
        }
        if status.is_client_error() || status.is_server_error() {
            let trouble = Trouble::new(Kind::HttpError, format!("{url} answered {status}")).printed();
            return Err(match other_login {
                Some(schemes) => {
                    trouble.help(format!("it asks for a login by {schemes}, and by none that tagai knows (Mutual)"))
                }
                None => trouble,
            });
        }
        Ok(())
    }

    async fn stream(&self, reply: &mut Reply) -> Result<(), Trouble> {
        let mut sink = Sink::open(self.args.output.as_deref(), &self.mess)?;
        if self.args.include {
            let fields = verbose::pairs(reply.headers());
            let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            sink.write(format!("{:?} {}\r\n{fields}\r\n", reply.version(), reply.status()).as_bytes())?;
        }
        while let Some(frame) = reply.content().frame().await {
            match frame {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        sink.write(&data)?;
                    }
                }
                Err(error) => return Err(cut_off(error, self.args)),
            }
        }
        sink.finish()
    }
}

/// The ways to log in that an unproven 401 names: this program has another.
fn other_login(reply: &Reply) -> Option<String> {
    if reply.status() != StatusCode::UNAUTHORIZED || reply.is_proven() {
        return None;
    }
    let lines = reply.headers().get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes);
    let challenges = parse_challenges(lines).ok()?;
    let schemes: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme()).collect();
    (!schemes.is_empty()).then(|| schemes.join(", "))
}

fn cut_off(error: Error, args: &Args) -> Trouble {
    let trouble = Trouble::new(Kind::Network, format!("the answer broke off: {error}"));
    match &args.output {
        Some(path) if !sink::is_stdout(path) => trouble.help(format!("{} was left as it was", path.display())),
        _ => trouble.help("what was written of it is not all"),
    }
}

fn too_long() -> Trouble {
    Trouble::local(format!("the body is longer than {} MiB, which is too long for JSON", MAX_JSON_BODY >> 20))
        .help("-o FILE writes the body to a file; with --json, all the rest is printed")
}
