//! Dispersions that follow the variance of the gradient.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::testing::check_kernel;
use vi_core::{Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{MeanFieldGaussian, VariationalFamily};
use vi_sgvi::bench::{BenchSettings, Candidate, Point, Reference, compare};
use vi_sgvi::{
    Adam, Adaptation, DispersionState, Elbo, GradientEstimator, Memory, OverdispersedFactors, Sgvi, SgviError,
};

use crate::common::{Mixture, Model};

/// N(0, ⅓).
fn steep() -> Model {
    let space = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
    Model { space, log_joint: |z| -1.5 * z[0] * z[0] }
}

fn adapted(adaptation: Adaptation, n_samples: usize) -> OverdispersedFactors {
    OverdispersedFactors::new(n_samples).with_adaptation(adaptation).unwrap()
}

/// With q = N(0, 1) and a log ratio −y² + const the sum of both variances is
///
/// ```text
/// √(τv) E_{N(0, v)}[(y² − 1)² (y² + (y² − 1)²)] = √(τv) (105v⁴ − 45v³ + 12v² − 3v + 1),   v = 1/(2 − 1/τ)
/// ```
/// which is 70 at τ = 1 and least, 8.9, at τ = 5.24; 9.9 at 3 and 9.3 at 8.
#[test]
fn dispersions_go_where_the_variance_is_least() {
    let model = steep();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    let params = array![0.0, 0.0];
    for start in [1.0, 12.0] {
        let estimator = adapted(Adaptation { start, rate: 0.05, maximum: 12.0 }, 100);
        let (mut memory, mut grad) = (Memory::default(), Array1::zeros(2));
        let (n, mut mean) = (600, 0.0);
        for t in 0..n {
            let key = StreamKey::from_seed(8).fold_in(t);
            estimator.estimate(elbo, &params, key, Exec::local(), &mut memory, &mut grad).unwrap();
            let dispersions = memory.state.dispersions();
            assert!(dispersions.iter().all(|d| (1.0..=12.0).contains(d)), "{dispersions:?}");
            if t >= n / 2 {
                mean += dispersions[0].ln() / (n / 2) as f64;
            }
        }
        assert!((3.0..8.0).contains(&mean.exp()), "from {start}: {}", mean.exp());
    }
}

/// Variance with τ learned in 60 iterations over that with τ = 1: an interval that leaves out 1e-5.
#[test]
fn what_is_learned_has_less_noise() {
    let model = steep();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let learning = adapted(Adaptation { start: 1.0, rate: 0.1, maximum: 5.0 }, 20);
    let fixed = adapted(Adaptation { start: 1.0, rate: 0.0, maximum: 1.0 }, 20);
    let candidates = [Candidate::new(learning).named("learning"), Candidate::new(fixed).named("fixed")];
    let settings = BenchSettings {
        n_replicates: 300,
        n_warmup: 60,
        n_bootstrap: 20,
        level: 1e-5,
        race: None,
        ..BenchSettings::default()
    };
    let points = [Point::new("here", array![0.0, 0.0])];
    let key = StreamKey::from_seed(9);
    let report = compare(&model, &family, &candidates, &points, &Reference::None, &settings, key).unwrap();
    let ratio = report.points[0].pairs[0].difference.unwrap();
    assert!(ratio.upper < 0.5, "{ratio:?}");
}

#[test]
fn dispersions_are_part_of_a_checkpoint() {
    let model = Mixture::new();
    let family = model.family();
    let kernel = Sgvi::new(&model, &family, OverdispersedFactors::new(70), Adam::default()).unwrap();
    check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(5), 12);

    let (elbo, estimator) = (kernel.elbo(), OverdispersedFactors::new(70));
    let (params, mut grad, mut memory) = (Mixture::params(), family.init(), Memory::default());
    let key = StreamKey::from_seed(6);
    let mut at = |memory: &mut Memory<DispersionState>, t: u64| {
        estimator.estimate(elbo, &params, key.fold_in(t), Exec::local(), memory, &mut grad).unwrap();
        grad.clone()
    };
    (0..5).for_each(|t| drop(at(&mut memory, t)));
    let saved = toml::to_string(&memory.state).unwrap();
    let mut restored = Memory { state: toml::from_str(&saved).unwrap(), ..Memory::default() };
    assert_eq!(restored.state, memory.state);
    let next = at(&mut memory, 5);
    assert_eq!(at(&mut restored, 5), next);
    assert_ne!(at(&mut Memory::default(), 5), next, "the dispersions do not matter");
}

#[test]
fn what_does_not_fit_is_named() {
    for (adaptation, name) in [
        (Adaptation { start: 0.5, ..Adaptation::default() }, "dispersion = 0.5"),
        (Adaptation { rate: -0.1, ..Adaptation::default() }, "dispersion.rate = -0.1"),
        (Adaptation { maximum: 1.2, ..Adaptation::default() }, "dispersion.maximum = 1.2"),
        (Adaptation { maximum: f64::INFINITY, ..Adaptation::default() }, "dispersion.maximum"),
    ] {
        let message = OverdispersedFactors::new(4).with_adaptation(adaptation).unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
    // Beyond six standard deviations: no draw from q gets there, but those from a proposal of twice and more do.
    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        if z[0].abs() > 6.0 { f64::NAN } else { -0.5 * z[0] * z[0] }
    }
    let space = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
    let model = Model { space, log_joint };
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    let (params, mut grad) = (array![0.0, 0.0], Array1::zeros(2));
    let mut error = |n_samples: usize| {
        let estimator = adapted(Adaptation { start: 9.0, rate: 0.05, maximum: 9.0 }, n_samples);
        let (key, memory) = (StreamKey::from_seed(1), &mut Memory::default());
        estimator.estimate(elbo, &params, key, Exec::local(), memory, &mut grad).unwrap_err()
    };
    let SgviError::NonFiniteLogJoint { value, z, .. } = error(300) else { panic!("another error") };
    assert!(value.is_nan() && z.0[0].1.abs() > 6.0, "{value} at {z}");
    assert!(matches!(error(1), SgviError::TooFewSamples { minimum: 2, actual: 1, .. }));
}
