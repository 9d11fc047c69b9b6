//! Rows of a matrix side by side: the form in which products with few points keep the vector registers full.

use std::cell::RefCell;

use ndarray::ArrayRef2;

use super::elementwise::BLOCK;

/// Rows that stand side by side in a panel of [`RowPanels`].
pub const PANEL_ROWS: usize = BLOCK;

/// One column of a panel, on a cache line of its own: vectors that lie across two of them are slower to load.
#[repr(align(64))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(pub(crate) [f64; PANEL_ROWS]);

/// A matrix (N, D) whose rows stand [`PANEL_ROWS`] side by side, panel after panel, each panel by columns.
///
/// ```text
/// panel p, column j:   x[32p, j], x[32p + 1, j], …, x[32p + 31, j]
/// ```
/// A product with one vector then adds whole vectors of rows, and one with the transpose whole vectors of terms; by rows one of
/// the two goes across lanes. What is missing in the last panel is zero.
#[derive(Clone, Debug, Default)]
pub struct RowPanels {
    columns: Vec<Column>,
    n_rows: usize,
    n_columns: usize,
}

impl RowPanels {
    /// The rows of `x` (N, D), row n multiplied by `factor(n)`.
    pub fn new(x: &ArrayRef2<f64>, factor: impl Fn(usize) -> f64) -> Self {
        let mut panels = Self::default();
        panels.clear(x.ncols());
        panels.columns.reserve_exact(x.nrows().div_ceil(PANEL_ROWS) * x.ncols());
        for (n, row) in x.rows().into_iter().enumerate() {
            panels.push(factor(n), row);
        }
        panels
    }

    /// Takes out all rows; those that follow have `n_columns` values.
    pub fn clear(&mut self, n_columns: usize) {
        self.columns.clear();
        (self.n_rows, self.n_columns) = (0, n_columns);
    }

    /// Appends `factor` times a row (D).
    ///
    /// # Panics
    /// If the row has another length.
    pub fn push<'v>(
        &mut self,
        factor: f64,
        row: impl IntoIterator<Item = &'v f64, IntoIter: ExactSizeIterator>,
    ) {
        let row = row.into_iter();
        assert_eq!(row.len(), self.n_columns, "row: length is not the number of columns");
        let lane = self.n_rows % PANEL_ROWS;
        if lane == 0 {
            self.columns.resize(self.columns.len() + self.n_columns, Column([0.0; PANEL_ROWS]));
        }
        let start = self.columns.len() - self.n_columns;
        for (column, v) in self.columns[start..].iter_mut().zip(row) {
            column.0[lane] = factor * v;
        }
        self.n_rows += 1;
    }

    /// The number N of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number D of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The number of panels.
    pub fn n_panels(&self) -> usize {
        self.n_rows.div_ceil(PANEL_ROWS)
    }

    /// Panel `p`, by columns (D), and how many rows it has.
    #[inline(always)]
    pub(crate) fn panel(&self, p: usize) -> (&[Column], usize) {
        let columns = &self.columns[p * self.n_columns..(p + 1) * self.n_columns];
        (columns, (self.n_rows - p * PANEL_ROWS).min(PANEL_ROWS))
    }

    /// Calls `f` with empty panels whose memory comes from an earlier call on the same thread.
    pub fn with_recycled<R>(f: impl FnOnce(&mut Self) -> R) -> R {
        thread_local! {
            static PANELS: RefCell<Vec<RowPanels>> = const { RefCell::new(Vec::new()) };
        }
        let mut panels = PANELS.with_borrow_mut(Vec::pop).unwrap_or_default();
        panels.clear(0);
        let out = f(&mut panels);
        PANELS.with_borrow_mut(|all| all.push(panels));
        out
    }
}
