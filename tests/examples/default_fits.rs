//! Fits without settings against the best Gaussians of fifteen posteriors: the table of `docs/benchmarks.md`.
//!
//! ```text
//! cargo run --release -p vi-tests --example default_fits [-- seed [name]]
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table for people")]

use std::error::Error;

use vi_diagnostics::psis;
use vi_tests::best_gaussians::{Family, OPTIMA, is_khat_close, mean_and_sd, reach};

fn main() -> Result<(), Box<dyn Error>> {
    let seed: u64 = std::env::args().nth(1).map_or(Ok(1), |n| n.parse())?;
    let only = std::env::args().nth(2);
    println!(
        "| posterior | family | ELBO | gap | its error | largest sd off | k-hat | of the best | off at the same draws | converged | gradients | log joints | seconds | within |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for optimum in OPTIMA.iter().filter(|o| only.as_ref().is_none_or(|name| name == o.name)) {
        for family in [Family::MeanField, Family::FullRank] {
            let (name, best) = match family {
                Family::MeanField => ("mean-field", optimum.mean_field),
                Family::FullRank => ("full-rank", optimum.full_rank),
            };
            let reached = match reach(optimum, family, seed) {
                Ok(reached) => reached,
                Err(error) => {
                    println!("| {} | {name} | {error} |", optimum.name);
                    continue;
                }
            };
            let khats: Result<Vec<f64>, _> =
                reached.log_ratios.iter().map(|r| psis(r).map(|p| p.khat)).collect();
            let khats = khats?;
            let khat = mean_and_sd(&khats);
            let mut paired = 0.0_f64;
            for (ratios, khat) in reached.log_ratios_of_best.iter().zip(&khats) {
                paired = paired.max((khat - psis(ratios)?.khat).abs());
            }
            let paired = if family == Family::MeanField { format!("{paired:.2}") } else { "".to_owned() };
            let seconds = reached.seconds;
            let within = [
                (reached.is_closed(), "ELBO"),
                (reached.sd_off <= 0.1, "sd"),
                (is_khat_close(khat, best.khat), "k-hat"),
            ];
            let missed: Vec<&str> = within.iter().filter(|w| !w.0).map(|w| w.1).collect();
            println!(
                "| {} | {name} | {:.3} | {:.3} | {:.3} | {:.1} % | {:.2} ± {:.2} | {:.2} | {paired} | {} | {} | {} | {seconds:.2} | {} |",
                optimum.name,
                reached.elbo.value,
                reached.gap.0,
                reached.gap.1,
                100.0 * reached.sd_off,
                khat.0,
                khat.1,
                best.khat,
                if reached.outcome.converged() { "yes" } else { "no" },
                reached.evaluations.n_gradient,
                reached.evaluations.n_log_joint,
                if missed.is_empty() { "all".to_owned() } else { format!("not {}", missed.join(", ")) },
            );
            if only.is_some() {
                eprint!("{}", reached.account);
            }
        }
    }
    Ok(())
}
