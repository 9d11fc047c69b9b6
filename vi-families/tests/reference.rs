//! Densities and entropies against scipy 1.x (`tests/reference_values.py`), which also pins the normalisation
//! that no check inside a family can see; messages of the validated constructors.

use ndarray::{Array1, Array2, array};
use vi_families::{
    Bernoulli, Beta, Categorical, Dirichlet, ExponentialFamily, FamilyError, Gamma, Gaussian, InverseGamma,
    MvGaussian, NormalGamma, NormalWishart, Wishart,
};

fn assert_close(what: &str, value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-13 * (1.0 + expected.abs()), "{what}: {value}, scipy {expected}");
}

fn check<F: ExponentialFamily>(name: &str, member: F, z: &F::Value, log_prob: f64, entropy: f64) {
    assert_close(name, member.log_prob(z), log_prob);
    assert_close(name, member.entropy(), entropy);
}

fn plane() -> (Array1<f64>, Array2<f64>, Array2<f64>, Array2<f64>) {
    let (m, covariance) = (array![0.5, -1.0], array![[2.0, 0.6], [0.6, 0.5]]);
    (m, covariance, array![[1.5, -0.4], [-0.4, 0.9]], array![[0.5, 0.1], [0.1, 0.3]])
}

#[test]
fn univariate_log_densities_and_entropies() {
    let q = Gaussian::from_mean_sd(1.5, 0.3).unwrap();
    check("Gaussian", q, &1.1, -0.603854617767625, 0.21496572887873655);
    let q = Gamma::from_shape_rate(2.5, 3.0).unwrap();
    check("Gamma", q, &0.7, -0.1731645647107436, 0.6313356208369447);
    let q = InverseGamma::from_shape_scale(2.5, 3.0).unwrap();
    check("InverseGamma", q, &0.7, -0.5755041307313682, 1.422246916882678);
    let q = Beta::from_alpha_beta(2.5, 0.75).unwrap();
    check("Beta", q, &0.3, -1.2689523612997102, -0.50279965128377);
    let q = Bernoulli::from_probability(0.3).unwrap();
    check("Bernoulli", q, &true, -1.2039728043259361, 0.6108643020548935);
    let q = Categorical::from_probabilities(&array![0.2, 0.3, 0.5]).unwrap();
    check("Categorical", q, &1, -1.2039728043259361, 1.0296530140645737);
}

#[test]
fn multivariate_log_densities_and_entropies() {
    let (m, covariance, lambda, w) = plane();
    let q = Dirichlet::from_concentration(&array![0.5, 2.0, 3.5]).unwrap();
    check("Dirichlet", q, &array![0.2, 0.3, 0.5], 0.8820313980015224, -2.0582311419371573);
    let q = MvGaussian::from_mean_covariance(&m, &covariance).unwrap();
    check("MvGaussian", q, &array![1.0, 0.25], -3.5678585150951365, 2.6147335150951356);
    let q = Wishart::from_dof_scale(4.5, &w).unwrap();
    check("Wishart", q, &lambda, -2.6777789421349127, 3.6280936037892504);
    let q = NormalGamma::from_mean_count_shape_rate(1.5, 4.0, 2.5, 3.0).unwrap();
    assert_close("NormalGamma", q.log_prob(&(1.1, 0.7)), -0.8012933893248371);
    let q = NormalWishart::from_mean_count_dof_scale(&m, 4.0, 4.5, &w).unwrap();
    assert_close("NormalWishart", q.log_prob(&(array![1.0, 0.25], lambda)), -5.6048849938626475);
}

