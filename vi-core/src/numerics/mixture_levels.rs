//! Counts shared out on every instruction set that this CPU has, against plain loops.

use super::{MixtureProportions, MixtureRows, digamma, exp_digamma, on_each_level};

struct Problem {
    /// (K, W).
    components: Vec<Vec<f64>>,
    counts: Vec<f64>,
    alpha: f64,
}

fn problem(k: usize, w: usize) -> Problem {
    let value = |i: usize, j: usize| 0.01 + ((i * 37 + j * 11) as f64 * 0.618).fract();
    let components = (0..k).map(|i| (0..w).map(|j| value(i, j)).collect()).collect();
    Problem { components, counts: (0..w).map(|j| 1.0 + (j % 3) as f64).collect(), alpha: 0.1 }
}

/// γ, m and Z by plain loops.
fn plain(p: &Problem, iterations: usize) -> [Vec<f64>; 3] {
    let k = p.components.len();
    let mut gamma = vec![1.0; k];
    let share = |gamma: &[f64]| {
        let mut weights = vec![0.0; k];
        digamma(gamma, &mut weights);
        weights.iter_mut().for_each(|w| *w = w.exp());
        let z: Vec<f64> =
            (0..p.counts.len()).map(|w| (0..k).map(|i| weights[i] * p.components[i][w]).sum()).collect();
        let m = (0..k).map(|i| {
            let terms = p.counts.iter().enumerate().map(|(w, n)| n * p.components[i][w] / z[w]);
            weights[i] * terms.sum::<f64>()
        });
        (m.collect::<Vec<f64>>(), z)
    };
    for _ in 0..iterations {
        gamma = share(&gamma).0.iter().map(|m| p.alpha + m).collect();
    }
    let (m, z) = share(&gamma);
    [gamma, m, z]
}

fn packed(p: &Problem, tolerance: f64, iterations: usize) -> ([Vec<f64>; 3], usize) {
    let (k, w) = (p.components.len(), p.counts.len());
    let (k_padded, w_padded) = (k.next_multiple_of(8), w.next_multiple_of(8));
    let mut components = vec![1.0; w_padded * k];
    for (i, row) in p.components.iter().enumerate() {
        for (j, b) in row.iter().enumerate() {
            components[(j / 8 * k + i) * 8 + j % 8] = *b;
        }
    }
    let mut counts = p.counts.clone();
    counts.resize(w_padded, 0.0);
    let mut prior = vec![p.alpha; k];
    prior.resize(k_padded, 1.0);
    let (mut gamma, mut weights) = (vec![1.0; k_padded], vec![0.0; k_padded]);
    exp_digamma(&gamma, &mut weights);
    let (mut m, mut z) = (vec![f64::NAN; k_padded], vec![f64::NAN; w_padded]);
    let done = MixtureProportions {
        components: &components,
        counts: &counts,
        prior: &prior,
        concentration: &mut gamma,
        weights: &mut weights,
        expected_counts: &mut m,
        normalizers: &mut z,
        scratch: &mut vec![f64::NAN; 8 * k_padded],
        n_components: k,
    }
    .iterate(tolerance, iterations);
    assert!(gamma[k..].iter().all(|g| *g == 1.0) && m[k..].iter().all(|m| *m == 0.0), "padding");
    gamma.truncate(k);
    m.truncate(k);
    z.truncate(w);
    ([gamma, m, z], done)
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs())
}

#[test]
fn iterations_are_those_of_plain_loops_on_every_level() {
    for (k, w) in [(2, 1), (3, 8), (20, 33), (20, 134), (9, 64), (100, 71)] {
        let p = problem(k, w);
        for iterations in [0, 1, 5] {
            let expected = plain(&p, iterations);
            let mut best = None;
            on_each_level(|level| {
                let (values, done) = packed(&p, 0.0, iterations);
                assert_eq!(done, iterations);
                for (value, expected) in values.iter().zip(&expected) {
                    assert!(close(value, expected), "{k}×{w}, {level}: {value:?} for {expected:?}");
                }
                let best = best.get_or_insert_with(|| values.clone());
                assert!(level == "baseline" || values == *best, "{k}×{w}: bits on {level}");
            });
        }
    }
}

#[test]
fn stops_at_the_tolerance_and_at_what_is_no_number() {
    let mut p = problem(4, 30);
    let (_, done) = packed(&p, 1e-3, 1000);
    let change = |iterations| {
        let (before, after) = (&plain(&p, iterations - 1)[0], &plain(&p, iterations)[0]);
        before.iter().zip(after).map(|(a, b)| (a - b).abs()).sum::<f64>() / 4.0
    };
    assert!(done < 1000 && change(done) < 1e-3 && change(done - 1) >= 1e-3, "{done}");
    p.components.iter_mut().for_each(|row| row[3] = 0.0);
    let ([gamma, ..], done) = packed(&p, 1e-3, 1000);
    assert!(done <= 2 && gamma.iter().any(|g| !g.is_finite()), "{done}: {gamma:?}");
}

#[test]
fn rows_are_shared_out_as_by_plain_loops_on_every_level() {
    for (k, n_rows) in [(8, 1), (24, 7), (104, 13)] {
        let rows: Vec<Vec<f64>> =
            (0..n_rows).map(|i| (0..k).map(|j| ((i * 7 + j) as f64 * 0.618).fract()).collect()).collect();
        let stride = k + 3;
        let values: Vec<f64> =
            rows.iter().flat_map(|r| [vec![9.0; 2], r.clone(), vec![9.0]].concat()).collect();
        let indices: Vec<usize> = (0..n_rows).filter(|i| i % 5 != 1).collect();
        let counts: Vec<f64> = indices.iter().map(|i| 1.0 + *i as f64).collect();
        let weights: Vec<f64> = (0..k).map(|j| 0.1 + j as f64).collect();
        let z = |i: usize| rows[i].iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>();
        let expected: Vec<f64> = (0..k)
            .map(|j| 1.0 + indices.iter().zip(&counts).map(|(i, n)| n * rows[*i][j] / z(*i)).sum::<f64>())
            .collect();
        let least = indices.iter().map(|i| z(*i)).fold(f64::INFINITY, f64::min);
        let mut best = None;
        on_each_level(|level| {
            let mut sums = vec![1.0; k];
            let rows = MixtureRows { values: &values, stride, start: 2 };
            let value = rows.add_shares(&indices, &counts, &weights, &mut sums);
            assert!((value - least).abs() <= 1e-13 * least && close(&sums, &expected), "{k}, {level}");
            let best = best.get_or_insert_with(|| sums.clone());
            assert!(level == "baseline" || sums == *best, "{k}: bits on {level}");
        });
    }
}
