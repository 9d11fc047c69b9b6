//! Amortised local parameters: functions of features of the datum.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut2};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::StreamKey;
use vi_core::linalg::gemm;
use vi_core::numerics::sigmoid_inplace;
use vi_families::PlateFamily;

use super::recognition::Recognition;
use crate::error::SgviError;
use crate::workspace::{matrix, matrix_mut};
use vi_core::scratch;

/// Features of every datum, and what the parameters that they are mapped to are called.
#[derive(Clone, Debug)]
struct Features {
    values: Array2<f64>,
    init: Array1<f64>,
    names: Vec<String>,
}

impl Features {
    fn new<F: PlateFamily>(values: Array2<f64>, family: &F) -> Result<Self, SgviError> {
        if values.is_empty() {
            return Err(SgviError::NoData { what: "features" });
        }
        if let Some(((datum, feature), &value)) = values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(SgviError::Feature { datum, feature, value });
        }
        let values = values.as_standard_layout().into_owned();
        Ok(Self { values, init: family.init(), names: family.param_names() })
    }

    fn with_values(&self, values: Array2<f64>) -> Result<Self, SgviError> {
        let (expected, actual) = (self.values.ncols(), values.ncols());
        if actual != expected {
            return Err(SgviError::Length { name: "a row of features", expected, actual });
        }
        if let Some(((datum, feature), &value)) = values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(SgviError::Feature { datum, feature, value });
        }
        Ok(Self { values: values.as_standard_layout().into_owned(), ..self.clone() })
    }

    /// Calls `f` with the rows of these data.
    fn with<R>(&self, data: &[usize], f: impl FnOnce(&ArrayView2<'_, f64>) -> R) -> R {
        let width = self.values.ncols();
        scratch::with(data.len() * width, |scratch| {
            let mut rows = matrix_mut(scratch, width);
            for (&n, mut row) in data.iter().zip(rows.rows_mut()) {
                row.assign(&self.values.row(n));
            }
            f(&rows.view())
        })
    }
}

/// An affine map between layers as a piece of ψ: weights (out, in), row by row, then biases (out).
#[derive(Clone, Copy, Debug)]
struct Layer {
    n_in: usize,
    n_out: usize,
}

impl Layer {
    fn n_params(self) -> usize {
        (self.n_in + 1) * self.n_out
    }

    fn weight(self, params: &[f64]) -> ArrayView2<'_, f64> {
        matrix(&params[..self.n_in * self.n_out], self.n_in)
    }

    /// Weights N(0, 1/n_in), biases 0.
    fn init(self, rng: &mut vi_core::StreamRng, scale: f64, out: &mut [f64]) {
        let scale = scale / (self.n_in as f64).sqrt();
        let (weights, biases) = out.split_at_mut(self.n_in * self.n_out);
        weights.iter_mut().for_each(|w| *w = scale * rng.sample::<f64, _>(StandardNormal));
        biases.fill(0.0);
    }

    /// out (n, n_out) ← x Wᵀ + b
    fn forward(self, params: &[f64], x: &ArrayRef2<f64>, out: &mut ArrayRef2<f64>) {
        let biases = ndarray::aview1(&params[self.n_in * self.n_out..]);
        out.rows_mut().into_iter().for_each(|mut row| row.assign(&biases));
        gemm(1.0, x, &self.weight(params).t(), 1.0, out);
    }

    /// grad += weight · (∂/∂ψ)ᵀ out_grad
    fn add_grad(self, x: &ArrayRef2<f64>, out_grad: &ArrayRef2<f64>, weight: f64, grad: &mut [f64]) {
        let (weights, biases) = grad.split_at_mut(self.n_in * self.n_out);
        gemm(weight, &out_grad.t(), x, 1.0, &mut matrix_mut(weights, self.n_in));
        for row in out_grad.rows() {
            biases.iter_mut().zip(row).for_each(|(b, g)| *b += weight * g);
        }
    }
}

