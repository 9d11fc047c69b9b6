//! The draws that are made once.

use ndarray::{Array2, Axis};
use vi_core::StreamKey;
use vi_families::fill_standard_normal;

use crate::error::{SgviError, require};

/// ε_1, …, ε_S ~ N(0, I), (S, D), drawn once and kept.
///
/// Their number decides how far the optimum of the objective at these draws lies from that of the ELBO;
/// [`super::LinearResponse::mc_error`] says how far.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedDraws {
    noise: Array2<f64>,
    group: usize,
}

impl FixedDraws {
    /// S independent draws; draw s comes from `key.rng(s)`.
    ///
    /// # Errors
    /// [`SgviError::Setting`] below two draws.
    pub fn independent(n_draws: usize, dim: usize, key: StreamKey) -> Result<Self, SgviError> {
        require(n_draws >= 2, "n_draws", n_draws as f64, "≥ 2")?;
        let mut noise = Array2::zeros((n_draws, dim));
        for (s, mut row) in noise.rows_mut().into_iter().enumerate() {
            fill_standard_normal(&mut key.rng(s as u64), row.as_slice_mut().expect("row-major"));
        }
        Ok(Self { noise, group: 1 })
    }

    /// S/2 pairs ε, −ε; pair i comes from `key.rng(i)`. Their mean is exactly zero: on a Gaussian posterior the mean of q and
    /// the linear response then are those of the posterior, without Monte Carlo error.
    ///
    /// # Errors
    /// [`SgviError::Setting`] when S is odd or less than four.
    pub fn antithetic(n_draws: usize, dim: usize, key: StreamKey) -> Result<Self, SgviError> {
        let fits = n_draws >= 4 && n_draws.is_multiple_of(2);
        require(fits, "n_draws", n_draws as f64, "even and ≥ 4")?;
        let half = Self::independent(n_draws / 2, dim, key)?.noise;
        let mut noise = Array2::zeros((n_draws, dim));
        for (mut pair, draw) in noise.axis_chunks_iter_mut(Axis(0), 2).zip(half.rows()) {
            pair.row_mut(0).assign(&draw);
            pair.row_mut(1).scaled_add(-1.0, &draw);
        }
        Ok(Self { noise, group: 2 })
    }

    /// ε (S, D).
    pub fn noise(&self) -> &Array2<f64> {
        &self.noise
    }

    /// Draws that depend on each other: 2 for pairs, else 1. Consecutive rows form a group.
    pub fn group(&self) -> usize {
        self.group
    }

    /// S.
    pub fn n_draws(&self) -> usize {
        self.noise.nrows()
    }
}
