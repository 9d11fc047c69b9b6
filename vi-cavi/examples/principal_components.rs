//! Probabilistic PCA of data with holes: how many factors there are, what the missing entries were, and what rotations save.
//!
//! Run: `cargo run --release -p vi-cavi --example principal_components`

use std::time::Instant;

use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_cavi::Cavi;
use vi_core::{Exec, Kernel, StreamKey};
use vi_models::factor_model::{FactorModelPriors, ProbabilisticPca};
use vi_models::observed_matrix::ObservedMatrix;

/// `n` rows of `d` columns, two factors and noise of standard deviation 0.1; a share `missing` is set aside.
fn data(
    n: usize,
    d: usize,
    missing: f64,
) -> Result<(ObservedMatrix, Option<ObservedMatrix>), vi_models::ModelError> {
    let mut rng = StreamKey::from_seed(1).rng(0);
    let mut normal =
        |shape| Array2::from_shape_simple_fn(shape, || -> f64 { StandardNormal.sample(&mut rng) });
    let y = normal((n, 2)).dot(&normal((2, d))) + &(normal((n, d)) * 0.1) + &normal((1, d));
    let mut seen = y.clone();
    let mut held = Vec::new();
    for ((row, column), value) in y.indexed_iter() {
        if rng.random::<f64>() < missing {
            seen[[row, column]] = f64::NAN;
            held.push((row, column, *value));
        }
    }
    let held = if held.is_empty() { None } else { Some(ObservedMatrix::from_entries(n, d, held)?) };
    Ok((ObservedMatrix::from_dense(&seen)?, held))
}

#[allow(clippy::print_stdout, reason = "an example prints")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = StreamKey::from_seed(2);
    for (n, d, missing) in [(100, 20, 0.0), (2000, 40, 0.0), (2000, 40, 0.5), (2000, 40, 0.9)] {
        let (data, held) = data(n, d, missing)?;
        println!("{n} × {d}, {} entries observed", data.n_observed());
        for expanded in [false, true] {
            let model = ProbabilisticPca::new(data.clone(), 10, FactorModelPriors::default())?
                .with_expansion(expanded);
            let cavi = Cavi::new(&model, Exec::local());
            let mut state = cavi.init(key)?;
            let start = Instant::now();
            for t in 0..40 {
                cavi.step(key.fold_in(t), &mut state)?;
            }
            let seconds = start.elapsed().as_secs_f64() / 40.0;
            let means = state.factors.loading_precisions().iter().map(|q| q.mean());
            // A factor counts whose loadings are above a hundredth of the data's scale.
            let kept = means.filter(|alpha| *alpha < 1e4).count();
            println!(
                "  rotations {expanded:5}: bound {:.2} after 40 sweeps, {kept} factors, {:.1} µs a sweep",
                state.elbo,
                1e6 * seconds
            );
            if let Some(held) = &held {
                println!("    held out: {:?}", model.held_out(&state.factors, held)?);
            }
        }
    }
    Ok(())
}
