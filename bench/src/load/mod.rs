//! Load for servers on this machine, by the protocol core and as little else as possible.

mod connection;
mod user;

use connection::{Connection, Target};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use user::User;

/// What to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `http` or `https`, at `localhost` or an address of this machine.
    pub url: String,
    /// Connections, one request at a time on each.
    pub connections: usize,
    /// For how long, after a second that does not count.
    pub duration: Duration,
    /// The certificate to trust.
    pub cacert: Option<PathBuf>,
    /// How requests are authenticated.
    pub authentication: Authentication,
    /// Each request is a new login.
    pub logins: bool,
}

/// How requests are authenticated.
#[derive(Clone)]
pub enum Authentication {
    /// Not at all.
    None,
    /// The password goes along with each request (RFC 7617).
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// Each request has a proof (RFC 8120).
    Mutual {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic",
            Self::Mutual { .. } => "Mutual",
        })
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Requests (or logins) that were answered as they should be; any other answer is an error.
    pub requests: usize,
    /// The time that they took, all together.
    pub seconds: f64,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// None took longer.
    pub max: Duration,
}

const WARM_UP: Duration = Duration::from_secs(1);

/// Does it.
///
/// # Errors
/// Whatever keeps a single request from being answered with 200, and with a right proof if it is Mutual.
pub fn run(plan: &Plan) -> io::Result<Report> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load(plan))
}

async fn load(plan: &Plan) -> io::Result<Report> {
    let target = Target::parse(&plan.url, plan.cacert.as_deref())?;
    let user = User::new(&plan.authentication, plan.logins)?;
    let mut tasks = JoinSet::new();
    let begin = Instant::now() + WARM_UP;
    let end = begin + plan.duration;
    for _ in 0..plan.connections {
        let (target, mut user) = (target.clone(), user.clone());
        tasks.spawn(async move {
            let mut connection = Connection::open(&target).await?;
            let mut times = Vec::with_capacity(1 << 16);
            loop {
                let sent = Instant::now();
                if sent >= end {
                    return Ok::<_, io::Error>(times);
                }
                user.request(&mut connection).await?;
                if sent >= begin {
                    times.push(sent.elapsed());
                }
            }
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done.map_err(io::Error::other)??);
    }
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    let at = |share| at(share).copied().ok_or_else(|| io::Error::other("nothing was answered"));
    Ok(Report {
        requests: times.len(),
        seconds: plan.duration.as_secs_f64(),
        p50: at(0.5)?,
        p99: at(0.99)?,
        max: at(1.0)?,
    })
}
