//! The functions by name, for the table of values and for sweeps over many points.

use std::io::{BufRead, Write};

use vi_core::numerics;
use vi_families::special::*;

/// The order of a multivariate function: such a function has as many terms.
fn order(p: f64) -> usize {
    (p as usize).min(100)
}

/// The form on slices.
fn vectorised(function: fn(&[f64], &mut [f64]), x: f64) -> f64 {
    let mut out = [0.0];
    function(&[x], &mut out);
    out[0]
}

/// The function of this name; unused arguments are zero.
pub(crate) fn by_name(name: &str, [a, b, c]: [f64; 3]) -> f64 {
    match name {
        "log_gamma" => log_gamma(a),
        "digamma" => digamma(a),
        "trigamma" => trigamma(a),
        "tetragamma" => tetragamma(a),
        "inverse_digamma" => inverse_digamma(a),
        "digamma_difference" => digamma_difference(a, b),
        "log_minus_digamma" => log_minus_digamma(a),
        "log_beta" => log_beta(a, b),
        "log_factorial" => log_factorial(a as u64),
        "log_binomial" => log_binomial(a as u64, b as u64),
        "log_bessel_i" => log_bessel_i(a, b),
        "log_scaled_bessel_i" => log_scaled_bessel_i(a, b),
        "bessel_i_ratio" => bessel_i_ratio(a, b),
        "scaled_exponential_integral" => scaled_exponential_integral(a),
        "erfcx" => erfcx(a),
        "normal_cdf" => normal_cdf(a),
        "normal_log_cdf" => normal_log_cdf(a),
        "normal_quantile" => normal_quantile(a),
        "regularized_gamma_lower" => regularized_gamma_lower(a, b),
        "regularized_gamma_upper" => regularized_gamma_upper(a, b),
        "inverse_regularized_gamma_lower" => inverse_regularized_gamma_lower(a, b),
        "inverse_regularized_gamma_upper" => inverse_regularized_gamma_upper(a, b),
        "regularized_beta" => regularized_beta(a, b, c),
        "regularized_beta_upper" => regularized_beta_upper(a, b, c),
        "inverse_regularized_beta" => inverse_regularized_beta(a, b, c),
        "multivariate_log_gamma" => multivariate_log_gamma(order(a), b),
        "multivariate_digamma" => multivariate_digamma(order(a), b),
        "multivariate_trigamma" => multivariate_trigamma(order(a), b),
        "numerics::exp" => vectorised(numerics::exp, a),
        "numerics::log" => vectorised(numerics::log, a),
        "numerics::log1p" => vectorised(numerics::log1p, a),
        "numerics::softplus" => vectorised(numerics::softplus, a),
        "numerics::sigmoid" => vectorised(numerics::sigmoid, a),
        "numerics::log_gamma" => vectorised(numerics::log_gamma, a),
        "numerics::digamma" => vectorised(numerics::digamma, a),
        "numerics::trigamma" => vectorised(numerics::trigamma, a),
        _ => panic!("no function {name}"),
    }
}

/// All names of [`by_name`].
pub(crate) const NAMES: [&str; 36] = [
    "log_gamma",
    "digamma",
    "trigamma",
    "tetragamma",
    "inverse_digamma",
    "digamma_difference",
    "log_minus_digamma",
    "log_beta",
    "log_factorial",
    "log_binomial",
    "log_bessel_i",
    "log_scaled_bessel_i",
    "bessel_i_ratio",
    "scaled_exponential_integral",
    "erfcx",
    "normal_cdf",
    "normal_log_cdf",
    "normal_quantile",
    "regularized_gamma_lower",
    "regularized_gamma_upper",
    "inverse_regularized_gamma_lower",
    "inverse_regularized_gamma_upper",
    "regularized_beta",
    "regularized_beta_upper",
    "inverse_regularized_beta",
    "multivariate_log_gamma",
    "multivariate_digamma",
    "multivariate_trigamma",
    "numerics::exp",
    "numerics::log",
    "numerics::log1p",
    "numerics::softplus",
    "numerics::sigmoid",
    "numerics::log_gamma",
    "numerics::digamma",
    "numerics::trigamma",
];

#[test]
#[ignore = "answers on standard output what reference.py asks on standard input"]
fn evaluate() {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        let mut arguments = [0.0; 3];
        for (argument, word) in arguments.iter_mut().zip(words) {
            *argument = word.parse().unwrap();
        }
        writeln!(out, "\n= {:e}", by_name(name, arguments)).unwrap();
    }
}