/// The name of an element of a layer, whose outputs are called `output(o)`.
fn layer_name(layer: Layer, index: usize, output: impl Fn(usize) -> String) -> String {
    match index.checked_sub(layer.n_in * layer.n_out) {
        None => format!("weight[{}, {}]", output(index / layer.n_in), index % layer.n_in + 1),
        Some(i) => format!("bias[{}]", output(i)),
    }
}

fn in_one_piece(params: &ArrayRef1<f64>) -> &[f64] {
    params.as_slice().expect("ψ stands in one piece")
}

fn in_one_piece_mut(grad: &mut ArrayRef1<f64>) -> &mut [f64] {
    grad.as_slice_mut().expect("the gradient in ψ stands in one piece")
}

/// λ_n = A f_n + a, from features f_n.
///
/// ```text
/// ψ = (A (P, F) row by row, a (P))
/// ```
#[derive(Clone, Debug)]
pub struct LinearEncoder {
    features: Features,
    layer: Layer,
}

impl LinearEncoder {
    /// From `features` (N, F) to the parameters of `family`.
    ///
    /// # Errors
    /// [`SgviError`] names the feature that is not finite, or says that there is none.
    pub fn new<F: PlateFamily>(features: Array2<f64>, family: &F) -> Result<Self, SgviError> {
        let layer = Layer { n_in: features.ncols(), n_out: family.n_params() };
        Ok(Self { features: Features::new(features, family)?, layer })
    }

    /// The same map for other data (N′, F).
    ///
    /// # Errors
    /// As for [`LinearEncoder::new`]; [`SgviError::Length`] when there are more or fewer features.
    pub fn with_features(&self, features: Array2<f64>) -> Result<Self, SgviError> {
        Ok(Self { features: self.features.with_values(features)?, layer: self.layer })
    }
}

impl Recognition for LinearEncoder {
    const PER_DATUM: bool = false;

    fn n_data(&self) -> usize {
        self.features.values.nrows()
    }
    fn n_local_params(&self) -> usize {
        self.layer.n_out
    }
    fn n_params(&self) -> usize {
        self.layer.n_params()
    }
    fn param_name(&self, index: usize) -> String {
        layer_name(self.layer, index, |o| self.features.names[o].clone())
    }
    /// Weights of a tenth of N(0, 1/F); biases at the family's start.
    fn init(&self, key: StreamKey) -> Array1<f64> {
        let mut out = vec![0.0; self.n_params()];
        self.layer.init(&mut key.rng(0), 0.1, &mut out);
        out[self.layer.n_in * self.layer.n_out..].copy_from_slice(&self.features.init.to_vec());
        Array1::from(out)
    }
    fn local_params(&self, params: &ArrayRef1<f64>, data: &[usize], out: &mut ArrayRef2<f64>) {
        self.features.with(data, |x| self.layer.forward(in_one_piece(params), x, out));
    }
    fn add_pullback(
        &self,
        _params: &ArrayRef1<f64>,
        data: &[usize],
        local_grad: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        self.features.with(data, |x| self.layer.add_grad(x, local_grad, weight, in_one_piece_mut(out)));
    }
}

/// λ_n = A tanh(B f_n + b) + a: one hidden layer of K units.
///
/// ```text
/// ψ = (B (K, F) row by row, b (K), A (P, K) row by row, a (P))
/// ```
#[derive(Clone, Debug)]
pub struct HiddenLayerEncoder {
    features: Features,
    hidden: Layer,
    output: Layer,
}

impl HiddenLayerEncoder {
    /// From `features` (N, F) through `n_hidden` units to the parameters of `family`.
    ///
    /// # Errors
    /// [`SgviError`] names the feature that is not finite, or says that there are none or no units.
    pub fn new<F: PlateFamily>(
        features: Array2<f64>,
        n_hidden: usize,
        family: &F,
    ) -> Result<Self, SgviError> {
        if n_hidden == 0 {
            return Err(SgviError::NoData { what: "hidden units" });
        }
        let hidden = Layer { n_in: features.ncols(), n_out: n_hidden };
        let output = Layer { n_in: n_hidden, n_out: family.n_params() };
        Ok(Self { features: Features::new(features, family)?, hidden, output })
    }

