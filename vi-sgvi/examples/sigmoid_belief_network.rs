//! A generative model of handwritten digits, learned together with q: by a table of local parameters, and by an encoder
//! that also serves images which it has never seen.
//!
//! ```text
//! cargo run --release -p vi-sgvi --example sigmoid_belief_network
//! ```
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ndarray::{Array1, s};
use vi_core::{Exec, PlateModel, StreamKey};
use vi_families::BernoulliPlate;
use vi_models::digits::Digits;
use vi_models::sigmoid_belief_network::SigmoidBeliefNetwork;
use vi_sgvi::{
    HiddenLayerEncoder, PlateElbo, PlateFit, PlateScoreFunction, PlateSettings, Recognition, Table,
    evaluate_plate, fit_plate,
};

const N_TRAIN: usize = 1500;
const N_HIDDEN: usize = 32;
const N_POINTS: usize = 8;
/// Points of the importance-weighted bound.
const N_EVALUATE: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digits = Digits::from_csv(include_str!("../../data/digits.csv"))?.binarised(8.0);
    let train = SigmoidBeliefNetwork::new(digits.slice(s![..N_TRAIN, ..]).to_owned(), N_HIDDEN)?;
    let test = train.with_data(digits.slice(s![N_TRAIN.., ..]).to_owned())?;
    let family = BernoulliPlate::for_space(train.local_parameters())?;
    let (estimator, key) = (PlateScoreFunction::leave_one_out(N_POINTS), StreamKey::from_seed(1));
    let settings = PlateSettings { n_iterations: 3000, ..PlateSettings::default() };
    println!(
        "{N_TRAIN} images to learn from, {} held out, {N_HIDDEN} hidden bits; nats per image",
        test.n_data()
    );
    println!("independent pixels: {:.2} held out", independent_pixels(&train, &test));

    let table = Table::new(N_TRAIN, &family);
    let fit = fit_plate(PlateElbo::new(&train, &family, &table)?, estimator, &settings, key, Exec::local())?;
    // Images that the table does not know get rows of their own, at the θ that was learned.
    let unseen = Table::new(test.n_data(), &family);
    let elbo = PlateElbo::new(&test, &family, &unseen)?;
    let fixed = PlateSettings { model_optimizer: None, n_iterations: 1000, ..settings.clone() };
    let kernel = fixed.kernel(elbo, estimator, Exec::local())?;
    let mut state = kernel.init_at(fit.model_params.clone(), unseen.init(key))?;
    vi_core::run(&kernel, &mut state, key.fold_in(2), 0..1000, &vi_core::NeverStop, &mut [])?;
    report("table", &fit, elbo, &state.params, key)?;

    let encoder = HiddenLayerEncoder::new(train.pixels().clone(), 64, &family)?;
    let fit =
        fit_plate(PlateElbo::new(&train, &family, &encoder)?, estimator, &settings, key, Exec::local())?;
    let unseen = encoder.with_features(test.pixels().clone())?;
    report("encoder", &fit, PlateElbo::new(&test, &family, &unseen)?, &fit.params, key)
}

/// Bounds on the log likelihood of held-out images, with local parameters `params`.
fn report<R: Recognition>(
    name: &str,
    fit: &PlateFit,
    elbo: PlateElbo<'_, SigmoidBeliefNetwork, BernoulliPlate, R>,
    params: &Array1<f64>,
    key: StreamKey,
) -> Result<(), Box<dyn std::error::Error>> {
    let key = key.role(vi_core::Role::Evaluate).fold_in(1);
    let held_out = evaluate_plate(elbo, &fit.model_params, params, N_EVALUATE, key, Exec::local())?;
    let n = elbo.model().n_data() as f64;
    println!(
        "{name}: ELBO {:.2} learned, {:.2} held out; importance-weighted bound held out {:.2} ± {:.2}; {} iterations, {}",
        fit.elbo.value / N_TRAIN as f64,
        held_out.elbo.value / n,
        held_out.log_likelihood.value / n,
        held_out.log_likelihood.mcse / n,
        fit.outcome.next,
        fit.outcome.reason
    );
    Ok(())
}

/// The log likelihood of a held-out image when every pixel is as often 1 as among the images to learn from.
fn independent_pixels(train: &SigmoidBeliefNetwork, test: &SigmoidBeliefNetwork) -> f64 {
    let n = train.n_data() as f64;
    let p = train.pixels().sum_axis(ndarray::Axis(0)).mapv(|ones| (ones + 0.5) / (n + 1.0));
    let of_pixel = |(x, p): (&f64, &f64)| if *x == 1.0 { p.ln() } else { (-p).ln_1p() };
    let of_image = |x: ndarray::ArrayView1<'_, f64>| x.iter().zip(&p).map(of_pixel).sum::<f64>();
    test.pixels().rows().into_iter().map(of_image).sum::<f64>() / test.n_data() as f64
}
