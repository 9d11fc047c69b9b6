//! Settings as a file holds them, and interrupts.

use std::sync::atomic::AtomicBool;

use vi_core::{Exec, Observer, ObserverError, StopOnFlag, StopReason, StreamKey};
use vi_sgvi::{
    Adam, AnyOptimizer, Averaging, ElboPlateau, LearningRate, Sgd, Sgvi, SgviInfo, SgviSettings, SgviState,
    Window,
};

use crate::common::{Diagonal, GaussianTarget};

#[test]
fn a_file_sets_what_it_names_and_no_more() {
    let text = r#"
        n_samples = 16
        averaging = { polynomial = { eta = 8.0 } }
        window = { length = 50 }
        tolerance = { absolute = 0.01 }
        [optimizer.sgd]
        learning_rate = { constant = 0.02 }
    "#;
    let settings: SgviSettings = toml::from_str(text).unwrap();
    let expected = SgviSettings {
        n_samples: 16,
        averaging: Averaging::Polynomial { eta: 8.0 },
        window: Window { length: 50, ..Window::default() },
        tolerance: ElboPlateau { absolute: 0.01, relative: 0.0 },
        optimizer: AnyOptimizer::Sgd(Sgd { learning_rate: LearningRate::Constant(0.02) }),
        ..SgviSettings::default()
    };
    assert_eq!(settings, expected);
    assert_eq!(toml::from_str::<SgviSettings>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
    assert_eq!(toml::from_str::<SgviSettings>("").unwrap(), SgviSettings::default());
}

#[test]
fn unknown_keys_are_named() {
    let message = |text: &str| toml::from_str::<SgviSettings>(text).unwrap_err().to_string();
    assert!(message("n_sample = 16").contains("n_sample"));
    assert!(message("[optimizer.adam]\nbeta = 0.9").contains("beta"));
    assert!(message("[optimizer.newton]").contains("newton"));
    assert!(message("averaging = \"tails\"").contains("tails"));
    assert!(
        message(
            "[optimizer.sgd]\nlearning_rate = { polynomial = { initial = 1.0, dely = 2.0, exponent = 1.0 } }"
        )
        .contains("dely")
    );
}

#[test]
fn schedules_decay_as_they_say() {
    let rate = LearningRate::Polynomial { initial: 0.4, delay: 100.0, exponent: 0.5 };
    assert_eq!(rate.at(0), 0.4);
    approx::assert_relative_eq!(rate.at(300), 0.2, max_relative = 1e-15);
    assert!(!rate.is_robbins_monro());
    assert!(LearningRate::Polynomial { initial: 0.4, delay: 100.0, exponent: 0.7 }.is_robbins_monro());
    assert!(!LearningRate::Constant(0.1).is_robbins_monro());
    assert!(Sgd::default().learning_rate.is_robbins_monro());
    assert!(Adam::default().learning_rate.is_robbins_monro());
}

/// Raises a flag after some iterations.
struct Impatient<'a> {
    after: u64,
    flag: &'a AtomicBool,
}

impl<'m, F, E> Observer<Sgvi<'m, GaussianTarget, F, E, AnyOptimizer>> for Impatient<'_>
where
    Sgvi<'m, GaussianTarget, F, E, AnyOptimizer>:
        vi_core::Kernel<Info = SgviInfo, State = SgviState<vi_sgvi::AnyOptimizerState>>,
{
    fn observe(
        &mut self,
        t: u64,
        state: &SgviState<vi_sgvi::AnyOptimizerState>,
        info: &SgviInfo,
    ) -> Result<(), ObserverError> {
        assert_eq!(state.elbo_trace.last(), Some(&info.elbo.value));
        self.flag.store(t + 1 >= self.after, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn an_interrupted_fit_is_a_result_and_not_converged() {
    let (model, family, flag) = (GaussianTarget::correlated(), Diagonal { dim: 3 }, AtomicBool::new(false));
    let settings = SgviSettings { n_samples: 4, n_evaluate: 100, ..SgviSettings::default() };
    let kernel = settings.kernel(&model, &family, settings.pathwise(), Exec::local()).unwrap();
    let mut observer = Impatient { after: 37, flag: &flag };
    let key = StreamKey::from_seed(15);
    let fit = kernel.fit(&settings, key, &StopOnFlag(&flag), &mut [&mut observer]).unwrap();
    assert_eq!(fit.outcome.reason, StopReason::Interrupted);
    assert!(!fit.outcome.converged());
    assert_eq!((fit.outcome.next, fit.evaluations.n_gradient), (37, 37 * 4));
}
