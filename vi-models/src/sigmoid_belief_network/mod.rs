//! The sigmoid belief network: bits below bits, with parameters that are learned.
//!
//! ```text
//! z_nh ~ Bernoulli(σ(b_h))                          h = 1 … H, the hidden bits of datum n
//! x_nd ~ Bernoulli(σ(c_d + Σ_h z_nh W_hd))          d = 1 … D, the pixels
//! θ = (W (H, D) row by row, c (D), b (H));  optionally W_hd ~ N(0, s²)
//! ```
//! One log joint is a sum of rows of W, chosen by the hidden bits, and D softplus functions. Hidden bits are taken five at a
//! time: a table has the sums of rows for all 32 patterns, so that the logits of a point are ⌈H/5⌉ additions a pixel
//! instead of H products; the gradient in W adds the residuals of all points into as many buckets the same way back. The
//! terms linear in the logits are sums over the pixels that are 1, once per datum and not once per point.
//!
//! Sources: R. M. Neal, *Connectionist learning of belief networks*, Artificial Intelligence 56 (1992) 71–113; A. Mnih & K.
//! Gregor, *Neural variational inference and learning in belief networks*, ICML 2014, <https://arxiv.org/abs/1402.0030>.

mod exact;
mod points;
mod tables;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::{
    Parameter, ParameterSpace, PlateError, PlateLogJoint, PlateModel, StreamKey, Support, check_model_params,
};

use crate::ModelError;
use crate::checks::{LOG_2_PI, positive};
pub use exact::MAX_ENUMERATED;
pub use tables::SigmoidBeliefTables;

const MODEL: &str = "sigmoid_belief_network";

/// The sigmoid belief network of binary data; see the [module](self).
#[derive(Clone, Debug)]
pub struct SigmoidBeliefNetwork {
    pixels: Array2<f64>,
    /// The pixels that are 1: those of datum n are `ones[first_one[n]..first_one[n + 1]]`.
    ones: Vec<usize>,
    first_one: Vec<usize>,
    weight_scale: Option<f64>,
    local: ParameterSpace,
    model: ParameterSpace,
}

impl SigmoidBeliefNetwork {
    /// The network with `n_hidden` hidden bits for every row of `pixels` (N, D), whose elements are 0 or 1.
    ///
    /// # Errors
    /// [`ModelError`] names the pixel that is neither 0 nor 1, or what is empty.
    pub fn new(pixels: Array2<f64>, n_hidden: usize) -> Result<Self, ModelError> {
        if pixels.is_empty() {
            return Err(ModelError::Empty { model: MODEL, data: "pixels" });
        }
        if n_hidden == 0 {
            return Err(ModelError::Empty { model: MODEL, data: "hidden bits" });
        }
        if let Some(((row, column), &value)) = pixels.indexed_iter().find(|(_, x)| **x != 0.0 && **x != 1.0) {
            let (data, requirement) = ("pixels", "0 or 1");
            return Err(ModelError::Datum { model: MODEL, data, row, column, value, requirement });
        }
        let (mut ones, mut first_one) = (Vec::new(), vec![0]);
        for row in pixels.rows() {
            ones.extend(row.iter().enumerate().filter(|(_, x)| **x == 1.0).map(|(d, _)| d));
            first_one.push(ones.len());
        }
        let d = pixels.ncols();
        let model = ParameterSpace::new([
            Parameter::new("weight", &[n_hidden, d], Support::Real),
            Parameter::vector("pixel_bias", d, Support::Real),
            Parameter::vector("hidden_bias", n_hidden, Support::Real),
        ])?;
        let local = ParameterSpace::new([Parameter::vector("hidden", n_hidden, Support::Binary)])?;
        let pixels = pixels.as_standard_layout().into_owned();
        Ok(Self { pixels, ones, first_one, weight_scale: None, local, model })
    }

    /// The same with the prior W_hd ~ N(0, `scale`²); the biases stay without.
    ///
    /// # Errors
    /// [`ModelError::Prior`] unless `scale` is finite and positive.
    pub fn with_weight_prior(self, scale: f64) -> Result<Self, ModelError> {
        positive(MODEL, "weight_scale", scale)?;
        Ok(Self { weight_scale: Some(scale), ..self })
    }

    /// The same network, with its prior, for other data (N′, D): its θ means the same.
    ///
    /// # Errors
    /// As for [`SigmoidBeliefNetwork::new`]; [`ModelError::Length`] when the data have other pixels.
    pub fn with_data(&self, pixels: Array2<f64>) -> Result<Self, ModelError> {
        let (expected, actual) = (self.n_pixels(), pixels.ncols());
        if actual != expected {
            return Err(ModelError::Length { model: MODEL, data: "a row of pixels", expected, actual });
        }
        Ok(Self { weight_scale: self.weight_scale, ..Self::new(pixels, self.n_hidden())? })
    }

    /// The data (N, D).
    pub fn pixels(&self) -> &Array2<f64> {
        &self.pixels
    }

    /// D.
    pub fn n_pixels(&self) -> usize {
        self.pixels.ncols()
    }

    /// H.
    pub fn n_hidden(&self) -> usize {
        self.local.dim()
    }

