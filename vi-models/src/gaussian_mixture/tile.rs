//! A tile of data: features in panels, products, responsibilities, sums of statistics.

use std::cell::Cell;
use std::ops::Range;

use ndarray::{Array2, ArrayRef1, ArrayRef2, s};
use vi_core::numerics::{
    PANEL, add_panel_sums, n_panels, panel_products, panel_quadratics, panels_to_rows, rows_to_panels,
    softmax_panels,
};

use super::data::Missing;
use super::incomplete::Incomplete;
use super::layout::{Layout, Products};

/// Data per tile: features and weights of one together fit the second-level cache.
pub(super) const TILE: usize = 8 * PANEL;

/// Features that are formed together: all where they are fewer, so that they are formed once for both products;
/// otherwise blocks of [`BLOCK`], which hardly leave the first-level cache.
const WHOLE: usize = 128;

/// A multiple of the number of features whose sums are formed together.
const BLOCK: usize = 24;

/// Which rows of which data take part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub(super) data: &'a Array2<f64>,
    pub(super) centre: &'a ArrayRef1<f64>,
    pub(super) missing: Option<&'a Missing>,
    /// All when there are none.
    pub(super) indices: Option<&'a [usize]>,
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        self.indices.map_or(self.data.nrows(), <[usize]>::len)
    }

    fn index(&self, i: usize) -> usize {
        self.indices.map_or(i, |indices| indices[i])
    }
}

/// Scratch for one tile: taken from the thread, given back, so that nothing is allocated in a sweep.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// x − c (panels, D, 32).
    x: Vec<f64>,
    /// 1 where there is a datum (panels, 32).
    ones: Vec<f64>,
    /// Features (panels, block, 32).
    features: Vec<f64>,
    /// Log densities, then responsibilities (panels, rows of η, 32).
    pub(super) weights: Vec<f64>,
    /// log Σ_k exp⟨η_k, T⟩ (panels, rows of η / K, 32).
    log_normaliser: Vec<f64>,
    /// Of the assignment, and of missing values (panels, rows of η / K, 32).
    entropy: Vec<f64>,
    incomplete: Incomplete,
    n: usize,
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
    rows.step_by(TILE).map(move |start| start..(start + TILE).min(end))
}

impl Workspace {
    /// The data `items` (at most [`TILE`]) of `rows`.
    pub(super) fn load(&mut self, rows: Rows<'_>, items: Range<usize>) {
        let (d, panels) = (rows.data.ncols(), n_panels(items.len()));
        self.n = items.len();
        self.x.resize(panels * d * PANEL, 0.0);
        self.ones.resize(panels * PANEL, 0.0);
        for (n, one) in self.ones.iter_mut().enumerate() {
            *one = if n < items.len() { 1.0 } else { 0.0 };
        }
        let data = rows.data.as_slice().expect("data are row-major");
        let centre = rows.centre.as_slice().expect("contiguous");
        if rows.indices.is_none() {
            rows_to_panels(&data[items.start * d..items.end * d], centre, &mut self.x);
        } else {
            self.load_rows(rows, items.clone());
        }
        self.incomplete.load(rows.missing, items.map(|item| rows.index(item)), d, &mut self.x);
    }

    /// x − c of rows that need not follow each other.
    fn load_rows(&mut self, rows: Rows<'_>, items: Range<usize>) {
        let d = rows.data.ncols();
        let (data, centre) = (rows.data.as_slice().expect("row-major"), rows.centre);
        self.x[items.len() / PANEL * d * PANEL..].fill(0.0);
        for (n, item) in items.enumerate() {
            let at = rows.index(item) * d;
            let out = &mut self.x[n / PANEL * d * PANEL + n % PANEL..];
            for ((v, c), out) in data[at..at + d].iter().zip(centre).zip(out.iter_mut().step_by(PANEL)) {
                *out = v - c;
            }
        }
    }

