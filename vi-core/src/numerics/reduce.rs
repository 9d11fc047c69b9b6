//! Sums over a slice: log-sum-exp and the log-partition of logistic models.
//!
//! All sums run in [`BLOCK`] lanes, element i in lane i mod `BLOCK`, folded by halves at the end: the order is
//! a property of the length alone, not of the vector width.

use super::dispatch::{Op, dispatch};
use super::elementwise::BLOCK;
use super::kernel::{self, Arithmetic};

/// Blocks whose factors 1 + e^{−|x|} ≤ 2 are multiplied before a logarithm is taken: 31·32 factors stay under 2¹⁰²³.
const BLOCKS_PER_LOG: usize = 31;

/// Log of a sum of exponentials.
///
/// ```text
/// log Σᵢ e^{xᵢ} = m + log(1 + Σ_{i ≠ argmax} e^{xᵢ − m}),   m = maxᵢ xᵢ
/// ```
///
/// The largest term is kept out of the sum, so the result has full relative accuracy also close to 0
/// (one x near 0, all others far below). Where m and the logarithm cancel, the error is that of the terms: it
/// stays below 4e-16·max(1, |m|, |result|), which is less than 4 ulp of that size. An empty slice and a slice of −∞ give −∞; +∞ gives +∞; NaN gives NaN.
pub fn log_sum_exp(x: &[f64]) -> f64 {
    dispatch(LogSumExp { x })
}

/// Sum of softplus over a slice: minus the log likelihood of logistic models.
///
/// ```text
/// Σᵢ log(1 + e^{xᵢ}) = Σᵢ max(xᵢ, 0) + log Πᵢ (1 + e^{−|xᵢ|})
/// ```
///
/// One logarithm is taken per 992 factors. The product is carried as its excess over 1, so tiny terms are not
/// lost: the relative error stays under 1e-14. 0 for an empty slice.
///
/// With labels y ∈ {0, 1} and logits η, log p(y | η) = Σ yη − Σ softplus(η) = −Σ softplus((1 − 2y)η):
/// a model that keeps its design matrix multiplied by (1 − 2y), row by row, needs this one call.
pub fn sum_softplus(x: &[f64]) -> f64 {
    dispatch(SumSoftplus { x })
}

/// [`sum_softplus`] of x, and σ(x) into `out`, for the price of one exponential per element.
///
/// It is what a logistic model needs for its log likelihood and gradient. Both results have the bits of
/// [`sum_softplus`] and [`sigmoid`](super::sigmoid).
///
/// # Panics
/// If the lengths differ.
pub fn sum_softplus_sigmoid(x: &[f64], out: &mut [f64]) -> f64 {
    assert_eq!(x.len(), out.len(), "x and out differ in length");
    dispatch(SumSoftplusSigmoid { x, out })
}

/// x ← σ(x) for a matrix of rows of `n_columns` values, and [`sum_softplus`] of each row into `sums`.
///
/// It is [`sum_softplus_sigmoid`] for many short rows, with its bits: their logarithms are taken side by side.
///
/// # Panics
/// If the length of `x` is not `n_columns` times that of `sums`.
pub fn sum_softplus_sigmoid_rows_inplace(x: &mut [f64], n_columns: usize, sums: &mut [f64]) {
    assert_eq!(x.len(), n_columns * sums.len(), "rows of different lengths");
    if n_columns == 0 {
        sums.fill(0.0);
        return;
    }
    dispatch(SumSoftplusSigmoidRows { x, n_columns, sums });
}

