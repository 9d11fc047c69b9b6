//! The contract of a variational family.

use ndarray::{Array1, Array2, ArrayRef1, s};
use vi_core::StreamKey;
use vi_core::testing::Moments;

use super::statistics::{Z_BOUND, assert_mean, five_point, with_element};
use crate::symmetric::{vech_index, vech_len};
use crate::variational::{VariationalDistribution, VariationalFamily};

/// Draws per member for the statistical checks.
const N_DRAWS: usize = 4000;
/// Draws whose scores are compared with differences and batches with rows.
const N_ROWS: usize = 11;

/// Checks the whole contract at every λ of `params`.
///
/// - Names are distinct, one per parameter; `init` can be bound; a λ of the wrong length, or with an element
///   that is not finite, or too large to be a scale, is an error that names the element.
/// - The score is the gradient of `log_prob` in λ (differences, 10⁻⁶ relative) and has mean zero.
/// - Batches equal row loops (draws bit by bit, however they are cut; densities and scores to 10⁻¹²), on
///   contiguous and on strided arrays; `add_score` accumulates.
/// - The entropy is that of 4000 draws; the Fisher information is the mean of their scores' products.
///
/// Means are compared within 5.4 standard errors: a correct family of P parameters fails a λ for about
/// (P + 1 + P (P + 1) / 2) · 7·10⁻⁸ of all keys, as far as the central limit theorem holds, which is slow
/// for squares of scores with long tails, such as those of a Gamma of small shape.
///
/// # Panics
/// With λ and both numbers where the contract is broken.
pub fn check_variational_family<F: VariationalFamily>(family: &F, params: &[Array1<f64>], key: StreamKey) {
    let names = family.param_names();
    assert_eq!(names.len(), family.n_params(), "one name per parameter");
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len(), "names repeat: {names:?}");
    let init = family.init();
    check_bind(family, &init, &names);
    for (i, lambda) in std::iter::once(&init).chain(params).enumerate() {
        let q = family.bind(lambda).unwrap_or_else(|e| panic!("λ = {lambda}: {e}"));
        assert_eq!((q.dim(), q.n_params()), (family.dim(), family.n_params()), "member and family differ");
        let key = key.fold_in(i as u64);
        let draws = check_sampling(&q, lambda, key);
        check_score(family, lambda, &draws);
        check_batches(&q, lambda, &draws);
        check_means(&q, lambda, &names, key);
    }
}

fn check_bind<F: VariationalFamily>(family: &F, init: &ArrayRef1<f64>, names: &[String]) {
    if let Err(e) = family.bind(init) {
        panic!("init {init} cannot be bound: {e}");
    }
    let longer: Array1<f64> = init.iter().copied().chain([0.0]).collect();
    assert!(family.bind(&longer).is_err(), "λ of length {} was accepted", longer.len());
    for (i, name) in names.iter().enumerate() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let lambda = with_element(init, i, value);
            let Err(e) = family.bind(&lambda) else { panic!("{name} = {value} was accepted") };
            let message = e.to_string();
            assert!(message.contains(name.as_str()), "{name} = {value}: the error is `{message}`");
            assert!(message.contains(&value.to_string()), "{name} = {value}: the error is `{message}`");
        }
        // Large values may be valid (a location) or not (a log scale), but never a member with NaN in it.
        for value in [1e3, -1e3, 1e300, -1e300] {
            let lambda = with_element(init, i, value);
            match family.bind(&lambda) {
                Ok(q) => {
                    assert!(q.entropy().is_none_or(f64::is_finite), "{name} = {value}: entropy not finite");
                }
                Err(e) => assert!(e.to_string().contains(name.as_str()), "{name} = {value}: `{e}`"),
            }
        }
    }
}

/// Draws by batch, checked bit by bit against single draws and against other cuts.
fn check_sampling<Q: VariationalDistribution>(q: &Q, lambda: &ArrayRef1<f64>, key: StreamKey) -> Array2<f64> {
    let bits = |z: &Array2<f64>| z.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let mut draws = Array2::from_elem((N_ROWS, q.dim()), f64::NAN);
    q.sample_batch(key, 0..N_ROWS, &mut draws);
    let mut single = Array2::from_elem((N_ROWS, q.dim()), f64::NAN);
    for (i, mut row) in single.rows_mut().into_iter().enumerate() {
        q.sample(&mut key.rng(i as u64), &mut row);
    }
    assert_eq!(bits(&draws), bits(&single), "λ = {lambda}: a batch and single draws differ");
    let mut cut = Array2::from_elem((N_ROWS, q.dim()), f64::NAN);
    for (start, end) in [(0, 1), (1, 8), (8, N_ROWS)] {
        q.sample_batch(key, start..end, &mut cut.slice_mut(s![start..end, ..]));
    }
    assert_eq!(bits(&draws), bits(&cut), "λ = {lambda}: draws depend on how they are batched");
    // Column-major, so that no row is contiguous.
    let mut strided = Array2::from_elem((q.dim(), N_ROWS), f64::NAN).reversed_axes();
    q.sample_batch(key, 0..N_ROWS, &mut strided);
    assert_eq!(bits(&draws), bits(&strided), "λ = {lambda}: draws depend on the layout of z");
    draws
}

