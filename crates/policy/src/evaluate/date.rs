//! Instants, in whole seconds (3.6, D18).
//!
//! An instant is a count of seconds since 1970 or one of the forms of the W3C's profile of
//! ISO 8601. What is all digits is a count, so that a year cannot stand alone. Fractions of
//! seconds are read and dropped. Seconds end at 59: a leap second has no count of its own, so a
//! text that names one is not an instant.

/// The seconds since 1970-01-01T00:00:00Z that the text names.
///
/// A count is within the range of `i64`; years are those of four digits.
pub fn seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    written(text)
}

/// `YYYY-MM[-DD[Thh:mm[:ss[.s…]](Z|+hh:mm|-hh:mm)]]`; what is missing is the earliest.
fn written(text: &str) -> Option<i64> {
    let mut reader = Reader { rest: text.as_bytes() };
    let year = reader.number(4, 0, 9999)?;
    reader.expect(b'-')?;
    let month = reader.number(2, 1, 12)?;
    let day = if reader.take(b'-') { reader.number(2, 1, days_in(year, month))? } else { 1 };
    let has_day = reader.rest.len() + "YYYY-MM-DD".len() == text.len();
    let seconds = if has_day && reader.take(b'T') { reader.time()? } else { 0 };
    if !reader.rest.is_empty() {
        return None;
    }
    Some(days_since_1970(year, month, day) * 86_400 + seconds)
}

struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    /// Seconds since midnight in UTC, below zero or past a day where the zone says so.
    fn time(&mut self) -> Option<i64> {
        let hour = self.number(2, 0, 23)?;
        self.expect(b':')?;
        let minute = self.number(2, 0, 59)?;
        let mut second = 0;
        if self.take(b':') {
            second = self.number(2, 0, 59)?;
            if self.take(b'.') {
                let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 0 {
                    return None;
                }
                self.rest = &self.rest[digits..];
            }
        }
        Some(hour * 3_600 + minute * 60 + second - self.zone()?)
    }

    /// How many seconds the zone is ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.take(b'Z') {
            return Some(0);
        }
        let is_behind = self.take(b'-');
        if !is_behind {
            self.expect(b'+')?;
        }
        let hour = self.number(2, 0, 23)?;
        self.expect(b':')?;
        let ahead = hour * 3_600 + self.number(2, 0, 59)? * 60;
        Some(if is_behind { -ahead } else { ahead })
    }

    /// A number of exactly so many digits between two bounds.
    fn number(&mut self, digits: usize, least: i64, most: i64) -> Option<i64> {
        let (number, rest) = self.rest.split_at_checked(digits)?;
        let mut value = 0;
        for byte in number {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(byte - b'0');
        }
        self.rest = rest;
        (least..=most).contains(&value).then_some(value)
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.rest.strip_prefix(&[byte]) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970-01-01 to a day of the proleptic Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Leap years before `year`, from the year 0 on, which is one.
    let leap_years = match year - 1 {
        ..0 => 0,
        last => last / 4 - last / 100 + last / 400 + 1,
    };
    let days_before_year = year * 365 + leap_years;
    let days_before_month: i64 = (1..month).map(|month| days_in(year, month)).sum();
    const DAYS_BEFORE_1970: i64 = 719_528;
    days_before_year + days_before_month + day - 1 - DAYS_BEFORE_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_the_earliest() {
        check("1970-01", Some(0));
        check("2026-09-26", Some(1_790_380_800));
        check("2026-09-26T00:00Z", Some(1_790_380_800));
        check("2026-09-26T00:00:00.999Z", Some(1_790_380_800));
        check("2026-09-26T02:30:00+02:30", Some(1_790_380_800));
        check("2026-09-25T22:00:00-02:00", Some(1_790_380_800));
    }

    #[test]
    fn all_digits_are_a_count_of_seconds() {
        check("2024", Some(2024));
        check("-1", Some(-1));
        check("0000000000000000000000007", Some(7));
        check("9223372036854775807", Some(i64::MAX));
        check("9223372036854775808", None);
        check("+5", None);
        check("1.5", None);
        check("1e9", None);
    }

    #[test]
    fn years_are_of_four_digits() {
        check("0000-01-01", Some(-62_167_219_200));
        check("9999-12-31T23:59:59Z", Some(253_402_300_799));
        check("9999-12-31T23:59:59-23:59", Some(253_402_300_799 + 86_340));
        check("10000-01-01", None);
        check("-0001-01-01", None);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        check("2024-02-29", Some(1_709_164_800));
        check("2000-02-29", Some(951_782_400));
        for text in
            ["2026-02-29", "1900-02-29", "2026-04-31", "2026-00-01", "2026-01-00", "2026-13-01"]
        {
            check(text, None);
        }
    }

    #[test]
    fn other_texts_are_no_instants() {
        for text in [
            "",
            "-",
            "2026-1-1",
            "2026-01-01T00:00:00",
            "2026-01-01T00Z",
            "2026-01T00:00Z",
            "2026-01-01 00:00Z",
            "2026-01-01T24:00Z",
            "2026-01-01T00:60Z",
            "2026-01-01T23:59:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01t00:00z",
            "2026-01-01T00:00+2",
            "2026-01-01T00:00+24:00",
            "2026-01-01T00:00+0200",
            "2026-01-01Z",
            "2026-01-01T00:00Zx",
            "２026-01-01",
        ] {
            check(text, None);
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(seconds(text), expected, "{text}");
    }
}
