//! The table of families and operations in the README is the one the code gives.
//!
//! Whether a family has an operation is asked of the compiler, cell by cell. Where it has not, a reason must stand, and a
//! reason without need is an error. The table of conjugate pairs in the documentation is made likewise, priors and
//! predictive distributions asked of the compiler. `UPDATE_TABLE=1 cargo test -p vi-families --test table` rewrites both.

#[path = "table/pairs.rs"]
mod pairs;

use std::fmt::Write as _;
use std::marker::PhantomData;
use std::path::Path;

use vi_families::*;

const START: &str = "<!-- families × operations: made by tests/table.rs -->\n";
const END: &str = "<!-- end of table -->\n";

/// Asks whether `F` implements a trait: the method of the type wins over the one of the trait where its bound holds.
struct Probe<F>(PhantomData<F>);

/// `parametric` is not among them: every family has usual parameters, or this file does not compile.
trait Absent {
    fn univariate(&self) -> bool {
        false
    }
    fn multivariate(&self) -> bool {
        false
    }
    fn implicit(&self) -> bool {
        false
    }
    fn slices(&self) -> bool {
        false
    }
}

impl<F> Absent for &Probe<F> {}

impl<F: Parametric> Probe<F> {
    fn parametric(&self) -> bool {
        true
    }
}

impl<F: Univariate> Probe<F> {
    fn univariate(&self) -> bool {
        true
    }
}

impl<F: Multivariate> Probe<F> {
    fn multivariate(&self) -> bool {
        true
    }
}

impl<F: ImplicitReparameterized> Probe<F> {
    fn implicit(&self) -> bool {
        true
    }
}

impl<F: LogProbSlice> Probe<F> {
    fn slices(&self) -> bool {
        true
    }
}

/// Why a cell says no.
#[derive(Clone, Copy, PartialEq)]
enum Why {
    /// The CDF of several coordinates has no inverse.
    Coordinates,
    /// Draws of discrete families have no derivative.
    Discrete,
    /// z is an explicit smooth function of the parameters and of noise: the chain rule does it.
    Transport,
    /// Built from draws of families that have the derivative.
    Composed,
    /// Slice forms are for values that are one number.
    NotReal,
    /// No classical likelihood has it for a prior.
    NoLikelihood,
    /// A Gamma with scale 2.
    AsGamma,
    /// The prior of likelihoods that are no exponential family.
    NotLinear,
    /// Not written.
    Missing,
}

const REASONS: [(Why, &str, &str); 9] = [
    (Why::Coordinates, "a", "several coordinates: no inverse of the CDF"),
    (Why::Discrete, "b", "draws of discrete families have no derivative"),
    (
        Why::Transport,
        "c",
        "z is an explicit smooth function of θ and noise, by location and scale or by the inverse CDF: \
         differentiate that",
    ),
    (
        Why::Composed,
        "d",
        "drawn through Gamma and normal variates (Bartlett's decomposition for matrices): differentiate those",
    ),
    (Why::NotReal, "e", "slice forms are for values that are one number"),
    (Why::NoLikelihood, "f", "not the conjugate prior of a classical likelihood here"),
    (Why::AsGamma, "g", "the Gamma with shape k/2 and rate 1/2: half of the derivative in its shape"),
    (Why::Missing, "h", "not implemented"),
    (
        Why::NotLinear,
        "i",
        "of `UniformBound`, which has the operations of a conjugate pair but not the trait",
    ),
];

/// The columns after the three that every family has by being one.
const COLUMNS: [&str; 6] = ["θ, φ", "mean, variance, mode", "CDF, quantile", "∂z/∂θ", "slices", "prior of"];