    /// Responsibilities, log normalisers and entropies of the tile under η (S·K, P), K rows at a time.
    pub(super) fn set_responsibilities(
        &mut self,
        layout: &Layout,
        n_components: usize,
        eta: &ArrayRef2<f64>,
        rows: Rows<'_>,
    ) {
        let (panels, groups) = (n_panels(self.n), eta.nrows() / n_components);
        self.weights.resize(panels * eta.nrows() * PANEL, 0.0);
        self.log_normaliser.resize(panels * groups * PANEL, 0.0);
        self.entropy.resize(panels * groups * PANEL, 0.0);
        // Products of many coordinates cost as much to form as few components make of them.
        if layout.products == Products::All && layout.n_features > WHOLE {
            panel_quadratics(eta, layout.dim, &self.x, &mut self.weights);
        } else {
            for block in blocks(layout.n_features) {
                self.set_features(layout, block.clone());
                let eta = eta.slice(s![.., block.clone()]);
                panel_products(&eta, &self.features, &mut self.weights, block.start > 0);
            }
        }
        self.incomplete.add_to_logits(layout, eta, rows.missing, &self.x, &mut self.weights);
        softmax_panels(&mut self.weights, n_components, &mut self.log_normaliser, &mut self.entropy);
        self.incomplete.add_entropies(rows.missing, n_components, &self.weights, &mut self.entropy);
    }

    fn set_features(&mut self, layout: &Layout, block: Range<usize>) {
        self.features.resize(n_panels(self.n) * block.len() * PANEL, 0.0);
        layout.set_features(block, &self.x, &self.ones, &mut self.features);
    }

    /// sums (S·K, P) += Σ_n r_kn E\[T(x_n)\], where the features are those of the last product if they are all of them.
    pub(super) fn add_sums(
        &mut self,
        layout: &Layout,
        eta: Option<&ArrayRef2<f64>>,
        rows: Rows<'_>,
        sums: &mut ArrayRef2<f64>,
    ) {
        for block in blocks(layout.n_features) {
            if block.len() < layout.n_features || eta.is_none() {
                self.set_features(layout, block.clone());
            }
            add_panel_sums(&self.weights, &self.features, &mut sums.slice_mut(s![.., block]));
        }
        if let Some(eta) = eta {
            self.incomplete.add_sums(layout, eta, rows.missing, &self.x, &self.weights, sums);
        }
    }

    /// log_likelihood (S) += Σ_n of the log normalisers.
    pub(super) fn add_log_normalisers(&self, out: &mut ArrayRef1<f64>) {
        let groups = out.len();
        for (panel, values) in self.log_normaliser.chunks_exact(groups * PANEL).enumerate() {
            let n = (self.n - panel * PANEL).min(PANEL);
            for (o, values) in out.iter_mut().zip(values.chunks_exact(PANEL)) {
                *o += values[..n].iter().sum::<f64>();
            }
        }
    }

    /// The log normalisers of the data of one set of components (n).
    pub(super) fn log_normalisers(&self) -> &[f64] {
        &self.log_normaliser[..self.n]
    }

    /// The entropy of all data of one set of components.
    pub(super) fn total_entropy(&self) -> f64 {
        self.entropy[..self.n].iter().sum()
    }

    /// Overwrites the weights with those in `given` (n, K).
    pub(super) fn set_weights(&mut self, n_components: usize, given: &[f64]) {
        self.weights.clear();
        self.weights.resize(n_panels(self.n) * n_components * PANEL, 0.0);
        for (n, row) in given.chunks_exact(n_components).enumerate() {
            let out = &mut self.weights[n / PANEL * n_components * PANEL + n % PANEL..];
            for (k, r) in row.iter().enumerate() {
                out[k * PANEL] = *r;
            }
        }
    }

    /// Copies the weights of one set of components into `out` (n, K).
    pub(super) fn copy_weights(&self, n_components: usize, out: &mut [f64]) {
        if !out.is_empty() {
            panels_to_rows(&self.weights, n_components, out);
        }
    }
}

fn blocks(n_features: usize) -> impl Iterator<Item = Range<usize>> {
    let size = if n_features <= WHOLE { n_features } else { BLOCK };
    (0..n_features).step_by(size).map(move |start| start..(start + size).min(n_features))
}
