//! The nearest valid name to a misspelt one.

/// The candidate that is most alike to `name`, if any is alike enough to be what was meant.
///
/// ```
/// let known = ["eight_schools", "linear_regression"];
/// assert_eq!(vi_lab::nearest("eight-shools", known), Some("eight_schools".to_owned()));
/// assert_eq!(vi_lab::nearest("zebra", known), None);
/// ```
pub fn nearest<S: AsRef<str>>(name: &str, candidates: impl IntoIterator<Item = S>) -> Option<String> {
    let plain = |s: &str| s.to_lowercase().replace(['-', ' '], "_");
    let name = plain(name);
    let mut best: Option<(f64, String)> = None;
    for candidate in candidates {
        let candidate = candidate.as_ref();
        let score = strsim::jaro_winkler(&name, &plain(candidate));
        if score > best.as_ref().map_or(0.7, |b| b.0) {
            best = Some((score, candidate.to_owned()));
        }
    }
    best.map(|b| b.1)
}

/// `; did you mean `x`?` followed by all that is known, for the end of a message.
pub(crate) fn hint(name: &str, known: &[String]) -> String {
    let nearest = nearest(name, known).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
    let known: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
    if known.is_empty() { nearest } else { format!("{nearest} (known: {})", known.join(", ")) }
}
