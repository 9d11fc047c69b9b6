//! What members of the Student-t mean field with learned degrees of freedom compute.

use std::ops::Range;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use vi_core::{StreamKey, StreamRng};

use super::gaussian::{with_slice, with_slice_mut};
use super::natural_gradient::{singular, solve_one, solve_two};
use super::student_t_member::{StudentTMeanFieldMember, log_one_plus_square_over, tail_share};
use super::{Damping, FactorizedDistribution, VariationalDistribution};
use crate::error::FamilyError;
use crate::special::{digamma_difference, trigamma};

/// One member of [`LearnedStudentTMeanField`](crate::LearnedStudentTMeanField).
#[derive(Clone, Debug)]
pub struct LearnedStudentTMeanFieldMember {
    shape: StudentTMeanFieldMember,
    /// ν [ψ((ν + 1)/2) − ψ(ν/2) − 1/ν] of every coordinate.
    drift: Vec<f64>,
}

impl LearnedStudentTMeanFieldMember {
    pub(super) fn new(shape: StudentTMeanFieldMember) -> Self {
        let drift = |dof: &f64| dof * (digamma_difference(0.5 * dof, 0.5) - dof.recip());
        let drift = shape.dof.iter().map(drift).collect();
        Self { shape, drift }
    }

    /// The member with these parameters of the family with fixed degrees of freedom.
    pub fn shape(&self) -> &StudentTMeanFieldMember {
        &self.shape
    }

    /// ∇_{log ν} log q of coordinate `i`, twice.
    fn twice_log_dof_score(&self, i: usize, z: f64) -> f64 {
        let (y, dof) = (self.shape.standardised(i, z), self.shape.dof[i]);
        let logarithm = dof * log_one_plus_square_over(y, dof);
        self.drift[i] - logarithm + (dof + 1.0) * tail_share(y, dof)
    }

    fn add_score_row(&self, z: &[f64], weight: f64, out: &mut [f64]) {
        let d = z.len();
        let (location, rest) = out.split_at_mut(d);
        let (log_scale, log_dof) = rest.split_at_mut(d);
        self.shape.add_score_row(z, weight, location, log_scale);
        for (i, z) in z.iter().enumerate() {
            log_dof[i] += 0.5 * weight * self.twice_log_dof_score(i, *z);
        }
    }
}

/// The Fisher information between log s and log ν.
fn fisher_mixed(dof: f64) -> f64 {
    -2.0 * dof / ((dof + 1.0) * (dof + 3.0))
}

/// ν² times the Fisher information of ν.
///
/// ```text
/// ¼ [ψ′(ν/2) − ψ′((ν + 1)/2)] − (ν + 5) / (2ν (ν + 1)(ν + 3))
/// ```
/// Lange, Little & Taylor (1989), section 4. From 40 on its series in 1/ν, where the difference would cancel.
fn fisher_log_dof(dof: f64) -> f64 {
    const SERIES: [f64; 12] =
        [3.5, -13.0, 39.5, -119.0, 363.5, -1101.0, 3279.5, -9763.0, 29523.5, -89609.0, 265_719.5, -778_047.0];
    if dof >= 40.0 {
        let x = dof.recip();
        return x * x * SERIES.iter().rev().fold(0.0, |sum, c| sum * x + c);
    }
    let difference = 0.25 * (trigamma(0.5 * dof) - trigamma(0.5 * dof + 0.5));
    dof * dof * (difference - (dof + 5.0) / (2.0 * dof * (dof + 1.0) * (dof + 3.0)))
}

