//! Which estimators meet which families on which models.

use ndarray::{Array1, array};
use vi_core::LogJoint;
use vi_families::{
    BlockDiagonalGaussian, FullRankGaussian, GaussianMixture, LearnedStudentTMeanField, LowRankGaussian,
    MeanFieldGaussian, ProductFamily, StudentTMeanField, VariationalFamily,
};
use vi_sgvi::{
    Antithetic, DisArm, Enumeration, LocalExpectations, LocalQuadrature, MeasureValued, Overdispersed,
    OverdispersedFactors, PerFactor, QuasiMonteCarlo, ScoreFunction,
};

use crate::case::{Case, Target, spread};
use crate::common::{GaussianTarget, Mixture, Spins, params_of};
use crate::estimators::{
    SIZES, of_any_family, of_discrete, of_dispersed, of_dispersed_factors, of_factorized, of_measure_valued,
    of_the_product_family, of_transported,
};
use crate::models::{interval_and_real, modulated_rate, pair, poisson_gamma, simplex_and_real};

#[test]
fn mean_field_gaussian() {
    let (model, target) = (pair(), GaussianTarget::correlated());
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let pair = Case::new("pair, mean field", &model, &family, spread(&family, 0.0));
    let family = MeanFieldGaussian::new(target.parameters()).unwrap();
    let params = array![0.0, 0.3, 1.0, -0.4, 0.2, 0.7];
    let exact = target.mean_field_gradient(&params);
    for case in [pair, Case::with_exact("Gaussian target, mean field", &target, &family, params, exact)] {
        of_any_family(&case);
        of_factorized(&case);
        of_transported(&case);
        of_dispersed(&case);
        of_dispersed_factors(&case);
        of_measure_valued(&case);
    }
}

#[test]
fn block_diagonal_gaussian() {
    let model = pair();
    let family = BlockDiagonalGaussian::from_sizes(model.parameters(), &[1, 1]).unwrap();
    let case = Case::new("pair, block diagonal", &model, &family, spread(&family, 0.0));
    of_any_family(&case);
    of_factorized(&case);
    of_transported(&case);
    of_dispersed(&case);
    of_dispersed_factors(&case);
    let family = BlockDiagonalGaussian::by_parameter(model.parameters()).unwrap();
    let case = Case::new("pair, one block", &model, &family, spread(&family, 0.0));
    // The factor reaches beyond the blocks of the model; its proposal is that of the whole z.
    SIZES.into_iter().for_each(|s| case.holds(&OverdispersedFactors::new(s), s));
}

#[test]
fn full_rank_gaussian() {
    let (model, target) = (pair(), GaussianTarget::correlated());
    let family = FullRankGaussian::new(model.parameters()).unwrap();
    let pair = Case::new("pair, full rank", &model, &family, spread(&family, 0.0));
    let family = FullRankGaussian::new(target.parameters()).unwrap();
    let params = array![0.0, 0.3, 1.0, -0.4, 0.3, 0.2, -0.5, 0.1, 0.7];
    let exact = target.full_rank_gradient(&params);
    for case in [pair, Case::with_exact("Gaussian target, full rank", &target, &family, params, exact)] {
        of_any_family(&case);
        of_transported(&case);
        of_dispersed(&case);
    }
}

#[test]
fn low_rank_gaussian() {
    let model = pair();
    let family = LowRankGaussian::new(model.parameters(), 1).unwrap();
    let case = Case::new("pair, low rank", &model, &family, spread(&family, 0.0));
    of_any_family(&case);
    of_transported(&case);
    of_dispersed(&case);
}

#[test]
fn mixtures_of_gaussians() {
    let model = pair();
    let family = GaussianMixture::mean_field(model.parameters(), 2).unwrap();
    let case = Case::new("pair, mixture of mean fields", &model, &family, spread(&family, 0.0));
    of_any_family(&case);
    of_transported(&case);
    let family = GaussianMixture::full_rank(model.parameters(), 2).unwrap();
    let case = Case::new("pair, mixture of full ranks", &model, &family, spread(&family, 0.0));
    of_any_family(&case);
    of_transported(&case);
}

/// Enough degrees of freedom for the fourth moments behind the standard errors, and few enough to differ from a Gaussian.
#[test]
fn student_t_mean_fields() {
    let model = pair();
    let family = StudentTMeanField::new(model.parameters(), 12.0).unwrap();
    let case = Case::new("pair, Student-t", &model, &family, spread(&family, 0.0));
    of_any_family(&case);
    of_factorized(&case);
    of_transported(&case);
    let family = LearnedStudentTMeanField::new(model.parameters(), 12.0).unwrap();
    let mut params = spread(&family, 0.0);
    params.slice_mut(ndarray::s![4..]).assign(&array![12f64.ln(), 9f64.ln()]);
    let case = Case::new("pair, Student-t with learned tails", &model, &family, params);
    of_any_family(&case);
    of_factorized(&case);
    of_transported(&case);
}

/// What every product family is checked with.
fn of_products(case: &Case<'_, ProductFamily>) {
    of_any_family(case);
    of_the_product_family(case);
    of_dispersed_factors(case);
}

fn product_case<'a>(
    name: &'static str,
    model: &'a Target,
    family: &'a ProductFamily,
    centre: f64,
) -> Case<'a, ProductFamily> {
    Case::new(name, model, family, spread(family, centre))
}

