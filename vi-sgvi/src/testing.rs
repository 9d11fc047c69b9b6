//! Contract checks for gradient estimators.

mod plate;

use ndarray::{Array1, ArrayRef1, Zip};
use vi_core::{Exec, LogJoint, StreamKey};
use vi_families::VariationalFamily;

use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{GradientEstimator, Memory};

pub use plate::{PlateGradientCheck, check_plate_estimator, compare_plate_gradient};

/// Standard errors that a correct estimator's mean may lie from the exact gradient in [`check_estimator`]: a
/// normal variable lies further out with probability 5.7e-7.
pub const Z_LIMIT: f64 = 5.0;

/// Independent replicates of a gradient estimate beside the exact gradient.
#[derive(Clone, Debug)]
pub struct GradientCheck {
    /// Mean over the replicates (P).
    pub mean: Array1<f64>,
    /// Standard error of the mean (P).
    pub mcse: Array1<f64>,
    /// Variance of one replicate (P).
    pub variance: Array1<f64>,
    /// (mean − exact) / mcse (P); 0 where mean and exact agree to rounding.
    pub z_scores: Array1<f64>,
}

impl GradientCheck {
    /// The largest |z| and where it stands.
    pub fn worst(&self) -> (usize, f64) {
        self.z_scores
            .iter()
            .map(|z| z.abs())
            .enumerate()
            .fold((0, 0.0), |worst, (i, z)| if z > worst.1 || z.is_nan() { (i, z) } else { worst })
    }
}

/// Estimates the gradient `n_replicates` times, replicate r under `key.fold_in(r)`, and compares the mean with
/// the exact gradient (P).
///
/// # Errors
/// What the estimator returns.
///
/// # Panics
/// If `exact` does not have length P, or with fewer than two replicates.
pub fn compare_gradient<M, F, E>(
    estimator: &E,
    elbo: Elbo<'_, M, F>,
    params: &ArrayRef1<f64>,
    exact: &ArrayRef1<f64>,
    n_replicates: u64,
    key: StreamKey,
) -> Result<GradientCheck, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
{
    assert_eq!(exact.len(), params.len(), "exact: length is not the number of variational parameters");
    assert!(n_replicates >= 2, "a standard error needs two replicates");
    let mut memory = Memory::default();
    // An estimator overwrites: what stands here before must not show.
    let mut grad = Array1::from_elem(params.len(), f64::NAN);
    let mut moments = Moments::new(params.len());
    for r in 0..n_replicates {
        estimator.estimate(elbo, params, key.fold_in(r), Exec::local(), &mut memory, &mut grad)?;
        moments.push(&grad);
    }
    Ok(moments.compare(exact))
}

/// Running means and sums of squared deviations (Welford).
struct Moments {
    n: f64,
    mean: Array1<f64>,
    squares: Array1<f64>,
}

impl Moments {
    fn new(n_params: usize) -> Self {
        Self { n: 0.0, mean: Array1::zeros(n_params), squares: Array1::zeros(n_params) }
    }

    fn push(&mut self, grad: &ArrayRef1<f64>) {
        self.n += 1.0;
        let n = self.n;
        Zip::from(&mut self.mean).and(&mut self.squares).and(grad).for_each(|m, s, g| {
            let deviation = g - *m;
            *m += deviation / n;
            *s += deviation * (g - *m);
        });
    }

    fn compare(self, exact: &ArrayRef1<f64>) -> GradientCheck {
        let Self { n, mean, squares } = self;
        let variance = squares / (n - 1.0);
        let mcse = variance.mapv(|v| (v / n).sqrt());
        let z_scores = Zip::from(&mean).and(exact).and(&mcse).map_collect(|m, e, s| {
            let excess = m - e;
            // Coordinates without noise (a closed-form entropy) differ by rounding alone.
            if excess.abs() <= 1e-10 * (1.0 + e.abs()) { 0.0 } else { excess / s }
        });
        GradientCheck { mean, mcse, variance, z_scores }
    }
}

/// Checks an estimator against the exact gradient (P) of the ELBO at λ: unbiased in every coordinate, and the
/// same bits for the same key with a fresh or a used workspace, on one thread or three.
///
/// The mean of `n_replicates` estimates has to lie within [`Z_LIMIT`] standard errors; a correct estimator fails
/// with probability at most 5.7e-7·P (Bonferroni), as far as the mean is normal: take some hundred replicates.
///
/// # Panics
/// If the estimator fails a check or returns an error; the message names the element of λ.
pub fn check_estimator<M, F, E>(
    estimator: &E,
    model: &M,
    family: &F,
    params: &ArrayRef1<f64>,
    exact: &ArrayRef1<f64>,
    n_replicates: u64,
    key: StreamKey,
) -> GradientCheck
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
{
    let elbo = Elbo::new(model, family).unwrap_or_else(|e| panic!("{e}"));
    check_bits(estimator, elbo, params, key);
    let check = compare_gradient(estimator, elbo, params, exact, n_replicates, key)
        .unwrap_or_else(|e| panic!("the estimator failed: {e}"));
    assert_unbiased(&check, exact, || family.param_names());
    check
}

fn assert_unbiased(check: &GradientCheck, exact: &ArrayRef1<f64>, names: impl FnOnce() -> Vec<String>) {
    let (i, z) = check.worst();
    assert!(
        z <= Z_LIMIT,
        "biased: the gradient with respect to {} is {}, its estimates have mean {} ± {} ({z:.1} standard errors off)",
        names()[i],
        exact[i],
        check.mean[i],
        check.mcse[i],
    );
}

/// Calls `work` in a pool of `n` threads.
fn on_threads(n: usize, work: &mut (dyn FnMut() + Send)) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
    pool.unwrap_or_else(|e| panic!("no pool of {n} threads: {e}")).install(work);
}

fn check_bits<M, F, E>(estimator: &E, elbo: Elbo<'_, M, F>, params: &ArrayRef1<f64>, key: StreamKey)
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
{
    let bits = |key: StreamKey, memory: &mut Memory<E::State>| {
        let mut grad = Array1::from_elem(params.len(), f64::NAN);
        let estimate = estimator
            .estimate(elbo, params, key, Exec::local(), memory, &mut grad)
            .unwrap_or_else(|e| panic!("the estimator failed: {e}"));
        let mut bits: Vec<u64> = grad.iter().map(|g| g.to_bits()).collect();
        bits.push(estimate.value.to_bits());
        bits
    };
    let mut memory = Memory::default();
    let (mut fresh, mut used, mut on_three) = (Vec::new(), Vec::new(), Vec::new());
    on_threads(1, &mut || {
        fresh = bits(key, &mut Memory::default());
        bits(key.fold_in(u64::MAX), &mut memory);
        memory.state = E::State::default();
        used = bits(key, &mut memory);
    });
    assert!(fresh == used, "the estimate depends on what the workspace was used for before");
    on_threads(3, &mut || on_three = bits(key, &mut Memory::default()));
    assert!(on_three == fresh, "the bits of the estimate depend on the number of threads");
}
