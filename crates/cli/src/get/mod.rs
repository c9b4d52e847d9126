//! `tagai get`: one request, from the command line to standard output.
//!
//! ```text
//! order ─► sessions (lease) ─► login, if asked ─► reply ─► sessions (keep) ─► report ─► sink
//! ```
//!
//! Nothing of an answer is written before the client has said that it may be used.

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
use tagai_client::core::grammar::parse_challenges;
use tagai_client::{Client, Error, Reply};
use trouble::Kind;
use verbose::Verbose;

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
    let builder = args.keys.apply(trusting(args.cacert.as_deref(), &order.url)?, &order.url)?;
    let (mess, verbose) = (Mess::default(), Verbose(args.verbose));
    let (builder, asked) = match order.user.as_ref().filter(|_| !args.password_tls) {
        None => (builder, Asked::default()),
        Some(user) => {
            let who = (user.clone(), order.url.origin().clone());
            let (login, asked) = Login::new(who, order.password.clone(), (mess.clone(), verbose));
            (builder.prompt(Arc::new(login)), asked)
        }
    };
    let client = builder.build()?;
    let (kept, restored) = leased.unzip();
    restore(&client, restored.unwrap_or_default(), verbose);
    let call = Call { args, kept, client, asked, mess, verbose };
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

fn restore(client: &Client, sessions: Vec<StoredSession>, verbose: Verbose) {
    for session in sessions {
        if let Err(error) = client.restore(session) {
            verbose.say(|| format!("a kept session is not used: {error}"));
        }
    }
}

/// One call of the program.
struct Call<'a> {
    args: &'a Args,
    kept: Option<Kept>,
    client: Client,
    asked: Asked,
    mess: Mess,
    verbose: Verbose,
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
        for text in self.kept.iter().flat_map(Kept::describe) {
            self.verbose.say(|| text);
        }
        let user = order.user.clone();
        let outcome = self.send(order).await;
        // What comes now makes no more requests.
        if let Some(kept) = &self.kept
            && let Err(error) = kept.keep(&self.client)
        {
            output::note(&format!("tagai: the session is not kept: {error}"));
        }
        match outcome {
            Ok(reply) => match self.asked.fell_back(reply.url().origin()).filter(|_| !reply.is_proven()) {
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
                let kept = self.kept.as_ref().and_then(Kept::user);
                Err(self.asked.trouble(&required, user.as_ref(), kept))
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
        let new_login = self.asked.any();
        if !args.silent {
            output::note(&report::line(&reply, new_login, args.password_tls));
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
