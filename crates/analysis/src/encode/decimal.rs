//! Decimal numbers as texts (3.5, D16).
//!
//! The value of a key is a text, and a number has many: `7`, `007`, `7.0`, `+7`. So `value < 7` is
//! neither arithmetic nor a comparison of texts but membership in a regular language, which this
//! module builds; it is linear in the digits of the constant. Text operators and numeric ones can
//! then meet on one key, and no solver has to convert between sorts.

use keyaki_logic::Regex;

/// How a value is compared with a constant: the value stands on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether a value that stands so to the constant passes.
    pub(super) fn accepts(self, value_to_constant: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => value_to_constant.is_eq(),
            Comparison::Less => value_to_constant.is_lt(),
            Comparison::LessOrEqual => value_to_constant.is_le(),
            Comparison::Greater => value_to_constant.is_gt(),
            Comparison::GreaterOrEqual => value_to_constant.is_ge(),
        }
    }
}

/// A decimal number, exactly. Equal numbers are equal values: there is no leading zero before the
/// point, no trailing zero behind it, and zero is not negative.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Decimal {
    negative: bool,
    /// The digits before the point; none if they are all zero.
    integer: Vec<u8>,
    /// The digits behind the point; none if they are all zero.
    fraction: Vec<u8>,
}

/// The most digits of a constant. The language nests as deep as the constant has digits.
pub(super) const MAX_DIGITS: usize = 100;

/// The largest exponent, either way, of a number.
const MAX_EXPONENT: i64 = 1_000_000_000;

impl Decimal {
    /// Reads a number: `[-+]?[0-9]+(\.[0-9]+)?` and an exponent, if any. `None` if the text is
    /// something else; `Some(None)` if it has more than [`MAX_DIGITS`] digits.
    pub(super) fn parse(text: &str) -> Option<Option<Decimal>> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent),
            None => (rest, "0"),
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            Some((integer, fraction)) => (integer, fraction),
            None => (mantissa, "0"),
        };
        let exponent_digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if ![integer, fraction, exponent_digits].into_iter().all(are_digits) {
            return None;
        }
        let exponent = exponent.parse::<i64>().ok().filter(|e| e.abs() <= MAX_EXPONENT)?;
        let point = integer.len();
        let digits: Vec<u8> = integer.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
        let Some(first) = digits.iter().position(|digit| *digit != 0) else {
            return Some(Some(Decimal { negative: false, integer: vec![], fraction: vec![] }));
        };
        let last = digits.iter().rposition(|digit| *digit != 0).unwrap_or(first);
        let significant = &digits[first..=last];
        // The power of ten of the first significant digit's place, plus one.
        let places = exponent + point as i64 - first as i64;
        let n = significant.len();
        let Some((integer, fraction)) = placed(significant, places) else { return Some(None) };
        debug_assert!(integer.len() + fraction.len() <= MAX_DIGITS.max(n));
        Some(Some(Decimal { negative, integer, fraction }))
    }

    /// The number of an integer.
    pub(super) fn of_integer(value: i64) -> Decimal {
        let digits: Vec<u8> = value.unsigned_abs().to_string().bytes().map(|b| b - b'0').collect();
        let integer = if value == 0 { vec![] } else { digits };
        Decimal { negative: value < 0, integer, fraction: vec![] }
    }

    /// The largest integer that is not above the number, and whether it is the number.
    pub(super) fn floor(&self) -> (i128, bool) {
        let is_integer = self.fraction.is_empty();
        // More digits than these are beyond every instant anyway.
        let magnitude = self.integer.iter().take(30).fold(0i128, |n, d| n * 10 + i128::from(*d));
        let floor = match (self.negative, is_integer) {
            (false, _) => magnitude,
            (true, true) => -magnitude,
            (true, false) => -magnitude - 1,
        };
        (floor, is_integer)
    }

    /// The texts, without exponent, of the numbers that pass the comparison with this one.
    pub(super) fn language(&self, comparison: Comparison, form: Form) -> Regex {
        let magnitude = Magnitude { integer: &self.integer, fraction: &self.fraction, form };
        let is_zero = self.integer.is_empty() && self.fraction.is_empty();
        let signed = |sign: Regex, magnitude: Regex| Regex::Concat(vec![sign, magnitude]);
        let mut words = Vec::new();
        if comparison.accepts(std::cmp::Ordering::Equal) {
            let sign = match (is_zero, self.negative) {
                (true, _) => form.any_sign(),
                (false, true) => minus(),
                (false, false) => form.plus(),
            };
            words.push(signed(sign, magnitude.equal()));
        }
        if comparison.accepts(std::cmp::Ordering::Less) {
            if self.negative || is_zero {
                words.push(signed(minus(), magnitude.above()));
            } else {
                words.push(signed(minus(), form.unsigned()));
                words.push(signed(form.plus(), magnitude.below()));
            }
        }
        if comparison.accepts(std::cmp::Ordering::Greater) {
            if self.negative {
                words.push(signed(form.plus(), form.unsigned()));
                words.push(signed(minus(), magnitude.below()));
            } else {
                words.push(signed(form.plus(), magnitude.above()));
            }
        }
        Regex::Union(words)
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let integer = if self.integer.is_empty() { "0".to_owned() } else { text(&self.integer) };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{integer}{point}{}", text(&self.fraction))
    }
}

