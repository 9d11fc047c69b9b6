//! Several starts on a density with two modes of known masses.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_sgvi::{SgviError, SgviSettings, Starts, fit_starts};

use crate::common::Diagonal;

/// 0.7 N(4, 0.5²) + 0.3 N(−4, 0.5²): a Gaussian on one mode has the log of its mass as ELBO.
struct TwoModes(ParameterSpace);

impl TwoModes {
    fn new() -> Self {
        Self(ParameterSpace::new([Parameter::scalar("x", Support::Real)]).unwrap())
    }
}

impl LogJoint for TwoModes {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let mode = |mass: f64, mean: f64| {
            mass.ln() - 2.0 * (z[0] - mean).powi(2) - 0.5 * (0.5 * std::f64::consts::PI).ln()
        };
        let (a, b) = (mode(0.7, 4.0), mode(0.3, -4.0));
        a.max(b) + (-(a - b).abs()).exp().ln_1p()
    }
}

const FAMILY: Diagonal = Diagonal { dim: 1 };

fn settings() -> SgviSettings {
    SgviSettings { n_samples: 32, n_evaluate: 1000, ..SgviSettings::default() }
}

#[test]
fn all_optima_are_told_and_the_best_is_kept() {
    let (model, settings) = (TwoModes::new(), settings());
    let starts = Starts { n_starts: 12, radius: 4.0, ..Starts::default() };
    let key = StreamKey::from_seed(51);
    let found =
        fit_starts(&model, &FAMILY, &settings.score_function(), &settings, &starts, key, Exec::local());
    let found = found.unwrap();
    assert!(found.diverged.is_empty() && found.failed.is_empty(), "{:?}", found.failed);
    // Where no run converged, the budget was used up on the way: wide over both modes.
    let optima: Vec<_> = found.optima.iter().filter(|o| o.n_converged > 0).collect();
    let bounds: Vec<f64> = optima.iter().map(|o| o.elbo.value).collect();
    assert_eq!(bounds.len(), 2, "{:?}", found.optima);
    // q is all but exact on its mode, and its bound with it.
    for (bound, mass) in bounds.iter().zip([0.7f64, 0.3]) {
        assert!((bound - mass.ln()).abs() < 0.02, "{bounds:?}");
    }
    let ends: Array1<f64> = optima.iter().map(|o| o.params[0]).collect();
    assert!((ends[0] - 4.0).abs() < 0.1 && (ends[1] + 4.0).abs() < 0.1, "{ends}");
    // Every start is somewhere, and the side it began on decides where.
    let mut all: Vec<usize> = found.optima.iter().flat_map(|o| o.starts.clone()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..12).collect::<Vec<_>>());
    assert!(optima.iter().all(|o| o.starts.len() >= 2), "{:?}", found.optima);
    assert!(found.optima.iter().all(|o| o.elbo.value <= bounds[0]), "{:?}", found.optima);
    assert!(found.optima[0].starts.contains(&found.best_start));
    assert!((found.best.elbo.value - 0.7f64.ln()).abs() < 0.02);
    assert_eq!(found.best.posterior.params(), &found.optima[0].params);
    // Again, the same.
    let again =
        fit_starts(&model, &FAMILY, &settings.score_function(), &settings, &starts, key, Exec::local())
            .unwrap();
    assert_eq!(again.best.posterior.params(), found.best.posterior.params());
    assert_eq!(again.best.elbo, found.best.elbo);
}

#[test]
fn what_fails_is_told_beside_what_does_not() {
    /// Nothing but NaN left of −10, where wide starts draw.
    struct Half(TwoModes);
    impl LogJoint for Half {
        fn parameters(&self) -> &ParameterSpace {
            self.0.parameters()
        }
        fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
            if z[0] < -10.0 { f64::NAN } else { self.0.log_joint(z) }
        }
    }
    let (model, settings) = (Half(TwoModes::new()), settings());
    let starts = Starts { n_starts: 12, radius: 4.0, ..Starts::default() };
    let key = StreamKey::from_seed(51);
    let found =
        fit_starts(&model, &FAMILY, &settings.score_function(), &settings, &starts, key, Exec::local());
    let found = found.unwrap();
    assert!(!found.failed.is_empty() && !found.optima.is_empty(), "{:?}", found.optima);
    assert!(found.failed.iter().all(|(_, e)| matches!(e, SgviError::Run(_))), "{:?}", found.failed);
    let n_ends: usize = found.optima.iter().map(|o| o.starts.len()).sum();
    assert_eq!(found.failed.len() + n_ends + found.diverged.len(), 12);

    let none = Starts { n_starts: 0, ..starts };
    let error = fit_starts(&model, &FAMILY, &settings.score_function(), &settings, &none, key, Exec::local());
    assert_eq!(error.unwrap_err().to_string(), "starts.n_starts = 0, but it must be ≥ 1");
}
