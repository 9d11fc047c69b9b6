//! Which columns share their noise.

use std::fmt::Debug;

/// How many noise precisions there are, and which belongs to a column.
pub trait NoiseShape: Clone + Copy + Debug + Default + Send + Sync + 'static {
    /// Whether all columns have the same.
    const SHARED: bool;

    /// The number of precisions for `n_columns` columns.
    fn n_precisions(n_columns: usize) -> usize {
        if Self::SHARED { 1 } else { n_columns }
    }

    /// The precision of column d.
    fn of(d: usize) -> usize {
        if Self::SHARED { 0 } else { d }
    }
}

/// One precision for all columns: probabilistic PCA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Isotropic;

/// A precision for every column: factor analysis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diagonal;

impl NoiseShape for Isotropic {
    const SHARED: bool = true;
}

impl NoiseShape for Diagonal {
    const SHARED: bool = false;
}
