//! The posteriors of posteriordb: the published data under the priors of their programs.

use std::path::Path;

use ndarray::{Array1, Array2, array};
use serde_json::Value;
use vi_models::gaussian_regression::{GaussianRegression, NationalElectionStudy};

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

pub(crate) fn autoregression() -> GaussianRegression {
    GaussianRegression::autoregression(&column("arK.json", "y"), 5).unwrap()
}