/// A text for each place among the constants, which are in order: below the first, the first,
/// between it and the second, and so on.
pub(super) fn texts_of_places(constants: &[&Decimal]) -> Vec<String> {
    let mut texts = Vec::new();
    for (index, constant) in constants.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| constants[before]);
        texts.push(between(before, Some(constant)).to_string());
        texts.push(constant.to_string());
    }
    texts.push(between(constants.last().copied(), None).to_string());
    texts
}

/// A number, short if there is one, above the first and below the second.
fn between(low: Option<&Decimal>, high: Option<&Decimal>) -> Decimal {
    let fits = |number: &Decimal| {
        low.is_none_or(|low| low < number) && high.is_none_or(|high| number < high)
    };
    let integer = |value: i128| i64::try_from(value).ok().map(Decimal::of_integer);
    let near = [low.map(|low| low.floor().0 + 1), high.map(|high| high.floor().0 - 1)];
    let near = near.into_iter().flatten().filter_map(integer);
    let short = [1, 0].map(Decimal::of_integer).into_iter().chain(near).find(fits);
    short.unwrap_or_else(|| match (low, high) {
        (Some(low), Some(high)) if low.negative => beside(high, low, true),
        (Some(low), Some(high)) => beside(low, high, false),
        // Beyond what an integer holds: one digit more.
        (low, high) => {
            let n = low.or(high).map_or(0, |constant| constant.integer.len());
            Decimal { negative: low.is_none(), integer: vec![9; n + 1], fraction: vec![] }
        }
    })
}

