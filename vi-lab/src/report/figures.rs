//! Numbers for readers.

/// A number with about four significant digits; a dash when there is none.
pub(crate) fn number(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| number_with(x, 4))
}

/// A number with about so many significant digits.
pub(crate) fn number_with(x: f64, digits: i32) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let magnitude = x.abs().log10().floor() as i32;
    if (-4..7).contains(&magnitude) {
        let decimals = (digits - 1 - magnitude).max(0) as usize;
        minus(&format!("{x:.decimals$}"))
    } else {
        minus(&format!("{x:.2e}"))
    }
}

/// A number with this many decimals; a dash when there is none.
pub(crate) fn fixed(x: Option<f64>, decimals: usize) -> String {
    x.map_or_else(|| "–".to_owned(), |x| minus(&format!("{x:.decimals$}")))
}

/// `value ± error` with as many decimals as the error gives sense to; the bare value when the error is zero.
pub(crate) fn with_error(value: f64, error: f64) -> String {
    if error > 0.0 && error.is_finite() {
        let decimals = (1 - error.log10().floor() as i32).clamp(0, 6) as usize;
        format!("{} ± {error:.decimals$}", minus(&format!("{value:.decimals$}")))
    } else {
        fixed(Some(value), 4)
    }
}

/// A count in groups of three digits.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// Seconds, for people.
pub(crate) fn seconds(s: f64) -> String {
    if s < 1.0 {
        format!("{:.0} ms", s * 1e3)
    } else if s < 120.0 {
        format!("{s:.1} s")
    } else {
        format!("{:.1} min", s / 60.0)
    }
}

/// The sign that is as wide as a digit.
fn minus(s: &str) -> String {
    s.replacen('-', "−", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        assert_eq!(number(Some(-31.23456)), "−31.23");
        assert_eq!(number(Some(0.012345)), "0.01235");
        assert_eq!(number(Some(12345.6)), "12346");
        assert_eq!(number(Some(1.5e-9)), "1.50e−9".replace('−', "-").replacen('-', "−", 1));
        assert_eq!(number(None), "–");
    }

    #[test]
    fn errors_set_the_decimals() {
        assert_eq!(with_error(-31.98765, 0.0123), "−31.988 ± 0.012");
        assert_eq!(with_error(-31.98765, 0.0), "−31.9876");
        assert_eq!(with_error(-431.2, 12.0), "−431 ± 12");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1234567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(12), "12");
    }
}
