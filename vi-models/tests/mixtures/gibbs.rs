//! Coordinate ascent and Gibbs sampling of the same model agree where the posterior is narrow.

use ndarray::{Array1, Array2};
use rand_distr::{Distribution, StandardNormal};
use vi_core::{ConditionallyConjugate, Exec, LogJoint};
use vi_models::gaussian_mixture::GaussianMixture;

use crate::support::{all_priors, ascend, key};

/// Two clusters six standard deviations apart: labels do not switch, and factors are nearly independent.
#[test]
fn posterior_means_agree_with_gibbs() {
    let mut rng = key().rng(7);
    let x = Array2::from_shape_fn((300, 2), |(i, j)| {
        let noise: f64 = StandardNormal.sample(&mut rng);
        noise * if j == 0 { 1.0 } else { 0.8 } + if i % 3 == 0 { 3.0 } else { -3.0 }
    });
    let labels: Vec<usize> = (0..300).map(|i| usize::from(i % 3 == 0)).collect();
    for priors in all_priors() {
        let name = format!("{:?}, {:?}", priors.covariance, priors.weights);
        let model = GaussianMixture::new(x.clone(), 2, priors).unwrap();
        let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
        ascend(&model, &mut state, 20);
        let d = model.dim();
        let (n_draws, mut z) = (1500, Array1::zeros(d));
        let moments = |draw: &mut dyn FnMut(u64, &mut Array1<f64>), z: &mut Array1<f64>| {
            let (mut sum, mut squares) = (Array1::<f64>::zeros(d), Array1::<f64>::zeros(d));
            for t in 0..n_draws {
                draw(t, z);
                sum += &*z;
                squares += &(&*z * &*z);
            }
            let mean = sum / n_draws as f64;
            let variance = squares / n_draws as f64 - &mean * &mean;
            (mean, variance)
        };
        let ascent = moments(&mut |t, z| model.sample(&state.0, &mut key().rng(t), z), &mut z);
        let (mut q, mut stats) = state.clone();
        let mut gibbs = |t: u64, z: &mut Array1<f64>| {
            for (i, &block) in model.blocks().iter().enumerate() {
                model.condition(block, &stats, &mut q, Exec::local()).unwrap();
                model.draw(block, &q, key().fold_in(t).fold_in(i as u64), &mut stats, Exec::local());
            }
            model.realise(&stats, z);
        };
        let chain = moments(&mut gibbs, &mut z);
        for i in 0..d {
            // Draws are nearly independent. Five errors of the difference (false alarm 6e-7 each), and a fiftieth of a
            // posterior standard deviation for what coordinate ascent leaves out.
            let sd = chain.1[i].sqrt();
            let error = (5.0 * (2.0 / n_draws as f64).sqrt() + 0.02) * sd;
            let difference = (ascent.0[i] - chain.0[i]).abs();
            assert!(difference < error, "{name}: mean of coordinate {i}: {difference} of {error}");
            // The variance of 1500 normal draws is known to 3.7 %; five errors of the ratio of two.
            let ratio = ascent.1[i] / chain.1[i];
            assert!((0.75..1.33).contains(&ratio), "{name}: variance of coordinate {i}: ratio {ratio}");
        }
    }
}
