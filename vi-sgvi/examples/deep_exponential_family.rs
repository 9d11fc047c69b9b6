//! Topics of a novel: a Poisson–Gamma deep exponential family of two layers on the words of 61 chapters, its weights learned
//! beside a Gamma for every factor of every chapter, by score-function gradients alone.
//!
//! A fifth of the words is held out and predicted.
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::{Array1, Array2};
use vi_core::{Exec, PlateModel, Role, StreamKey};
use vi_families::{GammaPlate, PlateFamily};
use vi_models::count_factors::{DeepExponentialFamily, DeepExponentialFamilyPriors, GammaPrior, HeldOut};
use vi_models::sparse_counts::SparseCounts;
use vi_sgvi::{PlateElbo, PlateScoreFunction, PlateSettings, Recognition, Table, fit_plate};

const SHARE: f64 = 0.2;
const N_LOWER: usize = 10;
const N_UPPER: usize = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = StreamKey::from_seed(1);
    let words = SparseCounts::from_csv(include_str!("../../data/pride_and_prejudice.csv"))?;
    let (kept, held) = words.thin(SHARE, key.role(Role::Data))?;
    println!(
        "{} chapters, {} words of a vocabulary of {}; {} of them held out",
        words.n_rows(),
        words.total(),
        words.n_columns(),
        held.total()
    );

    // Weights have a prior: a word that a chapter lacks may stand in the next one.
    let weight = Some(GammaPrior { shape: 1.1, rate: 0.5 });
    let priors = DeepExponentialFamilyPriors { weight, ..Default::default() };
    let model = DeepExponentialFamily::new(kept.clone(), N_LOWER, N_UPPER, priors)?;
    let family = GammaPlate::for_space(model.local_parameters())?;
    let table = Table::new(model.n_data(), &family);
    let elbo = PlateElbo::new(&model, &family, &table)?;
    let estimator = PlateScoreFunction::leave_one_out(16);
    let fit = fit_plate(elbo, estimator, &PlateSettings::default(), key, Exec::local())?;
    println!(
        "ELBO {:.0} ± {:.0} nats after {} iterations, {} log joints of a chapter",
        fit.elbo.value,
        fit.elbo.mcse,
        fit.elbo_trace.len(),
        fit.n_log_joint_points
    );

    let score = |theta: &Array1<f64>, params: &Array1<f64>| -> Result<HeldOut, Box<dyn std::error::Error>> {
        const N_POINTS: usize = 100;
        let (local, data) = (elbo.local_params(params)?, (0..model.n_data()).collect::<Vec<_>>());
        let n_rows = data.len() * N_POINTS;
        let (mut z, mut log_q) = (Array2::zeros((n_rows, family.dim())), Array1::zeros(n_rows));
        family.sample_points(&local, &data, key.role(Role::Evaluate), N_POINTS, &mut z, &mut log_q)?;
        let mut weights = Default::default();
        Ok(model.at(theta, &mut weights)?.held_out(&held, SHARE / (1.0 - SHARE), &z))
    };
    let start = score(&model.init_model_params(key), &table.init(key))?;
    println!("\nperplexity on held-out words");
    println!("  any word                  {:6.0}", words.n_columns());
    println!("  frequency in the novel    {:6.0}", frequency_perplexity(&kept, &held));
    println!("  factors at the start      {:6.0}", start.perplexity());
    println!("  factors after training    {:6.0}", score(&fit.model_params, &fit.params)?.perplexity());

    let (weights, _) = model.weights(&fit.model_params)?;
    let totals = kept.column_totals();
    println!("\nnumbers of words: the heaviest of every factor | those it lifts most above their frequency");
    for (k, row) in weights.rows().into_iter().enumerate() {
        let lifts = row.iter().zip(&totals).map(|(w, total)| w / (total + 5.0));
        println!("  {:2}: {} | {}", k + 1, largest(row.iter().copied()), largest(lifts));
    }
    Ok(())
}

/// The numbers, from 1, of the eight largest values.
fn largest(values: impl Iterator<Item = f64>) -> String {
    let mut numbered: Vec<(usize, f64)> = values.enumerate().collect();
    numbered.sort_by(|a, b| b.1.total_cmp(&a.1));
    let numbers: Vec<String> = numbered.iter().take(8).map(|(d, _)| (d + 1).to_string()).collect();
    numbers.join(" ")
}

/// That of words drawn as often as in the whole novel, half a word more of each.
fn frequency_perplexity(kept: &SparseCounts, held: &SparseCounts) -> f64 {
    let totals = kept.column_totals();
    let all = kept.total() + 0.5 * totals.len() as f64;
    let log_share: f64 =
        held.column_totals().iter().zip(&totals).map(|(x, total)| x * ((total + 0.5) / all).ln()).sum();
    (-log_share / held.total()).exp()
}
