//! Learning from simulated data: the likelihood of held-out data, known exactly, goes up to that of the truth.

use ndarray::{Array1, s};
use vi_core::{Exec, PlateModel, StreamKey};
use vi_families::BernoulliPlate;
use vi_models::sigmoid_belief_network::SigmoidBeliefNetwork;
use vi_sgvi::{
    Adam, AnyOptimizer, Averaging, HiddenLayerEncoder, LearningRate, PlateElbo, PlateScoreFunction,
    PlateSettings, Table, evaluate_plate, fit_plate,
};

use crate::network::random_bits;

const N: usize = 200;
const H: usize = 3;
const D: usize = 9;

struct Simulated {
    train: SigmoidBeliefNetwork,
    test: SigmoidBeliefNetwork,
    truth: Array1<f64>,
}

/// Three causes that turn three pixels on each, mostly.
fn simulated() -> Simulated {
    let shape = SigmoidBeliefNetwork::new(random_bits(1, D, 1), H).unwrap();
    let mut truth = Array1::zeros(shape.model_parameters().dim());
    for h in 0..H {
        truth.slice_mut(s![h * D + 3 * h..h * D + 3 * h + 3]).fill(5.0);
    }
    truth.slice_mut(s![H * D..H * D + D]).fill(-2.5);
    truth.slice_mut(s![H * D + D..]).fill(-0.4);
    let (x, _) = shape.simulate(&truth, 2 * N, StreamKey::from_seed(60)).unwrap();
    let train = SigmoidBeliefNetwork::new(x.slice(s![..N, ..]).to_owned(), H).unwrap();
    let test = train.with_data(x.slice(s![N.., ..]).to_owned()).unwrap();
    Simulated { train, test, truth }
}

/// The exact log likelihood of a held-out datum.
fn held_out(test: &SigmoidBeliefNetwork, theta: &Array1<f64>) -> f64 {
    test.log_likelihoods(theta).unwrap().unwrap().mean().unwrap()
}

fn settings() -> PlateSettings {
    let adam = |rate: f64| {
        AnyOptimizer::Adam(Adam { learning_rate: LearningRate::Constant(rate), ..Adam::default() })
    };
    PlateSettings {
        n_iterations: 600,
        model_optimizer: Some(adam(0.04)),
        optimizer: adam(0.1),
        averaging: Averaging::Tail,
        n_evaluate: 200,
        ..PlateSettings::default()
    }
}

/// θ has 51 elements fitted to 300 data, which costs about 51/(2·300) = 0.085 nats a datum on held-out data. Independent
/// pixels, at which training starts, are 1.5 nats away.
#[test]
fn structure_is_recovered() {
    let Simulated { train, test, truth } = simulated();
    let family = BernoulliPlate::for_space(train.local_parameters()).unwrap();
    let best = held_out(&test, &truth);
    let start = held_out(&test, &train.init_model_params(StreamKey::from_seed(61)));
    assert!(start < best - 1.0, "start {start}, truth {best}");
    let (estimator, key) = (PlateScoreFunction::leave_one_out(5), StreamKey::from_seed(62));

    let table = Table::new(N, &family);
    let elbo = PlateElbo::new(&train, &family, &table).unwrap();
    let fit = fit_plate(elbo, estimator, &settings(), key, Exec::local()).unwrap();
    let learned = held_out(&test, &fit.model_params);
    assert!(learned > best - 0.25, "a table: {learned} a datum, the truth {best}");
    let exact = train.log_likelihoods(&fit.model_params).unwrap().unwrap().sum();
    assert!(fit.elbo.value < exact, "ELBO {} above the log likelihood {exact}", fit.elbo.value);

    let encoder = HiddenLayerEncoder::new(train.pixels().clone(), 8, &family).unwrap();
    let elbo = PlateElbo::new(&train, &family, &encoder).unwrap();
    let fit = fit_plate(elbo, estimator, &settings(), key, Exec::local()).unwrap();
    let learned = held_out(&test, &fit.model_params);
    assert!(learned > best - 0.25, "an encoder: {learned} a datum, the truth {best}");
    // What it has never seen, it encodes: the bounds of held-out data, without a further step.
    let unseen = encoder.with_features(test.pixels().clone()).unwrap();
    let elbo = PlateElbo::new(&test, &family, &unseen).unwrap();
    let evaluation =
        evaluate_plate(elbo, &fit.model_params, &fit.params, 200, key.fold_in(1), Exec::local()).unwrap();
    let exact = learned * N as f64;
    let bound = evaluation.log_likelihood;
    assert!(evaluation.elbo.value < exact, "{:?} above {exact}", evaluation.elbo);
    assert!((bound.value - exact).abs() < 4.0 * bound.mcse + 5.0, "{bound:?}, exactly {exact}");
    assert!(evaluation.elbo.value > exact - 0.3 * N as f64, "{:?}, exactly {exact}", evaluation.elbo);
}

#[test]
fn theta_stays_where_it_is_fixed_and_the_posterior_is_found() {
    let Simulated { train, truth, .. } = simulated();
    let family = BernoulliPlate::for_space(train.local_parameters()).unwrap();
    let table = Table::new(N, &family);
    let elbo = PlateElbo::new(&train, &family, &table).unwrap();
    let settings = PlateSettings { model_optimizer: None, n_iterations: 300, ..settings() };
    let kernel = settings.kernel(elbo, PlateScoreFunction::leave_one_out(5), Exec::local()).unwrap();
    let start = kernel.init_at(truth.clone(), Array1::zeros(N * H)).unwrap();
    let mut state = start.clone();
    let never = &vi_core::NeverStop;
    vi_core::run(&kernel, &mut state, StreamKey::from_seed(63), 0..300, never, &mut []).unwrap();
    assert_eq!(state.model_params, truth);
    assert_eq!(state.n_log_joint_points, 300 * 5 * N as u64);
    let exact = train.log_likelihoods(&truth).unwrap().unwrap().sum();
    let q = kernel.averaged_params(&state).1;
    let found = evaluate_plate(elbo, &truth, &q, 200, StreamKey::from_seed(64), Exec::local()).unwrap().elbo;
    // The causes are nearly determined by the pixels, so that independent bits are nearly exact.
    assert!(found.value < exact + 4.0 * found.mcse, "{found:?} above {exact}");
    let start =
        evaluate_plate(elbo, &truth, &start.params, 200, StreamKey::from_seed(64), Exec::local()).unwrap();
    assert!(start.elbo.value < exact - 2.0 * N as f64, "{:?} near {exact}", start.elbo);
    assert!(found.value > exact - 0.3 * N as f64, "{found:?} far below {exact}");
}
