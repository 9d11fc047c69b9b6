//! Every ELBO is a bound on the same log evidence.

use vi_cavi::CaviSettings;
use vi_core::{Exec, KnownPosterior, Role, StreamKey, Unconstrained};
use vi_families::{FullRankGaussian, MeanFieldGaussian, VariationalFamily};
use vi_models::linear_regression::{LinearRegression, NoisePrior};
use vi_sgvi::{ElboPlateau, GradientEstimator, SgviFit, SgviSettings};

use crate::data::{centred, linear_regression};

type RealModel<'a> = Unconstrained<&'a LinearRegression>;

fn fit<'a, F, E>(model: &RealModel<'a>, family: &F, estimator: E, settings: &SgviSettings) -> SgviFit<F>
where
    F: VariationalFamily + Clone,
    E: GradientEstimator<RealModel<'a>, F>,
{
    vi_sgvi::fit(model, family, estimator, settings, StreamKey::from_seed(5), Exec::local()).unwrap()
}

/// The bounds of CAVI, mean-field score-function and full-rank pathwise SGVI, in this order, each with its
/// Monte Carlo standard error.
fn bounds(model: &LinearRegression) -> [(f64, f64); 3] {
    let cavi = vi_cavi::fit(model, &CaviSettings::default(), StreamKey::from_seed(5), Exec::local()).unwrap();
    let real = Unconstrained::new(model).unwrap();
    let tolerance = ElboPlateau { absolute: 0.01, relative: 0.0 };
    let settings = SgviSettings { tolerance, n_evaluate: 40_000, ..SgviSettings::default() };
    let space = real.bijection().unconstrained();
    let mean_field =
        fit(&real, &MeanFieldGaussian::new(space).unwrap(), settings.score_function(), &settings);
    let full_rank = fit(&real, &FullRankGaussian::new(space).unwrap(), settings.pathwise(), &settings);
    [
        (cavi.elbo(), 0.0),
        (mean_field.elbo.value, mean_field.elbo.mcse),
        (full_rank.elbo.value, full_rank.elbo.mcse),
    ]
}

/// With known noise the posterior is Gaussian: the full-rank family holds it, and its bound is the evidence.
#[test]
fn full_rank_reaches_the_evidence_where_the_posterior_is_gaussian() {
    let model = linear_regression(NoisePrior::Known { precision: 6.0 });
    let evidence = model.log_evidence().unwrap();
    let [(cavi, _), (mean_field, mean_field_mcse), (full_rank, full_rank_mcse)] = bounds(&model);
    // CAVI has one block here, which it solves exactly.
    assert!((cavi - evidence).abs() < 1e-9, "CAVI {cavi}, evidence {evidence}");
    assert!(full_rank <= evidence + 4.0 * full_rank_mcse + 1e-9, "{full_rank} > {evidence}");
    assert!(evidence - full_rank < 0.01, "full rank {full_rank} ± {full_rank_mcse}, evidence {evidence}");
    assert!(mean_field <= evidence + 4.0 * mean_field_mcse, "{mean_field} > {evidence}");
    assert!(evidence - mean_field < 1.5, "mean field {mean_field}, evidence {evidence}");
}

/// With unknown noise no family here holds the posterior: every bound is strictly below the evidence, and near.
#[test]
fn every_bound_is_below_the_evidence_where_the_noise_is_unknown() {
    let model = linear_regression(NoisePrior::Gamma { shape: 1.0, rate: 1.0 });
    let evidence = model.log_evidence().unwrap();
    for (elbo, mcse) in bounds(&model) {
        assert!(elbo < evidence + 4.0 * mcse, "{elbo} ± {mcse} > {evidence}");
        assert!(evidence - elbo < 2.0, "{elbo} ± {mcse} is far from {evidence}");
    }
}

/// The exact log evidence is −32.00449470176 + log 2: quadrature over log τ, the 2 from normalising the
/// half-Cauchy prior.
#[test]
fn eight_schools_bound_is_below_the_exact_evidence() {
    let model = centred();
    let evidence = model.log_evidence().unwrap();
    assert!((evidence - (-32.004494701760784 + std::f64::consts::LN_2)).abs() < 1e-6, "{evidence}");
    let settings = CaviSettings { max_iterations: 5_000, ..CaviSettings::default() };
    let fit =
        vi_cavi::fit(&model, &settings, StreamKey::from_seed(1).role(Role::Init), Exec::local()).unwrap();
    assert!(fit.converged(), "{}", fit.reason());
    assert!(fit.elbo() < evidence && evidence - fit.elbo() < 6.0, "{} against {evidence}", fit.elbo());
}
