//! Control variates from the noise: unbiased at any stage, without noise on a Gaussian target, and what they are worth
//! on logistic regression.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::{Exec, GradLogJoint, Kernel, LogJoint, StreamKey};
use vi_families::{
    BlockDiagonalGaussian, FullRankGaussian, GaussianTransport, LowRankGaussian, MeanFieldGaussian,
    VariationalDistribution, VariationalFamily,
};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::testing::{check_estimator, compare_gradient};
use vi_sgvi::{Adam, ControlledPathwise, Elbo, GradientEstimator, LearningRate, Memory, Pathwise, Sgvi};

use crate::gaussian_target::GaussianTarget;
use crate::{gradient_of, spread};

/// Unbiased from the first gradient on; the regression learns a Gaussian target geometrically, until no noise is left.
fn check<F>(family: &F, params: &Array1<f64>, exact: &Array1<f64>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: GaussianTransport,
{
    let model = GaussianTarget::correlated();
    let estimator = ControlledPathwise::new(3).unwrap();
    // The first gradient of every replicate alone, where B is 0.
    let fresh = Fresh(estimator);
    check_estimator(&fresh, &model, family, params, exact, 400, StreamKey::from_seed(20));
    check_estimator(&estimator, &model, family, params, exact, 400, StreamKey::from_seed(21));
    let (mut memory, mut grad) = (Memory::default(), Array1::zeros(params.len()));
    let elbo = Elbo::new(&model, family).unwrap();
    for t in 0..2000 {
        let key = StreamKey::from_seed(22).fold_in(t);
        estimator.estimate(elbo, params, key, Exec::local(), &mut memory, &mut grad).unwrap();
    }
    let off = grad.iter().zip(exact).map(|(g, e)| (g - e).abs()).fold(0.0, f64::max);
    assert!(off < 1e-9, "{off} away from the exact gradient");
}

/// An estimator that forgets.
struct Fresh<E>(E);

impl<M, F, E> GradientEstimator<M, F> for Fresh<E>
where
    M: ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
{
    type State = E::State;

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<E::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<vi_core::ElboEstimate, vi_sgvi::SgviError> {
        memory.state = E::State::default();
        self.0.estimate(elbo, params, key, exec, memory, grad)
    }
    fn cost(&self, elbo: Elbo<'_, M, F>) -> vi_sgvi::Evaluations {
        self.0.cost(elbo)
    }
    fn name(&self) -> String {
        self.0.name()
    }
}

/// The gradient of the ELBO of a Gaussian member with its mean and covariance.
fn exact<F: VariationalFamily>(
    family: &F,
    params: &Array1<f64>,
    moments: impl Fn(&F::Member<'_>) -> (Array1<f64>, Array2<f64>),
) -> Array1<f64> {
    let model = GaussianTarget::correlated();
    let at = |params: &Array1<f64>| {
        let q = family.bind(params).unwrap();
        let (mean, covariance) = moments(&q);
        model.log_joint(&mean) - 0.5 * (&model.precision * &covariance).sum() + q.entropy().unwrap()
    };
    gradient_of(at, params)
}

#[test]
fn every_affine_family() {
    let space = GaussianTarget::correlated().parameters().clone();

    let family = MeanFieldGaussian::new(&space).unwrap();
    let params = spread(family.n_params(), 0.2);
    let gradient = exact(&family, &params, |q| {
        let variance = q.sd().iter().map(|s| s * s).collect();
        (q.mean().to_vec().into(), Array2::from_diag(&Array1::from_vec(variance)))
    });
    check(&family, &params, &gradient);

    let family = FullRankGaussian::new(&space).unwrap();
    let params = spread(family.n_params(), 0.2);
    let gradient = exact(&family, &params, |q| (q.mean().to_vec().into(), q.covariance()));
    check(&family, &params, &gradient);

    let family = LowRankGaussian::new(&space, 2).unwrap();
    let params = spread(family.n_params(), 0.2);
    let gradient = exact(&family, &params, |q| (q.mean().to_vec().into(), q.covariance()));
    check(&family, &params, &gradient);

    let family = BlockDiagonalGaussian::from_sizes(&space, &[1, 2]).unwrap();
    let params = spread(family.n_params(), 0.2);
    let gradient = exact(&family, &params, |q| {
        let mut covariance = Array2::zeros((3, 3));
        covariance.slice_mut(ndarray::s![..1, ..1]).assign(&q.blocks()[0].covariance());
        covariance.slice_mut(ndarray::s![1.., 1..]).assign(&q.blocks()[1].covariance());
        (q.blocks().iter().flat_map(|b| b.mean().to_vec()).collect(), covariance)
    });
    check(&family, &params, &gradient);
}

/// The 569 tumours of the Wisconsin data, thirty standardised features and an intercept, prior N(0, 1).
fn breast_cancer() -> LogisticRegression {
    let text = include_str!("../../../data/breast_cancer.csv");
    let rows: Vec<Vec<f64>> =
        text.lines().skip(1).map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    let (n, d) = (rows.len(), rows[0].len() - 1);
    let mut x = Array2::from_shape_fn((n, d), |(i, j)| rows[i][j]);
    for mut column in x.columns_mut() {
        let mean = column.mean().unwrap();
        let sd = column.mapv(|v| (v - mean).powi(2)).mean().unwrap().sqrt();
        column.mapv_inplace(|v| (v - mean) / sd);
    }
    let y = Array1::from_shape_fn(n, |i| rows[i][d]);
    let data = RegressionData::with_intercept(x, y).unwrap();
    let priors = LogisticRegressionPriors { scale: 1.0, ..LogisticRegressionPriors::default() };
    LogisticRegression::new(data, priors).unwrap()
}

fn near_the_optimum<F>(model: &LogisticRegression, family: &F, n_steps: u64) -> Array1<f64>
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: GaussianTransport,
{
    let optimizer = Adam { learning_rate: LearningRate::Constant(0.02), ..Adam::default() };
    let kernel = Sgvi::new(model, family, Pathwise::new(10), optimizer).unwrap();
    let (mut state, key) = (kernel.init(), StreamKey::from_seed(31));
    for t in 0..n_steps {
        kernel.step(key.fold_in(t), &mut state).unwrap();
    }
    kernel.averaged_params(&state)
}

/// Total variance of the plain estimator over that of the controlled one, each with ten samples at the same λ.
fn gain<M, F>(model: &M, family: &F, params: &Array1<f64>) -> f64
where
    M: GradLogJoint,
    F: VariationalFamily,
    for<'a> F::Member<'a>: GaussianTransport,
{
    let elbo = Elbo::new(model, family).unwrap();
    let none = Array1::zeros(params.len());
    let plain =
        compare_gradient(&Pathwise::new(10), elbo, params, &none, 400, StreamKey::from_seed(1)).unwrap();
    let estimator = ControlledPathwise::new(10).unwrap();
    let (mut memory, mut grad) = (Memory::default(), none.clone());
    let (mut sum, mut squares) = (none.clone(), none);
    let n = 400.0;
    for t in 0..1400 {
        let key = StreamKey::from_seed(2).fold_in(t);
        estimator.estimate(elbo, params, key, Exec::local(), &mut memory, &mut grad).unwrap();
        // The first steps learn the regression.
        if t >= 1000 {
            sum += &grad;
            squares += &grad.mapv(|g| g * g);
        }
    }
    let mean = sum / n;
    let variance = (squares / n - mean.mapv(|m| m * m)).sum();
    // Both estimate the same gradient: the difference of the means in standard errors of the noisier one.
    for ((m, p), v) in mean.iter().zip(&plain.mean).zip(&plain.variance) {
        assert!((m - p).abs() < 6.0 * (v / n).sqrt() + 1e-9, "{m} and {p} ± {}", (v / n).sqrt());
    }
    plain.variance.sum() / variance
}

/// The variance falls by more than 10 near the optimum; it is a ratio of two sample variances of 400 gradients, each
/// within a quarter of its mean (the number printed is what is measured).
#[test]
#[allow(clippy::print_stdout, reason = "the figures are the purpose")]
fn logistic_regression_near_the_optimum() {
    let model = breast_cancer();
    let mean_field = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = near_the_optimum(&model, &mean_field, 2000);
    let of_mean_field = gain(&model, &mean_field, &params);
    let full_rank = FullRankGaussian::new(model.parameters()).unwrap();
    let params = near_the_optimum(&model, &full_rank, 3000);
    let of_full_rank = gain(&model, &full_rank, &params);
    println!("mean field {of_mean_field:.1}, full rank {of_full_rank:.1}");
    assert!(of_mean_field > 10.0 && of_full_rank > 10.0, "{of_mean_field}, {of_full_rank}");
}
