//! Spike-and-slab regression.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array, s};
use rand_distr::{Distribution, StandardNormal};
use vi_cavi::CaviSettings;
use vi_core::testing::{check_conditional, check_conditional_against};
use vi_core::{Exec, KnownPosterior, LogJoint, Predictive};
use vi_diagnostics::summarise;
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors, NoisePrior};
use vi_models::regression::RegressionData;
use vi_models::spike_and_slab::{InclusionPrior, SpikeAndSlab, SpikeAndSlabPriors};

use crate::common::{LOG_2_PI, ascend, gibbs, key};

const GAMMA: NoisePrior = NoisePrior::Gamma { shape: 2.0, rate: 1.5 };
const KNOWN: NoisePrior = NoisePrior::Known { precision: 1.7 };
const BETA: InclusionPrior = InclusionPrior::Beta { a: 1.5, b: 2.5 };
const FIXED: InclusionPrior = InclusionPrior::Known { probability: 0.3 };

fn priors(coupled: bool, noise: NoisePrior, inclusion: InclusionPrior) -> SpikeAndSlabPriors {
    SpikeAndSlabPriors { slab_precision: 0.6, intercept_precision: 0.2, coupled, noise, inclusion }
}

/// Correlated covariates, of which the first and the fourth matter.
fn data(n: usize, d: usize, with_intercept: bool) -> RegressionData {
    let mut rng = key().rng(n as u64);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let mut x = Array2::from_shape_simple_fn((n, d), &mut normal);
    let first = x.column(0).to_owned();
    x.column_mut(1).scaled_add(0.8, &first);
    let y = 0.5 + &(1.1 * &x.column(0) - 0.8 * &x.column(3)) + Array1::from_shape_simple_fn(n, &mut normal);
    if with_intercept { RegressionData::with_intercept(x, y) } else { RegressionData::new(x, y) }.unwrap()
}

#[test]
fn contracts() {
    for coupled in [true, false] {
        for (noise, inclusion) in [(GAMMA, BETA), (KNOWN, FIXED)] {
            for with_intercept in [true, false] {
                let m = SpikeAndSlab::new(data(12, 4, with_intercept), priors(coupled, noise, inclusion))
                    .unwrap();
                check_conditional(&m, key());
                check_conditional_against(&m, &[], 10, key());
            }
        }
    }
}

/// The log joint from its definition.
#[test]
fn the_log_joint_is_written_out() {
    let data = data(12, 4, true);
    for coupled in [true, false] {
        let m = SpikeAndSlab::new(data.clone(), priors(coupled, GAMMA, BETA)).unwrap();
        assert_eq!(
            m.parameters().names().join(" "),
            "intercept w[1] w[2] w[3] w[4] s[1] s[2] s[3] s[4] tau pi"
        );
        let (tau, pi) = (1.3f64, 0.4f64);
        let z = array![0.3, -1.2, 0.4, 2.0, 0.1, 1.0, 0.0, 0.0, 1.0, tau, pi];
        assert_eq!(m.coefficients(&z), array![0.3, -1.2, 0.0, 0.0, 0.1]);
        let normal = |x: f64, p: f64| 0.5 * (p.ln() - LOG_2_PI - p * x * x);
        let scale = if coupled { tau } else { 1.0 };
        let mut expected = normal(0.3, 0.2 * scale);
        for (w, s) in [(-1.2, 1.0), (0.4, 0.0), (2.0, 0.0), (0.1, 1.0)] {
            let (p, log_s) = if s == 1.0 { (0.6 * scale, pi.ln()) } else { (0.6, (1.0 - pi).ln()) };
            expected += normal(w, p) + log_s;
        }
        // Γ(2) = 1; B(3/2, 5/2) = π/16.
        expected += 2.0 * 1.5f64.ln() + tau.ln() - 1.5 * tau;
        expected += 0.5 * pi.ln() + 1.5 * (1.0 - pi).ln() - (std::f64::consts::PI / 16.0).ln();
        for (x, y) in data.x().rows().into_iter().zip(data.y()) {
            expected += normal(y - 0.3 + 1.2 * x[1] - 0.1 * x[4], tau);
        }
        assert_relative_eq!(m.log_joint(&z), expected, max_relative = 1e-12);
        let mut pointwise = Array1::zeros(12);
        m.log_likelihood_pointwise(&data, &z, &mut pointwise);
        let (x, y) = (data.x().row(5), data.y()[5]);
        assert_relative_eq!(
            pointwise[5],
            normal(y - 0.3 + 1.2 * x[1] - 0.1 * x[4], tau),
            max_relative = 1e-12
        );
    }
}

