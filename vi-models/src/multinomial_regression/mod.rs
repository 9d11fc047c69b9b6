//! Multinomial logistic regression by stick-breaking.
//!
//! ```text
//! p(y_n = k | β) = σ(η_nk) ∏_{j<k} (1 − σ(η_nj)),   η_nk = x_nᵀβ_k      k = 0 … K − 2
//! p(y_n = K − 1 | β) = ∏_{j<K−1} (1 − σ(η_nj))
//! β_kd ~ N(0, s_d²)
//! ```
//! A datum meets the classes in their order, and stays at class k with probability σ(η_nk). This link is not softmax: it
//! depends on the order of the classes, as a nested or sequential model of choice does. In return it has no bound beyond
//! Pólya-Gamma augmentation: the likelihood is the product of K − 1 logistic regressions, number k on the data with
//! y_n ≥ k and the responses [y_n = k],
//!
//! ```text
//! log p(y, β) = Σ_k log p([y = k], β_k | y ≥ k)
//! ```
//! so that posterior, bound and Gibbs sampler are those of [`LogisticRegression`], one for each stick. z holds β, one row
//! per stick; the first column is the intercept, if there is one.
//!
//! Sources: S. W. Linderman, M. J. Johnson & R. P. Adams, *Dependent multinomial models made easy: stick breaking with the
//! Pólya-Gamma augmentation*, NIPS 2015, eq. 3–6; G. Tutz, *Sequential models in categorical regression*, Computational
//! Statistics & Data Analysis 11 (1991) 275–295.

mod conjugate;
mod exchangeable;

use ndarray::{ArrayRef1, ArrayRef2, Axis, s};
use rand::RngExt;
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, StreamRng, Support};

use crate::ModelError;
use crate::logistic_regression::{LogisticRegression, LogisticRegressionBlock, LogisticRegressionPriors};
use crate::regression::{RegressionData, log_joint_by_evaluate};

pub use conjugate::MultinomialRegressionBlock;

const MODEL: &str = "multinomial_regression";

/// Multinomial regression by stick-breaking; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::multinomial_regression::MultinomialRegression;
/// use vi_models::regression::RegressionData;
///
/// let data = RegressionData::with_intercept(array![[0.1], [0.9], [2.2], [1.1]], array![0.0, 1.0, 2.0, 1.0])?;
/// let model = MultinomialRegression::new(data, 3, Default::default())?;
/// assert_eq!(model.parameters().names(), ["beta[1,1]", "beta[1,2]", "beta[2,1]", "beta[2,2]"]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultinomialRegression {
    data: RegressionData,
    /// K − 1 of them.
    sticks: Vec<LogisticRegression>,
    /// Which data reach each stick, ascending (K − 1).
    reaching: Vec<Vec<usize>>,
    blocks: Vec<MultinomialRegressionBlock>,
    global_blocks: Vec<MultinomialRegressionBlock>,
    space: ParameterSpace,
}

