//! The plate of Gammas against products of single factors, its draws against their distributions.

use ndarray::{Array1, Array2, Array3, ArrayView2, s};
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::special::{digamma, trigamma};
use vi_families::testing::check_plate_family;
use vi_families::{
    FamilyError, Gamma, GammaPlate, PlateFamily, ProductFamily, Univariate, VariationalDistribution,
    VariationalFamily,
};

fn space(dim: usize) -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("z", dim, Support::Positive)]).unwrap()
}

/// log_shape and log_rate (n, 2L) all over the place, the shapes down to e^−7 and up to e^9.
fn params(n: usize, dim: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, 2 * dim), |(i, p)| {
        let wave = ((1 + i * 2 * dim + p) as f64 * 0.7).sin();
        if p < dim { 1.0 + 8.0 * wave } else { 3.0 * wave }
    })
}

/// The same parameters in the order of the product: log_shape and log_rate of each variable side by side.
fn interleaved(row: &[f64]) -> Array1<f64> {
    let dim = row.len() / 2;
    (0..row.len()).map(|p| row[p / 2 + dim * (p % 2)]).collect()
}

fn sampled(
    family: &GammaPlate,
    params: &Array2<f64>,
    n_samples: usize,
    seed: u64,
) -> (Array2<f64>, Array1<f64>) {
    let n = params.nrows();
    let (mut z, mut log_q) = (Array2::zeros((n * n_samples, family.dim())), Array1::zeros(n * n_samples));
    let data: Vec<usize> = (0..n).collect();
    family.sample_points(params, &data, StreamKey::from_seed(seed), n_samples, &mut z, &mut log_q).unwrap();
    (z, log_q)
}

fn close(what: &str, actual: f64, expected: f64, size: f64) {
    assert!((actual - expected).abs() <= 1e-12 * size.abs().max(1.0), "{what}: {actual} and {expected}");
}

#[test]
fn densities_and_scores_are_those_of_the_product() {
    // Lengths below, at and above those of vectors and blocks.
    for (n, dim, n_samples) in [(1, 1, 1), (3, 4, 2), (2, 7, 5), (5, 20, 16), (2, 33, 3)] {
        let (family, product) = (GammaPlate::for_space(&space(dim)).unwrap(), space(dim));
        let product = ProductFamily::for_space(&product).unwrap();
        let params = params(n, dim);
        let (z, log_q) = sampled(&family, &params, n_samples, 1);
        let mut again = Array1::zeros(n * n_samples);
        family.log_prob_points(&params, n_samples, &z, &mut again).unwrap();
        assert_eq!(log_q, again, "draws come with the density that points have");
        let weights = Array1::from_shape_fn(n * n_samples, |r| (r as f64 * 1.3).cos());
        let mut sums = Array2::from_elem((n, 2 * dim), 0.25);
        family.add_scores(&params, n_samples, &z, &weights, &mut sums).unwrap();
        let mut scores = Array2::from_elem((n * n_samples, 2 * dim), f64::NAN);
        family.scores(&params, n_samples, &z, &mut scores).unwrap();
        for i in 0..n {
            let lambda = interleaved(params.row(i).as_slice().unwrap());
            let member = product.bind(&lambda).unwrap();
            let mut expected = Array1::from_elem(2 * dim, 0.25);
            let mut size = 0.0_f64;
            for s in 0..n_samples {
                let r = i * n_samples + s;
                let each = (0..dim).map(|l| (lambda[2 * l].exp() + 1.0) * (2.0 + z[[r, l]].ln().abs()));
                let scale: f64 = each.sum();
                close(&format!("log q of point {r}"), log_q[r], member.log_prob(&z.row(r)), scale);
                let mut score = Array1::zeros(2 * dim);
                member.add_score(&z.row(r), 1.0, &mut score);
                expected.scaled_add(weights[r], &score);
                size = size.max(scale);
                let actual = interleaved(scores.row(r).as_slice().unwrap());
                (0..2 * dim).for_each(|p| close("score", actual[p], score[p], scale));
            }
            let actual = interleaved(sums.row(i).as_slice().unwrap());
            for p in 0..2 * dim {
                close(&format!("summed score {p}"), actual[p], expected[p], size * n_samples as f64);
            }
        }
    }
}

