//! How much memory sessions take, and what it is to hold many of them.
//!
//! ```text
//! cargo run --release -p tagai-bench --bin memory                             # some seconds
//! cargo run --release -p tagai-bench --bin memory -- --sessions 1000000       # some minutes
//! ```
//!
//! Every session comes out of a login of its own: key exchange and first proof, both ends.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::time::Instant;

use lexopt::{Arg, ValueExt as _};
use tagai_bench::LoginServer;
use tagai_bench::memory::{COUNTING, Counting, Table, heap_of, in_use};
use tagai_core::algorithm::Algorithm;
use tagai_core::message::Sid;
use tagai_core::server::Session;
use tagai_core::time::Time;

#[global_allocator]
static ALLOCATOR: &Counting = COUNTING;

/// One session of so many is asked for again when all are there.
const ONE_IN: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut sessions = 20_000;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("sessions") => sessions = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }

    println!("one established session, window of 128:");
    for algorithm in Algorithm::ALL {
        let (server, mut user) = LoginServer::new(algorithm);
        let heap = heap_of(user.login(&server, 0).1);
        let inline = size_of::<Session>();
        println!("  {algorithm}: {inline} octets + {heap} on the heap = {}", inline + heap);
    }
    println!("{sessions} established sessions of {}, octets for each:", Algorithm::EcP256Sha256);
    many(sessions);
    Ok(())
}

/// A request in one of the sessions, to be served when all are there.
struct Request {
    sid: Sid,
    field: String,
    now: Time,
}

/// Makes so many sessions, and keeps them in one table after the other.
fn many(sessions: usize) {
    let (server, mut user) = LoginServer::new(Algorithm::EcP256Sha256);
    user.login(&server, 0);
    let mut requests = Vec::with_capacity(sessions / ONE_IN + 1);
    let (before, resident_before) = (in_use(), resident());
    let mut noted = 0;

    let mut table = HashMap::<Sid, Box<Session>>::default();
    let clock = Instant::now();
    for seed in 0..sessions {
        let (login, session) = user.login(&server, seed as u64);
        if seed.is_multiple_of(ONE_IN) {
            let start = in_use();
            requests.push(Request { sid: session.sid().clone(), field: user.request(), now: login.now });
            noted += in_use() - start;
        }
        table.put(session);
    }
    let made = clock.elapsed();
    println!("  made by {sessions} logins in {:.1} s, both ends on one core", made.as_secs_f64());
    if let (Some(before), Some(after)) = (resident_before, resident()) {
        let requests = noted + requests.capacity() * size_of::<Request>();
        let each = (after - before).saturating_sub(requests) / sessions;
        println!("  {}: {each} resident, by the operating system", HashMap::<Sid, Box<Session>>::NAME);
    }

    let per_session = |table: &str| println!("  {table}: {} on the heap", (in_use() - before - noted) / sessions);
    per_session(HashMap::<Sid, Box<Session>>::NAME);
    serve(&mut table, &server, &requests);
    let table = moved::<_, BTreeMap<Sid, Session>>(table);
    per_session(BTreeMap::<Sid, Session>::NAME);
    let table = moved::<_, HashMap<Sid, Session>>(table);
    per_session(HashMap::<Sid, Session>::NAME);
    drop(table);
}

/// Puts all sessions of one table into another.
fn moved<A: Table, B: Table>(from: A) -> B {
    let mut to = B::default();
    from.into_sessions().for_each(|session| to.put(session));
    to
}

/// Serves the requests, each in a session of its own somewhere in the table.
fn serve(table: &mut impl Table, server: &LoginServer, requests: &[Request]) {
    let clock = Instant::now();
    for request in requests {
        let session = table.take(&request.sid).expect("the session is there");
        let (session, _) = server.request(session, &request.field, request.now);
        table.put(session);
    }
    let each = clock.elapsed() / u32::try_from(requests.len()).unwrap_or(u32::MAX);
    println!("  {} requests in {} of the sessions served, {each:?} each", requests.len(), requests.len());
}

/// Octets of the process that are in memory, where the operating system tells.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok().map(|kib| kib * 1024)
}
