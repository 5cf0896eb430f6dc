//! Instants: dates in whole seconds (3.6, D18).
//!
//! A date has many texts and calendars are not regular, so a key of dates has a number instead of
//! a text: seconds since 1970, as 64 bits in offset binary, so that the order of numbers is the
//! order of words. A comparison with a constant is then a disjunction of prefixes, one for each
//! bit at which a smaller number can first differ.

use keyaki_logic::{Term, Terms};

use super::decimal::{Comparison, Decimal};

/// The bits of an instant.
pub const BITS: u32 = 64;

/// 0000-01-01T00:00:00Z, before which no date can be written.
pub const FIRST: i64 = -62_167_219_200;

/// 9999-12-31T23:59:59Z.
pub const LAST: i64 = 253_402_300_799;

/// The seconds since 1970 as a bit vector.
pub fn to_bits(seconds: i64) -> u128 {
    u128::from(seconds.cast_unsigned() ^ (1 << 63))
}

/// The seconds since 1970 of a bit vector of [`BITS`] bits.
pub fn from_bits(bits: u128) -> i64 {
    ((bits as u64) ^ (1 << 63)).cast_signed()
}

/// The instant as people write it: `YYYY-MM-DDThh:mm:ssZ`, or its seconds if its year has not
/// four digits.
pub fn display(seconds: i64) -> String {
    if !(FIRST..=LAST).contains(&seconds) {
        return seconds.to_string();
    }
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // Days since 0000-03-01, so that leap days end their years.
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) =
        (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

const DAY: i64 = 86_400;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// Reads a date: digits, which are seconds since 1970 and may have a minus sign, or one of the
/// forms of the W3C's note on dates. What is left out is the earliest possible, in UTC; fractions
/// of a second are cut off.
pub(super) fn parse(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut fields = date.split('-');
    let year = number(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |month| number(month, 2))?;
    let day = fields.next();
    if fields.next().is_some() || !(1..=12).contains(&month) || (time.is_some() && day.is_none()) {
        return None;
    }
    let day = day.map_or(Some(1), |day| number(day, 2))?;
    if !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_since_1970(year, month, day) * DAY;
    Some(midnight + time.map_or(Some(0), seconds_of_day)?)
}

/// The seconds since midnight, UTC, of `hh:mmTZD`, `hh:mm:ssTZD` or `hh:mm:ss.sTZD`.
fn seconds_of_day(time: &str) -> Option<i64> {
    let (time, zone) = match time.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => {
            let at = time.rfind(['+', '-'])?;
            let (hours, minutes) = time[at + 1..].split_once(':')?;
            let offset = hours_and_minutes(hours, minutes)?;
            (&time[..at], if time.as_bytes()[at] == b'-' { -offset } else { offset })
        }
    };
    let mut fields = time.splitn(3, ':');
    let minutes = hours_and_minutes(fields.next()?, fields.next()?)?;
    let seconds = match fields.next() {
        None => 0,
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            let is_fraction = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
            is_fraction.then_some(())?;
            number(whole, 2).filter(|seconds| *seconds < 60)?
        }
    };
    Some((minutes - zone) * 60 + seconds)
}

fn hours_and_minutes(hours: &str, minutes: &str) -> Option<i64> {
    let hours = number(hours, 2).filter(|hours| *hours < 24)?;
    let minutes = number(minutes, 2).filter(|minutes| *minutes < 60)?;
    Some(hours * 60 + minutes)
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the proleptic Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month_from_march) = (year - i64::from(month <= 2), (month + 9) % 12);
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    365 * year + leap_days + day_of_year - DAYS_TO_1970
}

/// A term that is true if and only if the instant passes the comparison with the constant.
pub(super) fn compare(t: &mut Terms, instant: Term, comparison: Comparison, constant: i64) -> Term {
    let bits = to_bits(constant);
    match comparison {
        Comparison::Equal => t.has_prefix(instant, bits, BITS),
        Comparison::Less => below(t, instant, bits, BITS),
        Comparison::GreaterOrEqual => {
            let less = below(t, instant, bits, BITS);
            t.not(less)
        }
        Comparison::Greater => {
            let greater = Comparison::LessOrEqual;
            let at_most = compare(t, instant, greater, constant);
            t.not(at_most)
        }
        Comparison::LessOrEqual => match constant.checked_add(1) {
            Some(next) => below(t, instant, to_bits(next), BITS),
            None => t.bool(true),
        },
    }
}

/// A term that is true if and only if the instant passes the comparison with the number.
pub(super) fn compare_number(
    t: &mut Terms,
    instant: Term,
    comparison: Comparison,
    constant: &Decimal,
) -> Term {
    let (floor, is_integer) = constant.floor();
    let Ok(floor) = i64::try_from(floor) else {
        // Beyond every instant, above or below.
        let order = if floor > 0 { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater };
        return t.bool(comparison.accepts(order));
    };
    match comparison {
        _ if is_integer => compare(t, instant, comparison, floor),
        Comparison::Equal => t.bool(false),
        // Between the floor and its successor there is no instant.
        Comparison::Less | Comparison::LessOrEqual => {
            compare(t, instant, Comparison::LessOrEqual, floor)
        }
        Comparison::Greater | Comparison::GreaterOrEqual => {
            compare(t, instant, Comparison::Greater, floor)
        }
    }
}

