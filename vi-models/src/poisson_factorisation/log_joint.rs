//! The log joint with the parts summed out, and its gradient.

use ndarray::{Array2, ArrayRef1};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace};

use super::gamma_rows::LogAndMean;
use super::{FactorPrior, PoissonFactorisation, RatePrior, dot, set_column_sums};
use crate::lines::Lines;

/// θ, β, ξ, η at a `z` laid out as reported.
struct Point {
    rows: LogAndMean,
    columns: LogAndMean,
    row_rates: LogAndMean,
    column_rates: LogAndMean,
}

impl PoissonFactorisation {
    fn point(&self, z: &ArrayRef1<f64>) -> Point {
        let (n, d, k) = (self.counts.n_rows(), self.counts.n_columns(), self.n_factors);
        let mut values = z.iter().copied();
        let mut take = |n: usize, k: usize| {
            let mean = Array2::from_shape_simple_fn((n, k), || values.next().unwrap_or(f64::NAN));
            let log = mean.mapv(f64::ln);
            LogAndMean { mean, log }
        };
        let (rows, columns) = (take(n, k), take(d, k));
        let mut rates = |prior: FactorPrior, n: usize| match prior.rate {
            RatePrior::Known { rate } => LogAndMean::constant(n, 1, rate),
            RatePrior::Gamma { .. } => take(n, 1),
        };
        let row_rates = rates(self.priors.row, n);
        let column_rates = rates(self.priors.column, d);
        Point { rows, columns, row_rates, column_rates }
    }

    /// Calls `f(n, d, x, r)` for every count above zero, r its rate.
    fn for_each_count(&self, point: &Point, mut f: impl FnMut(usize, usize, f64, f64)) {
        for n in 0..self.counts.n_rows() {
            let (columns, counts) = self.counts.row(n);
            for (d, x) in columns.iter().zip(counts) {
                f(n, *d, *x, dot(point.rows.row(n), point.columns.row(*d)));
            }
        }
    }

    fn value(&self, point: &Point) -> f64 {
        let mut likelihood = -self.log_factorials;
        self.for_each_count(point, |_, _, x, r| likelihood += x * r.ln());
        let (rows, columns) = (&point.rows, &point.columns);
        likelihood
            - self.total_rate(super::gamma_rows::flat(&rows.mean), super::gamma_rows::flat(&columns.mean))
            + self.priors.row.expected_log_prob(rows, &point.row_rates)
            + self.priors.column.expected_log_prob(columns, &point.column_rates)
    }

    /// Gradient in the factors of one side from their ratios Σ (x/r) other; less the sums of the other side, and the prior.
    fn side_gradient(
        &self,
        prior: FactorPrior,
        (own, rates): (&LogAndMean, &LogAndMean),
        other: &LogAndMean,
        missing: &Lines,
        ratios: &mut Array2<f64>,
    ) -> Vec<f64> {
        let mut totals = vec![0.0; self.n_factors];
        set_column_sums(super::gamma_rows::flat(&other.mean), &mut totals);
        for (n, mut row) in ratios.rows_mut().into_iter().enumerate() {
            for (k, g) in row.iter_mut().enumerate() {
                let unseen: f64 = missing.line(n).iter().map(|d| other.mean[[*d, k]]).sum();
                *g += unseen - totals[k] + (prior.shape - 1.0) / own.mean[[n, k]] - rates.mean[[n, 0]];
            }
        }
        let RatePrior::Gamma { shape, rate } = prior.rate else { return Vec::new() };
        let k = self.n_factors as f64;
        (0..own.mean.nrows())
            .map(|n| {
                (shape - 1.0 + k * prior.shape) / rates.mean[[n, 0]] - rate - own.row(n).iter().sum::<f64>()
            })
            .collect()
    }
}

impl LogJoint for PoissonFactorisation {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        if z.iter().any(|v| *v <= 0.0) {
            return f64::NEG_INFINITY;
        }
        self.value(&self.point(z))
    }
}

impl GradLogJoint for PoissonFactorisation {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let point = self.point(z);
        let mut rows = Array2::zeros(point.rows.mean.raw_dim());
        let mut columns = Array2::zeros(point.columns.mean.raw_dim());
        self.for_each_count(&point, |n, d, x, r| {
            for k in 0..self.n_factors {
                rows[[n, k]] += x / r * point.columns.mean[[d, k]];
                columns[[d, k]] += x / r * point.rows.mean[[n, k]];
            }
        });
        let sides = (&point.rows, &point.row_rates);
        let row_rates =
            self.side_gradient(self.priors.row, sides, &point.columns, &self.missing_in_row, &mut rows);
        let sides = (&point.columns, &point.column_rates);
        let column_rates =
            self.side_gradient(self.priors.column, sides, &point.rows, &self.missing_in_column, &mut columns);
        let all = rows.iter().chain(&columns).chain(&row_rates).chain(&column_rates);
        grad.iter_mut().zip(all).for_each(|(g, v)| *g = *v);
        self.log_joint(z)
    }
}
