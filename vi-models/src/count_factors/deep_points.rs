//! Log joints of many points of the deep exponential family, and the gradient in θ.

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::numerics::{Vectorised, vectorised};
use vi_core::{PlateLogJoint, numerics, scratch};

use super::deep::{DeepExponentialFamily, DeepWeights};
use super::likelihood::{LogWeightGrad, Points, SMALLEST, Scratch, TILE, add_count_terms, add_scaled};
use super::products::{Product, add_weighted_rows, one_by_one, padded, side_by_side};
use super::{mark_outside, n_points};

/// A [`DeepExponentialFamily`] at one θ.
#[derive(Clone, Copy, Debug)]
pub struct DeepExponentialFamilyAt<'a> {
    pub(super) model: &'a DeepExponentialFamily,
    pub(super) theta: &'a [f64],
    pub(super) tables: &'a DeepWeights,
}

impl DeepExponentialFamilyAt<'_> {
    fn evaluate(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        mut grad: Option<(f64, &mut [f64])>,
    ) {
        let model = self.model;
        let (k, j) = (model.n_lower, model.n_upper);
        let dim = k + j;
        let n_points = n_points(data, z.dim(), dim, out.len());
        if n_points == 0 {
            return;
        }
        let lanes = padded(n_points);
        let z = z.as_slice().expect("z stands row after row");
        let out = out.as_slice_mut().expect("out stands in one piece");
        let [rates, ratios, products] = Scratch::lengths(TILE.max(k), lanes, k.max(j));
        let rows = lanes * (padded(k).max(padded(j)));
        let lengths = [dim * lanes, dim * lanes, lanes, rows, dim + k, rates, ratios, products];
        scratch::with_arrays(lengths, |[side, logs, sums, rows, linear, rates, ratios, products]| {
            let mut scratch = Scratch { rates, ratios, products };
            let (linear, z_totals) = linear.split_at_mut(dim);
            linear[..k].iter_mut().zip(&self.tables.bottom.totals).for_each(|(l, t)| *l = -t);
            linear[k..].fill(-model.priors.upper.rate);
            z_totals.fill(0.0);
            for ((n, z), out) in
                data.iter().zip(z.chunks_exact(n_points * dim)).zip(out.chunks_exact_mut(n_points))
            {
                side_by_side(z, dim, lanes, side);
                numerics::log(side, logs);
                sums.fill(model.log_constant - model.counts.log_factorials(*n));
                add_weighted_rows(&model.powers, logs, sums);
                add_weighted_rows(linear, side, sums);
                let (lower, upper) = side.split_at(k * lanes);
                let mut parts =
                    grad.as_mut().map(|(weight, grad)| (*weight, grad.split_at_mut(model.n_weights())));

                let top_grad = parts.as_mut().map(|(weight, (_, grad))| {
                    one_by_one(z, dim, k, j, &mut rows[..lanes * padded(j)]);
                    LogWeightGrad { weight: *weight, grad, one_by_one: &rows[..lanes * padded(j)] }
                });
                self.add_layer(lower, upper, lanes, &mut scratch, sums, top_grad);

                let bottom_grad = parts.map(|(weight, (grad, _))| {
                    one_by_one(z, dim, 0, k, &mut rows[..lanes * padded(k)]);
                    let points = z.chunks_exact(dim);
                    points.for_each(|z| z_totals.iter_mut().zip(z).for_each(|(t, z)| *t += z));
                    LogWeightGrad { weight, grad, one_by_one: &rows[..lanes * padded(k)] }
                });
                let points = Points { side_by_side: lower, lanes };
                add_count_terms(
                    &self.tables.bottom,
                    &model.counts,
                    *n,
                    points,
                    &mut scratch,
                    sums,
                    bottom_grad,
                );
                out.copy_from_slice(&sums[..n_points]);
                mark_outside(z, dim, out);
            }
            if let Some((weight, grad)) = &mut grad {
                let weights = &self.tables.bottom.weights;
                for (grad, weights) in grad[..weights.len()].chunks_exact_mut(k).zip(weights.chunks_exact(k))
                {
                    add_scaled(-*weight, weights, z_totals, grad);
                }
            }
        });
    }

    /// sums (lanes) += what the means of the lower factors add at every point; and its gradient in log V.
    ///
    /// ```text
    /// log p(lower | upper) = Σ_k α log α − log Γ(α) + (α − 1) log lower_k  − α log m_k − α lower_k / m_k
    /// ∂/∂ log V_kj = V_kj upper_j α (lower_k / m_k − 1) / m_k
    /// ```
    /// The first three terms are the caller's.
    fn add_layer(
        &self,
        lower: &[f64],
        upper: &[f64],
        lanes: usize,
        scratch: &mut Scratch<'_>,
        sums: &mut [f64],
        grad: Option<LogWeightGrad<'_>>,
    ) {
        let top = &self.tables.top;
        let (alpha, j) = (self.model.priors.lower_shape, self.model.n_upper);
        let (means, ratios) = (&mut scratch.rates[..lower.len()], &mut scratch.ratios[..lower.len()]);
        Product { table: &top.weights, rows: None, right: upper, lanes, floor: SMALLEST, out: &mut *means }
            .compute();
        vectorised(Quotients { alpha, lower, means, sums: &mut *sums, slopes: &mut *ratios });
        if let Some(grad) = grad {
            let width = padded(j);
            let products = &mut scratch.products[..self.model.n_lower * width];
            Product {
                table: ratios,
                rows: None,
                right: grad.one_by_one,
                lanes: width,
                floor: f64::NEG_INFINITY,
                out: &mut *products,
            }
            .compute();
            let rows = grad.grad.chunks_exact_mut(j).zip(top.weights.chunks_exact(j));
            for ((grad_row, weights), products) in rows.zip(products.chunks_exact(width)) {
                add_scaled(grad.weight, weights, products, grad_row);
            }
        }
        numerics::log_inplace(means);
        vectorised(SubtractRows { alpha, logs: means, sums });
    }
}

