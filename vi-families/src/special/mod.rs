//! Special functions of exponential families, all `f64 → f64`.
//!
//! | where | what |
//! |---|---|
//! | gamma | [`log_gamma`], [`digamma`], [`trigamma`], [`tetragamma`], [`inverse_digamma`], [`digamma_difference`], [`log_minus_digamma`] |
//! | beta | [`log_beta`], [`log_factorial`], [`log_binomial`], [`multivariate_log_gamma`] and its derivatives |
//! | incomplete gamma | [`regularized_gamma_lower`], [`regularized_gamma_upper`] and their inverses |
//! | incomplete beta | [`regularized_beta`], [`regularized_beta_upper`], [`inverse_regularized_beta`] |
//! | normal | [`normal_cdf`], [`normal_log_cdf`], [`normal_quantile`], [`erfcx`] |
//! | Bessel | [`log_bessel_i`], [`log_scaled_bessel_i`], [`bessel_i_ratio`] |
//! | exponential integral | [`scaled_exponential_integral`] |
//!
//! Outside its domain a function gives NaN or ±∞, as documented, never a panic. Measured accuracy stands in
//! `docs/algorithms/special-functions.md`.

mod bessel;
mod bessel_tables;
mod beta;
mod double;
mod exponential_integral;
mod gamma;
mod incomplete_beta;
mod incomplete_gamma;
mod inverse_incomplete;
mod normal;
mod quadrature;

pub use bessel::{bessel_i_ratio, log_bessel_i, log_scaled_bessel_i};
pub use beta::{
    log_beta, log_binomial, log_factorial, multivariate_digamma, multivariate_log_gamma,
    multivariate_trigamma,
};
pub use exponential_integral::scaled_exponential_integral;
pub use gamma::{
    digamma, digamma_difference, inverse_digamma, log_gamma, log_minus_digamma, tetragamma, trigamma,
};
pub(crate) use gamma::{log_1p_minus, stirling_error, trigamma_minus_reciprocal};
pub(crate) use incomplete_beta::exp_m1_minus;
pub use incomplete_beta::{regularized_beta, regularized_beta_upper};
pub use incomplete_gamma::{regularized_gamma_lower, regularized_gamma_upper};
pub use inverse_incomplete::{
    inverse_regularized_beta, inverse_regularized_gamma_lower, inverse_regularized_gamma_upper,
};
pub(crate) use normal::normal_quantile_slice;
pub use normal::{erfcx, normal_cdf, normal_log_cdf, normal_quantile};
pub(crate) use quadrature::{gauss_legendre, half_line, interval, tail_scale};
