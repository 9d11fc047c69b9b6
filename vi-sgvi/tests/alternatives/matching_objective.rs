//! The updates against what they claim to minimise, written down once more in the coordinates of z.

use ndarray::{Array1, Array2};
use vi_core::StreamKey;
use vi_core::linalg::Cholesky;
use vi_core::{Parameter, ParameterSpace, Support};
use vi_families::{FullRankGaussian, VariationalFamily};
use vi_sgvi::{BatchAndMatch, GaussianScoreMatching, LearningRate, MatchRule};

use crate::common::normals;

/// A Gaussian q_t and a batch from it, with scores of no particular posterior.
struct Batch {
    mean: Array1<f64>,
    factor: Array2<f64>,
    noise: Array2<f64>,
    draws: Array2<f64>,
    scores: Array2<f64>,
}

impl Batch {
    fn new(n_batch: usize, dim: usize, seed: u64) -> Self {
        let key = StreamKey::from_seed(seed);
        let mean = normals(1, dim, key.fold_in(1)).row(0).to_owned();
        let mut factor = normals(dim, dim, key.fold_in(2)) * 0.4;
        for i in 0..dim {
            factor[[i, i]] = 0.7 + 0.2 * i as f64;
            (i + 1..dim).for_each(|j| factor[[i, j]] = 0.0);
        }
        let noise = normals(n_batch, dim, key.fold_in(3));
        let draws = noise.dot(&factor.t()) + &mean;
        let scores = normals(n_batch, dim, key.fold_in(4)) * 1.5 - &(&draws * 0.6);
        Self { mean, factor, noise, draws, scores }
    }

    /// Mean and covariance after the update, in the coordinates of z.
    fn update<R: MatchRule>(&self, rule: &R, t: u64) -> (Array1<f64>, Array2<f64>) {
        let matched = rule.update(t, &self.noise, &self.scores.dot(&self.factor)).unwrap();
        let mean = &self.mean + &self.factor.dot(&matched.shift);
        (mean, self.factor.dot(&matched.covariance).dot(&self.factor.t()))
    }

    /// (1/B) Σ_b ‖∇ log q(z_b) − g_b‖²_Σ + (2/λ) KL(q_t ‖ q).
    fn objective(&self, lambda: f64, mean: &Array1<f64>, covariance: &Array2<f64>) -> f64 {
        let (n, d) = self.draws.dim();
        let sigma = Cholesky::factor(covariance).unwrap();
        let mut divergence = 0.0;
        for (z, g) in self.draws.rows().into_iter().zip(self.scores.rows()) {
            let score_of_q = -sigma.solve(&(&z - mean));
            let difference = score_of_q - g;
            divergence += difference.dot(&covariance.dot(&difference)) / n as f64;
        }
        let old = self.factor.dot(&self.factor.t());
        let trace: f64 = (0..d).map(|i| sigma.solve(&old.column(i))[i]).sum();
        let off = mean - &self.mean;
        let log_det_old = Cholesky::factor(&old).unwrap().log_det();
        let kl = 0.5 * (trace + off.dot(&sigma.solve(&off)) - d as f64 + sigma.log_det() - log_det_old);
        divergence + 2.0 / lambda * kl
    }
}

fn family(dim: usize) -> FullRankGaussian {
    FullRankGaussian::new(&ParameterSpace::new([Parameter::vector("z", dim, Support::Real)]).unwrap())
        .unwrap()
}

/// The largest partial derivative of the objective in λ of the full-rank family, by central differences.
fn slope(batch: &Batch, lambda: f64, mean: &Array1<f64>, covariance: &Array2<f64>) -> f64 {
    let family = family(mean.len());
    let params = family.params_from_mean_covariance(mean, covariance).unwrap();
    let at = |params: &Array1<f64>| {
        let q = family.bind(params).unwrap();
        batch.objective(lambda, &Array1::from(q.mean().to_vec()), &q.covariance())
    };
    (0..params.len())
        .map(|p| {
            let mut moved = [params.clone(), params.clone()];
            moved[0][p] += 1e-5;
            moved[1][p] -= 1e-5;
            ((at(&moved[0]) - at(&moved[1])) / 2e-5).abs()
        })
        .fold(0.0, f64::max)
}

