//! Counts made by Gamma factors: gradients against quadrature, the exact posterior, training.

use ndarray::{Array1, Array2, ArrayRef1, ArrayView2, Axis, array, s};
use vi_core::testing::check_kernel;
use vi_core::{Exec, PlateLogJoint, PlateModel, StreamKey};
use vi_families::special::log_gamma;
use vi_families::{GammaPlate, PlateFamily};
use vi_models::count_factors::{
    DeepExponentialFamily, DeepExponentialFamilyPriors, GammaPoisson, GammaPoissonPriors, GammaPrior,
};
use vi_models::sparse_counts::SparseCounts;
use vi_sgvi::testing::check_plate_estimator;
use vi_sgvi::{
    Adam, PlateElbo, PlateScoreFunction, PlateSettings, Table, VariationalEm, evaluate_plate, fit_plate,
};

/// Step of the trapezoidal rule in log z, and where it begins and ends. It is exact but for rounding on densities that are
/// analytic in log z; Gammas of shape 1.2 or more have 10⁻¹³ of their mass beyond, with rates around 1.
const STEP: f64 = 0.2;
const FROM: f64 = -25.0;
const TO: f64 = 4.0;

/// All pairs of nodes (G², 2).
fn grid() -> Array2<f64> {
    let nodes: Vec<f64> =
        (0..=((TO - FROM) / STEP) as usize).map(|i| (FROM + i as f64 * STEP).exp()).collect();
    let g = nodes.len();
    Array2::from_shape_fn((g * g, 2), |(r, c)| nodes[if c == 0 { r / g } else { r % g }])
}

/// The exact ELBO of a plate with two positive latent variables per datum.
fn exact_elbo<M: PlateModel>(
    model: &M,
    family: &GammaPlate,
    grid: &Array2<f64>,
    theta: &ArrayRef1<f64>,
    params: &Array1<f64>,
) -> f64 {
    let params = ArrayView2::from_shape((model.n_data(), 4), params.as_slice().unwrap()).unwrap();
    let mut cache = M::Cache::default();
    let at = model.at(theta, &mut cache).unwrap();
    let mut elbo = at.log_prior();
    for (n, params) in params.axis_chunks_iter(Axis(0), 1).enumerate() {
        for z in grid.axis_chunks_iter(Axis(0), 256) {
            let (mut log_joint, mut log_q) = (Array1::zeros(z.nrows()), Array1::zeros(z.nrows()));
            at.log_joint_points(&[n], &z, &mut log_joint);
            family.log_prob_points(&params, z.nrows(), &z, &mut log_q).unwrap();
            for ((z, log_joint), log_q) in z.rows().into_iter().zip(&log_joint).zip(&log_q) {
                elbo += STEP * STEP * z[0] * z[1] * log_q.exp() * (log_joint - log_q);
            }
        }
    }
    elbo
}

/// Central differences of fourth order of `f` in every element of `x`.
fn gradient(x: &Array1<f64>, f: impl Fn(&Array1<f64>) -> f64) -> Array1<f64> {
    let h = 1e-3;
    let at = |i: usize, steps: f64| {
        let mut moved = x.clone();
        moved[i] += steps * h;
        f(&moved)
    };
    (0..x.len())
        .map(|i| (8.0 * (at(i, 1.0) - at(i, -1.0)) - (at(i, 2.0) - at(i, -2.0))) / (12.0 * h))
        .collect()
}

/// Shapes from 1.3 to 2.5, rates around 1.
fn some_params() -> Array1<f64> {
    array![0.3, 0.9, 0.1, -0.2, 0.6, 0.5, -0.1, 0.2]
}

/// Estimates of both gradients against central differences of the ELBO by quadrature.
fn check_against_quadrature<M: PlateModel>(model: &M, seed: u64) {
    let family = GammaPlate::for_space(model.local_parameters()).unwrap();
    let (table, params) = (Table::new(2, &family), some_params());
    let (grid, theta) = (grid(), model.init_model_params(StreamKey::from_seed(70)));
    let model_grad = gradient(&theta, |theta| exact_elbo(model, &family, &grid, theta, &params));
    let grad = gradient(&params, |params| exact_elbo(model, &family, &grid, &theta, params));
    let elbo = PlateElbo::new(model, &family, &table).unwrap();
    let key = StreamKey::from_seed(seed);
    for n_points in [2, 5, 16] {
        let leave_one_out = PlateScoreFunction::leave_one_out(n_points);
        check_plate_estimator(&leave_one_out, elbo, &theta, &params, &model_grad, &grad, 3000, key);
    }
    let control_variate = PlateScoreFunction::control_variate(8);
    check_plate_estimator(&control_variate, elbo, &theta, &params, &model_grad, &grad, 3000, key);
}

fn counts(rows: Array2<f64>) -> SparseCounts {
    SparseCounts::from_dense(&rows).unwrap()
}

