//! Sufficient statistics of a tile of data, feature by feature, and what is done with them.
//!
//! ```text
//! T(x) = (x_i,  x_i x_j (j ≤ i, row by row),  1)         P = D + D(D + 1)/2 + 1
//! log π_k + log N(x | μ_k, Λ_k⁻¹) = ⟨η_k, T(x)⟩
//! η_k = (Λ_k μ_k,  −½ Λ_k,ii or −Λ_k,ij,  log π_k + ½ log |Λ_k| − (D/2) log 2π − ½ μ_kᵀ Λ_k μ_k)
//! ```
//! A tile is stored (P, n): every feature is one product of two columns of n values, and the sums over k in the
//! normalisation run over contiguous rows.

use std::cell::Cell;
use std::ops::Range;

use ndarray::{Array2, ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut2};
use vi_core::{CHUNK, numerics};

use crate::checks::LOG_2_PI;

/// Where the features stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) n_components: usize,
    pub(super) dim: usize,
    /// P.
    pub(super) n_features: usize,
}

impl Layout {
    pub(super) fn new(n_components: usize, dim: usize) -> Self {
        Self { n_components, dim, n_features: dim + dim * (dim + 1) / 2 + 1 }
    }

    /// The feature x_i x_j, j ≤ i.
    fn product(&self, i: usize, j: usize) -> usize {
        self.dim + i * (i + 1) / 2 + j
    }

    /// Overwrites `eta` (P) with η of one component, expected or realised.
    pub(super) fn set_coefficients(
        &self,
        log_weight: f64,
        log_det: f64,
        precision_mean: &ArrayRef1<f64>,
        quadratic: f64,
        precision: &ArrayRef2<f64>,
        eta: &mut ArrayRef1<f64>,
    ) {
        for i in 0..self.dim {
            eta[i] = precision_mean[i];
            for j in 0..i {
                eta[self.product(i, j)] = -precision[[i, j]];
            }
            eta[self.product(i, i)] = -0.5 * precision[[i, i]];
        }
        eta[self.n_features - 1] =
            log_weight + 0.5 * (log_det - quadratic) - 0.5 * self.dim as f64 * LOG_2_PI;
    }

    /// Σ r, of the sums Σ r T(x) (P).
    pub(super) fn count(&self, sums: &ArrayRef1<f64>) -> f64 {
        sums[self.n_features - 1]
    }

    /// The entry (i, j) of Σ r xxᵀ.
    pub(super) fn second_moment(&self, sums: &ArrayRef1<f64>, i: usize, j: usize) -> f64 {
        sums[self.product(i.max(j), i.min(j))]
    }
}

/// Which rows of the data take part.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows<'a> {
    All(usize),
    Indices(&'a [usize]),
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Rows::All(n) => *n,
            Rows::Indices(indices) => indices.len(),
        }
    }

    fn index(&self, i: usize) -> usize {
        match self {
            Rows::All(_) => i,
            Rows::Indices(indices) => indices[i],
        }
    }
}

/// Scratch for one tile: taken from the thread, given back, so that nothing is allocated in a sweep.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// T(X) (P, n).
    features: Vec<f64>,
    /// ⟨η, T⟩ (rows of η, n), shifted by their maximum once normalised.
    logits: Vec<f64>,
    /// Responsibilities (rows of η, n).
    pub(super) weights: Vec<f64>,
    /// log Σ_k exp⟨η_k, T⟩ (n).
    pub(super) log_normaliser: Vec<f64>,
    /// The largest logit of each item; scratch once the weights are normalised (n).
    max: Vec<f64>,
    /// Σ_k exp of the shifted logits (n).
    total: Vec<f64>,
}

thread_local! {
    static WORKSPACE: Cell<Workspace> = Cell::new(Workspace::default());
}

/// Calls `f` with this thread's workspace.
pub(super) fn with_workspace<R>(f: impl FnOnce(&mut Workspace) -> R) -> R {
    let mut workspace = WORKSPACE.take();
    let out = f(&mut workspace);
    WORKSPACE.set(workspace);
    out
}

/// The tiles of a range of rows.
pub(super) fn tiles(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = rows.end;
    rows.step_by(CHUNK).map(move |start| start..(start + CHUNK).min(end))
}

impl Workspace {
    /// T of the data `items` (n ≤ 64) of `rows`, centred.
    pub(super) fn set_features(
        &mut self,
        layout: Layout,
        data: &Array2<f64>,
        centre: &ArrayRef1<f64>,
        rows: Rows<'_>,
        items: Range<usize>,
    ) {
        let (d, n) = (layout.dim, items.len());
        self.features.resize(layout.n_features * n, 0.0);
        for (column, item) in items.enumerate() {
            let row = data.row(rows.index(item));
            for i in 0..d {
                self.features[i * n + column] = row[i] - centre[i];
            }
        }
        let (linear, rest) = self.features.split_at_mut(d * n);
        let mut products = rest.chunks_exact_mut(n);
        for i in 0..d {
            let x_i = &linear[i * n..(i + 1) * n];
            for j in 0..=i {
                let x_j = &linear[j * n..(j + 1) * n];
                let Some(out) = products.next() else { return };
                for ((o, a), b) in out.iter_mut().zip(x_i).zip(x_j) {
                    *o = a * b;
                }
            }
        }
        if let Some(ones) = products.next() {
            ones.fill(1.0);
        }
    }

