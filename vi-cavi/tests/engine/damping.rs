//! Damping: the same fixed point by smaller steps.

use ndarray::Array1;
use vi_cavi::{CaviSettings, DampedCavi, DampedSettings, Fit, fit};
use vi_core::testing::{check_kernel, check_natural};
use vi_core::{ConditionallyConjugate, Exec, Kernel, NaturalFactors, StreamKey};
use vi_models::normal_mean_precision::NormalMeanPrecisionBlock;

use crate::data;

fn key() -> StreamKey {
    StreamKey::from_seed(31)
}

fn damped(rate: f64) -> DampedSettings {
    DampedSettings { rate, annealing: None }
}

#[test]
fn natural_parameters_mix_and_flatten_the_factors_of_every_model() {
    check_natural(&data::normal_data(), key());
    check_natural(&data::linear(40, true), key());
    check_natural(&data::linear(40, false), key());
    check_natural(&data::logistic(60), key());
    check_natural(&data::schools(), key());
    for model in data::small_mixtures_of_every_kind() {
        check_natural(&model, key());
    }
}

#[test]
fn a_step_goes_the_given_part_of_the_way() {
    let model = data::normal_data();
    let kernel = DampedCavi::new(&model, damped(0.25), &CaviSettings::default(), Exec::local()).unwrap();
    let (q, stats) = model.init(key(), Exec::local()).unwrap();
    let block = NormalMeanPrecisionBlock::Mean;
    let natural = |q: &_| {
        let mut eta = Array1::zeros(2);
        model.natural(block, q, &mut eta);
        eta
    };
    let mut full = q.clone();
    model.condition(block, &stats, &mut full, Exec::local()).unwrap();
    let expected = 0.75 * natural(&q) + 0.25 * natural(&full);
    let mut state = vi_cavi::Cavi::new(&model, Exec::local()).init(key()).unwrap();
    kernel.step(key(), &mut state).unwrap();
    for (a, b) in natural(&state.factors).iter().zip(&expected) {
        assert!((a - b).abs() < 1e-12 * b.abs(), "{a} {b}");
    }
}

/// The same optimum as plain coordinate ascent, by way of a bound that never falls.
fn same_fixed_point<M: NaturalFactors>(model: &M)
where
    M::Factors: std::fmt::Debug,
{
    let settings = CaviSettings { tolerance: 1e-13, max_iterations: 5000, ..CaviSettings::default() };
    let plain = fit(model, &settings, key(), Exec::local()).unwrap();
    for rate in [0.7, 0.2] {
        let kernel = DampedCavi::new(model, damped(rate), &settings, Exec::local()).unwrap();
        let slow = Fit::with_kernel(kernel, &settings, key()).run().unwrap();
        assert!(slow.converged());
        assert!(slow.restarts[0].n_iterations() > plain.restarts[0].n_iterations());
        let difference = (slow.elbo() - plain.elbo()).abs();
        assert!(difference < 1e-9 * (1.0 + plain.elbo().abs()), "{} {}", slow.elbo(), plain.elbo());
        let trace = &slow.state.elbo_trace;
        assert!(trace.windows(2).all(|w| w[1] >= w[0] - 1e-9 * (1.0 + w[0].abs())), "{trace:?}");
        for &block in model.blocks() {
            let n = model.n_natural(block);
            let (mut a, mut b) = (Array1::zeros(n), Array1::zeros(n));
            model.natural(block, &slow.state.factors, &mut a);
            model.natural(block, &plain.state.factors, &mut b);
            let scale = b.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
            for (a, b) in a.iter().zip(&b) {
                assert!((a - b).abs() < 1e-4 * scale, "{block:?} at rate {rate}: {a} {b}");
            }
        }
    }
}

#[test]
fn damped_fits_reach_the_fixed_point_of_plain_ones() {
    same_fixed_point(&data::normal_data());
    same_fixed_point(&data::linear(40, false));
    same_fixed_point(&data::logistic(60));
    same_fixed_point(&data::schools());
    same_fixed_point(&data::small_mixture());
}

#[test]
fn at_rate_one_it_is_plain_coordinate_ascent_in_the_same_bits() {
    let model = data::schools();
    let kernel = DampedCavi::new(&model, damped(1.0), &CaviSettings::default(), Exec::local()).unwrap();
    let by_kernel = Fit::with_kernel(kernel, &CaviSettings::default(), key()).run().unwrap();
    assert_eq!(by_kernel, fit(&model, &CaviSettings::default(), key(), Exec::local()).unwrap());
}

#[test]
fn damped_runs_resume_in_the_same_bits() {
    let model = data::small_mixture();
    let kernel = DampedCavi::new(&model, damped(0.4), &CaviSettings::default(), Exec::local()).unwrap();
    let start = vi_cavi::Cavi::new(&model, Exec::local()).init(key()).unwrap();
    check_kernel(&kernel, &start, key(), 7);
}

#[test]
fn a_rate_outside_its_domain_is_refused() {
    for (rate, text) in [(0.0, "0"), (1.5, "1.5")] {
        let model = data::normal_data();
        let error = DampedCavi::new(&model, damped(rate), &CaviSettings::default(), Exec::local());
        let expected = format!("rate = {text}, but it must be above 0 and at most 1");
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}
