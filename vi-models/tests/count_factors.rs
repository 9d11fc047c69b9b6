//! Models of counts against formulas written out here, closed-form evidence, and simulation.

use ndarray::{Array1, Array2, ArrayRef1, array, s};
use vi_core::testing::check_plate;
use vi_core::{PlateLogJoint, PlateModel, StreamKey};
use vi_families::special::{digamma, log_gamma};
use vi_families::{ExponentialFamily, Gamma, GammaPlate, PlateFamily, Poisson};
use vi_models::ModelError;
use vi_models::count_factors::{
    DeepExponentialFamily, DeepExponentialFamilyPriors, GammaPoisson, GammaPoissonPriors, GammaPrior,
};
use vi_models::sparse_counts::SparseCounts;

/// Zeros, ones, and some large counts; a row and a column without any.
fn counts(n: usize, d: usize) -> SparseCounts {
    let count = |(i, j): (usize, usize)| {
        let wave = ((i * d + j) as f64 * 1.7).sin();
        if i == 2 || j == 1 || wave < 0.2 { 0.0 } else { (wave * wave * 30.0).floor() }
    };
    SparseCounts::from_dense(&Array2::from_shape_fn((n, d), count)).unwrap()
}

fn prior(shape: f64, rate: f64) -> GammaPrior {
    GammaPrior { shape, rate }
}

fn priors() -> GammaPoissonPriors {
    GammaPoissonPriors { factor: prior(0.7, 1.3), weight: Some(prior(1.4, 0.6)) }
}

fn deep_priors() -> DeepExponentialFamilyPriors {
    DeepExponentialFamilyPriors { upper: prior(0.8, 1.1), lower_shape: 0.6, weight: Some(prior(1.4, 0.6)) }
}

/// Positive points over several orders of magnitude.
fn points(n_rows: usize, dim: usize) -> Array2<f64> {
    Array2::from_shape_fn((n_rows, dim), |(r, k)| (((r * dim + k) as f64 * 0.9).sin() * 3.0).exp())
}

fn values<M: PlateModel>(model: &M, theta: &ArrayRef1<f64>, data: &[usize], z: &Array2<f64>) -> Array1<f64> {
    let mut cache = M::Cache::default();
    let mut out = Array1::from_elem(z.nrows(), f64::NAN);
    model.at(theta, &mut cache).unwrap().log_joint_points(data, z, &mut out);
    out
}

fn gamma(shape: f64, rate: f64, z: f64) -> f64 {
    Gamma::from_shape_rate(shape, rate).unwrap().log_prob(&z)
}

/// log p(x | factors), with all columns.
fn log_likelihood(x: &ArrayRef1<f64>, weights: &Array2<f64>, factors: &ArrayRef1<f64>) -> f64 {
    let rates = weights.t().dot(factors);
    x.iter().zip(&rates).map(|(x, r)| Poisson::from_rate(*r).unwrap().log_prob(&(*x as u64))).sum()
}

fn close(what: &str, actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-11 * (1.0 + expected.abs()), "{what}: {actual} and {expected}");
}

/// One point of every kind of tile: whole lanes, rests, one alone; columns beyond a tile.
const SHAPES: [(usize, usize, usize, usize); 4] = [(5, 7, 3, 1), (4, 300, 5, 7), (3, 9, 8, 16), (4, 6, 1, 4)];

#[test]
fn gamma_poisson_is_its_formula() {
    for (n, d, k, n_points) in SHAPES {
        let x = counts(n, d);
        let model = GammaPoisson::new(x.clone(), k, priors()).unwrap();
        let theta = model.init_model_params(StreamKey::from_seed(1));
        let weights = model.weights(&theta).unwrap();
        assert_eq!((weights.dim(), weights[[k - 1, 0]]), ((k, d), theta[k - 1].exp()));
        let data: Vec<usize> = (0..n).rev().collect();
        let z = points(n * n_points, k);
        let actual = values(&model, &theta, &data, &z);
        let dense = x.to_dense();
        for (r, actual) in actual.iter().enumerate() {
            let of_factors: f64 = z.row(r).iter().map(|z| gamma(0.7, 1.3, *z)).sum();
            let expected = of_factors + log_likelihood(&dense.row(data[r / n_points]), &weights, &z.row(r));
            close(&format!("{d} columns, point {r}"), *actual, expected);
        }
        // The same weights, fixed.
        let fixed = GammaPoisson::with_fixed_weights(x, &weights, priors()).unwrap();
        assert_eq!((fixed.model_parameters().dim(), fixed.weights(&array![]).unwrap()), (0, weights));
        for (a, b) in values(&fixed, &array![], &data, &z).iter().zip(&actual) {
            close("fixed weights", *a, *b);
        }
    }
}