    /// Draws `n` data (n, D) and their hidden bits (n, H) at θ (M); datum i comes from `key.rng(i)`.
    ///
    /// # Errors
    /// [`PlateError`] names the element of θ that is not finite.
    pub fn simulate(
        &self,
        model_params: &ArrayRef1<f64>,
        n: usize,
        key: StreamKey,
    ) -> Result<(Array2<f64>, Array2<f64>), PlateError> {
        check_model_params(&self.model, model_params)?;
        let parts = Parts::of(model_params, self.n_hidden(), self.n_pixels());
        let (mut x, mut z) =
            (Array2::zeros((n, self.n_pixels())), Array2::<f64>::zeros((n, self.n_hidden())));
        for i in 0..n {
            let mut rng = key.rng(i as u64);
            let mut bit =
                |logit: f64| f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-logit).exp())));
            for (z, b) in z.row_mut(i).iter_mut().zip(parts.hidden_bias) {
                *z = bit(*b);
            }
            for (d, x) in x.row_mut(i).iter_mut().enumerate() {
                let rows = z.row(i);
                let sum: f64 =
                    rows.iter().zip(parts.weight.chunks_exact(self.n_pixels())).map(|(z, w)| z * w[d]).sum();
                *x = bit(parts.pixel_bias[d] + sum);
            }
        }
        Ok((x, z))
    }
}

/// θ in its parts.
#[derive(Clone, Copy, Debug)]
struct Parts<'a> {
    weight: &'a [f64],
    pixel_bias: &'a [f64],
    hidden_bias: &'a [f64],
}

impl<'a> Parts<'a> {
    fn of(model_params: &'a ArrayRef1<f64>, n_hidden: usize, n_pixels: usize) -> Self {
        let all = model_params.as_slice().expect("θ stands in one piece");
        let (weight, rest) = all.split_at(n_hidden * n_pixels);
        let (pixel_bias, hidden_bias) = rest.split_at(n_pixels);
        Self { weight, pixel_bias, hidden_bias }
    }
}

impl PlateModel for SigmoidBeliefNetwork {
    type Cache = SigmoidBeliefTables;
    type At<'a> = SigmoidBeliefNetworkAt<'a>;

    fn n_data(&self) -> usize {
        self.pixels.nrows()
    }
    fn local_parameters(&self) -> &ParameterSpace {
        &self.local
    }
    fn model_parameters(&self) -> &ParameterSpace {
        &self.model
    }
    /// Weights of a tenth of a standard normal; pixels as often 1 as in the data, hidden bits half the time.
    fn init_model_params(&self, key: StreamKey) -> Array1<f64> {
        let (h, d, n) = (self.n_hidden(), self.n_pixels(), self.n_data() as f64);
        let mut rng = key.rng(0);
        let mut theta = Array1::zeros(self.model.dim());
        theta.slice_mut(s![..h * d]).mapv_inplace(|_| 0.1 * rng.sample::<f64, _>(StandardNormal));
        for (bias, pixels) in theta.slice_mut(s![h * d..h * d + d]).iter_mut().zip(self.pixels.columns()) {
            let ones = pixels.sum();
            // Half a datum more of each kind: a pixel that never changes has a finite logit.
            *bias = ((ones + 0.5) / (n - ones + 0.5)).ln();
        }
        theta
    }
    /// # Panics
    /// If θ does not stand in one piece.
    fn at<'a>(
        &'a self,
        model_params: &'a ArrayRef1<f64>,
        cache: &'a mut SigmoidBeliefTables,
    ) -> Result<SigmoidBeliefNetworkAt<'a>, PlateError> {
        check_model_params(&self.model, model_params)?;
        let parts = Parts::of(model_params, self.n_hidden(), self.n_pixels());
        cache.fill(parts);
        Ok(SigmoidBeliefNetworkAt { network: self, parts, tables: cache })
    }
}

/// A [`SigmoidBeliefNetwork`] at one θ.
#[derive(Clone, Copy, Debug)]
pub struct SigmoidBeliefNetworkAt<'a> {
    network: &'a SigmoidBeliefNetwork,
    parts: Parts<'a>,
    tables: &'a SigmoidBeliefTables,
}

impl SigmoidBeliefNetworkAt<'_> {
    /// The pixels of datum n that are 1.
    fn ones(&self, n: usize) -> &[usize] {
        &self.network.ones[self.network.first_one[n]..self.network.first_one[n + 1]]
    }
}

impl PlateLogJoint for SigmoidBeliefNetworkAt<'_> {
    fn n_model_params(&self) -> usize {
        self.network.model.dim()
    }

    /// −∞ where an element of `z` is neither 0 nor 1.
    fn log_joint_points(&self, data: &[usize], z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        points::evaluate(self, data, z, out, None);
    }

    fn log_joint_points_and_add_grad(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) {
        assert_eq!(grad.len(), self.n_model_params(), "grad: wrong length");
        points::evaluate(self, data, z, out, Some((weight, grad)));
    }

    fn log_prior(&self) -> f64 {
        self.network.weight_scale.map_or(0.0, |s| {
            let squares: f64 = self.parts.weight.iter().map(|w| w * w).sum();
            -0.5 * (squares / (s * s) + self.parts.weight.len() as f64 * (LOG_2_PI + 2.0 * s.ln()))
        })
    }

    fn add_log_prior_grad(&self, weight: f64, grad: &mut ArrayRef1<f64>) {
        if let Some(s) = self.network.weight_scale {
            for (g, w) in grad.iter_mut().zip(self.parts.weight) {
                *g -= weight * w / (s * s);
            }
        }
    }
}
