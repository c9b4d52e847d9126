//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who is counted: an IPv4 address, or a /64 of IPv6, which is what one customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    V4(Ipv4Addr),
    V6(u64),
}

impl From<IpAddr> for Owner {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(prefix(address)),
        }
    }
}

fn prefix(address: Ipv6Addr) -> u64 {
    (address.to_bits() >> 64) as u64
}

/// The table of open connections.
#[derive(Debug)]
pub(crate) struct Owners {
    most: usize,
    most_each: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    open: usize,
    each: HashMap<Owner, usize>,
}

/// One connection in the table, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted {
    owners: Arc<Owners>,
    owner: Owner,
}

impl Owners {
    pub(crate) fn new(most: usize, most_each: usize) -> Self {
        Self { most, most_each, table: Mutex::default() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open(&self) -> usize {
        self.table().open
    }

    /// Counts a connection, unless it would be one too many.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let owner = Owner::from(address);
        let mut table = self.table();
        let of_owner = table.each.get(&owner).copied().unwrap_or(0);
        if table.open >= self.most || of_owner >= self.most_each {
            return None;
        }
        table.open += 1;
        table.each.insert(owner, of_owner + 1);
        Some(Counted { owners: Arc::clone(self), owner })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut table = self.owners.table();
        table.open = table.open.saturating_sub(1);
        match table.each.get_mut(&self.owner) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(table.each.remove(&self.owner)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_are_given_back() {
        let owners = Arc::new(Owners::new(3, 2));
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = owners.admit(ip("192.0.2.1")).unwrap();
        let _second = owners.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert!(owners.admit(ip("192.0.2.1")).is_none());
        let third = owners.admit(ip("2001:db8::1")).unwrap();
        assert!(owners.admit(ip("192.0.2.2")).is_none());
        assert_eq!(owners.open(), 3);
        drop(first);
        let _fourth = owners.admit(ip("2001:db8::2")).unwrap();
        assert!(owners.admit(ip("2001:db8::3")).is_none());
        drop(third);
        assert!(owners.admit(ip("2001:db8:0:1::3")).is_some());
        assert_eq!(owners.table().each.len(), 2);
    }
}