/// 2 data with 2 factors, 3 columns: 6 elements of θ and 8 of λ, four estimators: a false alarm in 3·10⁴ at 5.7e-7 each.
#[test]
fn gradients_of_gamma_poisson_are_unbiased() {
    let priors = GammaPoissonPriors {
        factor: GammaPrior { shape: 0.7, rate: 1.2 },
        weight: Some(GammaPrior { shape: 1.5, rate: 0.8 }),
    };
    let x = counts(array![[2.0, 0.0, 1.0], [0.0, 5.0, 3.0]]);
    check_against_quadrature(&GammaPoisson::new(x, 2, priors).unwrap(), 71);
}

/// One factor under one, 2 columns: 3 elements of θ and 8 of λ.
#[test]
fn gradients_of_the_deep_family_are_unbiased() {
    let priors = DeepExponentialFamilyPriors {
        upper: GammaPrior { shape: 0.7, rate: 1.2 },
        lower_shape: 0.8,
        weight: Some(GammaPrior { shape: 1.5, rate: 0.8 }),
    };
    let x = counts(array![[2.0, 0.0], [1.0, 4.0]]);
    check_against_quadrature(&DeepExponentialFamily::new(x, 1, 1, priors).unwrap(), 72);
}

/// x ~ Poisson(w z) with z ~ Gamma(a, b): the family holds the posterior, and at fixed θ the bound becomes the evidence.
#[test]
fn the_exact_posterior_is_found() {
    let (a, b, w) = (0.7, 1.3, 2.2_f64);
    let x = [0.0, 1.0, 4.0, 9.0];
    let priors = GammaPoissonPriors { factor: GammaPrior { shape: a, rate: b }, weight: None };
    let data = counts(Array2::from_shape_vec((4, 1), x.to_vec()).unwrap());
    let model = GammaPoisson::with_fixed_weights(data, &array![[w]], priors).unwrap();
    let family = GammaPlate::for_space(model.local_parameters()).unwrap();
    let table = Table::new(4, &family);
    let elbo = PlateElbo::new(&model, &family, &table).unwrap();
    let settings = PlateSettings { n_iterations: 3000, n_evaluate: 400, ..PlateSettings::default() };
    let estimator = PlateScoreFunction::leave_one_out(16);
    let fit = fit_plate(elbo, estimator, &settings, StreamKey::from_seed(73), Exec::local()).unwrap();
    let log_evidence = |x: f64| {
        log_gamma(x + a) - log_gamma(a) - log_gamma(x + 1.0) + a * (b / (b + w)).ln() + x * (w / (b + w)).ln()
    };
    let exact: f64 = x.into_iter().map(log_evidence).sum();
    let found = fit.elbo;
    assert!(found.value < exact + 4.0 * found.mcse, "{found:?} above {exact}");
    assert!(found.value > exact - 0.02 - 4.0 * found.mcse, "{found:?} below {exact}");
    // At the posterior log p − log q is constant: what is left of its variance is the distance to it.
    assert!(found.mcse < 0.01, "{found:?}");
    for (n, x) in x.into_iter().enumerate() {
        let [shape, rate] = [fit.params[2 * n].exp(), fit.params[2 * n + 1].exp()];
        let (mean, posterior_mean) = (shape / rate, (a + x) / (b + w));
        assert!(
            (mean / posterior_mean - 1.0).abs() < 0.1,
            "datum {n}: mean {mean}, exactly {posterior_mean}"
        );
    }
}

const N: usize = 80;
const D: usize = 24;

/// Every factor has columns of its own.
fn block_weights(n_factors: usize) -> Array2<f64> {
    Array2::from_shape_fn((n_factors, D), |(k, d)| if d * n_factors / D == k { 4.0 } else { 0.05 })
}

/// The bound, and the perplexity on held-out words, at the start and after training.
struct Before {
    bound: f64,
    perplexity: f64,
}

/// Trains on 70 % of the words and predicts the others.
fn train<M: PlateModel>(
    model: &M,
    perplexity: impl Fn(&Array1<f64>, &Array2<f64>) -> f64,
    n_iterations: u64,
) -> (Before, Before) {
    let family = GammaPlate::for_space(model.local_parameters()).unwrap();
    let table = Table::new(N, &family);
    let elbo = PlateElbo::new(model, &family, &table).unwrap();
    let key = StreamKey::from_seed(74);
    let settings = PlateSettings { n_iterations, ..PlateSettings::default() };
    let fit = fit_plate(elbo, PlateScoreFunction::leave_one_out(16), &settings, key, Exec::local()).unwrap();
    let judge = |theta: &Array1<f64>, params: &Array1<f64>| {
        let evaluation = evaluate_plate(elbo, theta, params, 200, key.fold_in(1), Exec::local()).unwrap();
        let (local, data) = (elbo.local_params(params).unwrap(), (0..N).collect::<Vec<_>>());
        let (mut z, mut log_q) = (Array2::zeros((N * 50, family.dim())), Array1::zeros(N * 50));
        family.sample_points(&local, &data, key.fold_in(2), 50, &mut z, &mut log_q).unwrap();
        Before { bound: evaluation.elbo.value, perplexity: perplexity(theta, &z) }
    };
    let start = model.init_model_params(StreamKey::from_seed(75));
    (judge(&start, &vi_sgvi::Recognition::init(&table, key)), judge(&fit.model_params, &fit.params))
}