struct Row {
    name: String,
    values: &'static str,
    /// As the compiler sees it, the first five of [`COLUMNS`].
    present: [bool; 5],
    likelihoods: Vec<String>,
    why: Vec<(&'static str, Why)>,
}

/// The type's own name and those of its parameters, without their paths.
fn short<T>() -> String {
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
    std::any::type_name::<T>().split('<').map(last).collect::<Vec<_>>().join("<")
}

/// The name of a likelihood whose prior is `P`: any other does not compile.
fn likelihood<P: ExponentialFamily, L: ConjugateLikelihood<Prior = P>>() -> String {
    short::<L>()
}

macro_rules! row {
    ($family:ty, $values:expr, [$($likelihood:ty),*], [$($column:expr => $why:ident),*]) => {{
        let probe = &Probe::<$family>(PhantomData);
        let moments = probe.univariate() || probe.multivariate();
        Row {
            name: short::<$family>(),
            values: $values,
            present: [probe.parametric(), moments, probe.univariate(), probe.implicit(), probe.slices()],
            likelihoods: vec![$(likelihood::<$family, $likelihood>()),*],
            why: vec![$(($column, Why::$why)),*],
        }
    }};
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    vec![
        // counts, categories, truth values
        row!(Bernoulli, "truth values", [], ["∂z/∂θ" => Discrete, "prior of" => NoLikelihood]),
        row!(Binomial, "0, …, n", [], ["∂z/∂θ" => Discrete, "prior of" => NoLikelihood]),
        row!(Geometric, "0, 1, 2, …", [], ["∂z/∂θ" => Discrete, "prior of" => NoLikelihood]),
        row!(NegativeBinomial, "0, 1, 2, …", [], ["∂z/∂θ" => Discrete, "prior of" => NoLikelihood]),
        row!(Poisson, "0, 1, 2, …", [], ["∂z/∂θ" => Discrete, "prior of" => NoLikelihood]),
        row!(Categorical, "0, …, K − 1", [], ["∂z/∂θ" => Discrete, "prior of" => NoLikelihood]),
        row!(Multinomial, "K counts, sum n", [], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Discrete, "slices" => NotReal, "prior of" => NoLikelihood]),
        // positive numbers
        row!(Exponential, "[0, ∞)", [], ["∂z/∂θ" => Transport, "prior of" => NoLikelihood]),
        row!(Gamma, "(0, ∞)", [PoissonRate, ExponentialRate, GammaRate, InverseGammaScale, InverseGaussianShape, ParetoShape, WeibullRate, RayleighPrecision, HalfNormalPrecision, LogNormalLogPrecision, LaplaceRate, GaussianPrecision], []),
        row!(InverseGamma, "(0, ∞)", [ExponentialMean, GaussianVariance, GammaScale, WeibullScalePower, RayleighVariance, HalfNormalVariance, LogNormalLogVariance, LaplaceScale, InverseGaussianDispersion], []),
        row!(ChiSquared, "(0, ∞)", [], ["∂z/∂θ" => AsGamma, "prior of" => NoLikelihood]),
        row!(InverseGaussian, "(0, ∞)", [], ["∂z/∂θ" => Missing, "prior of" => NoLikelihood]),
        row!(HalfNormal, "[0, ∞)", [], ["∂z/∂θ" => Transport, "prior of" => NoLikelihood]),
        row!(LogNormal, "(0, ∞)", [], ["∂z/∂θ" => Transport, "prior of" => NoLikelihood]),
        row!(Pareto, "[x_m, ∞)", [], ["∂z/∂θ" => Transport, "prior of" => NotLinear]),
        row!(Weibull, "(0, ∞)", [], ["∂z/∂θ" => Transport, "prior of" => NoLikelihood]),
        row!(Rayleigh, "(0, ∞)", [], ["∂z/∂θ" => Transport, "prior of" => NoLikelihood]),
        // the line, intervals, the circle
        row!(Gaussian, "ℝ", [GaussianMean, LogNormalLogMean], ["∂z/∂θ" => Transport]),
        row!(Laplace, "ℝ", [], ["∂z/∂θ" => Transport, "prior of" => NoLikelihood]),
        row!(TruncatedGaussian, "(l, u)", [], ["prior of" => NoLikelihood]),
        row!(Beta, "(0, 1)", [BernoulliProbability, BinomialProbability, GeometricProbability, NegativeBinomialProbability], []),
        row!(ContinuousBernoulli, "[0, 1]", [], ["∂z/∂θ" => Transport, "prior of" => NoLikelihood]),
        row!(VonMises, "[−π, π]", [VonMisesDirection], []),
        // vectors and matrices
        row!(Dirichlet, "simplex", [CategoricalProbabilities, MultinomialProbabilities], ["CDF, quantile" => Coordinates, "slices" => NotReal]),
        row!(MvGaussian, "ℝᵖ", [MvGaussianMean, LinearRegressionCoefficients], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Transport, "slices" => NotReal]),
        row!(DiagonalGaussian, "ℝᵖ", [DiagonalGaussianMean], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Transport, "slices" => NotReal]),
        row!(VonMisesFisher, "unit sphere", [VonMisesFisherDirection], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Missing, "slices" => NotReal]),
        row!(Wishart, "positive definite", [MvGaussianPrecision], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Composed, "slices" => NotReal]),
        row!(InverseWishart, "positive definite", [MvGaussianCovariance], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Composed, "slices" => NotReal]),
        row!(MatrixGaussian, "ℝⁿˣᵖ", [MultivariateRegressionCoefficients], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Transport, "slices" => NotReal]),
        // a location with its precision or covariance
        row!(NormalGamma, "ℝ × (0, ∞)", [GaussianMeanPrecision, LogNormalLogMeanPrecision], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Composed, "slices" => NotReal]),
        row!(NormalInverseGamma, "ℝ × (0, ∞)", [GaussianMeanVariance, LogNormalLogMeanVariance], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Composed, "slices" => NotReal]),
        row!(NormalWishart, "ℝᵖ × pos. def.", [MvGaussianMeanPrecision], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Composed, "slices" => NotReal]),
        row!(NormalInverseWishart, "ℝᵖ × pos. def.", [MvGaussianMeanCovariance], ["CDF, quantile" => Coordinates, "∂z/∂θ" => Composed, "slices" => NotReal]),
    ]
}