/// Independent of the product: central differences.
#[test]
fn scores_are_derivatives() {
    let (n, dim, n_samples) = (3, 5, 4);
    let family = GammaPlate::for_space(&space(dim)).unwrap();
    let params = Array2::from_shape_fn((n, 2 * dim), |(i, p)| ((i * 11 + p) as f64).sin());
    let (z, _) = sampled(&family, &params, n_samples, 2);
    let mut scores = Array2::zeros((n * n_samples, 2 * dim));
    family.scores(&params, n_samples, &z, &mut scores).unwrap();
    let at = |p: usize, h: f64| {
        let mut moved = params.clone();
        moved.column_mut(p).iter_mut().for_each(|v| *v += h);
        let mut out = Array1::zeros(n * n_samples);
        family.log_prob_points(&moved, n_samples, &z, &mut out).unwrap();
        out
    };
    let h = 1e-5;
    for p in 0..2 * dim {
        let difference = (at(p, h) - at(p, -h)) / (2.0 * h);
        for (r, d) in difference.iter().enumerate() {
            assert!((d - scores[[r, p]]).abs() < 1e-7 * (1.0 + d.abs()), "point {r}, parameter {p}");
        }
    }
}

#[test]
fn outside_the_support_and_wrong_parameters() {
    let family = GammaPlate::for_space(&space(2)).unwrap();
    let params = Array2::zeros((1, 4));
    let z = ndarray::array![[0.0, 1.0], [1.0, -1.0], [f64::INFINITY, 1.0], [1.0, f64::NAN], [1.0, 2.0]];
    let mut out = Array1::zeros(5);
    family.log_prob_points(&params, 5, &z, &mut out).unwrap();
    assert!(out.iter().take(3).all(|v| *v == f64::NEG_INFINITY) && out[3].is_nan(), "{out}");
    assert_eq!(out[4], -3.0, "exponentials with mean 1");

    let key = StreamKey::from_seed(1);
    for (value, at) in [(f64::NAN, 1), (301.0, 2), (f64::NEG_INFINITY, 3)] {
        let mut params = Array2::zeros((2, 4));
        params[[1, at]] = value;
        let (mut z, mut log_q) = (Array2::zeros((2, 2)), Array1::zeros(2));
        let error = family.sample_points(&params, &[3, 17], key, 1, &mut z, &mut log_q).unwrap_err();
        let FamilyError::Domain { parameter, value: reported, .. } = error else { panic!("{error}") };
        let name = ["", "log_shape(z[2])", "log_rate(z[1])", "log_rate(z[2])"][at];
        assert_eq!((parameter, reported.to_bits()), (format!("{name} of row 1"), value.to_bits()));
    }
    assert_eq!(
        family.param_names(),
        ["log_shape(z[1])", "log_shape(z[2])", "log_rate(z[1])", "log_rate(z[2])"]
    );
    let mixed = ParameterSpace::new([Parameter::scalar("x", Support::Real)]).unwrap();
    assert!(GammaPlate::for_space(&mixed).unwrap_err().to_string().contains("x"));
}

#[test]
fn the_contract_of_a_plate() {
    for dim in [1, 5, 20] {
        check_plate_family(&GammaPlate::for_space(&space(dim)).unwrap(), StreamKey::from_seed(7));
    }
}

#[test]
fn points_depend_on_their_datum_alone() {
    let family = GammaPlate::for_space(&space(6)).unwrap();
    let params = params(4, 6);
    let key = StreamKey::from_seed(5);
    let (mut all, mut log_q) = (Array2::zeros((4 * 3, 6)), Array1::zeros(12));
    family.sample_points(&params, &[8, 2, 5, 1], key, 3, &mut all, &mut log_q).unwrap();
    for (i, n) in [8, 2, 5, 1].into_iter().enumerate() {
        let (mut alone, mut log_alone) = (Array2::zeros((3, 6)), Array1::zeros(3));
        family.sample_points(&params.slice(s![i..=i, ..]), &[n], key, 3, &mut alone, &mut log_alone).unwrap();
        assert_eq!(all.slice(s![3 * i..3 * i + 3, ..]), alone, "datum {n}");
        assert_eq!(log_q.slice(s![3 * i..3 * i + 3]), log_alone, "datum {n}");
    }
}

/// The distance of Kolmogorov and Smirnov to the distribution of every member stays below what one in 10⁹ samples exceeds,
/// P(√n D > x) ≤ 2 exp(−2x²) (Massart 1990), over 16 members: a false alarm in 6·10⁷.
#[test]
fn draws_follow_their_distributions() {
    check_draws(&[0.02, 0.3, 0.7, 0.999, 1.0, 1.0001, 1.5, 2.0, 3.0, 7.0, 50.0, 300.0, 1e6, 0.1]);
    // Exponentials, where no shape is another.
    check_draws(&[1.0, 1.0]);
}

