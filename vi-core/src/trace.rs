//! Traces: chosen scalars of a run, one row per iteration observed.

use serde::{Deserialize, Serialize};

use crate::kernel::{Kernel, Observer, ObserverError, StopReason};

/// A table of scalars by iteration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceTable {
    columns: Vec<String>,
    iterations: Vec<u64>,
    rows: Vec<Vec<f64>>,
}

impl TraceTable {
    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The iteration of every row, counted from 0.
    pub fn iterations(&self) -> &[u64] {
        &self.iterations
    }

    /// The values, one row per iteration observed, in the order of the columns.
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// The values of one column.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let c = self.columns.iter().position(|column| column == name)?;
        Some(self.rows.iter().map(|row| row[c]).collect())
    }
}

type Extract<K> = Box<dyn Fn(&<K as Kernel>::State, &<K as Kernel>::Info) -> f64 + Send>;

/// An observer that records chosen scalars of any kernel.
///
/// ```
/// use std::convert::Infallible;
/// use vi_core::{Kernel, NeverStop, StreamKey, Trace, run};
///
/// /// Newton's iteration for √2.
/// struct Newton;
/// impl Kernel for Newton {
///     type State = f64;
///     type Info = f64; // the change
///     type Error = Infallible;
///     fn step(&self, _key: StreamKey, x: &mut f64) -> Result<f64, Infallible> {
///         let old = *x;
///         *x = 0.5 * (old + 2.0 / old);
///         Ok(*x - old)
///     }
/// }
///
/// let mut trace = Trace::<Newton>::new().column("x", |x, _| *x).column("change", |_, change| *change);
/// let mut x = 1.0;
/// run(&Newton, &mut x, StreamKey::from_seed(0), 0..6, &NeverStop, &mut [&mut trace])?;
/// assert_eq!(trace.table().column("x").unwrap()[0], 1.5);
/// assert_eq!(trace.table().iterations(), [0, 1, 2, 3, 4, 5]);
/// # Ok::<(), vi_core::RunError<Infallible>>(())
/// ```
pub struct Trace<K: Kernel + ?Sized> {
    extract: Vec<Extract<K>>,
    table: TraceTable,
}

impl<K: Kernel + ?Sized> Trace<K> {
    /// A trace without columns.
    pub fn new() -> Self {
        Self { extract: Vec::new(), table: TraceTable::default() }
    }

    /// Adds a column. Columns are chosen before the run.
    ///
    /// # Panics
    /// If rows have been recorded already.
    #[must_use]
    pub fn column(
        mut self,
        name: impl Into<String>,
        value: impl Fn(&K::State, &K::Info) -> f64 + Send + 'static,
    ) -> Self {
        assert!(self.table.rows.is_empty(), "columns are added before the run");
        self.table.columns.push(name.into());
        self.extract.push(Box::new(value));
        self
    }

    /// Goes on with the trace of an earlier run, for instance one that is resumed from a checkpoint: rows of
    /// iterations that are run again are replaced.
    ///
    /// # Panics
    /// If the columns of `earlier` are others.
    #[must_use]
    pub fn continuing(mut self, earlier: TraceTable) -> Self {
        assert_eq!(self.table.columns, earlier.columns, "the columns of the earlier trace are others");
        self.table = earlier;
        self
    }

    /// What was recorded.
    pub fn table(&self) -> &TraceTable {
        &self.table
    }

    /// What was recorded.
    pub fn into_table(self) -> TraceTable {
        self.table
    }
}

impl<K: Kernel + ?Sized> Default for Trace<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Kernel + ?Sized> std::fmt::Debug for Trace<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace").field("table", &self.table).finish_non_exhaustive()
    }
}

impl<K: Kernel + ?Sized> Observer<K> for Trace<K> {
    fn observe(&mut self, t: u64, state: &K::State, info: &K::Info) -> Result<(), ObserverError> {
        while self.table.iterations.last().is_some_and(|&last| last >= t) {
            self.table.iterations.pop();
            self.table.rows.pop();
        }
        self.table.iterations.push(t);
        self.table.rows.push(self.extract.iter().map(|value| value(state, info)).collect());
        Ok(())
    }
}

/// Shows an observer only every `n`-th iteration (`n − 1`, `2n − 1`, …), and the end.
#[derive(Clone, Debug)]
pub struct Every<O> {
    n: u64,
    observer: O,
}

impl<O> Every<O> {
    /// Every `n`-th iteration of what `observer` would see.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: u64, observer: O) -> Self {
        assert!(n > 0, "every 0-th iteration is none");
        Self { n, observer }
    }

    /// The observer.
    pub fn inner(&self) -> &O {
        &self.observer
    }

    /// Gives the observer back.
    pub fn into_inner(self) -> O {
        self.observer
    }
}

impl<K: Kernel + ?Sized, O: Observer<K>> Observer<K> for Every<O> {
    fn observe(&mut self, t: u64, state: &K::State, info: &K::Info) -> Result<(), ObserverError> {
        if (t + 1).is_multiple_of(self.n) { self.observer.observe(t, state, info) } else { Ok(()) }
    }

    fn finish(&mut self, next: u64, state: &K::State, reason: &StopReason) -> Result<(), ObserverError> {
        self.observer.finish(next, state, reason)
    }
}
