//! The summary table of chains that mix and of chains that do not, and Pareto smoothing.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array3};
use vi_benches::standard_normal;
use vi_core::{Draws, Parameter, ParameterSpace, Support};
use vi_diagnostics::{psis, summarise};

/// Four chains of 1000 draws of x_t = φ x_{t−1} + ε_t in 10 coordinates.
fn autoregressions(phi: f64) -> Draws {
    let noise = standard_normal(4000, 10, 31);
    let mut values = Array3::zeros((4, 1000, 10));
    for c in 0..4 {
        for d in 0..10 {
            let mut x = 0.0;
            for i in 0..1000 {
                x = phi * x + noise[(1000 * c + i, d)];
                values[(c, i, d)] = x;
            }
        }
    }
    let space = ParameterSpace::new([Parameter::vector("x", 10, Support::Real)]);
    Draws::new(space.expect("one real vector is a space"), values)
}

fn summaries(c: &mut Criterion) {
    for phi in [0.3, 0.999] {
        let draws = autoregressions(phi);
        c.bench_function(&format!("summarise/4x1000x10/phi_{phi}"), |b| b.iter(|| summarise(&draws)));
    }
}

fn smoothing(c: &mut Criterion) {
    let log_ratios: Array1<f64> = standard_normal(4000, 1, 32).iter().map(|e| 0.3 * e * e).collect();
    c.bench_function("psis/4000", |b| b.iter(|| psis(&log_ratios)));
}

criterion_group!(benches, summaries, smoothing);
criterion_main!(benches);