/// The number whose magnitude is `number`'s and a one more, behind all digits of both.
fn beside(number: &Decimal, other: &Decimal, negative: bool) -> Decimal {
    let n = number.fraction.len().max(other.fraction.len());
    let mut fraction = number.fraction.clone();
    fraction.resize(n, 0);
    fraction.push(1);
    Decimal { negative, integer: number.integer.clone(), fraction }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> std::cmp::Ordering {
        let magnitude = || {
            let integer = self.integer.len().cmp(&other.integer.len());
            let integer = integer.then_with(|| self.integer.cmp(&other.integer));
            // Without trailing zeros, fractions are ordered as words.
            integer.then_with(|| self.fraction.cmp(&other.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => std::cmp::Ordering::Greater,
            (true, false) => std::cmp::Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Which texts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `[-+]?[0-9]+(\.[0-9]+)?`
    Number,
    /// `-?[0-9]+`
    Integer,
}

impl Form {
    /// The texts.
    pub(super) fn language(self) -> Regex {
        Regex::Concat(vec![self.any_sign(), self.unsigned()])
    }

    fn any_sign(self) -> Regex {
        match self {
            Form::Number => Regex::optional(Regex::Chars(vec![('+', '+'), ('-', '-')])),
            Form::Integer => Regex::optional(minus()),
        }
    }

    /// No sign, or the sign of a number that is not negative.
    fn plus(self) -> Regex {
        match self {
            Form::Number => Regex::optional(Regex::Literal("+".to_owned())),
            Form::Integer => Regex::Literal(String::new()),
        }
    }

    fn unsigned(self) -> Regex {
        Regex::Concat(vec![Regex::plus(digit()), self.any_fraction()])
    }

    fn any_fraction(self) -> Regex {
        self.fraction(Regex::plus(digit()))
    }

    /// The fraction of an integer, or a point and a word of `digits`.
    fn fraction(self, digits: Regex) -> Regex {
        match self {
            Form::Number => Regex::optional(Regex::Concat(vec![point(), digits])),
            Form::Integer => Regex::Literal(String::new()),
        }
    }
}

/// The texts of the values of keys that are numbers: without plus sign or exponent (D16).
pub(super) fn shape() -> Regex {
    Regex::Concat(vec![Regex::optional(minus()), Form::Number.unsigned()])
}

/// The texts of numbers with an exponent. They are compared as numbers, but not by a regular
/// language.
pub(super) fn with_exponent() -> Regex {
    let exponent = Regex::Chars(vec![('E', 'E'), ('e', 'e')]);
    let number = Form::Number.language();
    Regex::Concat(vec![number, exponent, Form::Number.any_sign(), Regex::plus(digit())])
}

/// A number without sign.
struct Magnitude<'a> {
    integer: &'a [u8],
    fraction: &'a [u8],
    form: Form,
}

impl Magnitude<'_> {
    /// The digits before the point, with leading zeros.
    fn same_integer(&self) -> Regex {
        let zeros = Regex::Star(Box::new(zero()));
        match self.integer {
            [] => Regex::Concat(vec![zero(), zeros]),
            digits => Regex::Concat(vec![zeros, Regex::Literal(text(digits))]),
        }
    }

    fn equal(&self) -> Regex {
        let zeros = Regex::Star(Box::new(zero()));
        let fraction = match (self.fraction, self.form) {
            ([], form) => form.fraction(Regex::plus(zero())),
            (_, Form::Integer) => Regex::Union(vec![]),
            (digits, Form::Number) => {
                Regex::Concat(vec![point(), Regex::Literal(text(digits)), zeros])
            }
        };
        Regex::Concat(vec![self.same_integer(), fraction])
    }

    fn above(&self) -> Regex {
        let zeros = Regex::Star(Box::new(zero()));
        let n = self.integer.len();
        let longer = vec![zeros.clone(), range(1, 9), digits(n), Regex::Star(Box::new(digit()))];
        let mut words = vec![Regex::Concat(longer)];
        if n > 0 {
            words.push(Regex::Concat(vec![zeros, word_above(self.integer)]));
        }
        let larger = Regex::Concat(vec![Regex::Union(words), self.form.any_fraction()]);
        if self.form == Form::Integer {
            return larger;
        }
        let behind = fraction_above(self.fraction);
        let same = Regex::Concat(vec![self.same_integer(), point(), behind]);
        Regex::Union(vec![larger, same])
    }

    fn below(&self) -> Regex {
        let mut words = Vec::new();
        let n = self.integer.len();
        if n > 0 {
            // Fewer digits, or as many and a smaller word, behind any zeros.
            let mut shorter = vec![digit()];
            shorter.extend((1..n - 1).map(|_| Regex::optional(digit())));
            let zeros = Regex::Star(Box::new(zero()));
            let same_length = Regex::Concat(vec![zeros, word_below(self.integer)]);
            let mut integer = vec![same_length];
            if n > 1 {
                integer.push(Regex::Concat(shorter));
            }
            words.push(Regex::Concat(vec![Regex::Union(integer), self.form.any_fraction()]));
        }
        if !self.fraction.is_empty() {
            let fraction = self.form.fraction(fraction_below(self.fraction));
            words.push(Regex::Concat(vec![self.same_integer(), fraction]));
        }
        Regex::Union(words)
    }
}

/// Words of as many digits that are above these.
fn word_above(word: &[u8]) -> Regex {
    let Some((&first, rest)) = word.split_first() else { return Regex::Union(vec![]) };
    let above = Regex::Concat(vec![range(first + 1, 9), digits(rest.len())]);
    let same = Regex::Concat(vec![range(first, first), word_above(rest)]);
    Regex::Union(vec![above, same])
}

/// Words of as many digits that are below these.
fn word_below(word: &[u8]) -> Regex {
    let Some((&first, rest)) = word.split_first() else { return Regex::Union(vec![]) };
    let same = Regex::Concat(vec![range(first, first), word_below(rest)]);
    match first.checked_sub(1) {
        Some(below) => {
            Regex::Union(vec![Regex::Concat(vec![range(0, below), digits(rest.len())]), same])
        }
        None => same,
    }
}

/// Digits behind the point, one or more, that make more than these.
fn fraction_above(word: &[u8]) -> Regex {
    let rest_of_it = Regex::Star(Box::new(digit()));
    match word.split_first() {
        None => Regex::Concat(vec![rest_of_it.clone(), range(1, 9), rest_of_it]),
        Some((&first, rest)) => Regex::Union(vec![
            Regex::Concat(vec![range(first + 1, 9), rest_of_it]),
            Regex::Concat(vec![range(first, first), fraction_above(rest)]),
        ]),
    }
}

/// Digits behind the point, one or more, that make less than these, the last of which is not zero.
fn fraction_below(word: &[u8]) -> Regex {
    let Some((&first, rest)) = word.split_first() else { return Regex::Union(vec![]) };
    let mut words = Vec::new();
    if let Some(below) = first.checked_sub(1) {
        words.push(Regex::Concat(vec![range(0, below), Regex::Star(Box::new(digit()))]));
    }
    if !rest.is_empty() {
        // More digits follow, not all zero: to end here is to be less.
        let end = Regex::optional(fraction_below(rest));
        words.push(Regex::Concat(vec![range(first, first), end]));
    }
    Regex::Union(words)
}

/// Significant digits, of which `places` stand before the point, with the zeros that they need.
fn placed(digits: &[u8], places: i64) -> Option<(Vec<u8>, Vec<u8>)> {
    let n = digits.len();
    let zeros = |n: usize| (n <= MAX_DIGITS).then(|| vec![0; n]);
    if n > MAX_DIGITS {
        return None;
    }
    match usize::try_from(places) {
        Ok(places) if places >= n => Some(([digits, &zeros(places - n)?].concat(), vec![])),
        Ok(places) => Some((digits[..places].to_vec(), digits[places..].to_vec())),
        Err(_) => {
            let leading = usize::try_from(places.unsigned_abs()).ok()?;
            Some((vec![], [&zeros(leading)?, digits].concat()))
        }
    }
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

fn digit() -> Regex {
    range(0, 9)
}

fn digits(n: usize) -> Regex {
    Regex::Repeat(Box::new(digit()), u32::try_from(n).unwrap_or(u32::MAX))
}

/// One digit from `low` to `high`; nothing if there is none.
fn range(low: u8, high: u8) -> Regex {
    let of = |digit: u8| char::from(b'0' + digit);
    match low.cmp(&high) {
        std::cmp::Ordering::Less => Regex::Chars(vec![(of(low), of(high))]),
        std::cmp::Ordering::Equal => Regex::Literal(of(low).to_string()),
        std::cmp::Ordering::Greater => Regex::Union(vec![]),
    }
}

fn zero() -> Regex {
    range(0, 0)
}

fn point() -> Regex {
    Regex::Literal(".".to_owned())
}

fn minus() -> Regex {
    Regex::Literal("-".to_owned())
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use keyaki_testing::arbtest;

    use super::*;

    const COMPARISONS: [Comparison; 5] = [
        Comparison::Equal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("a number").expect("not too many digits")
    }

    #[test]
    fn numbers_are_read_exactly() {
        for (a, b) in [
            ("7", "+007.00"),
            ("-0", "0.0"),
            ("1e3", "1000"),
            ("12.5E-1", "1.25"),
            ("-0.001e2", "-0.1"),
            ("0e1000000000", "0"),
        ] {
            assert_eq!(decimal(a), decimal(b));
        }
        for text in ["", "-", "1.", ".5", "1e", "e1", "1 ", "0x1", "1.2.3", "--1", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        for text in ["0e1000000001", "1e-1000000001", "1e99999999999999999999"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse("1e1000"), Some(None));
        assert_eq!(Decimal::parse(&"1".repeat(MAX_DIGITS + 1)), Some(None));
    }

    #[test]
    fn the_largest_integer_below() {
        for (text, floor, is_integer) in [
            ("7", 7, true),
            ("7.5", 7, false),
            ("-7.5", -8, false),
            ("-7", -7, true),
            ("0", 0, true),
            ("-0.1", -1, false),
        ] {
            assert_eq!(decimal(text).floor(), (floor, is_integer), "{text}");
        }
    }

    /// Random numbers of few digits, so that they often meet.
    #[test]
    fn the_language_of_a_comparison_has_exactly_the_texts_that_pass_it() {
        arbtest(|u| {
            let mut number = || {
                let mut text = (*u.choose(&["", "-", "+"])?).to_owned();
                for _ in 0..u.int_in_range(1..=4)? {
                    text.push(*u.choose(&['0', '0', '1', '5', '9'])?);
                }
                if u.arbitrary()? {
                    text.push('.');
                    for _ in 0..u.int_in_range(1..=3)? {
                        text.push(*u.choose(&['0', '0', '1', '5', '9'])?);
                    }
                }
                keyaki_testing::arbitrary::Result::Ok(text)
            };
            let (value, constant) = (number()?, number()?);
            let (value_read, constant_read) = (decimal(&value), decimal(&constant));
            let ordering = value_read.cmp(&constant_read);
            let as_float = |text: &str| text.parse::<f64>().unwrap();
            assert_eq!(Some(ordering), as_float(&value).partial_cmp(&as_float(&constant)));
            for comparison in COMPARISONS {
                let passes = comparison.accepts(ordering);
                let language = constant_read.language(comparison, Form::Number);
                assert_eq!(language.matches(&value), passes, "{value} {comparison:?} {constant}");
                let is_integer = !value.contains(['.', '+']);
                let integers = constant_read.language(comparison, Form::Integer);
                assert_eq!(
                    integers.matches(&value),
                    is_integer && passes,
                    "{value} {comparison:?} {constant}"
                );
            }
            assert!(Form::Number.language().matches(&value));
            Ok(())
        });
    }

    #[test]
    fn what_is_no_number_passes_no_comparison() {
        for comparison in COMPARISONS {
            let language = decimal("5").language(comparison, Form::Number);
            for text in ["", "abc", "1e0", "5.", ".5", "5 ", "--5"] {
                assert!(!language.matches(text), "{text} {comparison:?}");
            }
        }
        assert!(with_exponent().matches("-1.5E+3"));
        assert!(!with_exponent().matches("1e"));
    }

    #[test]
    fn each_place_among_constants_has_a_number() {
        let constants = ["-1e40", "-1.5", "-1.49", "-0.1", "0", "0.001", "9.99", "10", "1e40"];
        let constants = constants.map(decimal);
        let texts = texts_of_places(&constants.iter().collect::<Vec<_>>());
        assert_eq!(texts.len(), 2 * constants.len() + 1);
        let numbers: Vec<Decimal> = texts.iter().map(|text| decimal(text)).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{texts:?}");
        assert!(texts.iter().all(|text| shape().matches(text)));
        for (place, constant) in constants.iter().enumerate() {
            assert_eq!(numbers[2 * place + 1], *constant);
        }
        assert_eq!(texts_of_places(&[&decimal("10")]), ["1", "10", "11"]);
    }

    #[test]
    fn the_language_is_linear_in_the_digits() {
        let size = |n: usize| {
            let constant = decimal(&"7".repeat(n));
            format!("{:?}", constant.language(Comparison::LessOrEqual, Form::Number)).len()
        };
        assert!(size(80) < 3 * size(40));
        assert_eq!(decimal("5").cmp(&decimal("5.0")), Ordering::Equal);
    }
}
