//! A model, a family and a λ with the exact gradient there.

use ndarray::Array1;
use vi_core::{LocalLogJoint, StreamKey};
use vi_families::VariationalFamily;
use vi_sgvi::testing::{Z_LIMIT, check_estimator, compare_gradient};
use vi_sgvi::{Elbo, GradientEstimator};

use crate::common::exact_gradient;

/// Every model of the table, seen as one type.
pub(crate) type Target = dyn LocalLogJoint;

/// Where estimators are checked.
pub(crate) struct Case<'a, F> {
    pub(crate) name: &'static str,
    pub(crate) model: &'a Target,
    pub(crate) family: &'a F,
    pub(crate) params: Array1<f64>,
    pub(crate) exact: Array1<f64>,
}

/// λ without symmetry, around `centre`.
pub(crate) fn spread<F: VariationalFamily>(family: &F, centre: f64) -> Array1<f64> {
    Array1::from_shape_fn(family.n_params(), |p| centre + 0.5 * (1.7 * p as f64 + 0.4).sin())
}

/// Replicates with S samples.
fn n_replicates(s: usize) -> u64 {
    match s {
        0..=3 => 400,
        4..=16 => 200,
        _ => 60,
    }
}

impl<'a, F: VariationalFamily> Case<'a, F> {
    /// With the exact gradient by sums over states and quadrature.
    pub(crate) fn new(name: &'static str, model: &'a Target, family: &'a F, params: Array1<f64>) -> Self {
        let exact = exact_gradient(model, family, &params);
        Self::with_exact(name, model, family, params, exact)
    }

    pub(crate) fn with_exact(
        name: &'static str,
        model: &'a Target,
        family: &'a F,
        params: Array1<f64>,
        exact: Array1<f64>,
    ) -> Self {
        assert!(exact.iter().all(|g| g.abs() > 1e-4), "{name}: a vanishing gradient tests nothing: {exact}");
        assert_eq!(model.dim(), family.dim());
        Self { name, model, family, params, exact }
    }

    pub(crate) fn key(&self, s: usize) -> StreamKey {
        self.name
            .bytes()
            .fold(StreamKey::from_seed(15_010_125), |key, b| key.fold_in(b.into()))
            .fold_in(s as u64)
    }

    /// Unbiased with S samples, the same bits on any number of threads.
    pub(crate) fn holds<E: GradientEstimator<Target, F>>(&self, estimator: &E, s: usize) {
        self.holds_in(estimator, s, n_replicates(s));
    }

    /// The same of so many replicates.
    pub(crate) fn holds_in<E: GradientEstimator<Target, F>>(&self, estimator: &E, s: usize, n: u64) {
        assert!(estimator.bias().is_none(), "{}: {} is labelled biased", self.name, estimator.name());
        self.check(estimator, s, n);
    }

    /// Unbiased here, although it is labelled as what it is elsewhere.
    pub(crate) fn holds_though_labelled<E: GradientEstimator<Target, F>>(&self, estimator: &E, s: usize) {
        assert!(estimator.bias().is_some(), "{}: {} is not labelled", self.name, estimator.name());
        self.check(estimator, s, n_replicates(s));
    }

    fn check<E: GradientEstimator<Target, F>>(&self, estimator: &E, s: usize, n: u64) {
        let check = || {
            check_estimator(estimator, self.model, self.family, &self.params, &self.exact, n, self.key(s));
        };
        if let Err(message) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)) {
            eprintln!("{}, S = {s}: {}", self.name, estimator.name());
            std::panic::resume_unwind(message);
        }
    }

    /// Found out as biased with S samples by so many replicates.
    pub(crate) fn is_found_out<E: GradientEstimator<Target, F>>(&self, estimator: &E, s: usize, n: u64) {
        let elbo = Elbo::new(self.model, self.family).unwrap();
        let compared = compare_gradient(estimator, elbo, &self.params, &self.exact, n, self.key(s)).unwrap();
        let (_, z) = compared.worst();
        let name = estimator.name();
        assert!(z > Z_LIMIT, "{}, S = {s}: {name} is only {z} standard errors off", self.name);
    }
}