#[test]
fn the_deep_family_is_its_formula() {
    for (n, d, k, n_points) in SHAPES {
        let (x, j) = (counts(n, d), 1 + k / 2);
        let model = DeepExponentialFamily::new(x.clone(), k, j, deep_priors()).unwrap();
        let theta = model.init_model_params(StreamKey::from_seed(1));
        let (weights, upper_weights) = model.weights(&theta).unwrap();
        assert_eq!((weights.dim(), upper_weights.dim()), ((k, d), (j, k)));
        assert_eq!(upper_weights[[j - 1, 0]], theta[d * k + j - 1].exp());
        let data: Vec<usize> = (0..n).rev().collect();
        let z = points(n * n_points, k + j);
        let dense = x.to_dense();
        for (r, actual) in values(&model, &theta, &data, &z).iter().enumerate() {
            let (lower, upper) = (z.slice(s![r, ..k]), z.slice(s![r, k..]));
            let of_upper: f64 = upper.iter().map(|z| gamma(0.8, 1.1, *z)).sum();
            let means = upper_weights.t().dot(&upper);
            let of_lower: f64 = lower.iter().zip(&means).map(|(z, m)| gamma(0.6, 0.6 / m, *z)).sum();
            let expected =
                of_upper + of_lower + log_likelihood(&dense.row(data[r / n_points]), &weights, &lower);
            close(&format!("{d} columns, point {r}"), *actual, expected);
        }
    }
}

#[test]
fn plates_keep_their_contract() {
    for (n, d, k, _) in SHAPES {
        check_plate(&GammaPoisson::new(counts(n, d), k, priors()).unwrap(), StreamKey::from_seed(2));
        let weights = Array2::from_shape_fn((k, d), |(k, d)| 0.1 + (k + d) as f64);
        let fixed = GammaPoisson::with_fixed_weights(counts(n, d), &weights, priors()).unwrap();
        check_plate(&fixed, StreamKey::from_seed(3));
        let deep = DeepExponentialFamily::new(counts(n, d), k, 1 + k / 2, deep_priors()).unwrap();
        check_plate(&deep, StreamKey::from_seed(4));
    }
    let without_prior = GammaPoisson::new(counts(3, 4), 2, GammaPoissonPriors::default()).unwrap();
    check_plate(&without_prior, StreamKey::from_seed(5));
    let without_prior =
        DeepExponentialFamily::new(counts(3, 4), 3, 2, DeepExponentialFamilyPriors::default()).unwrap();
    check_plate(&without_prior, StreamKey::from_seed(6));
}

