//! Where the local parameters come from.

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use vi_core::StreamKey;
use vi_families::PlateFamily;

/// How λ_n comes about: a function of parameters ψ, and of what it knows about datum n.
///
/// ```text
/// λ_n = r_ψ(n) (P)
/// ```
pub trait Recognition: Send + Sync {
    /// Whether ψ is λ itself, row n the parameters of datum n alone. Rows then have optimizers of their own, and a step
    /// on a minibatch moves its rows only.
    const PER_DATUM: bool;

    /// The number N of data.
    fn n_data(&self) -> usize;
    /// The length P of λ_n.
    fn n_local_params(&self) -> usize;
    /// The length of ψ.
    fn n_params(&self) -> usize;
    /// The name of an element of ψ, for errors.
    fn param_name(&self, index: usize) -> String;
    /// A start for ψ.
    fn init(&self, key: StreamKey) -> Array1<f64>;
    /// Overwrites `out` (n, P) with λ of these data.
    ///
    /// # Panics
    /// If a shape does not fit, or a datum is ≥ N.
    fn local_params(&self, params: &ArrayRef1<f64>, data: &[usize], out: &mut ArrayRef2<f64>);
    /// out (length of ψ) += weight · `Σ_i J_ψ(data[i])ᵀ local_grad_i`, with `local_grad` (n, P).
    ///
    /// # Panics
    /// If a shape does not fit, or a datum is ≥ N.
    fn add_pullback(
        &self,
        params: &ArrayRef1<f64>,
        data: &[usize],
        local_grad: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    );
}

/// Parameters of its own for every datum: ψ = (λ_1, …, λ_N).
#[derive(Clone, Debug)]
pub struct Table {
    n_data: usize,
    init: Array1<f64>,
    names: Vec<String>,
}

impl Table {
    /// A row of parameters of `family` for each of `n_data` data.
    pub fn new<F: PlateFamily>(n_data: usize, family: &F) -> Self {
        Self { n_data, init: family.init(), names: family.param_names() }
    }

    fn row(&self, n: usize) -> std::ops::Range<usize> {
        assert!(n < self.n_data, "datum {n} of {}", self.n_data);
        n * self.init.len()..(n + 1) * self.init.len()
    }
}

impl Recognition for Table {
    const PER_DATUM: bool = true;

    fn n_data(&self) -> usize {
        self.n_data
    }
    fn n_local_params(&self) -> usize {
        self.init.len()
    }
    fn n_params(&self) -> usize {
        self.n_data * self.init.len()
    }
    fn param_name(&self, index: usize) -> String {
        let p = self.init.len();
        format!("{} of datum {}", self.names[index % p], index / p)
    }
    /// Every row at the family's start.
    fn init(&self, _key: StreamKey) -> Array1<f64> {
        self.init.iter().copied().cycle().take(self.n_params()).collect()
    }
    fn local_params(&self, params: &ArrayRef1<f64>, data: &[usize], out: &mut ArrayRef2<f64>) {
        for (&n, mut row) in data.iter().zip(out.rows_mut()) {
            row.assign(&params.slice(s![self.row(n)]));
        }
    }
    fn add_pullback(
        &self,
        _params: &ArrayRef1<f64>,
        data: &[usize],
        local_grad: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        for (&n, grad) in data.iter().zip(local_grad.rows()) {
            out.slice_mut(s![self.row(n)]).scaled_add(weight, &grad);
        }
    }
}