    /// The same map for other data (N′, F).
    ///
    /// # Errors
    /// As for [`HiddenLayerEncoder::new`]; [`SgviError::Length`] when there are more or fewer features.
    pub fn with_features(&self, features: Array2<f64>) -> Result<Self, SgviError> {
        Ok(Self { features: self.features.with_values(features)?, ..*self })
    }

    /// Calls `f` with features, units and ψ in its two parts.
    fn with_units<R>(
        &self,
        params: &ArrayRef1<f64>,
        data: &[usize],
        f: impl FnOnce(&ArrayRef2<f64>, &mut ArrayViewMut2<'_, f64>, &[f64]) -> R,
    ) -> R {
        let (of_hidden, of_output) = in_one_piece(params).split_at(self.hidden.n_params());
        self.features.with(data, |x| {
            scratch::with(data.len() * self.hidden.n_out, |units| {
                let mut values = matrix_mut(units, self.hidden.n_out);
                self.hidden.forward(of_hidden, x, &mut values);
                // tanh u = 2 σ(2u) − 1
                units.iter_mut().for_each(|u| *u *= 2.0);
                sigmoid_inplace(units);
                units.iter_mut().for_each(|u| *u = 2.0 * *u - 1.0);
                f(x, &mut matrix_mut(units, self.hidden.n_out), of_output)
            })
        })
    }
}

impl Recognition for HiddenLayerEncoder {
    const PER_DATUM: bool = false;

    fn n_data(&self) -> usize {
        self.features.values.nrows()
    }
    fn n_local_params(&self) -> usize {
        self.output.n_out
    }
    fn n_params(&self) -> usize {
        self.hidden.n_params() + self.output.n_params()
    }
    fn param_name(&self, index: usize) -> String {
        match index.checked_sub(self.hidden.n_params()) {
            None => layer_name(self.hidden, index, |o| format!("unit {}", o + 1)),
            Some(i) => layer_name(self.output, i, |o| self.features.names[o].clone()),
        }
    }
    /// Weights N(0, 1/F) into the units, a tenth of N(0, 1/K) out of them; biases at the family's start.
    fn init(&self, key: StreamKey) -> Array1<f64> {
        let mut out = vec![0.0; self.n_params()];
        let (of_hidden, of_output) = out.split_at_mut(self.hidden.n_params());
        self.hidden.init(&mut key.rng(0), 1.0, of_hidden);
        self.output.init(&mut key.rng(1), 0.1, of_output);
        of_output[self.output.n_in * self.output.n_out..].copy_from_slice(&self.features.init.to_vec());
        Array1::from(out)
    }
    fn local_params(&self, params: &ArrayRef1<f64>, data: &[usize], out: &mut ArrayRef2<f64>) {
        self.with_units(params, data, |_, units, of_output| self.output.forward(of_output, units, out));
    }
    fn add_pullback(
        &self,
        params: &ArrayRef1<f64>,
        data: &[usize],
        local_grad: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let (hidden_grad, output_grad) = in_one_piece_mut(out).split_at_mut(self.hidden.n_params());
        self.with_units(params, data, |x, units, of_output| {
            self.output.add_grad(units, local_grad, weight, output_grad);
            scratch::with(data.len() * self.hidden.n_out, |unit_grad| {
                let mut unit_grad = matrix_mut(unit_grad, self.hidden.n_out);
                gemm(1.0, local_grad, &self.output.weight(of_output), 0.0, &mut unit_grad);
                ndarray::Zip::from(&mut unit_grad).and(&*units).for_each(|g, u| *g *= 1.0 - u * u);
                self.hidden.add_grad(x, &unit_grad, weight, hidden_grad);
            });
        });
    }
}
