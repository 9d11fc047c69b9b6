//! Likelihoods and predictive distributions through JSON and back, and files that no constructor would have made.

use ndarray::array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vi_families::{
    DiagonalGaussianMean, LinearRegressionCoefficients, MultivariateRegressionCoefficients, RowCovariance,
    UniformBound, VonMises, VonMisesDirection, VonMisesFisher, VonMisesFisherMixture, VonMisesMixture,
};

/// Equal after a round trip; and with `bad` in this place an error that says so.
fn check<T>(value: &T, place: &str, bad: Value, says: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(value).unwrap();
    let again: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(&again, value, "{text}");
    let mut file: Value = serde_json::from_str(&text).unwrap();
    *file.pointer_mut(place).unwrap_or_else(|| panic!("{place} in {text}")) = bad;
    let message = serde_json::from_str::<T>(&file.to_string()).unwrap_err().to_string();
    assert!(message.contains(says), "{file}: {message}");
}

#[test]
fn regressions() {
    let design = array![[1.0, 0.5], [1.0, -2.0], [1.0, 3.25]];
    let shorter = json!({"v": 1, "dim": [1, 2], "data": [1.0, 0.5]});
    let likelihood = LinearRegressionCoefficients::from_design_variance(&design, 0.5).unwrap();
    check(
        &likelihood,
        "/design",
        shorter,
        "LinearRegressionCoefficients: variances has length 3, expected 1",
    );
    let noise = RowCovariance::from_covariance(&array![[0.5, 0.1], [0.1, 0.3]]).unwrap();
    let likelihood = MultivariateRegressionCoefficients::from_design_noise(&design, &noise).unwrap();
    let empty = json!({"v": 1, "dim": [0, 2], "data": []});
    let says = "MultivariateRegressionCoefficients: rows of the design has length 0, expected 1";
    check(&likelihood, "/design", empty, says);
}

#[test]
fn directions_bounds_and_coordinates() {
    let prior = VonMises::from_mean_direction_concentration(0.5, 2.0).unwrap();
    let q = VonMisesMixture::from_mixing_concentration(prior, 3.0).unwrap();
    let says = "VonMises: concentration = -3, but it must be between 0 and 1e150";
    check(&q, "/noise/concentration", json!(-3.0), says);
    let likelihood = VonMisesDirection::from_concentration(3.0).unwrap();
    check(&likelihood, "/noise/concentration", json!(-3.0), says);
    let q = VonMisesFisherMixture::from_mixing_concentration(VonMisesFisher::uniform(3).unwrap(), 3.0);
    check(&q.unwrap(), "/concentration", json!(-3.0), "VonMisesFisher: concentration = -3");
    let mut seen = UniformBound::new();
    seen.push(2.5, 1.5).unwrap();
    check(&seen, "/maximum", json!(-2.5), "UniformBound: maximum = -2.5, but it must be finite and ≥ 0");
    let likelihood = DiagonalGaussianMean::from_variance(&array![1.0, 2.0]).unwrap();
    check(&likelihood, "/noise/variance/data/1", json!(0.0), "DiagonalGaussian: variance[1] = 0");
}