#[test]
fn outside_the_support_the_log_density_is_minus_infinity() {
    let gamma = Gamma::from_shape_rate(0.5, 1.0).unwrap();
    let inverse_gamma = InverseGamma::from_shape_scale(2.0, 1.0).unwrap();
    for z in [0.0, -1.0, f64::INFINITY] {
        assert_eq!((gamma.log_prob(&z), inverse_gamma.log_prob(&z)), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    }
    let beta = Beta::from_alpha_beta(0.5, 0.5).unwrap();
    assert_eq!((beta.log_prob(&0.0), beta.log_prob(&1.0)), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    let dirichlet = Dirichlet::from_concentration(&array![1.0, 2.0]).unwrap();
    assert_eq!(dirichlet.log_prob(&array![0.5, 0.6]), f64::NEG_INFINITY);
    let categorical = Categorical::from_logits(&array![0.0, 1.0]).unwrap();
    assert_eq!(categorical.log_prob(&2), f64::NEG_INFINITY);
    let wishart = Wishart::from_dof_scale(3.0, &Array2::eye(2)).unwrap();
    assert_eq!(wishart.log_prob(&array![[1.0, 2.0], [2.0, 1.0]]), f64::NEG_INFINITY);
    // A value that is not a number is a fault, not an impossible event.
    assert!(gamma.log_prob(&f64::NAN).is_nan() && beta.log_prob(&f64::NAN).is_nan());
}

#[test]
fn a_large_location_costs_no_digits() {
    // η, T and A are of size 10²⁰ here: only the centred forms survive.
    let p = Gaussian::from_mean_sd(1e8, 1e-2).unwrap();
    let q = Gaussian::from_mean_sd(1e8 + 1e-2, 2e-2).unwrap();
    let d: f64 = (q.mean() - p.mean()) / 2e-2;
    assert_close("KL", p.kl(&q), 0.5 * (d * d + 0.25 - 1.0 + 4f64.ln()));
    assert_close("log_prob", p.log_prob(&1e8), 100f64.ln() - 0.5 * std::f64::consts::TAU.ln());
}

#[test]
fn errors_name_the_parameter_and_its_value() {
    let message = |e: FamilyError| e.to_string();
    let e = message(Gamma::from_shape_rate(-1.5, 1.0).unwrap_err());
    assert_eq!(e, "Gamma: shape = -1.5, but it must be finite and > 0");
    let e = message(Gaussian::from_mean_sd(f64::NAN, 1.0).unwrap_err());
    assert_eq!(e, "Gaussian: mean = NaN, but it must be finite");
    let e = message(Dirichlet::from_concentration(&array![1.0, 0.0]).unwrap_err());
    assert_eq!(e, "Dirichlet: concentration[1] = 0, but it must be finite and > 0");
    let e = message(Categorical::from_probabilities(&array![0.5, 0.25]).unwrap_err());
    assert_eq!(e, "Categorical: Σ probabilities = 0.75, but it must be 1");
    let e = message(Bernoulli::from_probability(1.0).unwrap_err());
    assert_eq!(e, "Bernoulli: probability = 1, but it must be strictly between 0 and 1");
    let e = message(Wishart::from_dof_scale(1.0, &Array2::eye(2)).unwrap_err());
    assert_eq!(e, "Wishart: dof = 1, but it must be finite and > p − 1, p the order of the scale");
    let mean = array![0.0, 0.0];
    let e = message(MvGaussian::from_mean_covariance(&mean, &array![[1.0, 2.0], [2.0, 1.0]]).unwrap_err());
    assert!(e.starts_with("MvGaussian: covariance is not positive definite (pivot 1 is -3"), "{e}");
    let e = message(MvGaussian::from_mean_precision(&mean, &array![[1.0, 0.5], [0.2, 1.0]]).unwrap_err());
    assert_eq!(e, "MvGaussian: precision[0,1] = 0.5, but it must be equal to its mirror image");
    let e = message(MvGaussian::from_mean_covariance(&mean, &Array2::eye(3)).unwrap_err());
    assert_eq!(e, "MvGaussian: covariance has length 9, expected 4");
    let e = message(Beta::from_mean_params(&array![-0.1, -0.1]).unwrap_err());
    assert_eq!(e, "Beta: no member has the mean parameters [-0.1, -0.1]");
}

/// KL = ½(r − 1 − log r) with r = 1 + 10⁻⁷: 10⁻¹⁴/4 to the order of 10⁻⁷ relative.
#[test]
fn close_gaussians_keep_the_digits_of_their_divergence() {
    let member = |precision| Gaussian::from_mean_precision(0.3, precision).unwrap();
    let kl = member(1.0).kl(&member(1.0 + 1e-7));
    assert!((kl / 2.5e-15 - 1.0).abs() < 1e-6, "{kl}");
}

#[test]
fn a_natural_parameter_that_overflows_is_refused() {
    let message = Gaussian::from_mean_precision(1e200, 1e200).unwrap_err().to_string();
    assert!(message.contains("mean / variance = inf"), "{message}");
}

/// Probability, log p(true), log p(false), entropy, by mpmath (`reference_values.py`).
#[test]
fn bernoulli_at_five_probabilities() {
    for (p, yes, no, entropy) in [
        (1e-12, -27.631021115928547, -1.0000000000005e-12, 2.8631021115928048e-11),
        (0.02, -3.912023005428146, -0.02020270731751945, 0.09803911327973198),
        (0.4, -0.916290731874155, -0.5108256237659907, 0.6730116670092564),
        (0.97, -0.030459207484708574, -3.506557897319981, 0.13474216817976684),
        (0.999999, -1.000000500029089e-06, -13.815510557935518, 1.4815510058361381e-05),
    ] {
        let q = Bernoulli::from_probability(p).unwrap();
        let pairs = [(q.log_prob(&true), yes), (q.log_prob(&false), no), (q.entropy(), entropy)];
        for (value, expected) in pairs {
            assert!((value / expected - 1.0).abs() < 1e-12, "Bernoulli({p}): {value}, expected {expected}");
        }
    }
}

/// Weights, log p of the first and of the last category, entropy, by mpmath (`reference_values.py`).
#[test]
fn categorical_at_five_weightings() {
    for (weights, first, last, entropy) in [
        ([1.0, 2.0, 4.0], -1.9459101490553132, -0.5596157879354227, 0.9556998911125343),
        ([1e-8, 1.0, 2.0], -19.519293035953808, -0.4054651114414977, 0.6365142345707422),
        ([5.0, 5.0, 5.0], -1.0986122886681098, -1.0986122886681098, 1.0986122886681098),
        ([1e6, 1.0, 1.0], -1.9999980000026667e-06, -13.815512557962274, 2.9630963853999505e-05),
        ([0.3, 0.2, 0.2], -0.8472978603872037, -1.252762968495368, 1.0789922078775833),
    ] {
        let q = Categorical::from_logits(&array![weights[0], weights[1], weights[2]].mapv(f64::ln)).unwrap();
        let pairs = [(q.log_prob(&0), first), (q.log_prob(&2), last), (q.entropy(), entropy)];
        for (value, expected) in pairs {
            assert!((value / expected - 1.0).abs() < 1e-12, "{weights:?}: {value}, expected {expected}");
        }
    }
}
