//! The model zoo: Bayesian models written once, with every capability they honestly have.
//!
//! # Map
//!
//! | module | what |
//! |---|---|
//! | [`normal_mean_precision`] | normal data, unknown mean and precision; normal-gamma posterior |
//! | [`linear_regression`] | normal linear regression; exact posterior and evidence |
//! | [`logistic_regression`] | logistic regression; Pólya-Gamma augmentation and its exact sampler |
//! | [`ard_regression`] | linear regression with a prior precision for every coefficient |
//! | [`probit_regression`] | probit regression; truncated normal latents |
//! | [`multinomial_regression`] | multinomial logistic regression by stick-breaking |
//! | [`spike_and_slab`] | linear regression with covariates in or out; exact sum over all subsets |
//! | [`student_t_regression`] | linear regression with Student-t noise: robust against outliers |
//! | [`gaussian_mixture`] | mixture of Gaussians; assignments as a block, or summed out |
//! | [`factor_model`] | probabilistic PCA, factor analysis, Gaussian matrix factorisation, with missing entries |
//! | [`eight_schools`] | normal hierarchical model, centred and non-centred |
//! | [`hierarchical_normal`] | groups of normal data, half-Cauchy scales within and between |
//! | [`poisson_factorisation`] | factorisation of a matrix of counts: hierarchical Poisson–Gamma |
//! | [`poisson_gamma`] | rates of counts with a common Gamma distribution: pumps |
//! | [`gaussian_regression`] | normal linear regression with unknown σ and priors of any kind |
//! | [`garch`] | GARCH(1, 1): a series whose variance follows its past |
//! | [`gaussian_process`] | Gaussian processes under normal noise and under counts |
//! | [`two_normals`] | mixture of two normal distributions with ordered means |
//! | [`hidden_markov`] | hidden Markov chain seen through normal noise |
//! | [`ising`] | coupled bits: a model of discrete latents, exact by enumeration |
//! | [`sigmoid_belief_network`] | bits below bits: a generative model whose parameters are learned |
//! | [`count_factors`] | counts made by positive factors: Gamma–Poisson, and a deep exponential family of two layers |
//! | [`latent_dirichlet`] | latent Dirichlet allocation: topics of documents |
//! | [`hierarchical_dirichlet`] | hierarchical Dirichlet process: topics as many as the documents need |
//! | [`mixed_membership`] | mixed membership of individuals who answer categorical items (grade of membership) |
//! | [`one_compartment`] | pharmacokinetics of one dose in one compartment |
//! | [`prior`] | priors of single parameters |
//! | [`regression`] | covariates and responses: the data of the regressions |
//! | [`digits`] | handwritten digits, as counts and as bits |
//! | [`observed_matrix`] | real matrices of which some entries are unknown |
//! | [`sparse_counts`] | counts, most of them zero: words of documents |
//! | `error` | [`ModelError`]: what is wrong with data or priors |

pub mod ard_regression;
mod checks;
mod coefficients;
pub mod count_factors;
pub mod digits;
mod draws;
pub mod eight_schools;
mod error;
pub mod factor_model;
pub mod garch;
pub mod gaussian_mixture;
pub mod gaussian_process;
pub mod gaussian_regression;
mod gaussian_softplus;
mod half_cauchy;
pub mod hidden_markov;
pub mod hierarchical_dirichlet;
pub mod hierarchical_normal;
pub mod ising;
mod lanes;
pub mod latent_dirichlet;
pub mod linear_regression;
mod lines;
pub mod logistic_regression;
pub mod mixed_membership;
pub mod multinomial_regression;
mod natural;
mod noise;
mod normal_effects;
pub mod normal_mean_precision;
pub mod observed_matrix;
pub mod one_compartment;
pub mod poisson_factorisation;
pub mod poisson_gamma;
pub mod prior;
pub mod probit_regression;
mod quadratic_loss;
pub mod regression;
mod scratch;
pub mod sigmoid_belief_network;
pub mod sparse_counts;
pub mod spike_and_slab;
mod stick_breaking;
pub mod student_t_regression;
pub mod two_normals;

pub use error::ModelError;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