/// Folds the lanes by halves.
#[inline(always)]
pub(super) fn fold(mut lanes: [f64; BLOCK], combine: impl Fn(f64, f64) -> f64) -> f64 {
    let mut width = BLOCK;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = combine(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

/// A chunk of at most [`BLOCK`] elements, filled up with −∞, whose exponential is an exact 0.
#[inline(always)]
fn padded(chunk: &[f64]) -> [f64; BLOCK] {
    let mut block = [f64::NEG_INFINITY; BLOCK];
    block[..chunk.len()].copy_from_slice(chunk);
    block
}

pub(crate) struct LogSumExp<'a> {
    pub(crate) x: &'a [f64],
}

impl Op for LogSumExp<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> f64 {
        let max = max_ignoring_nan(self.x);
        if !max.is_finite() {
            return if self.x.iter().any(|v| v.is_nan()) { f64::NAN } else { max };
        }
        let (at, mut block) = block_of(self.x, max);
        let mut lanes = [0.0; BLOCK];
        add_exp::<A>(&mut lanes, &block, max);
        let (blocks, rest) = self.x.as_chunks::<BLOCK>();
        for (b, x) in blocks.iter().enumerate() {
            if b != at {
                add_exp::<A>(&mut lanes, x, max);
            }
        }
        if at != blocks.len() {
            block = padded(rest);
            add_exp::<A>(&mut lanes, &block, max);
        }
        max + kernel::log1p::<A>(fold(lanes, |a, b| a + b))
    }
}

/// lanes += e^{x − max}.
#[inline(always)]
fn add_exp<A: Arithmetic>(lanes: &mut [f64; BLOCK], x: &[f64; BLOCK], max: f64) {
    for i in 0..BLOCK {
        lanes[i] += kernel::exp::<A>(x[i] - max);
    }
}

#[inline(always)]
fn max_ignoring_nan(x: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let (blocks, rest) = x.as_chunks::<BLOCK>();
    let mut lanes = padded(rest).map(|v| larger(f64::NEG_INFINITY, v));
    for block in blocks {
        for i in 0..BLOCK {
            lanes[i] = larger(lanes[i], block[i]);
        }
    }
    fold(lanes, larger)
}

/// The first block that holds `max`, with that element replaced by −∞.
#[inline(always)]
fn block_of(x: &[f64], max: f64) -> (usize, [f64; BLOCK]) {
    let (blocks, rest) = x.as_chunks::<BLOCK>();
    let holds = |block: &[f64; BLOCK]| block.iter().fold(false, |found, v| found | (*v == max));
    let at = blocks.iter().position(holds).unwrap_or(blocks.len());
    let mut block = if at < blocks.len() { blocks[at] } else { padded(rest) };
    if let Some(largest) = block.iter_mut().find(|v| **v == max) {
        *largest = f64::NEG_INFINITY;
    }
    (at, block)
}

/// Running Σ max(x, 0) and Π (1 + e^{−|x|}) − 1, by lanes.
struct SoftplusLanes {
    positive: [f64; BLOCK],
    excess: [f64; BLOCK],
    log_product: f64,
}

impl SoftplusLanes {
    #[inline(always)]
    fn new() -> Self {
        Self { positive: [0.0; BLOCK], excess: [0.0; BLOCK], log_product: 0.0 }
    }

    /// Adds a block; `each` is given the element's index, value and e^{−|x|}.
    #[inline(always)]
    fn add<A: Arithmetic>(&mut self, x: &[f64; BLOCK], mut each: impl FnMut(usize, f64, f64)) {
        for (i, &x) in x.iter().enumerate() {
            let t = kernel::exp_neg_abs::<A>(x);
            self.positive[i] += kernel::positive_part(x);
            self.excess[i] += A::mul_add(self.excess[i], t, t);
            each(i, x, t);
        }
    }

    /// x ← σ(x) for at most [`BLOCKS_PER_LOG`] blocks.
    #[inline(always)]
    fn add_inplace<A: Arithmetic>(&mut self, x: &mut [f64]) {
        let (blocks, rest) = x.as_chunks_mut::<BLOCK>();
        for block in blocks {
            let x = *block;
            self.add::<A>(&x, |i, x, t| block[i] = kernel::sigmoid_from(x, t));
        }
        if !rest.is_empty() {
            let mut buffer = [0.0; BLOCK];
            self.add::<A>(&padded(rest), |i, x, t| buffer[i] = kernel::sigmoid_from(x, t));
            rest.copy_from_slice(&buffer[..rest.len()]);
        }
    }