impl MultinomialRegression {
    /// The regression of `data`, whose responses are 0, 1, …, `n_classes` − 1, under the priors of every stick.
    ///
    /// # Errors
    /// [`ModelError`] names the response that is no class, the prior parameter outside its domain, or a number of classes
    /// that leaves a stick without data.
    pub fn new(
        data: RegressionData,
        n_classes: usize,
        priors: LogisticRegressionPriors,
    ) -> Result<Self, ModelError> {
        let is_class = |y: f64| y >= 0.0 && y.fract() == 0.0 && y < n_classes as f64;
        if let Some((row, &value)) = data.y().iter().enumerate().find(|(_, y)| !is_class(**y)) {
            let requirement = "a class 0, 1, …, n_classes − 1";
            return Err(ModelError::Datum { model: MODEL, data: "y", row, column: 0, value, requirement });
        }
        let last = data.y().fold(0.0, |a: f64, y| a.max(*y)) as usize;
        if n_classes < 2 || n_classes > last + 2 {
            let requirement = "2 or more, and at most the largest response + 2";
            let (parameter, value) = ("n_classes".to_owned(), n_classes as f64);
            return Err(ModelError::Prior { model: MODEL, parameter, value, requirement });
        }
        let reach = |k: usize| (0..data.n_points()).filter(|n| data.y()[*n] >= k as f64).collect();
        let reaching: Vec<Vec<usize>> = (0..n_classes - 1).map(reach).collect();
        let stick = |(k, reaching): (usize, &Vec<usize>)| {
            let rows = data.rows(reaching);
            let response = rows.y().mapv(|y| f64::from(u8::from(y == k as f64)));
            LogisticRegression::new(rows.with_response(response), priors)
        };
        let sticks: Vec<_> = reaching.iter().enumerate().map(stick).collect::<Result<_, _>>()?;
        let shape = [sticks.len(), data.n_columns()];
        let space = ParameterSpace::new([Parameter::new("beta", &shape, Support::Real)])?;
        let blocks = conjugate::blocks(sticks.len());
        let is_global = |b: &&MultinomialRegressionBlock| b.block == LogisticRegressionBlock::Coefficients;
        let global_blocks = blocks.iter().filter(is_global).copied().collect();
        Ok(Self { data, sticks, reaching, blocks, global_blocks, space })
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// K.
    pub fn n_classes(&self) -> usize {
        self.sticks.len() + 1
    }

    /// The logistic regressions of the sticks (K − 1).
    pub fn sticks(&self) -> &[LogisticRegression] {
        &self.sticks
    }

    /// The coordinates of β_k.
    fn coordinates(&self, k: usize) -> std::ops::Range<usize> {
        let d = self.data.n_columns();
        k * d..(k + 1) * d
    }

    /// η (N, K − 1) of new data.
    fn predictors(&self, data: &RegressionData, z: &ArrayRef1<f64>) -> ndarray::Array2<f64> {
        let beta =
            z.to_shape((self.sticks.len(), self.data.n_columns())).expect("z has the length of the model");
        data.x().dot(&beta.t())
    }

    fn evaluate(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, mut grad: Option<&mut ArrayRef2<f64>>) {
        out.fill(0.0);
        let mut one = ndarray::Array1::zeros(z.nrows());
        for (k, stick) in self.sticks.iter().enumerate() {
            let of_stick = z.slice(s![.., self.coordinates(k)]);
            match grad.as_deref_mut() {
                None => stick.log_joint_batch(&of_stick, &mut one),
                Some(grad) => {
                    let mut grad = grad.slice_mut(s![.., self.coordinates(k)]);
                    stick.log_joint_and_grad_batch(&of_stick, &mut one, &mut grad);
                }
            }
            out.scaled_add(1.0, &one);
        }
    }
}

log_joint_by_evaluate!(MultinomialRegression);

impl Predictive for MultinomialRegression {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    /// −∞ where a response is no class of the model.
    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let eta = self.predictors(data, z);
        for ((y, eta), o) in data.y().iter().zip(eta.axis_iter(Axis(0))).zip(out.iter_mut()) {
            let mut left = 0.0;
            let mut at = f64::NEG_INFINITY;
            for (k, eta) in eta.iter().enumerate() {
                if *y == k as f64 {
                    at = left - softplus_scalar(-eta);
                }
                left -= softplus_scalar(*eta);
            }
            *o = if *y == eta.len() as f64 { left } else { at };
        }
    }

    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        let eta = self.predictors(data, z);
        let mut draw = |eta: ndarray::ArrayView1<'_, f64>| {
            let stays = |eta: &f64| rng.random::<f64>() < sigmoid_scalar(*eta);
            eta.iter().position(stays).unwrap_or(eta.len()) as f64
        };
        data.with_response(eta.axis_iter(Axis(0)).map(&mut draw).collect())
    }
}
