//! Posteriors of posteriordb with at most ten unknowns, and their mean-field optima.
//!
//! The optima were found by other programs (L-BFGS on an exact or a quasi-Monte-Carlo bound, independent code in Python) for
//! posteriordb's programs, on the unconstrained scale. The programs leave half-priors unnormalised; the models here
//! normalise them, which adds log 2 for each.

use std::f64::consts::LN_2;
use std::path::Path;

use ndarray::{Array1, Array2};
use serde_json::Value;
use vi_core::{Exec, LogJoint, Role, StreamKey, Unconstrained};
use vi_families::MeanFieldGaussian;
use vi_models::eight_schools::{EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors};
use vi_models::garch::Garch;
use vi_models::gaussian_process::{GaussianProcessPriors, GaussianProcessRegression};
use vi_models::gaussian_regression::GaussianRegression;
use vi_models::hidden_markov::{HiddenMarkov, HiddenMarkovPriors};
use vi_models::two_normals::{TwoNormals, TwoNormalsPriors};
use vi_sgvi::{SgviError, SgviFit, SgviSettings, evaluate_elbo, fit};

/// A model on ℝᴰ and the best ELBO of any mean-field Gaussian.
pub struct MeanFieldOptimum {
    /// posteriordb's name, or the model's where it is part of the name.
    pub name: &'static str,
    /// The model, every constrained variable replaced by its image in ℝ.
    pub model: Unconstrained<Box<dyn LogJoint>>,
    /// The ELBO of the optimal mean-field Gaussian, in nats.
    pub elbo: f64,
    /// Its standard error; 0 where the ELBO has a closed form.
    pub mcse: f64,
}

impl std::fmt::Debug for MeanFieldOptimum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MeanFieldOptimum")
            .field("name", &self.name)
            .field("elbo", &self.elbo)
            .finish_non_exhaustive()
    }
}

/// By how much a q falls short of the optimum.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// ELBO of the optimum − ELBO of q, in nats.
    pub value: f64,
    /// Its Monte Carlo error, that of the optimum included.
    pub mcse: f64,
}

impl Gap {
    /// Samples of the evaluation.
    pub const N_SAMPLES: usize = 100_000;

    /// Within 0.05 nat and three Monte Carlo errors.
    pub fn is_closed(&self) -> bool {
        self.value <= 0.05 + 3.0 * self.mcse
    }
}

impl MeanFieldOptimum {
    /// The dimension D.
    pub fn dim(&self) -> usize {
        self.model.dim()
    }

    /// Fits by the score function with leave-one-out baseline, from the family's default start.
    ///
    /// # Errors
    /// As for [`fit`].
    pub fn fit(&self, settings: &SgviSettings, seed: u64) -> Result<SgviFit<MeanFieldGaussian>, SgviError> {
        let family = MeanFieldGaussian::new(self.model.parameters())?;
        let (estimator, key) = (settings.score_function(), StreamKey::from_seed(seed));
        fit(&self.model, &family, estimator, settings, key, Exec::local())
    }

    /// The gap of a fitted q, from draws that no fit has seen.
    ///
    /// # Errors
    /// As for [`evaluate_elbo`].
    pub fn gap(&self, fit: &SgviFit<MeanFieldGaussian>) -> Result<Gap, SgviError> {
        let posterior = &fit.posterior;
        let key = StreamKey::from_seed(0x6761_7021).role(Role::Evaluate);
        let n = Gap::N_SAMPLES;
        let elbo = evaluate_elbo(&self.model, posterior.family(), posterior.params(), n, key, Exec::local())?;
        Ok(Gap { value: self.elbo - elbo.value, mcse: elbo.mcse.hypot(self.mcse) })
    }
}

pub(crate) fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub(crate) fn json(file: &str) -> Value {
    serde_json::from_str(&read(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    let number = |v: &Value| v.as_f64().expect("a number");
    value.as_array().expect("an array").iter().map(number).collect()
}

pub(crate) fn column(file: &str, name: &str) -> Array1<f64> {
    numbers(&json(file)[name]).into()
}

pub(crate) fn kidscore() -> GaussianRegression {
    let text = read("kidiq.csv");
    let number = |cell: &str| cell.parse::<f64>().expect("a number");
    let rows: Vec<Vec<f64>> = text.lines().skip(1).map(|l| l.split(',').map(number).collect()).collect();
    let column = |j: usize| rows.iter().map(|r| r[j]).collect::<Array1<f64>>();
    GaussianRegression::kidscore_momhsiq(&column(0), &column(1), &column(2)).expect("the data are valid")
}

pub(crate) fn blr() -> GaussianRegression {
    let file = "sblrc.json";
    let rows: Vec<Vec<f64>> = json(file)["X"].as_array().expect("rows").iter().map(numbers).collect();
    let x = Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j]);
    GaussianRegression::blr(x, &column(file, "y")).expect("the data are valid")
}

pub(crate) fn eight_schools_data() -> EightSchoolsData {
    let file = "eight_schools.json";
    EightSchoolsData { effect: column(file, "y"), standard_error: column(file, "sigma") }
}

pub(crate) fn eight_schools() -> EightSchoolsNonCentred {
    EightSchoolsNonCentred::new(eight_schools_data(), EightSchoolsPriors::default())
        .expect("the data are valid")
}

pub(crate) fn gaussian_process() -> GaussianProcessRegression {
    let (file, priors) = ("gp_pois_regr.json", GaussianProcessPriors::default());
    GaussianProcessRegression::new(column(file, "x"), column(file, "y"), priors).expect("the data are valid")
}

pub(crate) fn garch() -> Garch {
    let file = "garch.json";
    let first = json(file)["sigma1"].as_f64().expect("a number");
    Garch::new(column(file, "y"), first).expect("the data are valid")
}

pub(crate) fn two_normals() -> TwoNormals {
    TwoNormals::new(column("low_dim_gauss_mix.json", "y"), TwoNormalsPriors::default())
        .expect("the data are valid")
}

pub(crate) fn hidden_markov() -> HiddenMarkov {
    HiddenMarkov::new(column("hmm_example.json", "y"), HiddenMarkovPriors::two_states())
        .expect("the data are valid")
}

/// One posterior: the optimum (ELBO, standard error) of the program, and by how much the log joint here is higher.
fn optimum<M: LogJoint + 'static>(
    name: &'static str,
    model: M,
    (elbo, mcse): (f64, f64),
    higher: f64,
) -> MeanFieldOptimum {
    let model = Unconstrained::new(Box::new(model) as Box<dyn LogJoint>).expect("no variable is discrete");
    MeanFieldOptimum { name, model, elbo: elbo + higher, mcse }
}

/// All of them.
///
/// # Panics
/// If the data of the repository cannot be read.
pub fn mean_field_optima() -> [MeanFieldOptimum; 7] {
    [
        optimum("kidscore_momhsiq", kidscore(), (-1879.7644204617386, 0.0), LN_2),
        optimum("sblrc-blr", blr(), (-196.67599503748758, 0.0), LN_2),
        optimum("eight_schools_noncentered", eight_schools(), (-32.29192830267617, 0.00474), LN_2),
        optimum("gp_regr", gaussian_process(), (-28.952391699026286, 0.00073), 2.0 * LN_2),
        optimum("garch11", garch(), (-451.90936377940045, 0.00584), 0.0),
        optimum("low_dim_gauss_mix", two_normals(), (-2117.3127677270977, 0.00317), 3.0 * LN_2),
        optimum("hmm_example", hidden_markov(), (-173.53727698934915, 0.00459), -LN_2),
    ]
}
