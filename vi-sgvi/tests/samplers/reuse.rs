//! Reuse of past samples inside a run: its bias, its variance, its memory.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{ElboEstimate, Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{MeanFieldGaussian, ProductFamily};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{
    ControlVariate, Elbo, Evaluations, GradientEstimator, Memory, SampleReuse, SampleReuseState,
    ScoreFunction, SgviError,
};

use crate::common::{Model, Spins, exact_gradient, on_ranks};

/// λ number `i` before the last one.
fn before(params: &ArrayRef1<f64>, i: u64) -> Array1<f64> {
    Array1::from_shape_fn(params.len(), |p| params[p] + 0.2 * (2.0 * p as f64 + 1.3 * i as f64).sin())
}

const KEY: u64 = 70_405;

type Bits = (Spins, ProductFamily, Array1<f64>);

fn bits() -> Bits {
    let model = Spins::five_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    (model, family, array![0.3, -0.7, 0.9, 0.1, -0.2])
}

/// Where λ stands still, four times as many points are four times as many points. A variance of 400 values is known to
/// √(2/400) = 7 %, so that the ratio of two sums of five of them lies within 40 % at more than 8 standard errors.
#[test]
fn four_iterations_at_one_point_have_a_quarter_of_the_variance() {
    struct Still(SampleReuse);
    impl GradientEstimator<Spins, ProductFamily> for Still {
        type State = ();
        fn estimate(
            &self,
            elbo: Elbo<'_, Spins, ProductFamily>,
            params: &ArrayRef1<f64>,
            key: StreamKey,
            exec: Exec<'_>,
            _memory: &mut Memory<()>,
            grad: &mut ArrayRef1<f64>,
        ) -> Result<ElboEstimate, SgviError> {
            let mut memory = Memory::default();
            for i in 0..3 {
                self.0.estimate(elbo, params, key.fold_in(i), exec, &mut memory, grad)?;
            }
            self.0.estimate(elbo, params, key.fold_in(3), exec, &mut memory, grad)
        }
        fn cost(&self, elbo: Elbo<'_, Spins, ProductFamily>) -> Evaluations {
            self.0.cost(elbo)
        }
        fn name(&self) -> String {
            "at one point".to_owned()
        }
    }
    let (model, family, params) = bits();
    let exact = exact_gradient(&model, &family, &params);
    let key = StreamKey::from_seed(KEY);
    let once = ScoreFunction::leave_one_out(20);
    let once = check_estimator(&once, &model, &family, &params, &exact, 400, key).variance.sum();
    let reused = Still(SampleReuse::leave_one_out(20, 4));
    let reused = check_estimator(&reused, &model, &family, &params, &exact, 400, key).variance.sum();
    assert!((0.6..1.4).contains(&(4.0 * reused / once)), "{}", reused / once);
}

