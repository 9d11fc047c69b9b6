//! Elementary functions on slices, vectorised, with run-time CPU dispatch; and their scalar companions.
//!
//! The kernels are branch-free polynomials in plain Rust; [`pulp`] compiles them for the vector
//! instructions of the CPU at hand, so no compiler flag is asked of the user.
//!
//! What holds for every function here:
//!
//! - **Accuracy** is stated per function, as the worst error measured against double-double arithmetic,
//!   in units in the last place (ulp) of the exact result, and stays under 4 ulp on every CPU for the
//!   elementary functions; log Γ and its derivatives and sums state bounds of their own.
//! - **Position does not matter.** An element gives the same bits wherever it sits in a slice and
//!   however the slice is aligned; in-place forms give the bits of the others.
//! - **Between CPUs.** All levels that have fused multiply–add (`x86-v3`, `x86-v4`, `neon`) give the same
//!   bits, reductions included, except those of [`add_panel_sums`]. The `baseline` level, without it, may differ in the last places.
//! - **NaN stays NaN**, zeros keep their sign where the function does, subnormal numbers are not flushed.
//!
//! | file | what it holds |
//! |---|---|
//! | `kernel` | one element, branch-free |
//! | `gamma_kernel` | the same for log Γ and its derivatives |
//! | `trigonometric` | the same for sine and cosine |
//! | `dispatch` | choice of the instruction set, also for work of your own in plain Rust |
//! | `elementwise` | `exp`, `log`, `log1p`, `softplus`, `sigmoid`, `log_gamma`, `digamma`, `trigamma`, `exp_digamma` and their in-place forms |
//! | `linear` | `sum_softplus_products`: softplus of linear predictors, without storing them |
//! | `panels` | products over data in panels and the softmax between them: a sweep of a mixture |
//! | `panel_forms` | the first of those products where features are products of coordinates, which are not formed |
//! | `panel_transpose` | data by rows into panels and back |
//! | `row_panels` | `RowPanels`: a matrix with its rows side by side |
//! | `logistic` | `SoftplusSums`: softplus of linear predictors and its gradient, at few points |
//! | `map` | functions of your own, of several slices |
//! | `mixture` | expected counts of mixtures with known components: the inner loop of topic models |
//! | `reduce` | `log_sum_exp`, `sum_softplus`, `sum_softplus_sigmoid`, the latter by rows |
//! | `rows` | the same over the rows of a matrix; digammas less that of the row's total |
//! | `scalar` | one value at a time |

mod dispatch;
mod elementwise;
mod gamma_kernel;
mod kernel;
mod linear;
mod logistic;
mod map;
mod mixture;
mod panel_forms;
mod panel_transpose;
mod panels;
mod reduce;
mod row_panels;
mod rows;
mod scalar;
mod trigonometric;

#[cfg(any(test, feature = "testing"))]
pub use dispatch::on_each_level;
pub use dispatch::{Vectorised, cpu_level, vectorised};
pub use elementwise::{
    digamma, digamma_inplace, exp, exp_digamma, exp_digamma_inplace, exp_inplace, log, log_gamma,
    log_gamma_inplace, log_inplace, log1p, log1p_inplace, sigmoid, sigmoid_inplace, softplus,
    softplus_inplace, trigamma, trigamma_inplace,
};
pub use linear::sum_softplus_products;
pub use logistic::SoftplusSums;
pub use map::{Lane, SliceFunction, map_slices};
pub use mixture::{MIXTURE_LANES, MixtureProportions, MixtureRows};
pub use panel_forms::panel_quadratics;
pub use panel_transpose::{panels_to_rows, rows_to_panels};
pub use panels::{PANEL, add_panel_sums, n_panels, panel_pairs, panel_products, softmax_panels};
pub use reduce::{log_sum_exp, sum_softplus, sum_softplus_sigmoid, sum_softplus_sigmoid_rows_inplace};
pub use row_panels::{PANEL_ROWS, RowPanels};
pub use rows::{digamma_minus_total_rows, log_sum_exp_rows, softmax_rows_inplace, sum_softplus_rows};
pub use scalar::{sigmoid_scalar, softplus_scalar};

#[cfg(test)]
mod gamma_levels;
#[cfg(test)]
mod levels;
#[cfg(test)]
mod mixture_levels;
#[cfg(test)]
mod trigonometric_levels;