/// A term that is true if and only if `number`, of `width` bits, is smaller than `bits`: they share the constant's
/// bits up to some one, where they have a zero.
pub(super) fn below(t: &mut Terms, number: Term, bits: u128, width: u32) -> Term {
    let first_differences: Vec<Term> = (0..width)
        .filter(|place| bits >> (width - 1 - place) & 1 == 1)
        .map(|place| t.has_prefix(number, (bits >> (width - 1 - place)) - 1, place + 1))
        .collect();
    t.or(first_differences)
}

#[cfg(test)]
mod tests {
    use keyaki_logic::{Formula, Model, Sort, Value, eval};
    use keyaki_testing::arbtest;

    use super::*;

    #[test]
    fn the_forms_of_the_note_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970", 1970),
            ("-1", -1),
            ("0", 0),
            ("1970-02", 31 * DAY),
            ("1970-01-02", DAY),
            ("2000-03-01", 951_868_800),
            ("2026-11-24T12:30Z", 1_795_523_400),
            ("2026-11-24T12:30:15Z", 1_795_523_415),
            ("2026-11-24T12:30:15.999Z", 1_795_523_415),
            ("2026-11-24T14:30:15+02:00", 1_795_523_415),
            ("2026-11-24T07:00:15.1-05:30", 1_795_523_415),
            ("1969-12-31T23:59:59.5Z", -1),
            ("0000-01-01", FIRST),
            ("9999-12-31T23:59:59Z", LAST),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "-",
            "+1",
            "2026-13",
            "2026-1-1",
            "2026-02-29",
            "2026-01-01T",
            "2026-01-01T00:00",
            "2026-01-01T00:00:00",
            "2026-01-01T24:00Z",
            "2026-01-01T00:60Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01t00:00:00z",
            "2026-01T00:00Z",
            "2026-01-01T00:00+0100",
            "2026-01-01 00:00Z",
            "26-01-01",
            "2026-01-01-01",
            "99999999999999999999",
            "1.5",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn months_have_their_days() {
        let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (year, of_february) in [(2023, 28), (2024, 29), (1900, 28), (2000, 29), (0, 29)] {
            for (month, days) in (1..).zip(days) {
                let last = if month == 2 { of_february } else { days };
                let date = |day: i64| parse(&format!("{year:04}-{month:02}-{day:02}"));
                assert!(date(last).is_some() && date(1).is_some(), "{year}-{month}-{last}");
                assert_eq!((date(last + 1), date(0)), (None, None), "{year}-{month}");
                let next = date(last).unwrap() + DAY;
                assert_eq!(
                    display(next),
                    match month {
                        12 => format!("{:04}-01-01T00:00:00Z", year + 1),
                        _ => format!("{year:04}-{:02}-01T00:00:00Z", month + 1),
                    }
                );
            }
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        arbtest(|u| {
            let seconds = u.int_in_range(FIRST - 10..=LAST + 10)?;
            assert_eq!(parse(&display(seconds)), Some(seconds));
            assert_eq!(from_bits(to_bits(seconds)), seconds);
            Ok(())
        });
        assert_eq!(display(951_868_799), "2000-02-29T23:59:59Z");
        assert_eq!(display(LAST + 1), "253402300800");
    }

    #[test]
    fn comparisons_are_those_of_numbers() {
        const SECONDS: [i64; 7] = [i64::MIN, -2, -1, 0, 1, 1_795_523_415, i64::MAX];
        let texts = ["0", "-1", "-0.5", "0.5", "1e30", "-1e30", "1795523415", "1795523414.9"];
        for comparison in [
            Comparison::Equal,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Greater,
            Comparison::GreaterOrEqual,
        ] {
            for value in SECONDS {
                for constant in SECONDS {
                    let passes = comparison.accepts(value.cmp(&constant));
                    check(value, passes, |t, instant| compare(t, instant, comparison, constant));
                }
                for text in texts {
                    let constant = Decimal::parse(text).unwrap().unwrap();
                    let passes = comparison.accepts(Decimal::of_integer(value).cmp(&constant));
                    check(value, passes, |t, instant| {
                        compare_number(t, instant, comparison, &constant)
                    });
                }
            }
        }
    }

    #[track_caller]
    fn check(value: i64, expected: bool, test: impl Fn(&mut Terms, Term) -> Term) {
        let mut t = Terms::new();
        let instant = t.var("instant", Sort::Bits(BITS));
        let term = test(&mut t, instant);
        let mut formula = Formula::new(t);
        formula.assert("", term);
        let mut model = Model::new();
        model.insert("instant", Value::Bits { value: to_bits(value), width: BITS });
        assert_eq!(eval::holds_partially(&formula, &model), Some(expected), "{value}");
    }
}
