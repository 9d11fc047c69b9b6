//! A sigmoid belief network small enough to enumerate, with its ELBO written out.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::testing::random_points;
use vi_core::{Parameter, ParameterSpace, PlateModel, StreamKey, Support};
use vi_families::BernoulliPlate;
use vi_models::sigmoid_belief_network::SigmoidBeliefNetwork;
use vi_sgvi::Recognition;

pub(crate) struct Small {
    pub(crate) model: SigmoidBeliefNetwork,
    pub(crate) family: BernoulliPlate,
    pub(crate) theta: Array1<f64>,
}

pub(crate) fn random_bits(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let space = ParameterSpace::new([Parameter::vector("x", d, Support::Binary)]).unwrap();
    random_points(&space, n, StreamKey::from_seed(seed))
}

pub(crate) fn normal(n: usize, seed: u64) -> Array1<f64> {
    let space = ParameterSpace::new([Parameter::vector("u", n, Support::Real)]).unwrap();
    random_points(&space, 1, StreamKey::from_seed(seed)).row(0).to_owned()
}

impl Small {
    pub(crate) fn new(n: usize, n_pixels: usize, n_hidden: usize) -> Self {
        let model = SigmoidBeliefNetwork::new(random_bits(n, n_pixels, 1), n_hidden).unwrap();
        let model = model.with_weight_prior(1.3).unwrap();
        let family = BernoulliPlate::for_space(model.local_parameters()).unwrap();
        let theta = normal(model.model_parameters().dim(), 2);
        Self { model, family, theta }
    }

    /// The ELBO of datum n by enumeration, log p(θ) left out.
    fn elbo_of(&self, theta: &ArrayRef1<f64>, n: usize, logits: &[f64]) -> f64 {
        let (h, d) = (self.model.n_hidden(), self.model.n_pixels());
        let x = self.model.pixels().row(n);
        (0..1 << h)
            .map(|state: usize| {
                let bit = |i: usize| state >> i & 1 == 1;
                let log_q: f64 = (0..h).map(|i| log_bernoulli(bit(i), logits[i])).sum();
                let mut log_p: f64 = (0..h).map(|i| log_bernoulli(bit(i), theta[h * d + d + i])).sum();
                for j in 0..d {
                    let on = (0..h).filter(|i| bit(*i));
                    let logit = theta[h * d + j] + on.map(|i| theta[i * d + j]).sum::<f64>();
                    log_p += log_bernoulli(x[j] == 1.0, logit);
                }
                log_q.exp() * (log_p - log_q)
            })
            .sum()
    }

    fn log_prior(&self, theta: &ArrayRef1<f64>) -> f64 {
        let n_weights = self.model.n_hidden() * self.model.n_pixels();
        let log_normal = |w: &f64| {
            let y = w / 1.3;
            -0.5 * y * y - (1.3 * (2.0 * std::f64::consts::PI).sqrt()).ln()
        };
        theta.iter().take(n_weights).map(log_normal).sum()
    }

    /// The exact ELBO of all data.
    pub(crate) fn elbo<R: Recognition>(
        &self,
        recognition: &R,
        theta: &ArrayRef1<f64>,
        params: &Array1<f64>,
    ) -> f64 {
        let n = self.model.n_data();
        let mut local = Array2::zeros((n, self.model.n_hidden()));
        recognition.local_params(params, &(0..n).collect::<Vec<_>>(), &mut local);
        let terms = (0..n).map(|i| self.elbo_of(theta, i, &local.row(i).to_vec()));
        self.log_prior(theta) + terms.sum::<f64>()
    }

    /// Its gradients in θ and ψ, by differences.
    pub(crate) fn exact<R: Recognition>(
        &self,
        recognition: &R,
        params: &Array1<f64>,
    ) -> (Array1<f64>, Array1<f64>) {
        let in_theta = differences(&self.theta, |theta| self.elbo(recognition, theta, params));
        let in_params = differences(params, |params| self.elbo(recognition, &self.theta, params));
        (in_theta, in_params)
    }
}

fn log_bernoulli(bit: bool, logit: f64) -> f64 {
    if bit { -(-logit).exp().ln_1p() } else { -logit.exp().ln_1p() }
}

/// Central differences of fourth order.
pub(crate) fn differences(at: &Array1<f64>, f: impl Fn(&Array1<f64>) -> f64) -> Array1<f64> {
    let step = 1e-3;
    Array1::from_shape_fn(at.len(), |i| {
        let moved = |steps: f64| {
            let mut moved = at.clone();
            moved[i] += steps * step;
            f(&moved)
        };
        (8.0 * (moved(1.0) - moved(-1.0)) - (moved(2.0) - moved(-2.0))) / (12.0 * step)
    })
}
