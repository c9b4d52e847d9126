//! Memory of sessions, counted by the allocator.
//!
//! A program that counts has to install the counting allocator:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: &tagai_bench::memory::Counting = tagai_bench::memory::COUNTING;
//! ```

use std::alloc::System;
use std::collections::{BTreeMap, HashMap};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tagai_core::message::Sid;
use tagai_core::server::Session;

/// The type of the counting allocator.
pub type Counting = StatsAlloc<System>;

/// The counting allocator.
pub static COUNTING: &Counting = &INSTRUMENTED_SYSTEM;

/// Octets that the program has asked for and not given back.
#[must_use]
pub fn in_use() -> usize {
    let stats = COUNTING.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Heap of a session: what comes back when it is dropped. Its own size comes on top.
#[must_use]
pub fn heap_of(session: Session) -> usize {
    let before = in_use();
    drop(session);
    before - in_use()
}

/// An in-memory table of sessions.
pub trait Table: Default {
    /// What the table is.
    const NAME: &'static str;
    /// Stores a session under its `sid`.
    fn put(&mut self, session: Session);
    /// Takes a session out.
    fn take(&mut self, sid: &Sid) -> Option<Session>;
    /// Takes all of them out.
    fn into_sessions(self) -> impl Iterator<Item = Session>;
}

macro_rules! table {
    ($table:ty, $name:literal, $enclose:expr, $open:expr) => {
        impl Table for $table {
            const NAME: &'static str = $name;

            fn put(&mut self, session: Session) {
                self.insert(session.sid().clone(), $enclose(session));
            }

            fn take(&mut self, sid: &Sid) -> Option<Session> {
                self.remove(sid).map($open)
            }

            fn into_sessions(self) -> impl Iterator<Item = Session> {
                self.into_values().map($open)
            }
        }
    };
}

/// Opens a box.
fn unbox(session: Box<Session>) -> Session {
    *session
}

table!(HashMap<Sid, Box<Session>>, "HashMap<Sid, Box<Session>>", Box::new, unbox);
table!(HashMap<Sid, Session>, "HashMap<Sid, Session>", std::convert::identity, std::convert::identity);
table!(BTreeMap<Sid, Session>, "BTreeMap<Sid, Session>", std::convert::identity, std::convert::identity);
