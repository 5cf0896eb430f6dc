//! Bit vectors that are confined by prefixes: a prefix is an interval of numbers, so what is left
//! of one interval after taking away others is found by one sweep.

/// The numbers that begin with a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) low: u128,
    pub(super) high: u128,
}

impl Interval {
    /// The numbers of `width` bits whose first `length` bits are `prefix`.
    pub(super) fn new(prefix: u128, length: u32, width: u32) -> Interval {
        let rest = width - length;
        if rest >= 128 {
            return Interval { low: 0, high: u128::MAX };
        }
        let low = prefix << rest;
        Interval { low, high: low | ((1u128 << rest) - 1) }
    }

    /// All numbers of `width` bits.
    pub(super) fn all(width: u32) -> Interval {
        Interval::new(0, 0, width)
    }

    pub(super) fn includes(self, other: Interval) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// Whether they have a number in common. Two prefixes have none, or one is in the other.
    pub(super) fn overlaps(self, other: Interval) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// The least number of `base` that is in no interval of `without`; or, if there is none, indices
/// of intervals that cover `base` together, none of which could be left out.
pub(super) fn least_outside(base: Interval, without: &[Interval]) -> Result<u128, Vec<usize>> {
    let mut order: Vec<usize> = (0..without.len()).filter(|&i| without[i].overlaps(base)).collect();
    // Of prefixes that begin together the widest comes first.
    order.sort_by_key(|&i| (without[i].low, std::cmp::Reverse(without[i].high)));
    let mut least = base.low;
    let mut covering = Vec::new();
    for i in order {
        let Interval { low, high } = without[i];
        if low > least {
            break;
        }
        if high < least {
            continue;
        }
        covering.push(i);
        if high >= base.high {
            return Err(covering);
        }
        least = high + 1;
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use keyaki_testing::arbtest;

    use super::*;

    #[test]
    fn a_prefix_is_an_interval() {
        assert_eq!(Interval::new(0b10, 2, 4), Interval { low: 8, high: 11 });
        assert_eq!(Interval::new(5, 4, 4), Interval { low: 5, high: 5 });
        assert_eq!(Interval::all(128), Interval { low: 0, high: u128::MAX });
        let last = Interval::new(1, 1, 128);
        assert_eq!(last, Interval { low: 1 << 127, high: u128::MAX });
    }

    #[test]
    fn the_least_number_outside_is_what_trying_all_finds() {
        arbtest(|u| {
            const WIDTH: u32 = 4;
            let mut prefix = || -> keyaki_testing::arbitrary::Result<Interval> {
                let length = u.int_in_range(0..=WIDTH)?;
                let prefix = u.int_in_range(0..=(1u128 << length) - 1)?;
                Ok(Interval::new(prefix, length, WIDTH))
            };
            let base = prefix()?;
            let mut without = Vec::new();
            for _ in 0..7 {
                without.push(prefix()?);
            }
            let outside = |number: &u128, indices: &[usize]| {
                !indices
                    .iter()
                    .any(|&i| without[i].includes(Interval { low: *number, high: *number }))
            };
            let all: Vec<usize> = (0..without.len()).collect();
            let expected = (base.low..=base.high).find(|number| outside(number, &all));
            match least_outside(base, &without) {
                Ok(least) => assert_eq!(Some(least), expected),
                Err(covering) => {
                    assert_eq!(expected, None);
                    assert!((base.low..=base.high).all(|number| !outside(&number, &covering)));
                    for left_out in &covering {
                        let mut fewer = covering.clone();
                        fewer.retain(|i| i != left_out);
                        assert!((base.low..=base.high).any(|number| outside(&number, &fewer)));
                    }
                }
            }
            Ok(())
        });
    }
}