/// sums −= α Σ_k lower_k / m_k, slopes ← α (lower_k / m_k − 1) / m_k
struct Quotients<'a> {
    alpha: f64,
    lower: &'a [f64],
    means: &'a [f64],
    sums: &'a mut [f64],
    slopes: &'a mut [f64],
}

impl Vectorised for Quotients<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let lanes = self.sums.len();
        let rows = self.lower.chunks_exact(lanes).zip(self.means.chunks_exact(lanes));
        for ((lower, means), slopes) in rows.zip(self.slopes.chunks_exact_mut(lanes)) {
            for s in 0..lanes {
                let quotient = lower[s] / means[s];
                self.sums[s] -= self.alpha * quotient;
                slopes[s] = self.alpha * (quotient - 1.0) / means[s];
            }
        }
    }
}

/// sums −= α Σ_k logs_k
struct SubtractRows<'a> {
    alpha: f64,
    logs: &'a [f64],
    sums: &'a mut [f64],
}

impl Vectorised for SubtractRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let lanes = self.sums.len();
        for logs in self.logs.chunks_exact(lanes) {
            for (sum, log) in self.sums.iter_mut().zip(logs) {
                *sum -= self.alpha * log;
            }
        }
    }
}

impl PlateLogJoint for DeepExponentialFamilyAt<'_> {
    fn n_model_params(&self) -> usize {
        self.theta.len()
    }

    /// −∞ where a factor is not inside (0, ∞).
    fn log_joint_points(&self, data: &[usize], z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.evaluate(data, z, out, None);
    }

    fn log_joint_points_and_add_grad(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) {
        assert_eq!(grad.len(), self.theta.len(), "grad: wrong length");
        let grad = grad.as_slice_mut().expect("grad stands in one piece");
        self.evaluate(data, z, out, Some((weight, grad)));
    }

    fn log_prior(&self) -> f64 {
        self.model.priors.weight.map_or(0.0, |prior| {
            let (bottom, top) = self.theta.split_at(self.model.n_weights());
            prior.log_density_of_logs(bottom, &self.tables.bottom.weights)
                + prior.log_density_of_logs(top, &self.tables.top.weights)
        })
    }

    fn add_log_prior_grad(&self, weight: f64, grad: &mut ArrayRef1<f64>) {
        if let Some(prior) = self.model.priors.weight {
            let grad = grad.as_slice_mut().expect("grad stands in one piece");
            let (bottom, top) = grad.split_at_mut(self.model.n_weights());
            prior.add_grad_of_logs(weight, &self.tables.bottom.weights, bottom);
            prior.add_grad_of_logs(weight, &self.tables.top.weights, top);
        }
    }
}
