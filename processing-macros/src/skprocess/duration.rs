//! Durations as people write them: `"30s"`, `"1.5s"`, `"100ms"`.

use std::fmt::Display;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::LitStr;

const NANOS_PER_SECOND: u128 = 1_000_000_000;
const UNITS: [(&str, u128); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
];
/// `Duration::MAX` in nanoseconds.
const LONGEST: u128 = u64::MAX as u128 * NANOS_PER_SECOND + (NANOS_PER_SECOND - 1);

/// A duration in nanoseconds, kept exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nanos(u128);

impl Nanos {
    /// Reads a literal, or says at it what a duration looks like.
    pub(crate) fn read(written: &LitStr) -> syn::Result<Self> {
        let wrong = |message: &dyn Display| syn::Error::new(written.span(), message);
        let text = written.value();
        let text = text.trim();
        let number_ends = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_')));
        let (number, unit) = text.split_at(number_ends.unwrap_or(text.len()));
        let unit = unit.trim();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if !whole.starts_with(|c: char| c.is_ascii_digit()) || fraction.contains('.') {
            return Err(wrong(&format_args!(
                "`{text}` is no duration; write a number and a unit, like \"1.5s\" or \"100ms\""
            )));
        }
        if unit.is_empty() {
            return Err(wrong(&format_args!("a duration needs a unit; write \"{text}s\" or \"{text}ms\"")));
        }
        let Some((_, scale)) =
            UNITS.into_iter().find(|(name, _)| unit == *name || unit == name.replace('µ', "μ"))
        else {
            return Err(wrong(&format_args!(
                "unknown unit `{unit}`; there are `ns`, `us`, `ms`, `s`, `m` and `h`"
            )));
        };
        exact(whole, fraction, scale)
            .filter(|nanos| *nanos <= LONGEST)
            .map(Self)
            .ok_or_else(|| wrong(&"this is longer than a duration can be"))
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `__rt::Duration::from_…(n)` with the largest unit that loses nothing.
    pub(crate) fn tokens(self) -> TokenStream {
        let Self(nanos) = self;
        let number = Literal::u128_unsuffixed;
        let (constructor, number) = match nanos {
            n if n % NANOS_PER_SECOND == 0 => ("from_secs", number(n / NANOS_PER_SECOND)),
            n if n % 1_000_000 == 0 && n / 1_000_000 <= u128::from(u64::MAX) => {
                ("from_millis", number(n / 1_000_000))
            }
            n if n <= u128::from(u64::MAX) => ("from_nanos", number(n)),
            n => {
                let (seconds, rest) = (number(n / NANOS_PER_SECOND), number(n % NANOS_PER_SECOND));
                return quote! { __rt::Duration::new(#seconds, #rest) };
            }
        };
        let constructor = format_ident!("{constructor}");
        quote! { __rt::Duration::#constructor(#number) }
    }
}

/// Digits to nanoseconds without a float in between. What is finer than a nanosecond is cut off.
fn exact(whole: &str, fraction: &str, scale: u128) -> Option<u128> {
    let digits = |text: &str| text.chars().filter_map(|c| c.to_digit(10)).map(u128::from).collect::<Vec<_>>();
    let whole =
        digits(whole).into_iter().try_fold(0_u128, |sum, digit| sum.checked_mul(10)?.checked_add(digit))?;
    let mut nanos = whole.checked_mul(scale)?;
    // The remainder is carried, not each digit's share: a third of an hour in digits has no exact tenth.
    let (mut numerator, mut denominator) = (0_u128, 1_u128);
    for digit in digits(fraction).into_iter().take(20) {
        numerator = numerator * 10 + digit;
        denominator *= 10;
    }
    nanos = nanos.checked_add(numerator.checked_mul(scale)? / denominator)?;
    Some(nanos)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn read(text: &str) -> Result<u128, String> {
        Nanos::read(&LitStr::new(text, Span::call_site())).map(|n| n.0).map_err(|e| e.to_string())
    }

    #[test]
    fn every_unit_and_fraction_is_exact() {
        assert_eq!(read("7ns"), Ok(7));
        assert_eq!(read("7us"), Ok(7_000));
        assert_eq!(read("7µs"), Ok(7_000)); // micro sign
        assert_eq!(read("7μs"), Ok(7_000)); // Greek letter mu
        assert_eq!(read("100ms"), Ok(100_000_000));
        assert_eq!(read("1.5s"), Ok(1_500_000_000));
        assert_eq!(read(" 2 m "), Ok(120_000_000_000));
        assert_eq!(read("0.25h"), Ok(900_000_000_000));
        assert_eq!(read("1_000ms"), Ok(1_000_000_000));
        assert_eq!(read("0.000000001s"), Ok(1));
        assert_eq!(read("0.1234567891234567891234s"), Ok(123_456_789));
        assert_eq!(read("0s"), Ok(0));
    }

    #[test]
    fn what_is_no_duration_says_what_is() {
        assert!(read("30").unwrap_err().contains("write \"30s\""));
        assert!(read("30 parsecs").unwrap_err().contains("unknown unit `parsecs`"));
        for text in ["", "s", "-1s", "1.2.3s", ".5s", "soon", "_1s"] {
            assert!(read(text).unwrap_err().contains("is no duration"), "{text}");
        }
        assert!(read("99999999999999999999999h").unwrap_err().contains("longer"));
        assert!(read(&"9".repeat(60)).is_err());
        assert!(read(&format!("{}s", "9".repeat(60))).unwrap_err().contains("longer"));
    }

    #[test]
    fn is_written_in_the_largest_unit_that_fits() {
        let written = |text: &str| {
            let literal = LitStr::new(text, Span::call_site());
            Nanos::read(&literal).unwrap().tokens().to_string().replace(' ', "")
        };
        assert_eq!(written("2m"), "__rt::Duration::from_secs(120)");
        assert_eq!(written("1.5s"), "__rt::Duration::from_millis(1500)");
        assert_eq!(written("10us"), "__rt::Duration::from_nanos(10000)");
        assert_eq!(written("18446744073709551615.000001s"), "__rt::Duration::new(18446744073709551615,1000)");
    }
}
