//! Data by rows into panels and back.

use super::dispatch::{Op, dispatch};
use super::kernel::Arithmetic;
use super::panels::{PANEL, n_panels};

/// panels (⌈N/32⌉, D, [`PANEL`]) ← rows (N, D) − shift (D); zero where a panel has no datum.
///
/// # Panics
/// If the shapes do not fit.
pub fn rows_to_panels(rows: &[f64], shift: &[f64], panels: &mut [f64]) {
    let d = shift.len();
    let n = rows.len() / d.max(1);
    assert_eq!(rows.len(), n * d, "rows of {d} values");
    assert_eq!(panels.len(), n_panels(n) * d * PANEL, "panels of {n} data");
    if d > 0 {
        dispatch(RowsToPanels { rows, shift, panels });
    }
}

/// rows (N, K) ← panels (⌈N/32⌉, K, [`PANEL`]).
///
/// # Panics
/// If the shapes do not fit.
pub fn panels_to_rows(panels: &[f64], k: usize, rows: &mut [f64]) {
    let n = rows.len() / k.max(1);
    assert_eq!(rows.len(), n * k, "rows of {k} values");
    assert_eq!(panels.len(), n_panels(n) * k * PANEL, "panels of {n} data");
    if k > 0 {
        dispatch(PanelsToRows { panels, k, rows });
    }
}

/// Values on a side of the blocks that are transposed in registers.
const SIDE: usize = 4;

struct RowsToPanels<'a> {
    rows: &'a [f64],
    shift: &'a [f64],
    panels: &'a mut [f64],
}

impl Op for RowsToPanels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { rows, shift, panels } = self;
        let d = shift.len();
        for (rows, panel) in rows.chunks(d * PANEL).zip(panels.chunks_exact_mut(d * PANEL)) {
            let panel = panel.as_chunks_mut::<PANEL>().0;
            if rows.len() < d * PANEL || d < SIDE {
                panel.as_flattened_mut().fill(0.0);
                for (n, row) in rows.chunks_exact(d).enumerate() {
                    for j in 0..d {
                        panel[j][n] = row[j] - shift[j];
                    }
                }
                continue;
            }
            for lane in (0..PANEL).step_by(SIDE) {
                for first in blocks(d) {
                    let Some(shift) = shift[first..].first_chunk::<SIDE>() else { continue };
                    let Some(out) = panel[first..].first_chunk_mut::<SIDE>() else { continue };
                    let mut block = [[0.0; SIDE]; SIDE];
                    for i in 0..SIDE {
                        let Some(row) = rows[(lane + i) * d + first..].first_chunk::<SIDE>() else {
                            continue;
                        };
                        for j in 0..SIDE {
                            block[j][i] = row[j] - shift[j];
                        }
                    }
                    for j in 0..SIDE {
                        out[j][lane..lane + SIDE].copy_from_slice(&block[j]);
                    }
                }
            }
        }
    }
}

struct PanelsToRows<'a> {
    panels: &'a [f64],
    k: usize,
    rows: &'a mut [f64],
}

impl Op for PanelsToRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { panels, k, rows } = self;
        for (rows, panel) in rows.chunks_mut(k * PANEL).zip(panels.chunks_exact(k * PANEL)) {
            let panel = panel.as_chunks::<PANEL>().0;
            if rows.len() < k * PANEL || k < SIDE {
                for (n, row) in rows.chunks_exact_mut(k).enumerate() {
                    for j in 0..k {
                        row[j] = panel[j][n];
                    }
                }
                continue;
            }
            for lane in (0..PANEL).step_by(SIDE) {
                for first in blocks(k) {
                    let Some(from) = panel[first..].first_chunk::<SIDE>() else { continue };
                    let mut block = [[0.0; SIDE]; SIDE];
                    for j in 0..SIDE {
                        for i in 0..SIDE {
                            block[i][j] = from[j][lane + i];
                        }
                    }
                    for i in 0..SIDE {
                        rows[(lane + i) * k + first..][..SIDE].copy_from_slice(&block[i]);
                    }
                }
            }
        }
    }
}

/// Where blocks of a row of at least [`SIDE`] values begin: the last one overlaps the one before it.
#[inline(always)]
fn blocks(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(SIDE).map(move |first| first.min(n - SIDE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::on_each_level;

    #[test]
    fn rows_and_panels_are_transposes_of_each_other() {
        for (n, d) in [(1, 1), (32, 4), (37, 5), (96, 11), (70, 3)] {
            let rows: Vec<f64> = (0..n * d).map(|i| i as f64).collect();
            let shift: Vec<f64> = (0..d).map(|j| 0.5 * j as f64).collect();
            on_each_level(|level| {
                let mut panels = vec![f64::NAN; n_panels(n) * d * PANEL];
                rows_to_panels(&rows, &shift, &mut panels);
                for (at, value) in panels.iter().enumerate() {
                    let (datum, j) = (at / (d * PANEL) * PANEL + at % PANEL, at / PANEL % d);
                    let expected = if datum < n { rows[datum * d + j] - shift[j] } else { 0.0 };
                    assert_eq!(*value, expected, "{level}: {n}×{d}, datum {datum}, column {j}");
                }
                let mut back = vec![f64::NAN; n * d];
                panels_to_rows(&panels, d, &mut back);
                for (at, value) in back.iter().enumerate() {
                    assert_eq!(*value, rows[at] - shift[at % d], "{level}: {n}×{d}, value {at}");
                }
            });
        }
    }
}
