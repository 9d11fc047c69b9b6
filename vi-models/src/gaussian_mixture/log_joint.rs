//! The log joint with the assignments summed out, and its gradient, for many points at once.
//!
//! ```text
//! log p(x, π, μ, Λ) = Σ_n log Σ_k π_k N(x_n | μ_k, Λ_k⁻¹) + log p(π) + Σ_k log p(μ_k, Λ_k)
//!
//! ∂/∂π_k = (N_k + α₀ − 1)/π_k
//! ∂/∂μ_k = Λ_k (Σ_n r_nk (x_n − μ_k) − β₀ (μ_k − m₀))
//! ∂/∂Λ_k = ½ [(N_k + 1 + ν₀ − D − 1) Λ_k⁻¹ − Σ_n r_nk (x_n − μ_k)(x_n − μ_k)ᵀ
//!             − β₀ (μ_k − m₀)(μ_k − m₀)ᵀ − W₀⁻¹]
//! ```
//! with the responsibilities r_nk at the point. A matrix gradient G means df = Σ_ij G_ij dΛ_ij over all entries of a
//! symmetric dΛ; an asymmetric Λ stands for its symmetric part.

use ndarray::{
    Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, s,
};
use vi_core::linalg::{Cholesky, LinalgError};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace};

use super::GaussianMixture;
use super::tile::{Rows, tiles, with_workspace};

/// Points evaluated together: the tile of data is formed once for all of them.
const GROUP: usize = 16;

/// One component of a point, in centred coordinates.
struct Component {
    /// μ − c (D).
    mean: Array1<f64>,
    precision: Array2<f64>,
    cholesky: Cholesky,
    log_det: f64,
    /// Λ (μ − c) (D).
    precision_mean: Array1<f64>,
    quadratic: f64,
}

/// A point of the support.
struct Point {
    log_weights: Array1<f64>,
    components: Vec<Component>,
}

/// The likelihood's share of log joint and gradient: which data, and how often each counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Likelihood<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) scale: f64,
}