/// One column and one factor: x ~ Poisson(z w) with z ~ Gamma(a, b) is a negative binomial count, and the posterior is
/// Gamma(a + x, b + w).
#[test]
fn one_factor_has_closed_form_evidence() {
    let (a, b, w) = (0.7, 1.3, 2.2_f64);
    let x = [0.0, 1.0, 4.0, 37.0];
    let counts = SparseCounts::from_dense(&Array2::from_shape_vec((4, 1), x.to_vec()).unwrap()).unwrap();
    let model =
        GammaPoisson::new(counts, 1, GammaPoissonPriors { factor: prior(a, b), weight: None }).unwrap();
    let theta = array![w.ln()];
    let family = GammaPlate::for_space(model.local_parameters()).unwrap();
    let data = [0, 1, 2, 3];
    let log_evidence = |x: f64| {
        log_gamma(x + a) - log_gamma(a) - log_gamma(x + 1.0) + a * (b / (b + w)).ln() + x * (w / (b + w)).ln()
    };
    // At the exact posterior log p(x, z) − log q(z) is the log evidence, whatever z.
    let exact = Array2::from_shape_fn((4, 2), |(n, p)| if p == 0 { (a + x[n]).ln() } else { (b + w).ln() });
    let n_points = 9;
    let (mut z, mut log_q) = (Array2::zeros((4 * n_points, 1)), Array1::zeros(4 * n_points));
    family.sample_points(&exact, &data, StreamKey::from_seed(1), n_points, &mut z, &mut log_q).unwrap();
    let ratios = values(&model, &theta, &data, &z) - &log_q;
    for (r, ratio) in ratios.iter().enumerate() {
        close(&format!("datum {}", r / n_points), *ratio, log_evidence(x[r / n_points]));
    }
    // Elsewhere the ELBO, here in closed form, is below it, by the divergence from the posterior.
    for (shape, rate) in [(0.5, 1.0), (3.0, 2.0), (20.0, 30.0)] {
        let member = Gamma::from_shape_rate(shape, rate).unwrap();
        let (mean, mean_log) = (shape / rate, digamma(shape) - f64::ln(rate));
        for x in x {
            let elbo = a * b.ln() - log_gamma(a) + (a - 1.0) * mean_log - b * mean + x * (w.ln() + mean_log)
                - w * mean
                - log_gamma(x + 1.0)
                + member.entropy();
            let divergence = member.kl(&Gamma::from_shape_rate(a + x, b + w).unwrap());
            assert!(elbo < log_evidence(x));
            close("evidence less divergence", elbo, log_evidence(x) - divergence);
        }
    }
    // And the mean of log p − log q over draws is that closed form, here at Gamma(3, 2).
    let params = Array2::from_shape_fn((4, 2), |(_, p)| if p == 0 { 3_f64.ln() } else { 2_f64.ln() });
    let n_points = 4000;
    let (mut z, mut log_q) = (Array2::zeros((4 * n_points, 1)), Array1::zeros(4 * n_points));
    family.sample_points(&params, &data, StreamKey::from_seed(2), n_points, &mut z, &mut log_q).unwrap();
    let ratios = values(&model, &theta, &data, &z) - &log_q;
    let member = Gamma::from_shape_rate(3.0, 2.0).unwrap();
    for n in data {
        let ratios = ratios.slice(s![n * n_points..(n + 1) * n_points]);
        let divergence = member.kl(&Gamma::from_shape_rate(a + x[n], b + w).unwrap());
        let error = ratios.std(1.0) / (n_points as f64).sqrt();
        let z_score = (ratios.mean().unwrap() - (log_evidence(x[n]) - divergence)) / error;
        // Four data at 5 standard errors: a false alarm in 4·10⁵.
        assert!(z_score.abs() < 5.0, "datum {n}: {z_score} standard errors");
    }
}

/// Means of simulated counts, and of factors, against their closed forms, each within 5 standard errors estimated from the
/// draws: 26 means, a false alarm in 6·10⁴.
#[test]
fn simulated_data_have_their_means() {
    let n = 20_000;
    let check = |what: &str, column: ndarray::ArrayView1<'_, f64>, expected: f64| {
        let error = column.std(1.0) / (n as f64).sqrt();
        let z_score = (column.mean().unwrap() - expected) / error;
        assert!(z_score.abs() < 5.0, "{what}: {z_score} standard errors from {expected}");
    };
    let model = GammaPoisson::new(counts(4, 5), 3, priors()).unwrap();
    let theta = model.init_model_params(StreamKey::from_seed(1));
    let data = model.simulate(&theta, n, StreamKey::from_seed(2)).unwrap();
    let (x, column_sums) =
        (data.counts.to_dense(), model.weights(&theta).unwrap().sum_axis(ndarray::Axis(0)));
    for d in 0..5 {
        check(&format!("column {d}"), x.column(d), column_sums[d] * 0.7 / 1.3);
    }
    (0..3).for_each(|k| check(&format!("factor {k}"), data.latent.column(k), 0.7 / 1.3));
    assert_eq!(
        data.latent,
        model.simulate(&theta, n, StreamKey::from_seed(2)).unwrap().latent,
        "the same key"
    );

    let model = DeepExponentialFamily::new(counts(4, 5), 4, 2, deep_priors()).unwrap();
    let theta = model.init_model_params(StreamKey::from_seed(3));
    let data = model.simulate(&theta, n, StreamKey::from_seed(4)).unwrap();
    let (weights, upper_weights) = model.weights(&theta).unwrap();
    let upper = array![0.8 / 1.1, 0.8 / 1.1];
    let lower = upper_weights.t().dot(&upper);
    let (rates, x) = (weights.t().dot(&lower), data.counts.to_dense());
    (0..5).for_each(|d| check(&format!("column {d}"), x.column(d), rates[d]));
    (0..4).for_each(|k| check(&format!("lower {k}"), data.latent.column(k), lower[k]));
    (0..2).for_each(|j| check(&format!("upper {j}"), data.latent.column(4 + j), upper[j]));
    // Counts move with their factors: E[(lower − m)²] = m² / α, given the upper ones.
    let squares = Array1::from_shape_fn(n, |i| {
        let mean = upper_weights.column(0).dot(&data.latent.slice(s![i, 4..]));
        (data.latent[[i, 0]] / mean - 1.0).powi(2)
    });
    check("relative variance of the lower layer", squares.view(), 1.0 / 0.6);
}