/// Four groups of six words, several in a datum: who knows nothing is 24 times perplexed, and nobody less than who knows the
/// weights that made the words.
#[test]
fn gamma_poisson_learns_groups_of_words() {
    let priors = GammaPoissonPriors { factor: GammaPrior { shape: 0.3, rate: 0.3 }, weight: None };
    let shape =
        GammaPoisson::with_fixed_weights(counts(Array2::zeros((1, D))), &block_weights(4), priors).unwrap();
    let x = shape.simulate(&array![], N, StreamKey::from_seed(76)).unwrap().counts;
    let (kept, held) = x.thin(0.3, StreamKey::from_seed(77)).unwrap();
    let model = GammaPoisson::new(kept.clone(), 4, priors).unwrap();
    let perplexity = |theta: &Array1<f64>, z: &Array2<f64>| {
        model.at(theta, &mut Default::default()).unwrap().held_out(&held, 0.3 / 0.7, z).perplexity()
    };
    let (before, after) = train(&model, perplexity, 1500);
    assert!(after.bound > before.bound + 10.0 * N as f64, "bound {} → {}", before.bound, after.bound);
    assert!(
        before.perplexity > 20.0 && after.perplexity < 0.7 * before.perplexity,
        "{} → {}",
        before.perplexity,
        after.perplexity
    );
    // The same words under the weights that made them, found by the same method: nothing better is to be had.
    let truth = GammaPoisson::with_fixed_weights(kept, &block_weights(4), priors).unwrap();
    let perplexity = |theta: &Array1<f64>, z: &Array2<f64>| {
        truth.at(theta, &mut Default::default()).unwrap().held_out(&held, 0.3 / 0.7, z).perplexity()
    };
    let (_, best) = train(&truth, perplexity, 1500);
    assert!(after.perplexity < 1.15 * best.perplexity, "{} against {}", after.perplexity, best.perplexity);
}

#[test]
fn the_deep_family_learns() {
    let priors = DeepExponentialFamilyPriors {
        upper: GammaPrior { shape: 0.5, rate: 0.5 },
        lower_shape: 0.5,
        weight: None,
    };
    let shape = DeepExponentialFamily::new(counts(Array2::zeros((1, D))), 4, 2, priors).unwrap();
    let mut truth = Array1::zeros(shape.model_parameters().dim());
    let by_column = block_weights(4).reversed_axes().mapv(f64::ln);
    truth.slice_mut(s![..4 * D]).assign(&by_column.iter().copied().collect::<Array1<f64>>());
    let upper = array![2.0_f64, 0.05, 2.0, 0.05, 0.05, 2.0, 0.05, 2.0].mapv(f64::ln);
    truth.slice_mut(s![4 * D..]).assign(&upper);
    let x = shape.simulate(&truth, N, StreamKey::from_seed(78)).unwrap().counts;
    let (kept, held) = x.thin(0.3, StreamKey::from_seed(79)).unwrap();
    let model = DeepExponentialFamily::new(kept, 4, 2, priors).unwrap();
    let perplexity = |theta: &Array1<f64>, z: &Array2<f64>| {
        model.at(theta, &mut Default::default()).unwrap().held_out(&held, 0.3 / 0.7, z).perplexity()
    };
    let (before, after) = train(&model, perplexity, 1500);
    assert!(after.bound > before.bound + 10.0 * N as f64, "bound {} → {}", before.bound, after.bound);
    assert!(after.perplexity < 0.7 * before.perplexity, "{} → {}", before.perplexity, after.perplexity);
}

/// The same bits for 1, 2, 3 and 7 threads, and for a run that was stopped and resumed.
#[test]
fn bits_do_not_depend_on_threads_or_stops() {
    let x = counts(Array2::from_shape_fn((150, 9), |(n, d)| ((n * 7 + d * 5) % 4) as f64));
    let model = DeepExponentialFamily::new(x, 3, 2, DeepExponentialFamilyPriors::default()).unwrap();
    let family = GammaPlate::for_space(model.local_parameters()).unwrap();
    let table = Table::new(150, &family);
    let elbo = PlateElbo::new(&model, &family, &table).unwrap();
    let estimator = PlateScoreFunction::leave_one_out(5);
    let kernel = VariationalEm::new(elbo, estimator, Adam::default(), Adam::default()).unwrap();
    let start = kernel.init(StreamKey::from_seed(80)).unwrap();
    check_kernel(&kernel, &start, StreamKey::from_seed(81), 12);
}