// Batches smaller and larger than the dimension, where the equation is solved in different ways; weak and strong penalties.
#[test]
fn batch_and_match_is_stationary_in_its_objective() {
    for (n_batch, dim) in [(1, 1), (1, 4), (2, 4), (3, 4), (4, 4), (12, 4), (30, 3)] {
        for lambda in [0.05, 1.0, 40.0] {
            let batch = Batch::new(n_batch, dim, 21);
            let rate = LearningRate::Constant(lambda / (n_batch * dim) as f64);
            let (mean, covariance) = batch.update(&BatchAndMatch { learning_rate: rate }, 0);
            let at_update = slope(&batch, lambda, &mean, &covariance);
            let before = slope(&batch, lambda, &batch.mean, &batch.factor.dot(&batch.factor.t()));
            let context = format!("B = {n_batch}, D = {dim}, λ = {lambda}");
            assert!(
                at_update < 1e-7 * before.max(1.0),
                "{context}: slope {at_update:.1e}, before {before:.1e}"
            );
            let value = batch.objective(lambda, &mean, &covariance);
            for p in 0..20 {
                let nudge = normals(dim, dim, StreamKey::from_seed(22).fold_in(p)) * 0.1;
                let covariance = &covariance + &nudge.dot(&nudge.t());
                assert!(batch.objective(lambda, &mean, &covariance) > value, "{context}");
            }
        }
    }
}

#[test]
fn the_schedule_is_that_of_the_paper() {
    let rule = BatchAndMatch::default();
    for t in [0, 1, 9] {
        assert_eq!(rule.regularisation(t, 8, 5), 40.0 / (t + 1) as f64);
    }
    assert_eq!(BatchAndMatch::gaussian().regularisation(1000, 8, 5), 40.0);
}

// With one draw the score of the new Gaussian is the one asked for, and no other Gaussian with that property is nearer: it is
// what batch and match does with one draw and no penalty.
#[test]
fn gaussian_score_matching_matches_one_score_and_averages_many() {
    for dim in [1, 2, 5] {
        let batch = Batch::new(1, dim, 23);
        let (mean, covariance) = batch.update(&GaussianScoreMatching, 0);
        let score = Cholesky::factor(&covariance).unwrap().solve(&(&mean - &batch.draws.row(0)));
        for (found, asked) in score.iter().zip(batch.scores.row(0)) {
            assert!((found - asked).abs() < 1e-9 * (1.0 + asked.abs()), "{found} instead of {asked}");
        }
        let no_penalty = BatchAndMatch { learning_rate: LearningRate::Constant(1e9) };
        let (limit_mean, limit_covariance) = batch.update(&no_penalty, 0);
        let pairs = mean.iter().zip(&limit_mean).chain(covariance.iter().zip(&limit_covariance));
        for (a, b) in pairs {
            assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "D = {dim}: {a} against {b}");
        }
    }
    let batch = Batch::new(3, 4, 24);
    let (mean, covariance) = batch.update(&GaussianScoreMatching, 0);
    let one = |b: usize| {
        let row = |x: &Array2<f64>| x.row(b).to_owned().insert_axis(ndarray::Axis(0));
        let (noise, draws, scores) = (row(&batch.noise), row(&batch.draws), row(&batch.scores));
        let (mean, factor) = (batch.mean.clone(), batch.factor.clone());
        Batch { mean, factor, noise, draws, scores }.update(&GaussianScoreMatching, 0)
    };
    let (means, covariances): (Vec<_>, Vec<_>) = (0..3).map(one).unzip();
    let average = (&means[0] + &means[1] + &means[2]) / 3.0;
    assert!((&mean - &average).iter().all(|e| e.abs() < 1e-12));
    let average = (&covariances[0] + &covariances[1] + &covariances[2]) / 3.0;
    assert!((&covariance - &average).iter().all(|e| e.abs() < 1e-12));
}

// Scores of any size: far from a posterior they are large, and the covariance stays one.
#[test]
fn the_covariance_stays_positive_definite() {
    for size in [0.0, 1e-8, 1.0, 1e4, 1e7] {
        for n_batch in [1, 3, 40] {
            let batch = Batch::new(n_batch, 5, 25);
            let scores = &batch.scores * size;
            for rule in [&BatchAndMatch::default() as &dyn MatchRule, &GaussianScoreMatching] {
                let matched = rule.update(0, &batch.noise, &scores).unwrap();
                let pd = Cholesky::factor(&matched.covariance).is_ok();
                assert!(pd, "{}, B = {n_batch}, scores times {size:e}", rule.name());
            }
        }
    }
}
