//! Byte ranges of a download (RFC 9110, section 14): one range, from either end.

use std::ops::Range;

/// What a `Range` header asks of a content of a known length.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RangeAnswer {
    /// The whole content: the header asks for nothing that this server can give in parts. The standard lets a server ignore
    /// a header that is malformed, in another unit, or that asks for several ranges at once.
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Nothing of what is asked for exists.
    Outside,
}

/// Reads a `Range` header for a content of `length` bytes.
pub(crate) fn read_range(header: &str, length: u64) -> RangeAnswer {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|spec| spec.trim().split_once('-')) else {
        return RangeAnswer::Whole;
    };
    let range = match (number(first), number(last)) {
        (Bound::Absent, Bound::At(count)) => length.saturating_sub(count)..length,
        (Bound::At(first), Bound::Absent) => first..length,
        (Bound::At(first), Bound::At(last)) if first <= last => first..length.min(last.saturating_add(1)),
        _ => return RangeAnswer::Whole,
    };
    if range.is_empty() { RangeAnswer::Outside } else { RangeAnswer::Part(range) }
}

enum Bound {
    Absent,
    At(u64),
    Malformed,
}

/// A number too large to be kept lies beyond the end of everything, which is all that matters here.
fn number(digits: &str) -> Bound {
    if digits.is_empty() {
        Bound::Absent
    } else if digits.bytes().all(|c| c.is_ascii_digit()) {
        Bound::At(digits.parse().unwrap_or(u64::MAX))
    } else {
        Bound::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_may_name_both_ends_one_end_or_a_count_from_the_end() {
        assert_eq!(read_range("bytes=0-0", 10), RangeAnswer::Part(0..1));
        assert_eq!(read_range("bytes=2-5", 10), RangeAnswer::Part(2..6));
        assert_eq!(read_range("bytes=7-", 10), RangeAnswer::Part(7..10));
        assert_eq!(read_range("bytes=-3", 10), RangeAnswer::Part(7..10));
    }

    #[test]
    fn a_range_that_reaches_beyond_the_end_stops_there() {
        assert_eq!(read_range("bytes=5-99", 10), RangeAnswer::Part(5..10));
        assert_eq!(read_range("bytes=-99", 10), RangeAnswer::Part(0..10));
        assert_eq!(read_range("bytes=0-99999999999999999999999", 10), RangeAnswer::Part(0..10));
        assert_eq!(read_range("bytes=0-18446744073709551615", 10), RangeAnswer::Part(0..10));
    }

    #[test]
    fn a_range_of_which_nothing_exists_cannot_be_given() {
        assert_eq!(read_range("bytes=10-", 10), RangeAnswer::Outside);
        assert_eq!(read_range("bytes=10-12", 10), RangeAnswer::Outside);
        assert_eq!(read_range("bytes=-0", 10), RangeAnswer::Outside);
        assert_eq!(read_range("bytes=0-", 0), RangeAnswer::Outside);
    }

    #[test]
    fn a_header_that_is_not_one_range_of_bytes_is_ignored() {
        for header in
            ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=+1-2"]
        {
            assert_eq!(read_range(header, 10), RangeAnswer::Whole, "{header}");
        }
    }
}
