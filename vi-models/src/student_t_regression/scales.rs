//! q(ν, λ): the degrees of freedom and the scales together.

use ndarray::{Array1, s};
use rand::RngExt;
use vi_core::{ConjugateError, Exec, StreamKey, numerics};
use vi_families::special::log_minus_digamma;
use vi_families::{ExponentialFamily, Gamma};

use super::conjugate::StudentTRegressionBlock::Scales;
use super::{StudentTRegression, StudentTRegressionFactors, StudentTRegressionStats};
use crate::draws::choose;

impl StudentTRegression {
    /// Sets q(ν, λ) from s.
    pub(super) fn set_scales(
        &self,
        squares: Array1<f64>,
        factors: &mut StudentTRegressionFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        self.set_tails(&squares, &mut factors.tails, exec)?;
        factors.squares = squares;
        factors.log_dof = self.log_dof_given(self.n(), &factors.tails)?;
        factors.dof = factors.log_dof.mapv(f64::exp);
        Ok(())
    }

    /// tails (K) ← Σ_n log(1 + s_n/ν_k).
    pub(super) fn set_tails(
        &self,
        squares: &Array1<f64>,
        tails: &mut Array1<f64>,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        exec.sum(squares.len(), tails, |items, partial| {
            let mut buffer = [0.0; vi_core::CHUNK];
            let buffer = &mut buffer[..items.len()];
            for (nu, sum) in self.priors.dof.iter().zip(partial.iter_mut()) {
                for (b, s) in buffer.iter_mut().zip(squares.slice(s![items.clone()])) {
                    *b = s / nu;
                }
                numerics::log1p_inplace(buffer);
                *sum = buffer.iter().sum();
            }
        })
        .map_err(|e| ConjugateError::Communication(e.to_string()))
    }

    /// log q(ν) (K) of `n` data with these tails.
    ///
    /// ```text
    /// log q(ν_k) = N c_ν − (ν + 1)/2 Σ_n log(1 + s_n/ν) + const
    /// ```
    pub(super) fn log_dof_given(&self, n: f64, tails: &Array1<f64>) -> Result<Array1<f64>, ConjugateError> {
        let terms = (0..tails.len())
            .map(|k| n * self.likelihood.steps[k] - 0.5 * (self.priors.dof[k] + 1.0) * tails[k]);
        let weights: Array1<f64> = terms.collect();
        let total = numerics::log_sum_exp(weights.as_slice().expect("a new array is contiguous"));
        let log_dof = weights - total;
        match log_dof.iter().find(|l| !l.is_finite()) {
            None => Ok(log_dof),
            Some(&value) => {
                let (block, parameter) = (format!("{Scales:?}"), "log q(dof)".to_owned());
                Err(ConjugateError::Domain { block, parameter, value })
            }
        }
    }

    /// (ν + 1)/2 Σ_n log(1 + s_n/ν) − N c_ν for ν = ν_k.
    pub(super) fn log_tilt(&self, k: usize, factors: &StudentTRegressionFactors) -> f64 {
        0.5 * (self.priors.dof[k] + 1.0) * factors.tails[k] - self.n() * self.likelihood.steps[k]
    }

    /// `E[Σ_n log λ_n | ν_k]`.
    pub(super) fn expected_log_scales(&self, k: usize, factors: &StudentTRegressionFactors) -> f64 {
        let half = 0.5 * self.priors.dof[k];
        // ψ(x + ½) − log x, without cancellation.
        self.n() * ((0.5 / half).ln_1p() - log_minus_digamma(half + 0.5)) - factors.tails[k]
    }

    /// `E[λ_n] = Σ_k q(ν_k) (ν_k + 1)/(ν_k + s_n)`.
    pub(super) fn set_expected_scales(
        &self,
        dof: &Array1<f64>,
        squares: &Array1<f64>,
        out: &mut Array1<f64>,
    ) {
        out.fill(0.0);
        for (nu, p) in self.priors.dof.iter().zip(dof) {
            for (scale, s) in out.iter_mut().zip(squares) {
                *scale += p * (nu + 1.0) / (nu + s);
            }
        }
    }

    pub(super) fn expect_scales(
        &self,
        factors: &StudentTRegressionFactors,
        stats: &mut StudentTRegressionStats,
    ) {
        stats.dof.assign(&factors.dof);
        self.set_expected_scales(&factors.dof, &factors.squares, &mut stats.scales);
        let terms = factors.dof.iter().enumerate();
        stats.log_scales = terms.map(|(k, p)| p * self.expected_log_scales(k, factors)).sum();
    }

    /// ν from the stream after those of the data, λ_n from stream n.
    pub(super) fn draw_scales(
        &self,
        factors: &StudentTRegressionFactors,
        key: StreamKey,
        stats: &mut StudentTRegressionStats,
        exec: Exec<'_>,
    ) {
        let u = key.rng(self.data.n_points() as u64).random();
        let k = choose(factors.dof.iter().copied(), u);
        let nu = self.priors.dof[k];
        stats.dof.fill(0.0);
        stats.dof[k] = 1.0;
        let out = stats.scales.as_slice_mut().expect("statistics are contiguous");
        exec.for_each_chunk(out, 1, |items, out| {
            for (n, o) in items.zip(out.iter_mut()) {
                let q = Gamma::from_shape_rate(0.5 * (nu + 1.0), 0.5 * (nu + factors.squares[n]));
                *o = q.expect("squares are finite").sample(&mut key.rng(n as u64));
            }
        });
        stats.log_scales = stats.scales.iter().map(|l| l.ln()).sum();
    }

    /// log q(ν, λ) of realised statistics.
    pub(super) fn scales_log_prob(
        &self,
        factors: &StudentTRegressionFactors,
        stats: &StudentTRegressionStats,
    ) -> f64 {
        let k = stats.dof.iter().position(|p| *p == 1.0).expect("statistics of the block are realised");
        let exponent = 0.5 * (stats.log_scales - factors.squares.dot(&stats.scales));
        factors.log_dof[k] + exponent + self.log_tilt(k, factors)
    }
}