fn check_draws(shapes: &[f64]) {
    let (n_samples, n) = (250, 400);
    let dim = shapes.len();
    let family = GammaPlate::for_space(&space(dim)).unwrap();
    let rate = |l: usize| 0.1 + l as f64;
    let row: Vec<f64> = shapes.iter().map(|a: &f64| a.ln()).chain((0..dim).map(|l| rate(l).ln())).collect();
    let row = ArrayView2::from_shape((1, 2 * dim), &row).unwrap();
    let params = row.broadcast((n, 2 * dim)).unwrap().to_owned();
    let (z, _) = sampled(&family, &params, n_samples, 3);
    let bound = (0.5 * 2e9_f64.ln() / z.nrows() as f64).sqrt();
    for (l, shape) in shapes.iter().enumerate() {
        let member = Gamma::from_shape_rate(*shape, rate(l)).unwrap();
        let mut draws = z.column(l).to_vec();
        draws.sort_by(f64::total_cmp);
        let n = draws.len() as f64;
        let distance = draws.iter().enumerate().fold(0.0_f64, |worst, (i, z)| {
            let (below, p) = (i as f64 / n, member.cdf(*z));
            worst.max(p - below).max(below + 1.0 / n - p)
        });
        assert!(distance < bound, "shape {shape}: distance {distance:e}, bound {bound:e}");
    }
}

/// Points of a datum, and coordinates of a point, are independent: the correlations of log z over 4000 data stay within 6
/// standard errors, over 12·11/2 pairs a false alarm in 7·10⁶.
#[test]
fn draws_are_independent() {
    let (n, n_samples, dim) = (4000, 3, 4);
    let family = GammaPlate::for_space(&space(dim)).unwrap();
    let shapes = [0.4, 1.0, 2.5, 30.0];
    let params = Array2::from_shape_fn((n, 2 * dim), |(_, p)| shapes.get(p).map_or(0.5, |a: &f64| a.ln()));
    let (z, _) = sampled(&family, &params, n_samples, 4);
    let z = Array3::from_shape_vec((n, n_samples, dim), z.into_raw_vec_and_offset().0).unwrap();
    let standardised = |s: usize, l: usize| -> Vec<f64> {
        let (mean, sd) = (digamma(shapes[l]) - 0.5, trigamma(shapes[l]).sqrt());
        (0..n).map(|i| (z[[i, s, l]].ln() - mean) / sd).collect()
    };
    let columns: Vec<Vec<f64>> =
        (0..n_samples).flat_map(|s| (0..dim).map(move |l| (s, l))).map(|(s, l)| standardised(s, l)).collect();
    for a in 0..columns.len() {
        for b in 0..a {
            let products = columns[a].iter().zip(&columns[b]).map(|(x, y)| x * y).sum::<f64>();
            let z_score = products / (n as f64).sqrt();
            assert!(z_score.abs() < 6.0, "columns {a} and {b}: {z_score} standard errors");
        }
    }
}

/// Where draws underflow everything stays finite, and the share of such draws is exp(−708.4 shape).
#[test]
fn small_shapes_stay_finite() {
    let (n, n_samples) = (500, 40);
    let family = GammaPlate::for_space(&space(1)).unwrap();
    for shape in [1e-100, 1e-5, 1e-3, 0.01] {
        let params = Array2::from_shape_fn((n, 2), |(_, p)| if p == 0 { f64::ln(shape) } else { 0.0 });
        let (z, log_q) = sampled(&family, &params, n_samples, 6);
        let mut scores = Array2::zeros((n * n_samples, 2));
        family.scores(&params, n_samples, &z, &mut scores).unwrap();
        assert!(z.iter().all(|z| z.is_normal()) && log_q.iter().chain(&scores).all(|v| v.is_finite()));
        let n_smallest = z.iter().filter(|z| **z == f64::MIN_POSITIVE).count() as f64;
        let total = (n * n_samples) as f64;
        let expected = (shape * f64::MIN_POSITIVE.ln()).exp();
        let error = (total * expected * (1.0 - expected)).sqrt().max(1.0);
        // Six standard errors: a false alarm in 10⁸ a shape.
        assert!(
            (n_smallest - total * expected).abs() < 6.0 * error,
            "shape {shape}: {n_smallest} of {total}"
        );
    }
}
