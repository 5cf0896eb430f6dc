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
