//! Fits that end at a known optimum: by the score function alone, with every kind of continuous factor.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Exec, LogJoint, Parameter, StreamKey, Support};
use vi_families::{
    LearnedStudentTMeanField, ProductFamily, StudentTMeanField, VariationalDistribution, VariationalFamily,
};
use vi_sgvi::{AnyOptimizer, ElboPlateau, LearningRate, NaturalGradient, SgviSettings, TrustRegion, fit};

use crate::common::exact_gradient;
use crate::models::{Terms, interval_and_real, poisson_gamma, simplex_and_real};

fn settings() -> SgviSettings {
    let tolerance = ElboPlateau { absolute: 0.002, relative: 0.0 };
    SgviSettings { n_samples: 40, n_evaluate: 2_000, tolerance, ..SgviSettings::default() }
}

/// λ of a fit that has converged.
fn fitted<F: VariationalFamily + Clone>(model: &Terms, family: &F, settings: &SgviSettings) -> Array1<f64> {
    let key = StreamKey::from_seed(20_141_222);
    let fit = fit(model, family, settings.score_function(), settings, key, Exec::local()).unwrap();
    assert!(fit.outcome.converged(), "{}", fit.outcome.reason);
    fit.posterior.params().to_owned()
}

fn assert_near(params: &Array1<f64>, optimum: &Array1<f64>, tolerance: f64) {
    let distance = params - optimum;
    assert!(distance.iter().all(|d| d.abs() < tolerance), "{distance}");
}

/// t_ν(m, s) in every coordinate.
fn students(parameters: [(f64, f64, f64); 2]) -> Terms {
    let term = |d: usize| {
        let (location, scale, dof) = parameters[d];
        move |z: &ArrayRef1<f64>| {
            let y = (z[d] - location) / scale;
            -0.5 * (dof + 1.0) * (y * y / dof).ln_1p()
        }
    };
    Terms::over([Parameter::vector("z", 2, Support::Real)]).and(&[0], term(0)).and(&[1], term(1))
}

#[test]
fn students_t_find_locations_scales_and_degrees_of_freedom() {
    let model = students([(0.7, 1.3, 5.0), (-2.0, 0.4, 5.0)]);
    let family = StudentTMeanField::new(model.parameters(), 5.0).unwrap();
    let params = fitted(&model, &family, &settings());
    assert_near(&params, &array![0.7, -2.0, 1.3f64.ln(), 0.4f64.ln()], 0.02);

    let model = students([(0.7, 1.3, 4.0), (-2.0, 0.4, 9.0)]);
    let family = LearnedStudentTMeanField::new(model.parameters(), 6.0).unwrap();
    // The ELBO is nearly flat in the degrees of freedom: natural gradients, in steps that cannot leave their range.
    let natural = NaturalGradient {
        learning_rate: LearningRate::Constant(0.1),
        trust_region: TrustRegion::MaxKl(0.01),
        ..NaturalGradient::default()
    };
    let optimizer = AnyOptimizer::Natural(natural);
    let settings = SgviSettings { optimizer, n_samples: 100, ..settings() };
    let params = fitted(&model, &family, &settings);
    let optimum = array![0.7, -2.0, 1.3f64.ln(), 0.4f64.ln(), 4f64.ln(), 9f64.ln()];
    assert_near(&params, &optimum, 0.05);
}

/// A Beta, a Dirichlet and a Gamma that are the posterior itself.
#[test]
fn beta_dirichlet_and_gamma_factors_find_a_target_of_their_kind() {
    let model = Terms::over([
        Parameter::scalar("w", Support::Interval { lower: -1.0, upper: 2.0 }),
        Parameter::vector("p", 3, Support::Simplex),
        Parameter::scalar("rate", Support::Positive),
    ])
    .and(&[0], |z| 2.0 * ((z[0] + 1.0) / 3.0).ln() + 0.5 * ((2.0 - z[0]) / 3.0).ln())
    .and(&[1, 2, 3], |z| z[1].ln() + 3.0 * z[3].ln())
    .and(&[4], |z| 6.0 * z[4].ln() - 2.5 * z[4]);
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let params = fitted(&model, &family, &settings());
    let optimum = array![3.0, 1.5, 2.0, 1.0, 4.0, 7.0, 2.5].mapv(f64::ln);
    assert_near(&params, &optimum, 0.05);
}

/// Where the target is no member, the optimum is where the exact gradient vanishes: ½ gᵀF⁻¹g, to second order what is
/// left to gain, is below 0.01 nat, and more than 0.1 at the start.
#[test]
fn fits_end_where_the_exact_gradient_vanishes() {
    for model in [interval_and_real(), simplex_and_real(), poisson_gamma()] {
        let family = ProductFamily::for_space(model.parameters()).unwrap();
        let left = |params: &Array1<f64>| {
            let gradient = exact_gradient(&model, &family, params);
            let mut natural = Array1::zeros(params.len());
            let q = family.bind(params).unwrap();
            q.natural_gradient(vi_families::Damping::NONE, &gradient, &mut natural).unwrap();
            0.5 * gradient.dot(&natural)
        };
        let settings = SgviSettings { tolerance: ElboPlateau::default(), ..settings() };
        let params = fitted(&model, &family, &settings);
        assert!(
            left(&family.init()) > 0.1 && left(&params) < 0.01,
            "{} {}",
            left(&family.init()),
            left(&params)
        );
    }
}