fn check_score<F: VariationalFamily>(family: &F, lambda: &ArrayRef1<f64>, draws: &Array2<f64>) {
    let q = family.bind(lambda).expect("bound before");
    for z in draws.rows() {
        let mut score = Array1::zeros(family.n_params());
        q.add_score(&z, 1.0, &mut score);
        let log_prob = |i: usize, x: f64| {
            let moved = with_element(lambda, i, x);
            family.bind(&moved).map(|q| q.log_prob(&z)).unwrap_or(f64::NAN)
        };
        let base = q.log_prob(&z).abs();
        for i in 0..score.len() {
            let h = 1e-3;
            let slope = five_point(|x| log_prob(i, x), lambda[i], h);
            let bound = 1e-6 * (1.0 + score[i].abs()) + 1e-12 * base;
            assert!(
                (score[i] - slope).abs() <= bound,
                "λ = {lambda}, z = {z}: score {i} is {}, by differences {slope}",
                score[i]
            );
        }
    }
}

fn check_batches<Q: VariationalDistribution>(q: &Q, lambda: &ArrayRef1<f64>, draws: &Array2<f64>) {
    let weights: Array1<f64> = (0..N_ROWS).map(|i| 0.7 * i as f64 - 3.0).collect();
    let rows: Vec<f64> = draws.rows().into_iter().map(|z| q.log_prob(&z)).collect();
    // Not zero at the start: what is called add_* accumulates.
    let start: Array1<f64> = (0..q.n_params()).map(|i| 0.1 * i as f64 - 1.0).collect();
    let (mut expected, mut size) = (start.clone(), start.mapv(f64::abs));
    for (z, w) in draws.rows().into_iter().zip(&weights) {
        let mut score = Array1::zeros(q.n_params());
        q.add_score(&z, 1.0, &mut score);
        expected.scaled_add(*w, &score);
        size.scaled_add(w.abs(), &score.mapv(|v| v.abs() + 1.0));
    }
    let mut strided = Array2::zeros((q.dim(), N_ROWS)).reversed_axes();
    strided.assign(draws);
    for z in [draws, &strided] {
        let mut out = Array1::from_elem(N_ROWS, f64::NAN);
        q.log_prob_batch(z, &mut out);
        for (i, (value, row)) in out.iter().zip(&rows).enumerate() {
            let bound = 1e-12 * (1.0 + row.abs());
            assert!((value - row).abs() <= bound, "λ = {lambda}: log_prob of row {i}: {value}, alone {row}");
        }
        let mut out = start.clone();
        q.add_score_batch(z, &weights, &mut out);
        for i in 0..out.len() {
            assert!(
                (out[i] - expected[i]).abs() <= 1e-12 * (1.0 + size[i]),
                "λ = {lambda}: score {i} of a batch is {}, of its rows {}",
                out[i],
                expected[i]
            );
        }
    }
}

fn check_means<Q: VariationalDistribution>(q: &Q, lambda: &ArrayRef1<f64>, names: &[String], key: StreamKey) {
    let mut surprise = Moments::default();
    let mut scores = vec![Moments::default(); q.n_params()];
    let fisher = q.fisher();
    let mut products = vec![Moments::default(); fisher.as_ref().map_or(0, |_| vech_len(q.n_params()))];
    let (mut z, mut score) = (Array1::zeros(q.dim()), Array1::zeros(q.n_params()));
    for s in 0..N_DRAWS {
        q.sample(&mut key.rng(s as u64), &mut z);
        let log_prob = q.log_prob(&z);
        assert!(log_prob.is_finite(), "λ = {lambda}: log_prob of the draw {z} is {log_prob}");
        surprise.push(-log_prob);
        score.fill(0.0);
        q.add_score(&z, 1.0, &mut score);
        for (m, v) in scores.iter_mut().zip(&score) {
            m.push(*v);
        }
        if fisher.is_some() {
            push_products(&score, &mut products);
        }
    }
    if let Some(fisher) = fisher {
        check_fisher(&fisher, &products, lambda, names);
    }
    for (m, name) in scores.iter().zip(names) {
        let (mean, se) = (m.mean(), m.mcse());
        assert!(
            mean.abs() <= Z_BOUND * se + 1e-9,
            "λ = {lambda}: the score in {name} has mean {mean} ± {se}, not zero"
        );
    }
    if let Some(entropy) = q.entropy() {
        assert_mean(|| format!("entropy at λ = {lambda}"), &surprise, entropy);
    }
}

/// The lower triangle of the outer square of `score`, entry by entry.
fn push_products(score: &ArrayRef1<f64>, products: &mut [Moments]) {
    for i in 0..score.len() {
        for j in 0..=i {
            products[vech_index(i, j)].push(score[i] * score[j]);
        }
    }
}

fn check_fisher(fisher: &Array2<f64>, products: &[Moments], lambda: &ArrayRef1<f64>, names: &[String]) {
    let n = names.len();
    assert_eq!(fisher.dim(), (n, n), "λ = {lambda}: the Fisher information has the wrong shape");
    for i in 0..n {
        for j in 0..=i {
            let (value, mirrored) = (fisher[[i, j]], fisher[[j, i]]);
            let unit = (fisher[[i, i]] * fisher[[j, j]]).sqrt();
            assert!(
                (value - mirrored).abs() <= 1e-12 * unit,
                "λ = {lambda}: the Fisher information is not symmetric: {value} and {mirrored}"
            );
            let m = &products[vech_index(i, j)];
            let (mean, se) = (m.mean(), m.mcse());
            assert!(
                (mean - value).abs() <= Z_BOUND * se + 1e-9 * unit,
                "λ = {lambda}: Fisher information of {} and {} is {value}, by draws {mean} ± {se}",
                names[i],
                names[j]
            );
        }
    }
}
