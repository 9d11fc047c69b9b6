//! Coordinate ascent, a stochastic gradient and NUTS on a regression of one's own data, from a program.
#![allow(clippy::print_stdout, reason = "an example talks")]

use vi_lab::{Experiment, Interrupt, RunOptions, render_table, run};

const EXPERIMENT: &str = r#"
name = "compare"
seed = 3

[data]
file = "line.csv"
response = "y"
intercept = true

[model]
name = "linear_regression"

[[methods]]
method = "cavi"

[[methods]]
method = "sgvi"
family = "full-rank"
n_samples = 8
max_iterations = 2000

[[methods]]
method = "nuts"
n_chains = 2
n_warmup = 300
n_draws = 500
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let rows: String = (0..40)
        .map(|i| {
            let x = f64::from(i) / 10.0;
            format!("{x},{}\n", 1.0 + 2.0 * x + 0.5 * (7.0 * x).sin())
        })
        .collect();
    std::fs::write(directory.path().join("line.csv"), format!("x,y\n{rows}"))?;

    let experiment = Experiment::parse(EXPERIMENT, "compare.toml", directory.path())?;
    let options = RunOptions { out: Some(directory.path().join("out")), ..RunOptions::default() };
    let outcome = run(&experiment, &options, &Interrupt::new())?;
    print!("{}", render_table("A line", &outcome.results, outcome.summary.exact.as_ref()));
    Ok(())
}
