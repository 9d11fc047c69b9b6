//! The table of conjugate pairs.

use std::fmt::Write as _;
use std::path::Path;

use vi_families::*;

use super::{END, check_file, short};

const START: &str = "<!-- conjugate pairs: made by tests/table.rs -->\n";

struct Pair {
    /// The name to write it by, where that is an alias.
    alias: Option<&'static str>,
    likelihood: String,
    datum: &'static str,
    unknown: &'static str,
    prior: String,
    predictive: String,
}

fn pair<L: ConjugateLikelihood>(datum: &'static str, unknown: &'static str) -> Pair {
    let (prior, predictive) = (short::<L::Prior>(), short::<L::Predictive>());
    Pair { alias: None, likelihood: short::<L>(), datum, unknown, prior, predictive }
}

/// A pair with the reciprocal unknown.
fn scale<L: ConjugateLikelihood<Prior = Gamma>>(
    alias: &'static str,
    datum: &'static str,
    unknown: &'static str,
) -> Pair {
    Pair { alias: Some(alias), ..pair::<Reciprocal<L>>(datum, unknown) }
}

#[rustfmt::skip]
fn pairs() -> Vec<Pair> {
    vec![
        pair::<BernoulliProbability>("truth value", "probability"),
        pair::<BinomialProbability>("successes in n trials", "probability"),
        pair::<GeometricProbability>("failures before the first success", "probability"),
        pair::<NegativeBinomialProbability>("failures before success number r", "probability"),
        pair::<PoissonRate>("Poisson count in a known exposure", "rate"),
        pair::<CategoricalProbabilities>("one of K categories", "probabilities"),
        pair::<MultinomialProbabilities>("counts of K categories in n trials", "probabilities"),
        pair::<ExponentialRate>("exponential", "rate"),
        pair::<ExponentialMean>("exponential", "mean"),
        pair::<GammaRate>("Gamma of known shape", "rate"),
        scale::<GammaRate>("GammaScale", "Gamma of known shape", "scale"),
        pair::<InverseGammaScale>("inverse Gamma of known shape", "scale"),
        pair::<InverseGaussianShape>("inverse Gaussian of known mean", "shape"),
        scale::<InverseGaussianShape>("InverseGaussianDispersion", "inverse Gaussian of known mean", "1/shape"),
        pair::<ParetoShape>("Pareto of known minimum", "shape"),
        pair::<WeibullRate>("Weibull of known shape k", "scale⁻ᵏ"),
        scale::<WeibullRate>("WeibullScalePower", "Weibull of known shape k", "scaleᵏ"),
        pair::<RayleighPrecision>("Rayleigh", "scale⁻²"),
        scale::<RayleighPrecision>("RayleighVariance", "Rayleigh", "scale²"),
        pair::<HalfNormalPrecision>("half-normal", "precision"),
        scale::<HalfNormalPrecision>("HalfNormalVariance", "half-normal", "variance"),
        pair::<LogNormalLogMean>("log-normal of known log-precision", "log-mean"),
        pair::<LogNormalLogPrecision>("log-normal of known log-mean", "log-precision"),
        scale::<LogNormalLogPrecision>("LogNormalLogVariance", "log-normal of known log-mean", "log-variance"),
        pair::<LogNormalLogMeanPrecision>("log-normal", "log-mean, log-precision"),
        pair::<LogNormalLogMeanVariance>("log-normal", "log-mean, log-variance"),
        pair::<LaplaceRate>("Laplace of known location", "1/scale"),
        scale::<LaplaceRate>("LaplaceScale", "Laplace of known location", "scale"),
        pair::<GaussianMean>("Gaussian of known precision", "mean"),
        pair::<GaussianPrecision>("Gaussian of known mean", "precision"),
        pair::<GaussianVariance>("Gaussian of known mean", "variance"),
        pair::<GaussianMeanPrecision>("Gaussian", "mean, precision"),
        pair::<GaussianMeanVariance>("Gaussian", "mean, variance"),
        pair::<VonMisesDirection>("von Mises of known concentration", "mean direction"),
        pair::<VonMisesFisherDirection>("von Mises–Fisher of known concentration", "mean direction"),
        pair::<DiagonalGaussianMean>("independent Gaussians of known variances", "means"),
        pair::<MvGaussianMean>("Gaussian vector of known precision", "mean"),
        pair::<MvGaussianPrecision>("Gaussian vector of known mean", "precision"),
        pair::<MvGaussianCovariance>("Gaussian vector of known mean", "covariance"),
        pair::<MvGaussianMeanPrecision>("Gaussian vector", "mean, precision"),
        pair::<MvGaussianMeanCovariance>("Gaussian vector", "mean, covariance"),
        pair::<LinearRegressionCoefficients>("responses of known design and noise", "coefficients"),
        pair::<MultivariateRegressionCoefficients>("vectors of responses of known design and noise", "coefficients"),
    ]
}

fn table() -> String {
    let mut out = String::from(START);
    out.push_str("| likelihood | datum | unknown | prior | predictive |\n|---|---|---|---|---|\n");
    for p in pairs() {
        let name = p.alias.map_or(format!("`{}`", p.likelihood), |a| format!("`{a}` = `{}`", p.likelihood));
        let (prior, predictive) = (p.prior, p.predictive);
        let _ = writeln!(out, "| {name} | {} | {} | `{prior}` | `{predictive}` |", p.datum, p.unknown);
    }
    out + END
}

#[test]
fn the_documentation_has_the_pairs_of_the_code() {
    check_file("../docs/algorithms/conjugacy.md", START, &table());
}

/// Every type with the trait, and every alias of a reciprocal, found in the sources.
#[test]
fn no_pair_is_left_out() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conjugacy");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the sources of the pairs") {
        let text = std::fs::read_to_string(entry.expect("a file").path()).expect("a source file");
        for line in text.lines() {
            let implemented = line.strip_prefix("impl ConjugateLikelihood for ");
            let alias = line.strip_prefix("pub type ");
            if let Some(rest) = implemented.or(alias) {
                found.push(rest.split([' ', '=', '{']).next().unwrap_or_default().to_owned());
            }
        }
    }
    found.sort();
    let mut listed: Vec<String> =
        pairs().into_iter().map(|p| p.alias.map_or(p.likelihood, str::to_owned)).collect();
    listed.sort();
    assert_eq!(found, listed, "the pairs of the sources, and those of the table");
}
