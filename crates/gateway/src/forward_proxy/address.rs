//! Which addresses are not of the public Internet, however they are written.
//!
//! A proxy stands where its clients do not: next to its own machine, its network, and the services that clouds have at link-local
//! addresses. None of these may be reached by a name that happens to lead there.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// The blocks, from the registries of special-purpose addresses (RFC 6890) and of address space: whatever no public host has.
static BLOCKS: LazyLock<Vec<IpNet>> =
    LazyLock::new(|| BLOCK_NAMES.iter().filter_map(|text| text.parse().ok()).collect());

const BLOCK_NAMES: [&str; 28] = [
    "0.0.0.0/8",       // this host
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // behind a carrier's NAT
    "127.0.0.0/8",     // loopback
    "169.254.0.0/16",  // link-local, and what clouds tell their machines
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // protocols
    "192.0.2.0/24",    // documentation
    "192.88.99.0/24",  // 6to4 relays
    "192.168.0.0/16",  // private
    "198.18.0.0/15",   // benchmarks
    "198.51.100.0/24", // documentation
    "203.0.113.0/24",  // documentation
    "224.0.0.0/4",     // multicast
    "240.0.0.0/4",     // reserved, and broadcast
    "::1/128",         // loopback
    "64:ff9b:1::/48",  // NAT64 of one's own network
    "2001::/23",       // protocols, Teredo among them
    "2001:db8::/32",   // documentation
    "2002::/16",       // 6to4: an IPv4 address in disguise
    "3fff::/20",       // documentation
    "fc00::/7",        // private
    "fe80::/10",       // link-local
    "ff00::/8",        // multicast
    // All of the rest that is not 2000::/3, where the public addresses are.
    "::/3",
    "4000::/2",
    "8000::/2",
    "c000::/2",
];

/// Where IPv4 addresses are behind a translator (RFC 6052).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// The block of special addresses that an address is in, if it is in one; with the address that counts, which is the one inside of
/// forms that carry another.
pub(super) fn special(address: IpAddr) -> (IpAddr, Option<IpNet>) {
    let address = plain(address);
    (address, BLOCKS.iter().find(|block| block.contains(&address)).copied())
}

/// The address that packets go to: of `::ffff:a.b.c.d` and of NAT64's `64:ff9b::a.b.c.d`, it is the IPv4 address.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => embedded(address).map_or(IpAddr::V6(address), IpAddr::V4),
        address => address,
    }
}

fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let ([h1, h2], [l1, l2]) = (high.to_be_bytes(), low.to_be_bytes());
    ([a, b, c, d, e, f] == NAT64).then_some(Ipv4Addr::new(h1, h2, l1, l2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_can_be_read() {
        assert_eq!(BLOCKS.len(), BLOCK_NAMES.len());
        assert!(BLOCKS.iter().all(|block| block.trunc() == *block));
    }

    #[test]
    fn what_is_not_public_is_known_in_every_form() {
        for special_one in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.1.2.3",
            "100.100.100.200",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "224.0.0.251",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "9000::1",
        ] {
            assert!(special(special_one.parse().unwrap()).1.is_some(), "{special_one}");
        }
    }

    #[test]
    fn what_is_public_is_not_special() {
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:9.9.9.9",
            "64:ff9b::909:909",
        ] {
            assert_eq!(special(public.parse().unwrap()).1, None, "{public}");
        }
    }
}
