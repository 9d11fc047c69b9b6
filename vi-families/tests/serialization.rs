//! Every family through JSON and back, and files with a bad parameter, which are refused in the words of the family.

use ndarray::{Array2, array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vi_families::*;

/// Equal after a round trip; and for every (place, bad value, what the message says) an error that says it.
fn check<F>(member: F, bad: &[(&str, Value, &str)])
where
    F: ExponentialFamily + Serialize + DeserializeOwned + PartialEq,
{
    let text = serde_json::to_string(&member).unwrap();
    let again: F = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(again, member, "{text}");
    assert_eq!(again.natural(), member.natural(), "{text}");
    assert_eq!(again.log_partition().to_bits(), member.log_partition().to_bits(), "{text}");
    assert!(!bad.is_empty(), "{}", F::NAME);
    for (place, value, says) in bad {
        let mut file: Value = serde_json::from_str(&text).unwrap();
        *file.pointer_mut(place).unwrap_or_else(|| panic!("{place} in {text}")) = value.clone();
        let message = match serde_json::from_str::<F>(&file.to_string()) {
            Ok(member) => panic!("{file} was read as {member:?}"),
            Err(error) => error.to_string(),
        };
        assert!(message.contains(says), "{file}: {message}");
    }
}

#[test]
fn discrete() {
    check(Bernoulli::from_logit(0.3).unwrap(), &[("/logit", json!("x"), "expected f64")]);
    let q = Binomial::from_probability(7, 0.3).unwrap();
    check(q, &[("/n_trials", json!(0), "Binomial: n_trials = 0, but it must be between 1 and 1e18")]);
    let q = Geometric::from_probability(0.3).unwrap();
    check(q, &[("/log_failure", json!(0.5), "Geometric: log(1 − probability) = 0.5")]);
    let q = NegativeBinomial::from_probability(2.5, 0.3).unwrap();
    check(
        q,
        &[
            ("/n_successes", json!(-2.5), "NegativeBinomial: n_successes = -2.5"),
            ("/log_failure", json!(0.0), "NegativeBinomial: log(1 − probability) = 0"),
        ],
    );
    let rates = [
        ("/rate", json!(-1.5), "Poisson: rate = -1.5, but it must be finite and > 0"),
        ("/log_rate", json!(3.0), "Poisson: log_rate = 3, but it must be the logarithm of the rate"),
    ];
    check(Poisson::from_rate(1.7).unwrap(), &rates);
    check(Poisson::from_log_rate(-0.7).unwrap(), &rates);
    let probabilities = array![0.2, 0.1, 0.7];
    let (place, empty) = ("/log_probabilities", json!({"v": 1, "dim": [0], "data": []}));
    let more = ("/log_probabilities/data/1", json!(0.5));
    check(
        Categorical::from_probabilities(&probabilities).unwrap(),
        &[
            (more.0, more.1.clone(), "Categorical: Σ exp(log_probabilities) = 2.54872"),
            (place, empty.clone(), "Categorical: log_probabilities has length 0, expected 1"),
        ],
    );
    let multinomial = Multinomial::from_probabilities(9, &probabilities).unwrap();
    check(
        multinomial.clone(),
        &[
            (more.0, more.1, "Multinomial: Σ exp(log_probabilities) = 2.54872"),
            (place, empty, "Multinomial: log_probabilities has length 0, expected 1"),
        ],
    );
    check(multinomial, &[("/n_trials", json!(0), "Multinomial: n_trials = 0")]);
}

#[test]
fn positive() {
    let negative = |place, says| (place, json!(-2.5), says);
    check(Exponential::from_rate(1.5).unwrap(), &[negative("/rate", "Exponential: rate = -2.5")]);
    check(
        Gamma::from_shape_rate(1.5, 0.3).unwrap(),
        &[negative("/shape", "Gamma: shape = -2.5"), negative("/rate", "Gamma: rate = -2.5")],
    );
    check(
        InverseGamma::from_shape_scale(1.5, 0.3).unwrap(),
        &[negative("/shape", "InverseGamma: shape = -2.5"), negative("/scale", "InverseGamma: scale = -2.5")],
    );
    check(ChiSquared::from_dof(3.1).unwrap(), &[negative("/dof", "ChiSquared: dof = -1.25")]);
    check(
        InverseGaussian::from_mean_shape(1.5, 0.3).unwrap(),
        &[
            negative("/mean", "InverseGaussian: mean = -2.5"),
            negative("/shape", "InverseGaussian: shape = -2.5"),
        ],
    );
    check(HalfNormal::from_scale(0.3).unwrap(), &[negative("/precision", "HalfNormal: precision = -2.5")]);
    check(Rayleigh::from_scale(0.3).unwrap(), &[negative("/precision", "Rayleigh: precision = -2.5")]);
    check(
        LogNormal::from_log_mean_log_sd(0.3, 1.7).unwrap(),
        &[negative("/log/precision", "Gaussian: precision = -2.5")],
    );
    check(
        Pareto::from_minimum_shape(1.5, 0.3).unwrap(),
        &[negative("/minimum", "Pareto: minimum = -2.5"), negative("/shape", "Pareto: shape = -2.5")],
    );
    check(
        Weibull::from_shape_scale(1.5, 0.3).unwrap(),
        &[
            negative("/shape", "Weibull: shape = -2.5"),
            negative("/rate", "Weibull: rate scale^(−shape) = -2.5"),
        ],
    );
}

#[test]
fn on_the_line_and_the_circle() {
    check(
        Gaussian::from_mean_sd(1.5, 0.3).unwrap(),
        &[
            ("/precision", json!(0.0), "Gaussian: precision = 0, but it must be finite and > 0"),
            ("/mean", json!(1e308), "Gaussian: mean / variance = inf"),
        ],
    );
    check(
        Laplace::from_location_scale(1.5, 0.3).unwrap(),
        &[("/scale", json!(-0.3), "Laplace: scale = -0.3")],
    );
    check(
        Beta::from_alpha_beta(1.5, 0.3).unwrap(),
        &[("/alpha", json!(0.0), "Beta: alpha = 0"), ("/beta", json!(-1.0), "Beta: beta = -1")],
    );
    check(
        ContinuousBernoulli::from_logit(1.5).unwrap(),
        &[("/logit", json!(1e200), "ContinuousBernoulli: logit = 1e200")],
    );
    let q = VonMises::from_mean_direction_concentration(0.5, 3.7).unwrap();
    let written = serde_json::to_value(&q).unwrap();
    assert_eq!(written, json!({"mean_direction": 0.5, "concentration": 3.7}), "no moments in the file");
    check(q, &[("/concentration", json!(-1.0), "VonMises: concentration = -1")]);
    let q = TruncatedGaussian::from_location_scale(0.5, 1.7, -1.0, f64::INFINITY).unwrap();
    let written = serde_json::to_value(&q).unwrap();
    let expected = json!({"location": 0.5, "precision": q.precision(), "lower": -1.0, "upper": null});
    assert_eq!(written, expected, "no moments in the file");
    check(
        q,
        &[
            ("/precision", json!(-2.0), "TruncatedGaussian: precision = -2"),
            ("/upper", json!(-3.0), "TruncatedGaussian: upper = -3"),
        ],
    );
    let q = TruncatedGaussian::from_location_scale(0.5, 1.7, f64::NEG_INFINITY, 2.0).unwrap();
    check(q, &[("/upper", json!("x"), "expected f64")]);
}

/// A matrix as ndarray writes it.
fn matrix(rows: usize, data: &[f64]) -> Value {
    json!({"v": 1, "dim": [rows, data.len() / rows], "data": data})
}

#[test]
fn vectors() {
    let (m, v) = (array![0.3, -1.7], array![0.7, 1.9]);
    check(
        Dirichlet::from_concentration(&v).unwrap(),
        &[("/concentration/data/1", json!(-1.9), "Dirichlet: concentration[1] = -1.9")],
    );
    check(
        DiagonalGaussian::from_mean_variance(&m, &v).unwrap(),
        &[
            ("/variance/data/0", json!(0.0), "DiagonalGaussian: variance[0] = 0"),
            (
                "/mean",
                json!({"v": 1, "dim": [1], "data": [0.3]}),
                "DiagonalGaussian: variance has length 2, expected 1",
            ),
        ],
    );
    let s = array![[2.0, 0.3], [0.3, 1.0]];
    let indefinite = matrix(2, &[1.0, 2.0, 2.0, 1.0]);
    check(
        MvGaussian::from_mean_covariance(&m, &s).unwrap(),
        &[
            (
                "/covariance/matrix",
                indefinite.clone(),
                "MvGaussian: covariance is not positive definite (pivot 1 is -3)",
            ),
            ("/covariance/matrix", matrix(1, &[2.0]), "MvGaussian: covariance has length 1, expected 4"),
            (
                "/covariance/matrix/data/1",
                json!(0.5),
                "MvGaussian: covariance[0,1] = 0.5, but it must be equal to its mirror",
            ),
        ],
    );
    check(
        MvGaussian::from_mean_precision(&m, &s).unwrap(),
        &[(
            "/covariance/matrix",
            indefinite,
            "MvGaussian: precision is not positive definite (pivot 1 is -3)",
        )],
    );
    let q = VonMisesFisher::from_mean_direction_concentration(&m, 3.3).unwrap();
    assert_eq!(serde_json::to_value(&q).unwrap().as_object().unwrap().len(), 2, "no moments in the file");
    check(
        q,
        &[
            ("/concentration", json!(-1.0), "VonMisesFisher: concentration = -1"),
            ("/natural/data/0", json!(7.0), "VonMisesFisher: concentration = 3.3"),
        ],
    );
    check(
        VonMisesFisher::uniform(2).unwrap(),
        &[("/concentration", json!(-1.0), "VonMisesFisher: concentration = -1")],
    );
}

#[test]
fn matrices() {
    let s = array![[2.0, 0.3], [0.3, 1.0]];
    let indefinite = || matrix(2, &[1.0, 2.0, 2.0, 1.0]);
    let not = "is not positive definite (pivot 1 is -3)";
    for q in [Wishart::from_dof_scale(3.3, &s).unwrap(), Wishart::from_dof_inverse_scale(3.3, &s).unwrap()] {
        check(
            q.clone(),
            &[("/dof", json!(1.0), "Wishart: dof = 1, but"), ("/scale/matrix", indefinite(), not)],
        );
        check(InverseWishart::from(q), &[("/precision_twin/dof", json!(0.5), "Wishart: dof = 0.5, but")]);
    }
    let rows = RowCovariance::from_precision(&s).unwrap();
    let q = MatrixGaussian::from_mean_covariances(&Array2::ones((2, 2)), &rows, &s).unwrap();
    check(
        q,
        &[
            ("/columns/matrix", indefinite(), "MatrixGaussian: column_covariance is not positive definite"),
            ("/rows/form/matrix", indefinite(), "RowCovariance: row_precision is not positive definite"),
            ("/mean", matrix(1, &[1.0, 1.0]), "MatrixGaussian: mean has length 2, expected 4"),
        ],
    );
}

#[test]
fn joint() {
    let q = NormalGamma::from_mean_count_shape_rate(0.3, 1.7, 2.1, 0.9).unwrap();
    check(
        q.clone(),
        &[
            ("/count", json!(-1.7), "NormalGamma: count = -1.7"),
            ("/precision/rate", json!(-0.9), "Gamma: rate = -0.9"),
        ],
    );
    check(NormalInverseGamma::from(q), &[("/precision_twin/count", json!(0.0), "NormalGamma: count = 0")]);
    let (m, s) = (array![0.3, -1.7], array![[2.0, 0.3], [0.3, 1.0]]);
    let q = NormalWishart::from_mean_count_dof_scale(&m, 1.7, 3.3, &s).unwrap();
    check(
        q.clone(),
        &[
            ("/count", json!(-1.7), "NormalWishart: count = -1.7"),
            (
                "/mean",
                json!({"v": 1, "dim": [1], "data": [0.3]}),
                "NormalWishart: mean has length 1, expected 2",
            ),
            ("/precision/dof", json!(1.0), "Wishart: dof = 1, but"),
        ],
    );
    check(
        NormalInverseWishart::from(q),
        &[("/precision_twin/count", json!(0.0), "NormalWishart: count = 0")],
    );
}

/// Files from before moments and totals were left out still are read.
#[test]
fn files_with_more_than_the_parameters() {
    let q: Dirichlet = serde_json::from_value(json!({
        "concentration": {"v": 1, "dim": [2], "data": [0.5, 1.5]}, "total": 99.0,
    }))
    .unwrap();
    assert_eq!(q.total_concentration(), 2.0);
}
