//! What can be wrong with the input of a diagnostic.

/// Why a diagnostic cannot be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DiagnosticsError {
    /// There are no values.
    #[error("no log ratios were given")]
    Empty,
    /// A log ratio is NaN or +∞.
    #[error("log ratio {index} is {value}")]
    LogRatio {
        /// Its index, from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Every log ratio is −∞: the proposal missed the target altogether.
    #[error("all {n} log ratios are −∞")]
    AllZero {
        /// How many there are.
        n: usize,
    },
    /// A relative efficiency is not positive and finite.
    #[error("relative efficiency = {value}, but it must be finite and > 0")]
    RelativeEfficiency {
        /// Its value.
        value: f64,
    },
}