#[test]
fn held_out_counts() {
    let (n, d, k, n_points) = (4, 6, 3, 5);
    let (share, x) = (0.3, counts(n, d));
    let (kept, held) = x.thin(share, StreamKey::from_seed(1)).unwrap();
    assert_eq!(kept.to_dense() + held.to_dense(), x.to_dense());
    let model = GammaPoisson::new(kept, k, priors()).unwrap();
    let theta = model.init_model_params(StreamKey::from_seed(2));
    let weights = model.weights(&theta).unwrap();
    let z = points(n * n_points, k);
    let (mut cache, exposure) = (Default::default(), share / (1.0 - share));
    let score = model.at(&theta, &mut cache).unwrap().held_out(&held, exposure, &z);
    let (mut log_predictive, mut log_share) = (0.0, 0.0);
    for (i, x) in held.to_dense().rows().into_iter().enumerate() {
        let z = z.slice(s![i * n_points..(i + 1) * n_points, ..]);
        let densities = z.rows().into_iter().map(|z| log_likelihood(&x, &(&weights * exposure), &z).exp());
        log_predictive += (densities.sum::<f64>() / n_points as f64).ln();
        let rates = weights.t().dot(&z.mean_axis(ndarray::Axis(0)).unwrap());
        log_share += x.iter().zip(&rates).map(|(x, r)| x * (r / rates.sum()).ln()).sum::<f64>();
    }
    close("log predictive", score.log_predictive, log_predictive);
    close("log share", score.log_share, log_share);
    assert_eq!(score.n_counts, held.total());

    // Who knows nothing is as perplexed as there are columns.
    let flat = GammaPoisson::with_fixed_weights(x, &Array2::ones((k, d)), priors()).unwrap();
    let (empty, mut cache) = (array![], Default::default());
    let score = flat.at(&empty, &mut cache).unwrap().held_out(&held, exposure, &z);
    close("perplexity", score.perplexity(), d as f64);
}

/// Binomial shares: over 200 rows the share held out of 20 000 counts stays within 6 standard errors, a false alarm in 5·10⁸.
#[test]
fn thinning_takes_its_share() {
    let x = SparseCounts::from_dense(&Array2::from_elem((200, 2), 50.0)).unwrap();
    let (kept, held) = x.thin(0.2, StreamKey::from_seed(3)).unwrap();
    assert_eq!(kept.total() + held.total(), 20_000.0);
    let z_score = (held.total() - 4000.0) / (20_000_f64 * 0.2 * 0.8).sqrt();
    assert!(z_score.abs() < 6.0, "{z_score} standard errors");
    let variance = held.to_dense().std(1.0).powi(2);
    assert!((variance / 8.0 - 1.0).abs() < 0.5, "the variance of a Binomial(50, 0.2) is 8, not {variance}");
    assert_eq!(x.thin(0.0, StreamKey::from_seed(4)).unwrap().0, x);
    assert!(x.thin(1.5, StreamKey::from_seed(4)).unwrap_err().to_string().contains("share = 1.5"));
}