impl Row {
    fn cell(&self, column: usize) -> String {
        let name = COLUMNS[column];
        let content = if column < 5 {
            self.present[column].then(|| "✓".to_owned())
        } else {
            let names: Vec<String> = self.likelihoods.iter().map(|l| format!("`{l}`")).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let why = self.why.iter().find(|(c, _)| *c == name).map(|(_, why)| why);
        match (content, why) {
            (Some(content), None) => content,
            (None, Some(why)) => {
                let letter = REASONS.iter().find(|(w, _, _)| w == why).map(|(_, letter, _)| *letter);
                format!("– <sup>{}</sup>", letter.expect("every reason has a letter"))
            }
            (Some(_), Some(_)) => {
                panic!("{}: `{name}` is there, the reason against it is out of date", self.name)
            }
            (None, None) => panic!("{}: `{name}` is missing without a reason", self.name),
        }
    }
}

fn table() -> String {
    let mut out = String::from(START);
    let _ = writeln!(
        out,
        "| family | values | η, μ, A, F | entropy, KL, Rényi | draws, fit | {} |",
        COLUMNS.join(" | ")
    );
    let _ = writeln!(out, "|{}", "---|".repeat(5 + COLUMNS.len()));
    for row in rows() {
        let cells: Vec<String> = (0..COLUMNS.len()).map(|c| row.cell(c)).collect();
        let _ = writeln!(out, "| `{}` | {} | ✓ | ✓ | ✓ | {} |", row.name, row.values, cells.join(" | "));
    }
    out.push('\n');
    for (why, letter, text) in REASONS {
        if rows().iter().any(|row| row.why.iter().any(|(_, w)| *w == why)) {
            let _ = writeln!(out, "<sup>{letter}</sup> {text}.  ");
        }
    }
    out + END
}

/// Puts the fresh table between the marks in this file of the repository, or asserts that it is there.
fn check_file(path: &str, start: &str, fresh: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).expect("the file with the table");
    let (before, rest) = text.split_once(start).expect("the start of the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    let fresh = format!("{before}{fresh}{after}");
    if std::env::var_os("UPDATE_TABLE").is_some() {
        std::fs::write(&path, &fresh).expect("the file with the table");
    } else {
        assert!(
            fresh == text,
            "the table is out of date: UPDATE_TABLE=1 cargo test -p vi-families --test table"
        );
    }
}

#[test]
fn the_readme_has_the_table_of_the_code() {
    check_file("README.md", START, &table());
}
