//! Stochastic variational inference beside coordinate ascent.

use vi_cavi::{CaviSettings, LearningRate, Svi, SviSettings, SviState, fit, fit_stochastic};
use vi_core::testing::{check_exchangeable, check_kernel};
use vi_core::{
    Exchangeable, Exec, NeverStop, Observer, ObserverError, Posterior, Role, StopOnFlag, StopReason,
    StreamKey,
};
use vi_models::gaussian_mixture::GaussianMixture;

use crate::data;

fn key() -> StreamKey {
    StreamKey::from_seed(51)
}

fn large_mixture() -> GaussianMixture {
    data::mixture(data::clusters(&[[-3.0, 0.0], [3.0, 0.0], [0.0, 4.0]], 700, 6), 3)
}

#[test]
fn a_step_on_all_data_is_a_sweep_and_batches_average_to_it() {
    for model in data::small_mixtures_of_every_kind() {
        check_exchangeable(&model, key());
    }
    check_exchangeable(&data::linear(60, true), key());
    check_exchangeable(&data::linear(60, false), key());
    check_exchangeable(&data::logistic(60), key());
}

/// The same through the kernel: one step on all data at rate 1 raises the bound to where a sweep does.
fn kernel_step_is_a_sweep<M: Exchangeable>(model: &M, n_data: usize) {
    let settings = SviSettings {
        batch_size: n_data,
        n_epochs: 4,
        rate: LearningRate::Constant { rate: 1.0 },
        tolerance: 0.0,
        ..SviSettings::default()
    };
    let svi = fit_stochastic(model, &settings, key(), Exec::local(), None, &NeverStop, &mut []).unwrap();
    // The bound at globals has the best local factors: that of a sweep that ends with them.
    let (q, stats) = model.init(key().role(Role::Init), Exec::local()).unwrap();
    let mut state = vi_cavi::Cavi::new(model, Exec::local()).warm_start(q, stats).unwrap();
    let locals_last = |s: &vi_cavi::StateOf<M>| {
        let globals = model.globals(&s.factors, &s.stats);
        model.global_elbo(&globals, Exec::local()).unwrap()
    };
    // Where the sweep begins with globals, its first repeats those of the start.
    let cavi = vi_cavi::Cavi::new(model, Exec::local());
    let mut bounds = vec![locals_last(&state)];
    for t in 0..6 {
        vi_core::Kernel::step(&cavi, key().fold_in(t), &mut state).unwrap();
        bounds.push(locals_last(&state));
    }
    for (_, elbo) in &svi.state.elbo_trace {
        let near = bounds.iter().any(|b| (b - elbo).abs() < 1e-12 * (1.0 + elbo.abs()));
        assert!(near, "{elbo} is none of {bounds:?}");
    }
    let trace: Vec<f64> = svi.state.elbo_trace.iter().map(|(_, elbo)| *elbo).collect();
    assert!(trace.len() == 4 && trace.windows(2).all(|w| w[1] >= w[0] - 1e-9 * w[0].abs()), "{trace:?}");
}

#[test]
fn the_kernel_on_all_data_at_rate_one_follows_coordinate_ascent() {
    kernel_step_is_a_sweep(&data::small_mixture(), 120);
    kernel_step_is_a_sweep(&data::linear(60, false), 60);
    kernel_step_is_a_sweep(&data::logistic(60), 60);
}

/// Within 1 % of the batch bound, by falling rates and by adaptive ones.
fn reaches_the_batch_bound<M: Exchangeable>(model: &M, batch_size: usize) {
    let batch = fit(model, &CaviSettings::default(), key(), Exec::local()).unwrap();
    for rate in [LearningRate::default(), LearningRate::Adaptive { n_initial: 5 }] {
        let settings = SviSettings { batch_size, n_epochs: 15, rate, ..SviSettings::default() };
        let svi = fit_stochastic(model, &settings, key(), Exec::local(), None, &NeverStop, &mut []).unwrap();
        let (reached, best) = (svi.state.elbo(), batch.elbo());
        assert!(reached < best + 1e-6 * best.abs(), "{rate:?}: {reached} above {best}");
        assert!(best - reached < 0.01 * best.abs(), "{rate:?}: {reached}, batch {best}");
        let start = svi.state.elbo_start;
        assert!(reached > start, "{rate:?}: started at {start}, reached {reached}");
    }
}

#[test]
fn minibatches_reach_the_bound_of_all_data() {
    reaches_the_batch_bound(&large_mixture(), 100);
    reaches_the_batch_bound(&data::linear(1000, false), 50);
    reaches_the_batch_bound(&data::logistic(1000), 50);
}