impl VariationalDistribution for LearnedStudentTMeanFieldMember {
    fn dim(&self) -> usize {
        self.shape.dim()
    }
    fn n_params(&self) -> usize {
        3 * self.dim()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        self.shape.sample(rng, z);
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        self.shape.log_prob(z)
    }
    /// ```text
    /// ∇_{log ν} log q = ½ (ν [ψ((ν + 1)/2) − ψ(ν/2) − 1/ν − log(1 + y²/ν)] + (ν + 1) y²/(ν + y²))
    /// ```
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "LearnedStudentTMeanField: z has the wrong length");
        assert_eq!(out.len(), self.n_params(), "LearnedStudentTMeanField: out has the wrong length");
        with_slice(z, |z| with_slice_mut(out, |out| self.add_score_row(z, weight, out)));
    }
    fn entropy(&self) -> Option<f64> {
        self.shape.entropy()
    }
    /// As for fixed ν, and
    ///
    /// ```text
    /// F(log s, log ν) = −2ν / ((ν + 1)(ν + 3))
    /// F(log ν, log ν) = ν²/4 [ψ′(ν/2) − ψ′((ν + 1)/2)] − ν (ν + 5) / (2 (ν + 1)(ν + 3))
    /// ```
    fn fisher(&self) -> Option<Array2<f64>> {
        let d = self.dim();
        let mut fisher = Array2::zeros((3 * d, 3 * d));
        self.shape.fill_fisher(&mut fisher);
        for (i, dof) in self.shape.dof.iter().enumerate() {
            let (log_scale, log_dof) = (d + i, 2 * d + i);
            let mixed = fisher_mixed(*dof);
            fisher[[log_scale, log_dof]] = mixed;
            fisher[[log_dof, log_scale]] = mixed;
            fisher[[log_dof, log_dof]] = fisher_log_dof(*dof);
        }
        Some(fisher)
    }
    /// Coordinate by coordinate, of order two in (log s, log ν); allocates nothing.
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let d = self.dim();
        assert_eq!((grad.len(), out.len()), (3 * d, 3 * d), "LearnedStudentTMeanField: wrong length");
        for (i, dof) in self.shape.dof.iter().enumerate() {
            let [location, log_scale] = self.shape.fisher_of(i);
            out[i] = solve_one(i, location, damping, grad[i])?;
            let fisher = [log_scale, fisher_mixed(*dof), fisher_log_dof(*dof)];
            let solved = solve_two(fisher, damping, [grad[d + i], grad[2 * d + i]]);
            [out[d + i], out[2 * d + i]] = solved.map_err(|(k, value)| singular((k + 1) * d + i, value))?;
        }
        Ok(())
    }

    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        self.shape.sample_batch(key, samples, z);
    }
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.shape.log_prob_batch(z, out);
    }
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (weights.len(), self.dim()), "LearnedStudentTMeanField: z has the wrong shape");
        assert_eq!(out.len(), self.n_params(), "LearnedStudentTMeanField: out has the wrong length");
        with_slice_mut(out, |out| {
            for (row, w) in z.rows().into_iter().zip(weights.iter()) {
                with_slice(&row, |row| self.add_score_row(row, *w, out));
            }
        });
    }
}

/// Every coordinate is a factor.
impl FactorizedDistribution for LearnedStudentTMeanFieldMember {
    fn n_factors(&self) -> usize {
        self.dim()
    }
    fn factor(&self, i: usize) -> Range<usize> {
        i..i + 1
    }
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize> {
        [i, self.dim() + i, 2 * self.dim() + i].into_iter()
    }
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        self.shape.sample_factor(i, rng, z);
    }
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64 {
        self.shape.log_prob_factor(i, z)
    }
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        self.shape.add_score_factor(i, z, weight, out);
        out[2 * self.dim() + i] += 0.5 * weight * self.twice_log_dof_score(i, z[i]);
    }
    fn factors_within(&self, block: Range<usize>) -> Option<Range<usize>> {
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::fisher_log_dof;

    /// Values of mpmath at 50 digits.
    #[test]
    fn the_fisher_information_of_the_degrees_of_freedom_has_its_digits() {
        for (dof, expected) in FISHER_LOG_DOF {
            let value = fisher_log_dof(dof);
            assert!((value / expected - 1.0).abs() < 1e-11, "{dof}: {value}, expected {expected}");
        }
    }

    const FISHER_LOG_DOF: [(f64, f64); 6] = [
        (0.1, 0.9185487365516216),
        (1.0, 0.4474670334241132),
        (7.5, 0.040329083690165566),
        (39.9, 0.0020083144988614864),
        (41.0, 0.001906494890610833),
        (1e7, 3.499998700000395e-14),
    ];
}
