//! A sweep allocates nothing after the first, and a fit little beyond data and responsibilities.

use ndarray::Array2;
use vi_core::testing::CountingAllocator;
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixturePriors};

use crate::missing::patterns;
use crate::support::{State, WEIGHTS, all_priors};

fn sweep(model: &GaussianMixture, (q, stats): &mut State) -> f64 {
    let mut elbo = 0.0;
    for &block in model.blocks() {
        model.condition(block, stats, q, Exec::local()).unwrap();
        model.expect(block, q, stats, Exec::local());
        elbo = model.elbo(q, stats);
    }
    elbo
}

fn data(n: usize, d: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, d), |(i, j)| ((i * 31 + j * 17 + i * j) % 101) as f64 * 0.1)
}

/// On a pool of one thread, where everything is done by the thread that counts.
fn alone(f: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(f);
}

#[test]
fn later_sweeps_allocate_nothing() {
    for priors in all_priors() {
        for (lean, gaps) in [(false, false), (true, false), (false, true), (true, true)] {
            let name = format!("{:?}, {:?}, lean {lean}, gaps {gaps}", priors.covariance, priors.weights);
            alone(|| {
                let mut model = if gaps {
                    let priors = GaussianMixturePriors { mean: None, scale: None, ..priors.clone() };
                    GaussianMixture::with_missing_values(patterns(1500, true), 3, priors).unwrap()
                } else {
                    GaussianMixture::new(data(1500, 2), 3, priors.clone()).unwrap()
                };
                if lean {
                    model = model.without_responsibilities();
                }
                let mut state = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
                sweep(&model, &mut state);
                let allocations = CountingAllocator::during(|| {
                    sweep(&model, &mut state);
                    sweep(&model, &mut state);
                });
                assert_eq!(allocations.n, 0, "{name}: {allocations:?}");
            });
        }
    }
}

/// All that is ever allocated beyond the data bounds the peak: at most 0.3 (data + responsibilities) beyond both.
#[test]
fn a_fit_takes_little_beyond_data_and_responsibilities() {
    for ((n, d, k), weights) in [(20_000, 10, 10), (20_000, 5, 30)].into_iter().zip(WEIGHTS) {
        alone(|| {
            let x = data(n, d);
            let fit = |lean: bool| {
                CountingAllocator::during(|| {
                    let priors = GaussianMixturePriors { weights, ..GaussianMixturePriors::default() };
                    let mut model = GaussianMixture::new(x.clone(), k, priors).unwrap();
                    if lean {
                        model = model.without_responsibilities();
                    }
                    let labels: Vec<usize> = (0..n).map(|i| i % k).collect();
                    let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
                    sweep(&model, &mut state);
                    sweep(&model, &mut state);
                })
                .bytes as f64
            };
            let (data, matrix, labels) = ((8 * n * d) as f64, (8 * n * k) as f64, (8 * n) as f64);
            // The clone above is the data.
            let kept = fit(false) - labels;
            assert!(
                kept <= 1.3 * (data + matrix),
                "{n}×{d}, {k}: {kept} bytes, data and matrix {}",
                data + matrix
            );
            let lean = fit(true) - labels;
            assert!(lean <= data + 0.35 * (data + matrix), "{n}×{d}, {k}: {lean} bytes, data {data}");
        });
    }
}
