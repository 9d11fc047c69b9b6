//! The posteriors of posteriordb: the published data under the priors of their programs.

use std::path::Path;

use ndarray::{Array1, Array2, array, s};
use serde_json::Value;
use vi_core::{Parameter, Support};
use vi_models::garch::Garch;
use vi_models::gaussian_process::{GaussianProcessPoisson, GaussianProcessPriors, GaussianProcessRegression};
use vi_models::gaussian_regression::{GaussianRegression, NationalElectionStudy};
use vi_models::hidden_markov::{HiddenMarkov, HiddenMarkovPriors};
use vi_models::one_compartment::{OneCompartment, OneCompartmentData, OneCompartmentPriors};
use vi_models::regression::RegressionData;
use vi_models::two_normals::{TwoNormals, TwoNormalsPriors};

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn json(file: &str) -> Value {
    serde_json::from_str(&read(file)).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// An array of a Stan JSON file.
pub(crate) fn column(file: &str, name: &str) -> Array1<f64> {
    numbers(&json(file)[name]).into()
}

pub(crate) fn kidscore() -> GaussianRegression {
    let text = read("kidiq.csv");
    let rows: Vec<Vec<f64>> =
        text.lines().skip(1).map(|l| l.split(',').map(|c| c.parse().unwrap()).collect()).collect();
    let column = |j: usize| rows.iter().map(|r| r[j]).collect::<Array1<f64>>();
    GaussianRegression::kidscore_momhsiq(&column(0), &column(1), &column(2)).unwrap()
}

pub(crate) fn blr() -> GaussianRegression {
    let rows: Vec<Vec<f64>> = json("sblrc.json")["X"].as_array().unwrap().iter().map(numbers).collect();
    let x = Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j]);
    GaussianRegression::blr(x, &column("sblrc.json", "y")).unwrap()
}

pub(crate) fn logearn() -> GaussianRegression {
    let [earn, height, male] = ["earn", "height", "male"].map(|name| column("earnings.json", name));
    GaussianRegression::logearn_interaction(&earn, &height, &male).unwrap()
}

pub(crate) fn kilpisjarvi() -> GaussianRegression {
    let file = "kilpisjarvi_mod.json";
    let value = json(file);
    let number = |name: &str| value[name].as_f64().unwrap();
    let alpha = (number("pmualpha"), number("psalpha"));
    let beta = (number("pmubeta"), number("psbeta"));
    GaussianRegression::kilpisjarvi(&column(file, "x"), &column(file, "y"), alpha, beta).unwrap()
}

pub(crate) fn nes() -> GaussianRegression {
    let column = |name| column("nes2000.json", name);
    GaussianRegression::nes(&NationalElectionStudy {
        partyid7: column("partyid7"),
        real_ideo: column("real_ideo"),
        race_adj: column("race_adj"),
        age_discrete: column("age_discrete"),
        educ1: column("educ1"),
        gender: column("gender"),
        income: column("income"),
    })
    .unwrap()
}

/// Six made-up rows: the published design, 5000 × 25, does not stand beside the program.
pub(crate) fn diamonds() -> GaussianRegression {
    let x = array![
        [1.0, 0.5, 2.0],
        [1.0, 1.5, -1.0],
        [1.0, -0.5, 0.25],
        [1.0, 2.5, 1.0],
        [1.0, 0.0, -2.0],
        [1.0, 1.0, 0.5]
    ];
    GaussianRegression::diamonds(&x, &array![8.1, 9.2, 7.4, 10.3, 6.9, 8.8]).unwrap()
}

/// The published posterior, from the triangular factor of (X_c, 1, y) that `diamonds_factor.py` computes: 26 rows have
/// the sums of squares of all 5000, and rows of zeros their number. The priors are those of the constructor.
pub(crate) fn diamonds_from_factor() -> GaussianRegression {
    let value: Value = serde_json::from_str(include_str!("diamonds_factor.json")).unwrap();
    let n = usize::try_from(value["N"].as_u64().unwrap()).unwrap();
    let rows: Vec<Vec<f64>> = value["R"].as_array().unwrap().iter().map(numbers).collect();
    let d = rows.len() - 1;
    let mut design = Array2::zeros((n, d + 1));
    for (i, row) in rows.iter().enumerate() {
        for (j, v) in row.iter().enumerate() {
            design[[i, i + j]] = *v;
        }
    }
    let small = diamonds();
    let mut priors = vec![small.coefficient_priors()[0]; d - 1];
    priors.push(small.coefficient_priors()[2]);
    let data =
        RegressionData::new(design.slice(s![.., ..d]).to_owned(), design.column(d).to_owned()).unwrap();
    let names =
        vec![Parameter::vector("b", d - 1, Support::Real), Parameter::scalar("Intercept", Support::Real)];
    GaussianRegression::with_parameters(data, names, priors, small.noise_prior()).unwrap()
}

pub(crate) fn autoregression() -> GaussianRegression {
    GaussianRegression::autoregression(&column("arK.json", "y"), 5).unwrap()
}

pub(crate) fn garch() -> Garch {
    Garch::new(column("garch.json", "y"), json("garch.json")["sigma1"].as_f64().unwrap()).unwrap()
}

const PROCESS: &str = "gp_pois_regr.json";

pub(crate) fn gp_regression() -> GaussianProcessRegression {
    let priors = GaussianProcessPriors::default();
    GaussianProcessRegression::new(column(PROCESS, "x"), column(PROCESS, "y"), priors).unwrap()
}

pub(crate) fn gp_poisson() -> GaussianProcessPoisson {
    let priors = GaussianProcessPriors::default();
    GaussianProcessPoisson::new(column(PROCESS, "x"), column(PROCESS, "k"), priors).unwrap()
}

pub(crate) fn two_normals() -> TwoNormals {
    TwoNormals::new(column("low_dim_gauss_mix.json", "y"), TwoNormalsPriors::default()).unwrap()
}

pub(crate) fn hidden_markov() -> HiddenMarkov {
    HiddenMarkov::new(column("hmm_example.json", "y"), HiddenMarkovPriors::two_states()).unwrap()
}

pub(crate) fn one_compartment() -> OneCompartment {
    let file = "one_comp_mm_elim_abs.json";
    let value = json(file);
    let number = |name: &str| value[name].as_f64().unwrap();
    let data = OneCompartmentData {
        dose: number("D"),
        volume: number("V"),
        start: number("t0"),
        times: column(file, "times"),
        concentrations: column(file, "C_hat"),
    };
    OneCompartment::new(data, OneCompartmentPriors::default()).unwrap()
}