#[test]
fn gaussian_factors() {
    let model = pair();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let case = product_case("pair, product", &model, &family, 0.0);
    of_products(&case);
    of_measure_valued(&case);
}

#[test]
fn gamma_factors_on_counts() {
    let model = poisson_gamma();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let case = product_case("Poisson–Gamma", &model, &family, 1.0);
    of_products(&case);
}

#[test]
fn gamma_bernoulli_and_categorical_factors() {
    let model = modulated_rate();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    of_products(&product_case("modulated rate", &model, &family, 0.4));
}

#[test]
fn beta_and_gaussian_factors() {
    let model = interval_and_real();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    of_products(&product_case("interval", &model, &family, 0.5));
}

#[test]
fn dirichlet_and_gaussian_factors() {
    let model = simplex_and_real();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    of_products(&product_case("simplex", &model, &family, 0.5));
}

#[test]
fn coupled_bits_and_categories() {
    for (name, model) in [("five bits", Spins::five_bits()), ("categories", Spins::categories())] {
        let family = model.family();
        let case = Case::new(name, &model, &family, params_of(&family));
        of_products(&case);
        of_discrete(&case);
        of_measure_valued(&case);
    }
}

#[test]
fn twelve_bits() {
    for (name, model) in [("twelve bits", Spins::dense(12)), ("chain of twelve bits", Spins::chain(12))] {
        let family = model.family();
        let case = Case::new(name, &model, &family, params_of(&family));
        of_discrete(&case);
        of_measure_valued(&case);
        for s in SIZES {
            case.holds(&ScoreFunction::leave_one_out(s), s);
            case.holds(&ScoreFunction::control_variate(s).rao_blackwellized(), s);
            case.holds(&OverdispersedFactors::new(s).rao_blackwellized(), s);
        }
    }
}

/// The exact gradient of independent bits has a closed form, which knows nothing of sums over states.
#[test]
fn the_ising_model_of_the_zoo() {
    let model = vi_models::ising::Ising::grid(3, 4, 0.4, -0.8).unwrap();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let params = params_of(&family);
    let exact = model.mean_field_gradient(&params);
    let case = Case::with_exact("Ising", &model, &family, params, exact);
    of_discrete(&case);
    of_factorized(&case);
}

fn mixture<'a>(model: &'a Mixture, family: &'a ProductFamily) -> Case<'a, ProductFamily> {
    let (params, exact): (Array1<f64>, _) = (Mixture::params(), model.exact(family, &Mixture::params()));
    Case::with_exact("categorical mixture", model, family, params, exact)
}

#[test]
fn categorical_mixture() {
    let model = Mixture::new();
    let family = model.family();
    of_products(&mixture(&model, &family));
}

/// One estimator for the assignments, another for the mean, a third for the precision.
#[test]
fn categorical_mixture_factor_by_factor() {
    let model = Mixture::new();
    let (family, space) = (model.family(), model.parameters());
    let case = mixture(&model, &family);
    for s in SIZES {
        let rest = ScoreFunction::leave_one_out(s);
        let blanket = rest.rao_blackwellized();
        macro_rules! holds {
            ($names:expr, $first:expr, $rest:expr) => {
                case.holds(&PerFactor::new(space, &$names, $first, $rest).unwrap(), s)
            };
        }
        holds!(["k"], LocalExpectations::new(s), rest);
        holds!(["k"], DisArm::new(s), rest);
        holds!(["k"], Enumeration::around(s), blanket);
        holds!(["k"], MeasureValued::new(s), ScoreFunction::control_variate(s));
        holds!(["k", "m"], MeasureValued::new(s).rao_blackwellized(), blanket);
        holds!(["tau"], OverdispersedFactors::new(s), rest);
        // Every sampler serves some factors as it serves all.
        let quasi = QuasiMonteCarlo { n_randomizations: s };
        holds!(["k"], LocalExpectations::new(s), blanket.with_sampler(quasi));
        let wide = rest.with_sampler(Overdispersed::new(1.4).unwrap());
        holds!(["k"], DisArm::new(s), wide);
        let pairs = ScoreFunction::leave_one_out(2 * s).with_sampler(Antithetic);
        let others = PerFactor::new(space, &["m"], pairs, wide.rao_blackwellized()).unwrap();
        holds!(["k"], LocalExpectations::new(s).rao_blackwellized(), others);
        // A polynomial of degree two in m: four nodes miss nothing, although the rule is labelled.
        let quadrature = PerFactor::new(space, &["m"], LocalQuadrature::new(s, 4), rest).unwrap();
        case.holds_though_labelled(&quadrature, s);
    }
}

#[test]
fn quadrature_of_a_polynomial_misses_nothing() {
    let target = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(target.parameters()).unwrap();
    let params = array![0.0, 0.3, 1.0, -0.4, 0.2, 0.7];
    let exact = target.mean_field_gradient(&params);
    let case = Case::with_exact("Gaussian target by quadrature", &target, &family, params, exact);
    assert_eq!(family.n_params(), case.exact.len());
    SIZES.into_iter().for_each(|s| case.holds_though_labelled(&LocalQuadrature::new(s, 4), s));
}
