//! `[limits]` and `[guessing]`.

use super::model::{Guessing, Limits};
use super::reader::{Problem, Section};
use super::values;
use std::time::Duration;
use tagai_store::SessionLimits;
use toml::Spanned;

/// The least and the most octets of a header: a login message of the largest algorithm fits into the first, and the second is
/// more than any application needs.
const HEADER_SIZES: std::ops::RangeInclusive<u64> = (8 << 10)..=(1 << 20);
/// The most of anything that is counted; it fits into memory's addresses everywhere.
const MAX_COUNT: u64 = 1 << 30;

/// A count from one, as large as `usize`.
fn count(section: &Section<'_>, key: &'static str) -> Option<Spanned<usize>> {
    let number = section.integer(key, 1, MAX_COUNT)?;
    let span = number.span();
    usize::try_from(number.into_inner()).ok().map(|number| Spanned::new(span, number))
}

/// Two counts, the second of which is a share of the first: what is said, or the defaults; the default share is no more than
/// the whole.
fn count_and_share(
    section: &Section<'_>,
    (whole, default_whole): (&'static str, usize),
    (share, default_share): (&'static str, usize),
) -> (usize, usize) {
    let all = count(section, whole).map_or(default_whole, Spanned::into_inner);
    let Some(part) = count(section, share) else { return (all, default_share.min(all)) };
    if *part.get_ref() > all {
        let problem = Problem::new(format!("`{share}` is more than `{whole}`"), format!("there are {all} in all"));
        section.error(&part.span(), problem.help(format!("lower it, or raise `{whole}`")));
    }
    (all, part.into_inner())
}

pub(super) fn limits(document: &Section<'_>) -> Limits {
    let defaults = Limits::default();
    let Some(section) = document.section("limits", "[limits]") else { return defaults };
    let time = |key, default: Duration| {
        section.parsed(key, "a string such as \"30s\"", values::duration).map_or(default, Spanned::into_inner)
    };
    let (connections, connections_per_address) = count_and_share(
        &section,
        ("connections", defaults.connections),
        ("connections-per-address", defaults.connections_per_address),
    );
    let header_size = section.parsed("header-size", "a string such as \"32KiB\"", |text| {
        let octets = values::size(text)?;
        match usize::try_from(octets) {
            Ok(size) if HEADER_SIZES.contains(&octets) => Ok(size),
            _ => Err(Problem::new("`header-size` is out of range", "it has to be from 8KiB to 1MiB")),
        }
    });
    let headers = section.integer("headers", 16, 4096).and_then(|number| usize::try_from(number.into_inner()).ok());
    let streams = section.integer("streams", 1, 65_536).and_then(|number| u32::try_from(number.into_inner()).ok());
    let limits = Limits {
        connections,
        connections_per_address,
        header_size: header_size.map_or(defaults.header_size, Spanned::into_inner),
        headers: headers.unwrap_or(defaults.headers),
        header_timeout: time("header-timeout", defaults.header_timeout),
        handshake_timeout: time("handshake-timeout", defaults.handshake_timeout),
        idle_timeout: time("idle-timeout", defaults.idle_timeout),
        body_timeout: time("body-timeout", defaults.body_timeout),
        streams: streams.unwrap_or(defaults.streams),
        sessions: sessions(&section, defaults.sessions),
        shutdown_timeout: time("shutdown-timeout", defaults.shutdown_timeout),
    };
    section.finish();
    limits
}

fn sessions(section: &Section<'_>, defaults: SessionLimits) -> SessionLimits {
    let (half_open, half_open_per_owner) = count_and_share(
        section,
        ("half-open", defaults.half_open),
        ("half-open-per-address", defaults.half_open_per_owner),
    );
    let (established, established_per_user) = count_and_share(
        section,
        ("sessions", defaults.established),
        ("sessions-per-user", defaults.established_per_user),
    );
    let half_open_time = section
        .parsed("half-open-time", "a string such as \"60s\"", values::duration)
        .map_or(defaults.half_open_time, Spanned::into_inner);
    SessionLimits { half_open, half_open_per_owner, half_open_time, established, established_per_user }
}

pub(super) fn guessing(document: &Section<'_>) -> Guessing {
    let defaults = Guessing::default();
    let Some(section) = document.section("guessing", "[guessing]") else { return defaults };
    let failures = |key, default: u32| {
        section.integer(key, 1, 1 << 20).and_then(|number| u32::try_from(number.into_inner()).ok()).unwrap_or(default)
    };
    let guessing = Guessing {
        failures_per_address: failures("failures-per-address", defaults.failures_per_address),
        failures_per_user: failures("failures-per-user", defaults.failures_per_user),
        recovery: section
            .parsed("recovery", "a string such as \"30s\"", values::duration)
            .map_or(defaults.recovery, Spanned::into_inner),
    };
    section.finish();
    guessing
}
