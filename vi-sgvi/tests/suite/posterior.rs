//! The fitted q on the support of the model.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{
    Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace, Posterior, StreamKey, Support, Unconstrained,
};
use vi_sgvi::{ElboPlateau, SgviError, SgviPosterior, SgviSettings, fit};

use crate::common::Diagonal;

/// τ ~ Gamma(3, rate 2) with an evidence of e⁻¹.
struct Gamma(ParameterSpace);

impl Gamma {
    fn new() -> Self {
        Self(ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap())
    }
}

impl LogJoint for Gamma {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        3.0 * 2f64.ln() - 2f64.ln() + 2.0 * z[0].ln() - 2.0 * z[0] - 1.0
    }
}

impl GradLogJoint for Gamma {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad[0] = 2.0 / z[0] - 2.0;
        self.log_joint(z)
    }
}

#[test]
fn a_fit_on_the_real_line_is_reported_on_the_support() {
    let model = Unconstrained::new(Gamma::new()).unwrap();
    let tolerance = ElboPlateau { absolute: 0.01, relative: 0.0 };
    let settings = SgviSettings { n_samples: 16, tolerance, ..SgviSettings::default() };
    let key = StreamKey::from_seed(13);
    let fit = fit(&model, &Diagonal { dim: 1 }, settings.pathwise(), &settings, key, Exec::local()).unwrap();
    // ELBO of LogNormal(m, s²): 3m − 2e^{m+s²/2} + log s + const, largest at s² = 1/3, e^{m+s²/2} = 3/2.
    let (m, s) = (1.5f64.ln() - 1.0 / 6.0, (1.0 / 3.0f64).sqrt());
    let params = fit.posterior.params().clone();
    assert!((params[0] - m).abs() < 0.02 && (params[1] - s.ln()).abs() < 0.02, "{params}");
    let entropy = s.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln() + 0.5;
    let best = 2.0 * 2f64.ln() - 1.0 + 3.0 * m - 3.0 + entropy;
    assert!((fit.elbo.value - best).abs() < 0.005 + 4.0 * fit.elbo.mcse, "{:?} against {best}", fit.elbo);
    assert!(best < -1.0, "an ELBO lies below the log evidence");

    assert_eq!(fit.posterior.parameters().names(), ["log(tau)"]);
    let posterior = fit.posterior.through(model.bijection()).unwrap();
    assert_eq!(posterior.parameters().names(), ["tau"]);
    let draws = posterior.draws(1000, key);
    assert_eq!(draws.values().dim(), (1, 1000, 1));
    assert!(draws.values().iter().all(|&tau| tau > 0.0));
    // Five standard errors of the mean of a lognormal.
    let (mean, sd) = (1.5, 1.5 * ((1.0f64 / 3.0).exp() - 1.0).sqrt());
    let summary = &draws.summaries()[0];
    assert!((summary.mean - mean).abs() < 0.05 + 5.0 * sd / 1000f64.sqrt(), "{summary:?}");
}

#[test]
fn densities_carry_the_jacobian() {
    let bijection = vi_core::Bijection::new(&ParameterSpace::clone(&Gamma::new().0)).unwrap();
    let params: Array1<f64> = array![0.3, -0.5];
    let space = bijection.unconstrained().clone();
    let posterior =
        SgviPosterior::new(Diagonal { dim: 1 }, params.clone(), space).unwrap().through(&bijection).unwrap();
    let (tau, sigma) = (1.7f64, (-0.5f64).exp());
    let normal =
        -0.5 * ((tau.ln() - 0.3) / sigma).powi(2) - sigma.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
    approx::assert_relative_eq!(
        posterior.log_prob(&array![tau]).unwrap(),
        normal - tau.ln(),
        max_relative = 1e-13
    );
    assert_eq!(posterior.log_prob(&array![-1.0]), Some(f64::NEG_INFINITY));
}

#[test]
fn draws_do_not_depend_on_how_many_are_made() {
    let space = ParameterSpace::new([Parameter::vector("z", 2, Support::Real)]).unwrap();
    let posterior = SgviPosterior::new(Diagonal { dim: 2 }, Array1::zeros(4), space.clone()).unwrap();
    let key = StreamKey::from_seed(14);
    let (few, many) = (posterior.draws(70, key), posterior.draws(200, key));
    assert_eq!(few.values(), many.values().slice(ndarray::s![.., ..70, ..]));
    let wrong = SgviPosterior::new(Diagonal { dim: 3 }, Array1::zeros(6), space);
    assert!(matches!(wrong, Err(SgviError::Dimension { model: 2, family: 3 })));
}
