//! What was chosen, and why, in words.

use std::fmt;

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What there was to choose.
    pub what: &'static str,
    /// What was chosen.
    pub chosen: String,
    /// Why.
    pub why: String,
}

/// The choices of a fit without settings, in order; displayed one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account(Vec<Choice>);

impl Account {
    pub(super) fn push(&mut self, what: &'static str, chosen: impl Into<String>, why: impl Into<String>) {
        self.0.push(Choice { what, chosen: chosen.into(), why: why.into() });
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The choices.
    pub fn choices(&self) -> &[Choice] {
        &self.0
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Choice { what, chosen, why } in &self.0 {
            writeln!(f, "{what}: {chosen} ({why})")?;
        }
        Ok(())
    }
}
