//! Families of a plate: one member for every datum, evaluated many at a time.
//!
//! Parameters of n data are the rows of a matrix; points stand datum after datum, S of each, so that row i·S + s is
//! point s of the datum with row i of parameters. Matrices have [`ndarray`]'s standard layout, rows without gaps; another
//! layout is a wrong shape.

mod bernoulli;
mod each_member;
mod gamma;
mod gaussian;
mod layout;

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use vi_core::StreamKey;

use crate::error::FamilyError;

pub use bernoulli::BernoulliPlate;
pub use each_member::EachMember;
pub use gamma::GammaPlate;
pub use gaussian::GaussianPlate;

/// A family with one member for every datum of a plate.
///
/// ```text
/// q(z) = Π_n q_{λ_n}(z_n)        z_n (L),  λ_n (P), unconstrained
/// ```
/// Nothing is bound: λ_n changes from datum to datum, so every method is given the parameters (n, P) of the data it
/// works on, and validates them or, where it says so, relies on [`PlateFamily::sample_points`] having done so. After a
/// thread's first call the methods of vectorised families allocate nothing.
pub trait PlateFamily: Send + Sync {
    /// The length L of z_n.
    fn dim(&self) -> usize;
    /// The length P of λ_n.
    fn n_params(&self) -> usize;
    /// One name per element of λ_n, for errors and traces: `logit(z[3])`.
    fn param_names(&self) -> Vec<String>;
    /// The default start of every λ_n (P).
    fn init(&self) -> Array1<f64>;

    /// Draws S = `n_samples` points for every datum into `z` (n·S, L), and overwrites `log_q` (n·S) with their
    /// log densities log q_{λ_i}(z_is).
    ///
    /// The points of datum `data[i]` come from `key.rng(data[i])`: they depend on the datum, not on the others of the
    /// call.
    ///
    /// # Errors
    /// [`FamilyError`] names the element of λ and the datum.
    ///
    /// # Panics
    /// If a shape does not fit.
    fn sample_points(
        &self,
        params: &ArrayRef2<f64>,
        data: &[usize],
        key: StreamKey,
        n_samples: usize,
        z: &mut ArrayRef2<f64>,
        log_q: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError>;

    /// Overwrites `out` (n·S) with log q_{λ_i}(z_is) at any points.
    ///
    /// # Errors
    /// [`FamilyError`] names the element of λ and its row.
    ///
    /// # Panics
    /// If a shape does not fit.
    fn log_prob_points(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError>;

    /// Adds weighted scores; parameters that [`PlateFamily::sample_points`] has seen.
    ///
    /// ```text
    /// out (n, P):  out_i += Σ_s weights[i·S + s] ∇ log q_{λ_i}(z_is)
    /// ```
    ///
    /// # Errors
    /// [`FamilyError`] names the element of λ and its row.
    ///
    /// # Panics
    /// If a shape does not fit.
    fn add_scores(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        weights: &ArrayRef1<f64>,
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError>;

    /// Overwrites `out` (n·S, P) with the score ∇ log q_{λ_i}(z_is) of every point.
    ///
    /// # Errors
    /// [`FamilyError`] names the element of λ and its row.
    ///
    /// # Panics
    /// If a shape does not fit.
    fn scores(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        out.fill(0.0);
        let one = ndarray::aview1(&[1.0]);
        for (r, (z, mut out)) in z.rows().into_iter().zip(out.rows_mut()).enumerate() {
            let params = params.slice(s![r / n_samples..=r / n_samples, ..]);
            let z = z.insert_axis(ndarray::Axis(0));
            self.add_scores(&params, 1, &z, &one, &mut out.view_mut().insert_axis(ndarray::Axis(0)))?;
        }
        Ok(())
    }
}
