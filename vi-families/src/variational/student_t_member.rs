//! What members of the Student-t mean field with fixed degrees of freedom compute.

use std::ops::Range;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use vi_core::{StreamKey, StreamRng};

use super::gaussian::{add_location_scale_vjp, with_slice, with_slice_mut};
use super::natural_gradient::solve_one;
use super::{Damping, FactorizedDistribution, Reparameterized, VariationalDistribution};
use crate::draw::{GammaDraw, standard_normal};
use crate::error::FamilyError;
use crate::special::{digamma_difference, log_beta};

/// One member of [`StudentTMeanField`](crate::StudentTMeanField).
#[derive(Clone, Debug)]
pub struct StudentTMeanFieldMember {
    location: Vec<f64>,
    scale: Vec<f64>,
    inverse_scale: Vec<f64>,
    pub(super) dof: Vec<f64>,
    /// The law of χ²_ν / 2 of every coordinate.
    half_chi_squared: Vec<GammaDraw>,
    /// Σ log s.
    log_det: f64,
    /// Σ −log(√ν B(ν/2, ½)).
    log_normaliser: f64,
}

impl StudentTMeanFieldMember {
    pub(super) fn with_capacity(d: usize) -> Self {
        Self {
            location: Vec::with_capacity(d),
            scale: Vec::with_capacity(d),
            inverse_scale: Vec::with_capacity(d),
            dof: Vec::with_capacity(d),
            half_chi_squared: Vec::with_capacity(d),
            log_det: 0.0,
            log_normaliser: 0.0,
        }
    }

    /// Adds a coordinate of validated parameters; `scales` are s and 1/s.
    pub(super) fn push(&mut self, location: f64, log_scale: f64, scales: (f64, f64), dof: f64) {
        let chi_squared = match (self.dof.last(), self.half_chi_squared.last()) {
            (Some(last), Some(known)) if *last == dof => *known,
            _ => GammaDraw::new(0.5 * dof),
        };
        self.location.push(location);
        self.scale.push(scales.0);
        self.inverse_scale.push(scales.1);
        self.dof.push(dof);
        self.half_chi_squared.push(chi_squared);
        self.log_det += log_scale;
        self.log_normaliser -= log_beta(0.5 * dof, 0.5) + 0.5 * dof.ln();
    }

    /// The locations m (D): the means where ν > 1.
    pub fn location(&self) -> &[f64] {
        &self.location
    }

    /// The scales s (D): the standard deviations are s √(ν/(ν − 2)) where ν > 2.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// The degrees of freedom ν (D).
    pub fn dof(&self) -> &[f64] {
        &self.dof
    }

    /// A draw of t_ν for coordinate `i`.
    fn noise(&self, i: usize, rng: &mut StreamRng) -> f64 {
        let normal = standard_normal(rng);
        // Kept from underflow, which at 0.1 degrees of freedom happens once in 10¹⁵ draws.
        let half_chi_squared = self.half_chi_squared[i].over(1.0, rng);
        normal * (0.5 * self.dof[i] / half_chi_squared).sqrt()
    }

    fn sample_row(&self, rng: &mut StreamRng, z: &mut [f64]) {
        for (i, z) in z.iter_mut().enumerate() {
            *z = self.location[i] + self.scale[i] * self.noise(i, rng);
        }
    }

    pub(super) fn standardised(&self, i: usize, z: f64) -> f64 {
        (z - self.location[i]) * self.inverse_scale[i]
    }

    fn log_prob_row(&self, z: &[f64]) -> f64 {
        let exponent = |(i, z): (usize, &f64)| {
            let dof = self.dof[i];
            0.5 * (dof + 1.0) * log_one_plus_square_over(self.standardised(i, *z), dof)
        };
        let exponents: f64 = z.iter().enumerate().map(exponent).sum();
        self.log_normaliser - self.log_det - exponents
    }

    /// ```text
    /// ∇_m log q = (ν + 1) y / (ν + y²) / s      ∇_{log s} log q = ν (y² − 1) / (ν + y²)
    /// ```
    pub(super) fn score(&self, i: usize, z: f64) -> (f64, f64) {
        let (y, dof) = (self.standardised(i, z), self.dof[i]);
        // Forms that are right at y = 0 and where y² overflows.
        let location = (dof + 1.0) / (y + dof / y) * self.inverse_scale[i];
        (location, (dof + 1.0) * tail_share(y, dof) - 1.0)
    }

    pub(super) fn add_score_row(&self, z: &[f64], weight: f64, location: &mut [f64], log_scale: &mut [f64]) {
        for (i, z) in z.iter().enumerate() {
            let (by_location, by_log_scale) = self.score(i, *z);
            location[i] += weight * by_location;
            log_scale[i] += weight * by_log_scale;
        }
    }

    /// Entropy of one coordinate of scale 1.
    fn standard_entropy(dof: f64) -> f64 {
        let spread = 0.5 * (dof + 1.0) * digamma_difference(0.5 * dof, 0.5);
        spread + 0.5 * dof.ln() + log_beta(0.5 * dof, 0.5)
    }

    /// The Fisher information of the location and of the log scale of coordinate `i`.
    pub(super) fn fisher_of(&self, i: usize) -> [f64; 2] {
        let (dof, r) = (self.dof[i], self.inverse_scale[i]);
        [(dof + 1.0) / (dof + 3.0) * r * r, 2.0 * dof / (dof + 3.0)]
    }