    /// The product of all lanes, less 1.
    #[inline(always)]
    fn folded_excess<A: Arithmetic>(&self) -> f64 {
        fold(self.excess, |a, b| A::mul_add(a, b, a + b))
    }

    /// Moves the product of all lanes into the sum of logarithms.
    #[inline(always)]
    fn take_log<A: Arithmetic>(&mut self) {
        self.log_product += kernel::log1p::<A>(self.folded_excess::<A>());
        self.excess = [0.0; BLOCK];
    }

    #[inline(always)]
    fn total(&self) -> f64 {
        fold(self.positive, |a, b| a + b) + self.log_product
    }
}

pub(crate) struct SumSoftplus<'a> {
    pub(crate) x: &'a [f64],
}

impl Op for SumSoftplus<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> f64 {
        let mut lanes = SoftplusLanes::new();
        for group in self.x.chunks(BLOCK * BLOCKS_PER_LOG) {
            let (blocks, rest) = group.as_chunks::<BLOCK>();
            for block in blocks {
                lanes.add::<A>(block, |_, _, _| {});
            }
            if !rest.is_empty() {
                lanes.add::<A>(&padded(rest), |_, _, _| {});
            }
            lanes.take_log::<A>();
        }
        lanes.total()
    }
}

pub(crate) struct SumSoftplusSigmoid<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) out: &'a mut [f64],
}

impl Op for SumSoftplusSigmoid<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> f64 {
        let mut lanes = SoftplusLanes::new();
        let groups = self.x.chunks(BLOCK * BLOCKS_PER_LOG);
        let outs = self.out.chunks_mut(BLOCK * BLOCKS_PER_LOG);
        for (group, out) in groups.zip(outs) {
            let (blocks, rest) = group.as_chunks::<BLOCK>();
            let (out_blocks, out_rest) = out.as_chunks_mut::<BLOCK>();
            for (block, out) in blocks.iter().zip(out_blocks) {
                lanes.add::<A>(block, |i, x, t| out[i] = kernel::sigmoid_from(x, t));
            }
            if !rest.is_empty() {
                let mut buffer = [0.0; BLOCK];
                lanes.add::<A>(&padded(rest), |i, x, t| buffer[i] = kernel::sigmoid_from(x, t));
                out_rest.copy_from_slice(&buffer[..rest.len()]);
            }
            lanes.take_log::<A>();
        }
        lanes.total()
    }
}

struct SumSoftplusSigmoidRows<'a> {
    x: &'a mut [f64],
    n_columns: usize,
    sums: &'a mut [f64],
}

impl Op for SumSoftplusSigmoidRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        for (x, sums) in self.x.chunks_mut(BLOCK * self.n_columns).zip(self.sums.chunks_mut(BLOCK)) {
            // What is left of every row: Σ max(x, 0), the logarithms taken so far, the product that waits for its own.
            let (mut positive, mut log_product, mut excess) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
            for (r, row) in x.chunks_exact_mut(self.n_columns).enumerate() {
                let mut lanes = SoftplusLanes::new();
                let mut groups = row.chunks_mut(BLOCK * BLOCKS_PER_LOG).peekable();
                while let Some(group) = groups.next() {
                    lanes.add_inplace::<A>(group);
                    if groups.peek().is_some() {
                        lanes.take_log::<A>();
                    }
                }
                positive[r] = fold(lanes.positive, |a, b| a + b);
                (log_product[r], excess[r]) = (lanes.log_product, lanes.folded_excess::<A>());
            }
            let mut totals = [0.0; BLOCK];
            for r in 0..BLOCK {
                totals[r] = positive[r] + (log_product[r] + kernel::log1p::<A>(excess[r]));
            }
            sums.copy_from_slice(&totals[..sums.len()]);
        }
    }
}
