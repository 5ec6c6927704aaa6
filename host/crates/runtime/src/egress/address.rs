//! Which addresses belong to the public internet, and which are granted although they do not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Says why an address is not public; `None` if it is. A mapped address of version 4 is judged as what it stands for. The other
/// forms that carry one (compatible, NAT64, 6to4, Teredo) are never public: a relay would dial what no check has seen.
pub(crate) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => not_public_v4(address),
        IpAddr::V6(address) => not_public_v6(address),
    }
}

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        (0, ..) => Some("an unspecified address"),
        (127, ..) => Some("a loopback address"),
        (10, ..) | (172, 16..=31, ..) | (192, 168, ..) => Some("a private address"),
        // Asked for by name in reviews; these two lie outside the link-local range. Alibaba's, and Azure's wire server.
        (100, 100, 100, 200) | (168, 63, 129, 16) => Some("a metadata address of a cloud"),
        (100, 64..=127, ..) => Some("an address of a carrier's network (CGNAT)"),
        (169, 254, 169, 254) => Some("a metadata address of a cloud"),
        (169, 254, ..) => Some("a link-local address"),
        (192, 0, 0, _) | (192, 31, 196, _) | (192, 52, 193, _) | (192, 175, 48, _) => Some("a protocol's own address"),
        (192, 0, 2, _) | (198, 51, 100, _) | (203, 0, 113, _) => Some("an address for documentation"),
        (192, 88, 99, _) => Some("a relay's address (6to4)"),
        (198, 18..=19, ..) => Some("an address for benchmarks"),
        (224..=239, ..) => Some("a multicast address"),
        (255, 255, 255, 255) => Some("the broadcast address"),
        (240..=255, ..) => Some("a reserved address"),
        _ => None,
    }
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        [0, 0, 0, 0, 0, 0, ..] => Some("an address that carries one of IPv4 (compatible)"),
        [0x64, 0xff9b, ..] => Some("an address that carries one of IPv4 (NAT64)"),
        [0x2002, ..] => Some("an address that carries one of IPv4 (6to4)"),
        [0x2001, 0, ..] => Some("an address that carries one of IPv4 (Teredo)"),
        // AWS by version 6 lies in the private range; it is told by its name.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] => Some("a metadata address of a cloud"),
        [first, ..] if first & 0xfe00 == 0xfc00 => Some("a private address"),
        [first, ..] if first & 0xffc0 == 0xfe80 => Some("a link-local address"),
        [first, ..] if first & 0xffc0 == 0xfec0 => Some("a site-local address"),
        [first, ..] if first & 0xff00 == 0xff00 => Some("a multicast address"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("an address for documentation"),
        [0x2001, 2, 0, ..] => Some("an address for benchmarks"),
        [0x2001, second, ..] if second < 0x0200 => Some("a protocol's own address"),
        // The public internet is 2000::/3; nothing else was ever given out.
        [first, ..] if first & 0xe000 == 0x2000 => None,
        _ => Some("a reserved address"),
    }
}

/// An address, or all that share its first bits: `10.0.0.0/8`, `fd00::/8`, `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// One address.
    pub(crate) fn one(address: IpAddr) -> Self {
        let base = address.to_canonical();
        Self { base, bits: width(base) }
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.base) && masked(address, self.bits) == masked(self.base, self.bits)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr =
            base.parse().map_err(|_| format!("{text:?} is no address, such as \"10.1.2.3\" or \"10.0.0.0/8\""))?;
        if base.to_canonical() != base {
            return Err(format!("{text:?} is an address of IPv4 in disguise: write it as {}", base.to_canonical()));
        }
        let whole = width(base);
        let bits = match bits.map(u8::from_str) {
            None => whole,
            Some(Ok(bits)) if bits <= whole => bits,
            Some(_) => return Err(format!("{text:?}: the part behind `/` is a number from 0 to {whole}")),
        };
        if masked(base, bits) != number(base) {
            return Err(format!("{text:?} has bits set behind its first {bits}: nothing else would be meant by it"));
        }
        Ok(Self { base, bits })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.bits == width(self.base) {
            write!(f, "{}", self.base)
        } else {
            write!(f, "{}/{}", self.base, self.bits)
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which addresses may be dialled: all public ones, and those that are granted by name of address.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AddressPolicy(Vec<Network>);

impl AddressPolicy {
    pub(crate) fn new(mut granted: Vec<Network>) -> Self {
        granted.sort();
        granted.dedup();
        Self(granted)
    }

    pub(crate) fn is_public_only(&self) -> bool {
        self.0.is_empty()
    }

    /// Says why an address may not be dialled.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), &'static str> {
        match not_public(address) {
            Some(why) if !self.0.iter().any(|network| network.contains(address)) => Err(why),
            _ => Ok(()),
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The bits of an address, those of version 4 in the upper half of the lower word.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

fn masked(address: IpAddr, bits: u8) -> u128 {
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    number(address) & mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn why(text: &str) -> Option<&'static str> {
        not_public(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_public_internet_are_public() {
        for text in ["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0"] {
            assert_eq!(why(text), None, "{text}");
        }
        for text in ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"] {
            assert_eq!(why(text), None, "{text}");
        }
    }

    #[test]
    fn the_edges_of_the_ranges_that_are_not_public_are_inside() {
        let edges = [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "239.255.255.255"),
            ("240.0.0.0", "255.255.255.255"),
            ("::", "::ffff:ffff"),
            ("64:ff9b::", "64:ff9b::ffff:ffff"),
            ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("169.254.169.254", "168.63.129.16"),
            ("fd00:ec2::254", "100.100.100.200"),
        ];
        for (first, last) in edges {
            assert!(why(first).is_some() && why(last).is_some(), "{first} {last}");
        }
    }

    #[test]
    fn an_address_in_disguise_is_refused_like_the_address() {
        for text in ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b:1::a00:1"] {
            assert!(why(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_network_is_read_as_it_is_written_and_never_wider() {
        for text in ["10.0.0.0/8", "127.0.0.1", "fd00::/8", "::1", "0.0.0.0/0"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        for text in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0/8", "localhost", "::ffff:10.0.0.0/104", "", "/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_of_version_4_is_judged_the_same_in_its_mapped_form(bits: u32) {
            let address = Ipv4Addr::from(bits);
            prop_assert_eq!(not_public(address.into()), not_public(address.to_ipv6_mapped().into()));
        }

        #[test]
        fn no_form_of_version_6_that_carries_version_4_is_public(bits: u32) {
            let [a, b, c, d] = bits.to_be_bytes().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for segments in [
                [0, 0, 0, 0, 0, 0, high, low],
                [0x64, 0xff9b, 0, 0, 0, 0, high, low],
                [0x2002, high, low, 0, 0, 0, 0, 1],
                [0x2001, 0, 0, 0, 0, 0, !high, !low],
            ] {
                prop_assert!(not_public(Ipv6Addr::from(segments).into()).is_some());
            }
        }

        #[test]
        fn what_the_standard_library_calls_special_is_never_public(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!special || not_public(address.into()).is_some());
        }

        #[test]
        fn a_network_holds_exactly_those_that_share_its_bits(base: u32, other: u32, bits in 0_u8..=32) {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            let network: Network = format!("{}/{bits}", Ipv4Addr::from(base & mask)).parse().unwrap();
            prop_assert_eq!(network.contains(Ipv4Addr::from(other).into()), base & mask == other & mask);
            prop_assert!(!network.contains(IpAddr::V6(Ipv6Addr::from(u128::from(other) << 96))));
        }
    }
}