/// λ₂ = λ₁ + ρ ĝ₁, and then the points of λ₁ once more.
#[test]
fn inside_a_run_it_is_biased_and_says_so() {
    let (model, family, params) = bits();
    let elbo = Elbo::new(&model, &family).unwrap();
    let estimator = SampleReuse::leave_one_out(4, 2);
    assert!(GradientEstimator::<Spins, ProductFamily>::bias(&estimator).is_some());
    let (n, mut errors) = (3_000u64, Vec::new());
    let mut grad = Array1::zeros(5);
    for r in 0..n {
        let (key, mut memory) = (StreamKey::from_seed(KEY).fold_in(r), Memory::default());
        let exec = Exec::local();
        estimator.estimate(elbo, &params, key.fold_in(0), exec, &mut memory, &mut grad).unwrap();
        let moved = &params + &(0.5 * &grad);
        estimator.estimate(elbo, &moved, key.fold_in(1), exec, &mut memory, &mut grad).unwrap();
        errors.push(&grad - &exact_gradient(&model, &family, &moved));
    }
    let worst = (0..5)
        .map(|i| {
            let mean = errors.iter().map(|e| e[i]).sum::<f64>() / n as f64;
            let variance = errors.iter().map(|e| (e[i] - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
            mean.abs() / (variance / n as f64).sqrt()
        })
        .fold(0.0, f64::max);
    assert!(worst > 5.0, "only {worst} standard errors off");
}

fn run(
    estimator: &SampleReuse,
    exec: Exec<'_>,
    iterations: std::ops::Range<u64>,
    memory: &mut Memory<SampleReuseState>,
) -> Vec<u64> {
    let (model, family, params) = bits();
    let elbo = Elbo::new(&model, &family).unwrap();
    let mut grad = Array1::zeros(5);
    let mut out = Vec::new();
    for t in iterations {
        let key = StreamKey::from_seed(KEY).fold_in(t);
        let estimate = estimator.estimate(elbo, &before(&params, t), key, exec, memory, &mut grad).unwrap();
        out.extend(grad.iter().chain([&estimate.value]).map(|v| v.to_bits()));
    }
    out
}

#[test]
fn bits_survive_a_checkpoint_and_do_not_depend_on_ranks() {
    let estimator = SampleReuse::leave_one_out(100, 3);
    let mut memory = Memory::default();
    let mut all = run(&estimator, Exec::local(), 0..4, &mut memory);
    let saved = toml::to_string(&memory.state).unwrap();
    let mut restored = Memory { state: toml::from_str(&saved).unwrap(), ..Memory::default() };
    assert_eq!(restored.state, memory.state);
    let after = run(&estimator, Exec::local(), 4..7, &mut memory);
    assert_eq!(run(&estimator, Exec::local(), 4..7, &mut restored), after);
    all.extend(after);
    for n_ranks in [2, 3] {
        for bits in on_ranks(n_ranks, |exec| run(&estimator, exec, 0..7, &mut Memory::default())) {
            assert_eq!(bits, all, "{n_ranks} ranks");
        }
    }
}

#[test]
fn one_iteration_is_the_leave_one_out_estimator() {
    let (model, family, params) = bits();
    let elbo = Elbo::new(&model, &family).unwrap();
    let (mut one, mut other) = (Array1::zeros(5), Array1::zeros(5));
    let (key, exec) = (StreamKey::from_seed(KEY), Exec::local());
    let reuse = SampleReuse::leave_one_out(50, 1);
    let a = reuse.estimate(elbo, &params, key, exec, &mut Memory::default(), &mut one).unwrap();
    let plain = ScoreFunction::leave_one_out(50);
    let b = plain.estimate(elbo, &params, key, exec, &mut Memory::default(), &mut other).unwrap();
    assert!(
        (a.value - b.value).abs() < 1e-12 && (&one - &other).iter().all(|e| e.abs() < 1e-12),
        "{one} {other}"
    );
}

#[test]
fn what_does_not_fit_is_an_error_and_a_failure_is_not_remembered() {
    let (model, family, params) = bits();
    let elbo = Elbo::new(&model, &family).unwrap();
    let (key, mut grad) = (StreamKey::from_seed(KEY), Array1::zeros(5));
    let message = |estimator: &SampleReuse, grad: &mut Array1<f64>| {
        let exec = Exec::local();
        estimator.estimate(elbo, &params, key, exec, &mut Memory::default(), grad).unwrap_err().to_string()
    };
    assert!(message(&SampleReuse::leave_one_out(1, 3), &mut grad).contains("at least 2 samples"));
    assert!(message(&SampleReuse::leave_one_out(4, 0), &mut grad).contains("n_iterations = 0"));
    let control = SampleReuse { n_samples: 4, n_iterations: 3, baseline: ControlVariate };
    let error =
        control.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad).unwrap_err();
    assert!(error.to_string().contains("n_iterations at most 2"), "{error}");

    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        if z[0] > 2.0 { f64::NEG_INFINITY } else { -0.5 * z[0] * z[0] }
    }
    let space = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
    let model = Model { space, log_joint };
    let family = MeanFieldGaussian::new(&model.space).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    let (estimator, mut memory, mut grad) =
        (SampleReuse::leave_one_out(8, 2), Memory::default(), Array1::zeros(2));
    let mut at = |location: f64, t: u64| {
        let params = array![location, -2.0];
        estimator.estimate(elbo, &params, key.fold_in(t), Exec::local(), &mut memory, &mut grad)
    };
    at(0.0, 0).unwrap();
    at(0.1, 1).unwrap();
    let SgviError::NonFiniteLogJoint { z, .. } = at(2.2, 2).unwrap_err() else { panic!("another error") };
    assert!(z.0[0].1 > 2.0, "{z}");
    let next = at(0.05, 3).unwrap();
    assert!(next.value.is_finite() && next.n_samples == 16, "{next:?}");
}