/// The evidence of every subset is that of a linear regression on it, which is tested against quadrature elsewhere.
#[test]
fn enumeration_is_the_sum_over_regressions() {
    let full = data(12, 4, false);
    for noise in [GAMMA, KNOWN] {
        for coupled in [true, false] {
            let m = SpikeAndSlab::new(full.clone(), priors(coupled, noise, FIXED)).unwrap();
            if !coupled && noise == GAMMA {
                assert_eq!(m.enumerate(), None);
                continue;
            }
            let plain =
                LinearRegressionPriors { coefficient_precision: 0.6, coupled, noise, ..Default::default() };
            let mut total = 0.0;
            let mut inclusion = Array1::<f64>::zeros(4);
            // Without the empty subset, which is no regression: its evidence comes from a coefficient held at zero.
            for bits in 0..16u32 {
                let columns: Vec<usize> = (0..4).filter(|d| bits >> d & 1 == 1).collect();
                let (x, precision) = if bits == 0 {
                    (Array2::zeros((12, 1)), plain)
                } else {
                    (full.x().select(ndarray::Axis(1), &columns), plain)
                };
                let one = LinearRegression::new(RegressionData::new(x, full.y().clone()).unwrap(), precision);
                let k = f64::from(bits.count_ones());
                let w = (one.unwrap().log_evidence().unwrap() + 25.0).exp()
                    * 0.3f64.powf(k)
                    * 0.7f64.powf(4.0 - k);
                total += w;
                columns.iter().for_each(|d| inclusion[*d] += w);
            }
            let exact = m.enumerate().unwrap();
            assert_relative_eq!(exact.log_evidence, total.ln() - 25.0, epsilon = 1e-10);
            for d in 0..4 {
                assert_relative_eq!(exact.inclusion[d], inclusion[d] / total, epsilon = 1e-10);
            }
        }
    }
}

/// With orthogonal covariates and known τ and π the columns are independent a posteriori: mean field is exact.
#[test]
fn orthogonal_covariates_make_it_exact() {
    let h = |n: usize, j: usize| if (n & j).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
    let x = Array2::from_shape_fn((16, 6), |(n, j)| h(n, j + 1));
    let y = Array1::from_shape_fn(16, |n| 0.9 * h(n, 1) - 0.4 * h(n, 4) + 0.25 * h(n, 6) + 0.8 * h(n, 9));
    for coupled in [true, false] {
        let data = RegressionData::new(x.clone(), y.clone()).unwrap();
        let m = SpikeAndSlab::new(data, priors(coupled, KNOWN, FIXED)).unwrap();
        let (fit, exact) = (ascend(&m), m.enumerate().unwrap());
        assert_relative_eq!(fit.elbo(), exact.log_evidence, epsilon = 1e-10);
        for d in 0..6 {
            assert_relative_eq!(fit.state.stats.included[d], exact.inclusion[d], epsilon = 1e-10);
            assert_relative_eq!(fit.state.stats.coefficients[d], exact.coefficients[d], epsilon = 1e-10);
        }
    }
}