#[test]
fn a_run_stopped_in_the_middle_of_an_epoch_resumes_in_the_same_bits() {
    let model = data::small_mixture();
    for rate in [LearningRate::default(), LearningRate::Adaptive { n_initial: 2 }] {
        // 120 data in batches of 32: four steps an epoch, the last on 24 data; stops after 3 and 6 of 9.
        let settings = SviSettings { batch_size: 32, rate, evaluate_every: 2, ..SviSettings::default() };
        let kernel = Svi::new(&model, &settings, key().role(Role::Data), Exec::local()).unwrap();
        assert_eq!(kernel.n_batches(), 4);
        let start = kernel.init(key().role(Role::Init)).unwrap();
        check_kernel(&kernel, &start, key(), 9);
    }
}

/// Raises a flag after a given step, as ctrl-C would, and keeps the state.
struct RaiseAt<'a, G>(u64, &'a std::sync::atomic::AtomicBool, Option<SviState<G>>);

impl<M: Exchangeable> Observer<Svi<'_, M>> for RaiseAt<'_, M::Globals> {
    fn observe(
        &mut self,
        t: u64,
        state: &SviState<M::Globals>,
        _: &vi_cavi::SviInfo,
    ) -> Result<(), ObserverError> {
        if t == self.0 {
            self.1.store(true, std::sync::atomic::Ordering::Relaxed);
            self.2 = Some(state.clone());
        }
        Ok(())
    }
}

#[test]
fn an_interrupted_fit_goes_on_as_if_nothing_had_been() {
    let model = data::logistic(100);
    let settings = SviSettings { batch_size: 30, n_epochs: 3, tolerance: 0.0, ..SviSettings::default() };
    let unbroken =
        fit_stochastic(&model, &settings, key(), Exec::local(), None, &NeverStop, &mut []).unwrap();
    assert_eq!(unbroken.outcome.reason, StopReason::Budget);
    let flag = std::sync::atomic::AtomicBool::new(false);
    let mut raise = RaiseAt(5, &flag, None);
    let stop = StopOnFlag(&flag);
    let broken =
        fit_stochastic(&model, &settings, key(), Exec::local(), None, &stop, &mut [&mut raise]).unwrap();
    assert_eq!(broken.outcome.reason, StopReason::Interrupted);
    assert_eq!(broken.outcome.next, 6);
    let saved = serde_json::to_string(&broken.state).unwrap();
    let state: SviState<_> = serde_json::from_str(&saved).unwrap();
    let resume = Some((state, broken.outcome.next));
    let resumed =
        fit_stochastic(&model, &settings, key(), Exec::local(), resume, &NeverStop, &mut []).unwrap();
    assert_eq!(resumed, unbroken);
}

#[test]
fn the_fit_is_a_posterior_over_the_variables_of_the_model() {
    let model = data::linear(500, false);
    let settings = SviSettings { batch_size: 50, n_epochs: 20, ..SviSettings::default() };
    let svi = fit_stochastic(&model, &settings, key(), Exec::local(), None, &NeverStop, &mut []).unwrap();
    let posterior = svi.posterior(&model, Exec::local()).unwrap();
    assert!((posterior.elbo().value - svi.state.elbo()).abs() < 1e-9 * svi.state.elbo().abs());
    let means: Vec<f64> =
        posterior.draws(200, key().role(Role::Evaluate)).summaries().iter().map(|s| s.mean).collect();
    // Intercept, three slopes, τ = 4; the posterior's own errors are near 0.02 and 0.25.
    for (mean, (truth, error)) in
        means.iter().zip([(0.7, 0.15), (1.5, 0.15), (-2.0, 0.15), (0.5, 0.15), (4.0, 1.2)])
    {
        assert!((mean - truth).abs() < error, "{means:?}");
    }
}

#[test]
fn settings_outside_their_domain_are_refused() {
    let refused = |settings: SviSettings| settings.validate().unwrap_err().to_string();
    let settings = SviSettings { batch_size: 0, ..SviSettings::default() };
    assert_eq!(refused(settings), "batch_size = 0, but it must be at least 1");
    let rate = LearningRate::Constant { rate: 1.5 };
    let settings = SviSettings { rate, ..SviSettings::default() };
    assert_eq!(refused(settings), "rate.rate = 1.5, but it must be above 0 and at most 1");
    let parsed: SviSettings = serde_json::from_str(r#"{"rate": {"adaptive": {"n_initial": 3}}}"#).unwrap();
    assert_eq!(parsed.rate, LearningRate::Adaptive { n_initial: 3 });
}