    /// Responsibilities and log normalisers of the tile under η (S·K, P), K rows at a time.
    pub(super) fn set_responsibilities(&mut self, layout: Layout, n: usize, eta: &ArrayRef2<f64>) {
        let (k, rows) = (layout.n_components, eta.nrows());
        self.logits.resize(rows * n, 0.0);
        self.weights.resize(rows * n, 0.0);
        self.log_normaliser.resize(rows / k * n, 0.0);
        self.max.resize(n, 0.0);
        self.total.resize(n, 0.0);
        let features = view(&self.features, layout.n_features, n);
        vi_core::linalg::gemm(1.0, eta, &features, 0.0, &mut view_mut(&mut self.logits, rows, n));
        for (group, log_normaliser) in self.log_normaliser.chunks_exact_mut(n).enumerate() {
            let at = group * k * n..(group + 1) * k * n;
            let (logits, weights) = (&mut self.logits[at.clone()], &mut self.weights[at]);
            normalise(logits, weights, &mut self.max, &mut self.total, log_normaliser);
        }
    }

    /// −Σ_k r_k log r_k of every item (n), after [`Workspace::set_responsibilities`] with one set of components.
    pub(super) fn entropy(&mut self, n: usize) -> &[f64] {
        // log r_k = shifted logit − log Σ exp(shifted): no logarithm of a vanishing r is needed.
        numerics::log(&self.total[..n], &mut self.max[..n]);
        for (weights, logits) in self.weights.chunks_exact(n).zip(self.logits.chunks_exact(n)) {
            for ((h, r), l) in self.max.iter_mut().zip(weights).zip(logits) {
                *h -= if *r > 0.0 { r * l } else { 0.0 };
            }
        }
        &self.max[..n]
    }

    /// sums (rows, P) += weights (rows, n) · Tᵀ.
    pub(super) fn add_sums(&self, layout: Layout, n: usize, sums: &mut ArrayRef2<f64>) {
        let features = view(&self.features, layout.n_features, n);
        let weights = view(&self.weights, sums.nrows(), n);
        vi_core::linalg::gemm(1.0, &weights, &features.t(), 1.0, sums);
    }

    /// Overwrites the weights (K, n) with those in the first K columns of `given` (n, width).
    pub(super) fn set_weights(&mut self, layout: Layout, given: &[f64], width: usize) {
        let n = given.len() / width;
        self.weights.resize(layout.n_components * n, 0.0);
        for (k, weights) in self.weights.chunks_exact_mut(n).enumerate() {
            for (w, row) in weights.iter_mut().zip(given.chunks_exact(width)) {
                *w = row[k];
            }
        }
    }

    /// Overwrites the weights (K, n) with one-hot columns.
    pub(super) fn set_one_hot(&mut self, layout: Layout, labels: &[u32]) {
        self.weights.clear();
        self.weights.resize(layout.n_components * labels.len(), 0.0);
        for (i, &label) in labels.iter().enumerate() {
            self.weights[label as usize * labels.len() + i] = 1.0;
        }
    }

    /// Copies the responsibilities (K, n) into the first K columns of `out` (n, width).
    pub(super) fn copy_weights(&self, out: &mut [f64], width: usize) {
        let n = out.len() / width;
        for (k, weights) in self.weights.chunks_exact(n).enumerate() {
            for (w, row) in weights.iter().zip(out.chunks_exact_mut(width)) {
                row[k] = *w;
            }
        }
    }
}

/// weights ← softmax over k of logits (K, n), which are shifted by their maximum; log Σ exp into the last.
fn normalise(
    logits: &mut [f64],
    weights: &mut [f64],
    max: &mut [f64],
    total: &mut [f64],
    log_normaliser: &mut [f64],
) {
    let n = max.len();
    max.fill(f64::NEG_INFINITY);
    for row in logits.chunks_exact(n) {
        for (m, l) in max.iter_mut().zip(row) {
            *m = m.max(*l);
        }
    }
    // An item with no density anywhere keeps −∞ instead of −∞ − (−∞).
    for m in max.iter_mut().filter(|m| **m == f64::NEG_INFINITY) {
        *m = 0.0;
    }
    for row in logits.chunks_exact_mut(n) {
        for (l, m) in row.iter_mut().zip(max.iter()) {
            *l -= m;
        }
    }
    numerics::exp(logits, weights);
    total.fill(0.0);
    for row in weights.chunks_exact(n) {
        for (t, w) in total.iter_mut().zip(row) {
            *t += w;
        }
    }
    numerics::log(total, log_normaliser);
    for (o, m) in log_normaliser.iter_mut().zip(max.iter_mut()) {
        *o += *m;
    }
    // From here `max` is scratch for 1/total: a division per item instead of one per weight.
    for (m, t) in max.iter_mut().zip(total.iter()) {
        *m = if *t == 0.0 { 0.0 } else { 1.0 / t };
    }
    for row in weights.chunks_exact_mut(n) {
        for (w, m) in row.iter_mut().zip(max.iter()) {
            *w *= m;
        }
    }
}

fn view(values: &[f64], rows: usize, columns: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((rows, columns), values).expect("a workspace has the shape it was resized to")
}

fn view_mut(values: &mut [f64], rows: usize, columns: usize) -> ArrayViewMut2<'_, f64> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("a workspace has the shape it was resized to")
}
