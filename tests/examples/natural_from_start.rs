//! Stochastic natural gradients from the start of the fits without settings, for comparison with these.
//!
//! ```text
//! cargo run --release -p vi-tests --example natural_from_start
//! ```
#![allow(clippy::print_stdout, reason = "a table for people")]

use std::error::Error;
use std::time::Instant;

use vi_core::{Exec, LogJoint, Role, StreamKey, run};
use vi_families::{FullRankGaussian, MeanFieldGaussian, NearGaussian, Reparameterized, VariationalFamily};
use vi_sgvi::{Advice, SgviSettings, advise, evaluate_elbo};
use vi_tests::best_gaussians::{Best, Model, N_EVALUATE, OPTIMA, model};

fn row<F>(advice: &Advice<'_, Model>, family: &F, best: Best, higher: f64) -> Result<String, Box<dyn Error>>
where
    F: NearGaussian + Clone,
    for<'a> <F as VariationalFamily>::Member<'a>: Reparameterized,
{
    let (key, exec) = (StreamKey::from_seed(1), Exec::local());
    let clock = Instant::now();
    let start = advice.start(key, exec)?;
    let settings = SgviSettings { n_samples: 32, ..SgviSettings::black_box() };
    let kernel = settings.kernel(advice.model(), family, settings.pathwise(), exec)?;
    let mut state = kernel.init_at(&family.params_near(&start.target)?)?;
    let iterations = 0..settings.n_iterations;
    let outcome = run(&kernel, &mut state, key.role(Role::Step), iterations, &settings.tolerance, &mut [])?;
    let seconds = clock.elapsed().as_secs_f64();
    let params = kernel.averaged_params(&state);
    let evaluate = key.role(Role::Evaluate);
    let elbo = evaluate_elbo(advice.model(), family, &params, N_EVALUATE, evaluate, exec)?;
    Ok(format!(
        "{:.3} ± {:.3} | {} | {} | {seconds:.2}",
        best.elbo + higher - elbo.value,
        elbo.mcse.hypot(best.mcse),
        if outcome.converged() { "yes" } else { "no" },
        start.evaluations.n_gradient + state.evaluations.n_gradient
    ))
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("| posterior | family | gap | converged | gradients | seconds |\n|---|---|---|---|---|---|");
    for optimum in &OPTIMA {
        let model = model(optimum.name);
        let advice = advise(&model)?;
        let space = advice.model().parameters();
        let (mean_field, full_rank) = (MeanFieldGaussian::new(space)?, FullRankGaussian::new(space)?);
        let rows = [
            ("mean-field", row(&advice, &mean_field, optimum.mean_field, optimum.higher)),
            ("full-rank", row(&advice, &full_rank, optimum.full_rank, optimum.higher)),
        ];
        for (family, row) in rows {
            let row = row.unwrap_or_else(|error| error.to_string());
            println!("| {} | {family} | {row} |", optimum.name);
        }
    }
    Ok(())
}