impl GaussianMixture {
    pub(super) fn full_likelihood(&self) -> Likelihood<'static> {
        Likelihood { rows: Rows::All(self.data.nrows()), scale: 1.0 }
    }

    /// The point `z`; outside the support the value its log joint has there, −∞ or NaN.
    fn point(&self, z: &ArrayRef1<f64>) -> Result<Point, f64> {
        let k = self.layout.n_components;
        if let Some(w) = z.iter().take(k).find(|w| w.is_nan() || **w <= 0.0) {
            return Err(if w.is_nan() { f64::NAN } else { f64::NEG_INFINITY });
        }
        let component = |k| {
            let (mean, precision) = self.component_of(z, k);
            let precision = 0.5 * (&precision + &precision.t());
            let cholesky = Cholesky::factor(&precision).map_err(|e| match e {
                LinalgError::NotPositiveDefinite { .. } => f64::NEG_INFINITY,
                _ => f64::NAN,
            })?;
            let precision_mean = precision.dot(&mean);
            let (log_det, quadratic) = (cholesky.log_det(), mean.dot(&precision_mean));
            Ok(Component { mean, precision, cholesky, log_det, precision_mean, quadratic })
        };
        let components = (0..k).map(component).collect::<Result<Vec<_>, f64>>()?;
        Ok(Point { log_weights: z.slice(s![..k]).mapv(f64::ln), components })
    }

    fn log_prior(&self, point: &Point) -> f64 {
        let components = point
            .components
            .iter()
            .map(|c| self.prior.log_prob_component(c.log_det, &c.precision_mean, c.quadratic, &c.precision));
        self.prior.log_prob_weights(point.log_weights.sum()) + components.sum::<f64>()
    }

    /// η (K, P) of the components of a point.
    fn set_point_coefficients(&self, point: &Point, eta: &mut ArrayRef2<f64>) {
        for ((c, log_weight), mut eta) in point.components.iter().zip(&point.log_weights).zip(eta.rows_mut())
        {
            self.layout.set_coefficients(
                *log_weight,
                c.log_det,
                &c.precision_mean,
                c.quadratic,
                &c.precision,
                &mut eta,
            );
        }
    }

    /// Log joints of the rows of `z` (S, D) into `out` (S), and their gradients into `grad` (S, D) if wanted.
    pub(super) fn evaluate(
        &self,
        likelihood: Likelihood<'_>,
        z: ArrayView2<'_, f64>,
        mut out: ArrayViewMut1<'_, f64>,
        mut grad: Option<ArrayViewMut2<'_, f64>>,
    ) {
        let (k, p) = (self.layout.n_components, self.layout.n_features);
        for (group, z) in z.axis_chunks_iter(Axis(0), GROUP).enumerate() {
            let at = group * GROUP..group * GROUP + z.nrows();
            let points: Vec<_> = z.rows().into_iter().map(|row| self.point(&row)).collect();
            // Points outside the support keep η = 0, which costs time and nothing else.
            let mut eta = Array2::zeros((z.nrows() * k, p));
            for (point, mut eta) in points.iter().zip(eta.axis_chunks_iter_mut(Axis(0), k)) {
                if let Ok(point) = point {
                    self.set_point_coefficients(point, &mut eta);
                }
            }
            let mut log_likelihood = Array1::zeros(z.nrows());
            let mut sums = grad.is_some().then(|| Array2::zeros((z.nrows() * k, p)));
            self.add_likelihood(likelihood.rows, &eta, &mut log_likelihood, sums.as_mut());
            for (i, s) in at.enumerate() {
                out[s] = match &points[i] {
                    Ok(point) => self.log_prior(point) + likelihood.scale * log_likelihood[i],
                    Err(value) => *value,
                };
                let (Some(grad), Some(sums)) = (&mut grad, &sums) else { continue };
                match &points[i] {
                    Ok(point) => {
                        let sums = sums.slice(s![i * k..(i + 1) * k, ..]).mapv(|v| likelihood.scale * v);
                        self.set_gradient(point, &sums, &mut grad.row_mut(s));
                    }
                    Err(_) => grad.row_mut(s).fill(0.0),
                }
            }
        }
    }

    /// log_likelihood (S) += Σ_n log Σ_k exp⟨η_sk, T(x_n)⟩ and sums (S·K, P) += Σ_n r_nsk T(x_n).
    fn add_likelihood(
        &self,
        rows: Rows<'_>,
        eta: &ArrayRef2<f64>,
        log_likelihood: &mut ArrayRef1<f64>,
        mut sums: Option<&mut Array2<f64>>,
    ) {
        with_workspace(|w| {
            for tile in tiles(0..rows.len()) {
                let n = tile.len();
                w.set_features(self.layout, &self.data, &self.centre, rows, tile);
                w.set_responsibilities(self.layout, n, eta);
                for (o, l) in log_likelihood.iter_mut().zip(w.log_normaliser.chunks_exact(n)) {
                    *o += l.iter().sum::<f64>();
                }
                if let Some(sums) = &mut sums {
                    w.add_sums(self.layout, n, sums);
                }
            }
        });
    }

    /// The gradient from the point and its weighted sums of statistics (K, P).
    fn set_gradient(&self, point: &Point, sums: &ArrayRef2<f64>, grad: &mut ArrayRef1<f64>) {
        let (n_components, d) = self.dims();
        let prior = &self.prior;
        for (k, c) in point.components.iter().enumerate() {
            let sums = sums.row(k);
            let count = self.layout.count(&sums);
            grad[k] = (count + prior.concentration - 1.0) * (-point.log_weights[k]).exp();
            let from_prior = &c.mean - &prior.mean;
            let residual: Array1<f64> = (0..d).map(|i| sums[i] - count * c.mean[i]).collect();
            let pull = c.precision.dot(&(&residual - prior.count * &from_prior));
            grad.slice_mut(s![n_components + k * d..n_components + (k + 1) * d]).assign(&pull);
            let inverse = c.cholesky.inverse();
            let start = n_components * (1 + d) + k * d * d;
            for i in 0..d {
                for j in 0..d {
                    // Σ r (x − μ)(x − μ)ᵀ = Σ r xxᵀ − μ (Σ r x)ᵀ − (Σ r (x − μ)) μᵀ
                    let scatter = self.layout.second_moment(&sums, i, j)
                        - c.mean[i] * sums[j]
                        - residual[i] * c.mean[j];
                    let spread = scatter + prior.count * from_prior[i] * from_prior[j];
                    grad[start + i * d + j] = 0.5
                        * ((count + prior.dof - d as f64) * inverse[[i, j]]
                            - spread
                            - prior.scale_inverse[[i, j]]);
                }
            }
        }
    }

    /// [`GaussianMixture::evaluate`] at one point.
    pub(super) fn evaluate_one(
        &self,
        likelihood: Likelihood<'_>,
        z: &ArrayRef1<f64>,
        grad: Option<&mut ArrayRef1<f64>>,
    ) -> f64 {
        let mut out = Array1::zeros(1);
        let z = z.view().insert_axis(Axis(0));
        let grad = grad.map(|g| g.view_mut().insert_axis(Axis(0)));
        self.evaluate(likelihood, z, out.view_mut(), grad);
        out[0]
    }

    /// log p(x̂_n | z) of the rows of `data`.
    pub(super) fn log_densities(&self, data: &Array2<f64>, z: ArrayView1<'_, f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(data.ncols(), self.layout.dim, "gaussian_mixture: columns of the new data");
        let point = match self.point(&z) {
            Ok(point) => point,
            Err(value) => return out.fill(value),
        };
        let mut eta = Array2::zeros((self.layout.n_components, self.layout.n_features));
        self.set_point_coefficients(&point, &mut eta);
        with_workspace(|w| {
            for tile in tiles(0..data.nrows()) {
                let n = tile.len();
                w.set_features(self.layout, data, &self.centre, Rows::All(data.nrows()), tile.clone());
                w.set_responsibilities(self.layout, n, &eta);
                for (o, l) in out.slice_mut(s![tile]).iter_mut().zip(&w.log_normaliser) {
                    *o = *l;
                }
            }
        });
    }
}

impl LogJoint for GaussianMixture {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.evaluate_one(self.full_likelihood(), z, None)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.evaluate(self.full_likelihood(), z.view(), out.view_mut(), None);
    }
}

impl GradLogJoint for GaussianMixture {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.evaluate_one(self.full_likelihood(), z, Some(grad))
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.evaluate(self.full_likelihood(), z.view(), out.view_mut(), Some(grad.view_mut()));
    }
}