    /// Fills the first 2D rows and columns.
    pub(super) fn fill_fisher(&self, fisher: &mut Array2<f64>) {
        let d = self.location.len();
        for i in 0..d {
            [fisher[[i, i]], fisher[[d + i, d + i]]] = self.fisher_of(i);
        }
    }
}

/// log(1 + y²/ν).
pub(super) fn log_one_plus_square_over(y: f64, dof: f64) -> f64 {
    let ratio = y * y / dof;
    if ratio < f64::INFINITY { ratio.ln_1p() } else { 2.0 * y.abs().ln() - dof.ln() }
}

/// y²/(ν + y²).
pub(super) fn tail_share(y: f64, dof: f64) -> f64 {
    1.0 / (1.0 + dof / (y * y))
}

impl VariationalDistribution for StudentTMeanFieldMember {
    fn dim(&self) -> usize {
        self.location.len()
    }
    fn n_params(&self) -> usize {
        2 * self.location.len()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "StudentTMeanField: z has the wrong length");
        with_slice_mut(z, |z| self.sample_row(rng, z));
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "StudentTMeanField: z has the wrong length");
        with_slice(z, |z| self.log_prob_row(z))
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "StudentTMeanField: z has the wrong length");
        assert_eq!(out.len(), self.n_params(), "StudentTMeanField: out has the wrong length");
        with_slice(z, |z| {
            with_slice_mut(out, |out| {
                let (location, log_scale) = out.split_at_mut(z.len());
                self.add_score_row(z, weight, location, log_scale);
            });
        });
    }
    /// ```text
    /// H = Σ log s + (ν + 1)/2 [ψ((ν + 1)/2) − ψ(ν/2)] + log(√ν B(ν/2, ½))
    /// ```
    fn entropy(&self) -> Option<f64> {
        Some(self.log_det + self.dof.iter().map(|dof| Self::standard_entropy(*dof)).sum::<f64>())
    }
    /// ```text
    /// F = diag((ν + 1)/(ν + 3)/s² (D), 2ν/(ν + 3) (D))
    /// ```
    /// Lange, Little & Taylor (1989), J. Am. Stat. Assoc. 84:881, section 4.
    fn fisher(&self) -> Option<Array2<f64>> {
        let mut fisher = Array2::zeros((self.n_params(), self.n_params()));
        self.fill_fisher(&mut fisher);
        Some(fisher)
    }
    /// Element by element; allocates nothing.
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let d = self.dim();
        assert_eq!((grad.len(), out.len()), (2 * d, 2 * d), "StudentTMeanField: wrong length");
        for i in 0..d {
            let [location, log_scale] = self.fisher_of(i);
            out[i] = solve_one(i, location, damping, grad[i])?;
            out[d + i] = solve_one(d + i, log_scale, damping, grad[d + i])?;
        }
        Ok(())
    }

    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        assert_eq!(z.dim(), (samples.len(), self.dim()), "StudentTMeanField: z has the wrong shape");
        for (s, mut row) in samples.zip(z.rows_mut()) {
            with_slice_mut(&mut row, |row| self.sample_row(&mut key.rng(s as u64), row));
        }
    }
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (out.len(), self.dim()), "StudentTMeanField: z has the wrong shape");
        for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
            *o = with_slice(&row, |row| self.log_prob_row(row));
        }
    }
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (weights.len(), self.dim()), "StudentTMeanField: z has the wrong shape");
        assert_eq!(out.len(), self.n_params(), "StudentTMeanField: out has the wrong length");
        with_slice_mut(out, |out| {
            let (location, log_scale) = out.split_at_mut(self.dim());
            for (row, w) in z.rows().into_iter().zip(weights.iter()) {
                with_slice(&row, |row| self.add_score_row(row, *w, location, log_scale));
            }
        });
    }
}

impl Reparameterized for StudentTMeanFieldMember {
    fn noise_dim(&self) -> usize {
        self.dim()
    }
    /// Draws of t_ν, whose law is the same for all members of the family.
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
        for (i, t) in noise.iter_mut().enumerate() {
            *t = self.noise(i, rng);
        }
    }
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        assert_eq!((noise.len(), z.len()), (self.dim(), self.dim()), "StudentTMeanField: wrong length");
        for (i, (z, t)) in z.iter_mut().zip(noise).enumerate() {
            *z = self.location[i] + self.scale[i] * t;
        }
    }
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        _z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        assert_eq!((noise.len(), grad.len(), out.len()), (d, d, 2 * d), "StudentTMeanField: wrong length");
        add_location_scale_vjp(&self.scale, noise, grad, weight, out);
    }
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>) {
        for o in out.iter_mut().skip(self.dim()) {
            *o += weight;
        }
    }
}

/// Every coordinate is a factor.
impl FactorizedDistribution for StudentTMeanFieldMember {
    fn n_factors(&self) -> usize {
        self.dim()
    }
    fn factor(&self, i: usize) -> Range<usize> {
        i..i + 1
    }
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize> {
        [i, self.dim() + i].into_iter()
    }
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        z[i] = self.location[i] + self.scale[i] * self.noise(i, rng);
    }
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64 {
        let dof = self.dof[i];
        let exponent = 0.5 * (dof + 1.0) * log_one_plus_square_over(self.standardised(i, z[i]), dof);
        -log_beta(0.5 * dof, 0.5) - 0.5 * dof.ln() - self.scale[i].ln() - exponent
    }
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let (location, log_scale) = self.score(i, z[i]);
        out[i] += weight * location;
        out[self.dim() + i] += weight * log_scale;
    }
    fn factors_within(&self, block: Range<usize>) -> Option<Range<usize>> {
        Some(block)
    }
}