#[test]
fn the_bound_of_every_start_lies_below_the_evidence() {
    for (noise, inclusion) in [(GAMMA, BETA), (KNOWN, FIXED)] {
        let m = SpikeAndSlab::new(data(40, 6, true), priors(true, noise, inclusion)).unwrap();
        let exact = m.enumerate().unwrap();
        let settings = CaviSettings { n_restarts: 8, tolerance: 1e-12, ..CaviSettings::default() };
        let fit = vi_cavi::fit(&m, &settings, key(), Exec::local()).unwrap();
        for restart in &fit.restarts {
            assert!(restart.elbo < exact.log_evidence, "{} {}", restart.elbo, exact.log_evidence);
        }
        assert!(exact.log_evidence - fit.elbo() < 3.0, "{} {}", fit.elbo(), exact.log_evidence);
        // What matters is in, and where the exact posterior has no doubt coordinate ascent agrees.
        assert!(exact.inclusion[0] > 0.8 && exact.inclusion[3] > 0.8, "{}", exact.inclusion);
        for (d, theirs) in exact.inclusion.iter().enumerate() {
            let ours = fit.state.stats.included[d + 1];
            if (theirs - 0.5).abs() > 0.4 {
                assert_eq!(ours > 0.5, *theirs > 0.5, "s[{}]: {ours}, exact {theirs}", d + 1);
            }
        }
    }
}

/// Gibbs against the sum over all subsets: every mean within 4.5 errors, false-alarm probability 7·10⁻⁶ each.
#[test]
fn gibbs_agrees_with_enumeration() {
    for (noise, inclusion) in [(GAMMA, BETA), (KNOWN, FIXED)] {
        let m = SpikeAndSlab::new(data(12, 5, true), priors(true, noise, inclusion)).unwrap();
        let exact = m.posterior_mean().unwrap();
        let draws = gibbs(&m, 5000);
        for (d, summary) in summarise(&draws).iter().enumerate() {
            // An s that never changed has no error of its own: what 20 000 draws did not meet has probability below
            // 14/20 000, but for one key in 10⁶.
            let allowed = summary.mcse_mean.map_or(0.0, |error| 4.5 * error).max(7e-4);
            let (name, mean) = (&summary.name, summary.mean);
            assert!(
                (mean - exact[d]).abs() < allowed,
                "{name}: {mean}, exact {}, allowed {allowed}",
                exact[d]
            );
        }
    }
}

#[test]
fn simulated_responses_follow_the_included_covariates() {
    let m = SpikeAndSlab::new(data(12, 4, true), priors(true, KNOWN, FIXED)).unwrap();
    let sharp =
        SpikeAndSlab::new(data(12, 4, true), priors(true, NoisePrior::Known { precision: 1e14 }, FIXED))
            .unwrap();
    let z = array![1.0, 2.0, 50.0, 60.0, -1.0, 1.0, 0.0, 0.0, 1.0];
    let simulated = sharp.simulate(m.data(), &z, &mut key().rng(0));
    let x = m.data().x();
    let expected = 1.0 + &(2.0 * &x.slice(s![.., 1]) - x.slice(s![.., 4]));
    for (a, b) in simulated.y().iter().zip(&expected) {
        assert_relative_eq!(*a, *b, epsilon = 1e-5);
    }
}

#[test]
fn wrong_input_is_named() {
    let refuse = |p| SpikeAndSlab::new(data(12, 4, true), p).unwrap_err().to_string();
    let p = priors(true, GAMMA, InclusionPrior::Known { probability: 1.0 });
    assert_eq!(refuse(p), "spike_and_slab: inclusion.known.probability = 1, but it must be between 0 and 1");
    let p = priors(true, GAMMA, InclusionPrior::Beta { a: 0.0, b: 1.0 });
    assert_eq!(refuse(p), "spike_and_slab: inclusion.beta.a = 0, but it must be finite and > 0");
    let p = SpikeAndSlabPriors { slab_precision: f64::INFINITY, ..Default::default() };
    assert_eq!(refuse(p), "spike_and_slab: slab_precision = inf, but it must be finite and > 0");
    let m = SpikeAndSlab::new(data(12, 4, true), priors(true, GAMMA, BETA)).unwrap();
    let at = |tau: f64, pi: f64| m.log_joint(&array![0.3, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, tau, pi]);
    assert_eq!([at(0.0, 0.5), at(1.0, 1.0), at(1.0, 0.0)], [f64::NEG_INFINITY; 3]);
    assert!(at(1.0, 0.5).is_finite());
}