#[test]
fn outside_the_support() {
    let model = DeepExponentialFamily::new(counts(3, 4), 2, 1, deep_priors()).unwrap();
    let theta = model.init_model_params(StreamKey::from_seed(1));
    let mut z = Array2::ones((6, 3));
    (z[[0, 0]], z[[1, 2]], z[[2, 1]], z[[3, 0]]) = (0.0, -1.0, f64::INFINITY, f64::NAN);
    let out = values(&model, &theta, &[0], &z);
    assert!(out.iter().take(3).all(|v| *v == f64::NEG_INFINITY) && out[3].is_nan(), "{out}");
    assert!(out[4].is_finite() && out[4] == out[5], "the others are left alone");
    // The smallest factors there are: rates that round to zero.
    let tiny = Array2::from_elem((1, 3), f64::MIN_POSITIVE);
    assert!(values(&model, &theta, &[0], &tiny)[0].is_finite());
}

#[test]
fn words_of_a_novel() {
    let words = SparseCounts::from_csv(include_str!("../../data/pride_and_prejudice.csv")).unwrap();
    assert_eq!(
        (words.n_rows(), words.n_columns(), words.total(), words.n_nonzero()),
        (61, 1495, 32_877.0, 19_833)
    );
    assert_eq!(words.column_totals()[895], 785.0, "word 896 is the most frequent one");
    let longest = (0..61).map(|n| words.row(n).1.iter().sum::<f64>()).fold(0.0, f64::max);
    assert_eq!(longest, 1462.0, "chapter 18");
}

#[test]
fn what_is_wrong_is_named() {
    let message = |error: Result<SparseCounts, ModelError>| error.unwrap_err().to_string();
    assert_eq!(
        message(SparseCounts::from_dense(&array![[1.0, 0.5]])),
        "sparse_counts: counts[0, 1] = 0.5, but it must be a whole number from 0 to 2⁵³"
    );
    assert!(message(SparseCounts::from_dense(&Array2::zeros((0, 3)))).contains("empty"));
    assert!(message(SparseCounts::from_entries(2, 2, [(0, 2, 1.0)])).contains("inside the matrix"));
    assert!(message(SparseCounts::from_csv("row,column,count\n1,2,3\n1,x,3\n")).contains("cell[1, 1] = NaN"));
    assert!(message(SparseCounts::from_csv("row,column,count\n1,2\n")).contains("length 2, expected 3"));
    let merged = SparseCounts::from_entries(1, 2, [(0, 1, 1.0), (0, 0, 0.0), (0, 1, 2.0)]).unwrap();
    assert_eq!(merged.row(0), (&[1][..], &[3.0][..]));

    let x = || counts(3, 4);
    let bad = GammaPoissonPriors { factor: prior(-1.0, 1.0), weight: None };
    let message = GammaPoisson::new(x(), 2, bad).unwrap_err().to_string();
    assert_eq!(message, "gamma_poisson: factor.shape = -1, but it must be finite and > 0");
    assert!(GammaPoisson::new(x(), 0, priors()).unwrap_err().to_string().contains("factors"));
    let mut weights = Array2::ones((2, 4));
    weights[[1, 3]] = 0.0;
    let message = GammaPoisson::with_fixed_weights(x(), &weights, priors()).unwrap_err().to_string();
    assert!(message.contains("weights[1, 3] = 0"), "{message}");
    let message =
        GammaPoisson::with_fixed_weights(x(), &Array2::ones((2, 5)), priors()).unwrap_err().to_string();
    assert!(message.contains("length 5, expected 4"), "{message}");
    let deep = DeepExponentialFamilyPriors { lower_shape: f64::NAN, ..deep_priors() };
    let message = DeepExponentialFamily::new(x(), 2, 2, deep).unwrap_err().to_string();
    assert!(message.contains("lower_shape = NaN"), "{message}");
    let model = DeepExponentialFamily::new(x(), 2, 1, deep_priors()).unwrap();
    let mut theta = model.init_model_params(StreamKey::from_seed(1));
    theta[9] = 301.0;
    let message = model.at(&theta, &mut Default::default()).unwrap_err().to_string();
    assert!(message.contains("log_upper_weight[2,1] = 301"), "{message}");
}
