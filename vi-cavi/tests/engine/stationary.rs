//! That a new factor is the optimum of its block: toys that are wrong on purpose, and models that are not.

use vi_cavi::{Cavi, CaviError, CaviSettings, CheckStationary, FitOf, fit};
use vi_core::{ConditionallyConjugate, Exec, Kernel, RunError, StreamKey};

use crate::common::{Fault, Pair};
use crate::data;

fn key() -> StreamKey {
    StreamKey::from_seed(21)
}

fn settings(check_stationary: CheckStationary) -> CaviSettings {
    CaviSettings { check_stationary, max_iterations: 300, ..CaviSettings::default() }
}

/// The iteration and the error that a fit with default settings ends in.
fn fault(model: &Pair) -> (u64, CaviError) {
    let Err(CaviError::Restart { source, .. }) = fit(model, &CaviSettings::default(), key(), Exec::local())
    else {
        panic!("a faulty model went through");
    };
    match *source {
        RunError::Kernel { iteration, source } => (iteration, source),
        RunError::Observer { .. } => panic!("no observer"),
        _ => panic!("{source}"),
    }
}

#[test]
fn a_wrong_spread_never_lowers_the_bound_and_is_caught_all_the_same() {
    let model = Pair::new(-0.9, Fault::WrongPrecision);
    let blind = fit(&model, &settings(CheckStationary::Never), key(), Exec::local()).unwrap();
    assert!(blind.converged());
    // It converges below the optimum by KL(N(m, 1/2) ‖ N(m, 1)).
    let kl = 0.5 * (2f64.ln() - 0.5);
    assert!((model.optimum() - blind.elbo() - kl).abs() < 1e-6, "{} {}", model.optimum(), blind.elbo());
    let (iteration, error) = fault(&model);
    assert_eq!(iteration, 0);
    let CaviError::NotStationary { block, amount, allowed } = &error else { panic!("{error}") };
    assert_eq!(block, "Second");
    assert!(*amount > 0.01 && *allowed < 1e-5, "{error}");
}

#[test]
fn a_wrong_coupling_is_caught_in_the_first_sweep() {
    // Without the checks of blocks, which see it too from this start.
    let model = Pair::new(-0.9, Fault::WrongSign);
    let cavi = Cavi::new(&model, Exec::local()).with_check_blocks(false);
    let error = cavi.step(key(), &mut cavi.init(key()).unwrap()).unwrap_err();
    assert!(matches!(&error, CaviError::NotStationary { block, .. } if block == "Second"), "{error}");
}

#[test]
fn a_conditional_that_depends_on_its_own_statistics_is_caught() {
    let model = Pair::new(-0.9, Fault::HalfWay);
    // Half the way to the optimum raises the bound, and has the right fixed point: nothing else sees it.
    let blind = fit(&model, &settings(CheckStationary::Never), key(), Exec::local()).unwrap();
    assert!((model.optimum() - blind.elbo()).abs() < 1e-6);
    let (iteration, error) = fault(&model);
    assert_eq!(iteration, 0);
    let CaviError::UpdateNotRepeatable { block, amount, .. } = &error else { panic!("{error}") };
    assert!(block == "Second" && *amount > 1e-3, "{error}");
    assert!(error.to_string().starts_with("updating block Second again"), "{error}");
}

#[test]
fn later_sweeps_are_checked_when_asked_for() {
    let right = Pair::new(-0.9, Fault::None);
    let mut state = Cavi::new(&right, Exec::local()).init(key()).unwrap();
    Cavi::new(&right, Exec::local()).step(key(), &mut state).unwrap();
    let wrong = Pair::new(-0.9, Fault::HalfWay);
    let second =
        |check| Cavi::new(&wrong, Exec::local()).with_check_stationary(check).step(key(), &mut state.clone());
    assert!(second(CheckStationary::FirstSweep).is_ok());
    assert!(matches!(second(CheckStationary::EverySweep), Err(CaviError::UpdateNotRepeatable { .. })));
}

/// Every model passes in every sweep, and the checks change no bit.
fn passes<M>(model: &M)
where
    M: ConditionallyConjugate,
    M::Factors: PartialEq + std::fmt::Debug,
    M::Stats: PartialEq + std::fmt::Debug,
{
    let run = |check| -> FitOf<M> { fit(model, &settings(check), key(), Exec::local()).unwrap() };
    let checked = run(CheckStationary::EverySweep);
    assert!(checked.restarts[0].n_iterations() > 1);
    assert_eq!(checked, run(CheckStationary::Never));
}

#[test]
fn the_models_are_stationary_after_every_update() {
    passes(&data::normal_data());
    passes(&data::linear(40, true));
    passes(&data::linear(40, false));
    passes(&data::logistic(60));
    passes(&data::schools());
    passes(&data::small_mixture());
}

#[test]
fn the_setting_has_a_name_in_files() {
    let parsed: CaviSettings = serde_json::from_str(r#"{"check_stationary": "every_sweep"}"#).unwrap();
    assert_eq!(parsed.check_stationary, CheckStationary::EverySweep);
    assert_eq!(CaviSettings::default().check_stationary, CheckStationary::FirstSweep);
}
