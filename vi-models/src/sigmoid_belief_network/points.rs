//! Log joints of many points, and the gradient in θ.
//!
//! ```text
//! log p(x, z) = Σ_h z_h (b_h + Σ_{d: x_d = 1} W_hd) + Σ_{d: x_d = 1} c_d − Σ_d softplus(η_d) − Σ_h softplus(b_h)
//! ∂/∂W_hd = z_h (x_d − σ(η_d)),   ∂/∂c_d = x_d − σ(η_d),   ∂/∂b_h = z_h − σ(b_h)         η = c + Wᵀz
//! ```

use std::cell::Cell;

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::numerics::{Vectorised, sum_softplus_sigmoid_rows_inplace, vectorised};

use super::SigmoidBeliefNetworkAt;
use super::tables::{BITS, LANES, N_PATTERNS, Table};

/// Points treated together: their logits stay in a second-level cache, and emptying the buckets costs little beside
/// filling them.
const TILE: usize = 1024;

/// What a thread keeps from one call to the next.
#[derive(Default)]
struct Buffers {
    /// The patterns of the groups of every point.
    patterns: Vec<u8>,
    /// Of every point the logits, then their sigmoids.
    eta: Vec<f64>,
    softplus: Vec<f64>,
    buckets: Vec<Table>,
    linear: Vec<f64>,
    hidden_sum: Vec<f64>,
    hidden_total: Vec<f64>,
}

thread_local! {
    static BUFFERS: Cell<Buffers> = Cell::default();
}

pub(super) fn evaluate(
    at: &SigmoidBeliefNetworkAt<'_>,
    data: &[usize],
    z: &ArrayRef2<f64>,
    out: &mut ArrayRef1<f64>,
    grad: Option<(f64, &mut ArrayRef1<f64>)>,
) {
    let (n_rows, n_hidden) = z.dim();
    assert_eq!((n_hidden, out.len()), (at.network.n_hidden(), n_rows), "z or out: wrong shape");
    if data.is_empty() || n_rows == 0 {
        assert_eq!(n_rows, 0, "z: points of no datum");
        return;
    }
    assert!(n_rows.is_multiple_of(data.len()), "z: {n_rows} points of {} data", data.len());
    let z = z.as_slice().expect("z stands row after row");
    let out = out.as_slice_mut().expect("out stands in one piece");
    let mut grad =
        grad.map(|(weight, grad)| (weight, grad.as_slice_mut().expect("grad stands in one piece")));
    let n_points = n_rows / data.len();
    let mut buffers = BUFFERS.take();
    for (t, (z, out)) in z.chunks(TILE * n_hidden).zip(out.chunks_mut(TILE)).enumerate() {
        let tile = Tile { at, data, n_points, first: t * TILE, z, buffers: &mut buffers };
        tile.evaluate(out, grad.as_mut().map(|(weight, grad)| (*weight, &mut **grad)));
    }
    BUFFERS.set(buffers);
}

/// Consecutive points: rows `first..` of a call.
struct Tile<'a> {
    at: &'a SigmoidBeliefNetworkAt<'a>,
    data: &'a [usize],
    n_points: usize,
    first: usize,
    z: &'a [f64],
    buffers: &'a mut Buffers,
}

impl Tile<'_> {
    fn evaluate(mut self, out: &mut [f64], mut grad: Option<(f64, &mut [f64])>) {
        let tables = self.at.tables;
        let (n_rows, stride) = (out.len(), tables.n_blocks * LANES);
        let Buffers { patterns, eta, softplus, .. } = &mut *self.buffers;
        patterns.resize(n_rows * tables.n_groups, 0);
        eta.resize(n_rows * stride, 0.0);
        softplus.resize(n_rows, 0.0);
        vectorised(LinearTerms {
            tile: &mut self,
            out: &mut *out,
            grad: grad.as_mut().map(|(w, g)| (*w, &mut **g)),
        });
        let Buffers { patterns, eta, softplus, buckets, .. } = self.buffers;
        for (block, tables) in tables.tables.chunks_exact(tables.n_groups).enumerate() {
            vectorised(Logits { tables, patterns, eta, stride, block });
        }
        sum_softplus_sigmoid_rows_inplace(eta, stride, softplus);
        for (out, softplus) in out.iter_mut().zip(&*softplus) {
            *out -= softplus + tables.log_normalizer;
        }
        let Some((weight, grad)) = grad else { return };
        let (n_hidden, n_pixels) = (self.at.network.n_hidden(), self.at.network.n_pixels());
        buckets.resize(tables.n_groups, [[0.0; LANES]; N_PATTERNS]);
        for block in 0..tables.n_blocks {
            vectorised(FillBuckets { buckets, patterns, eta, stride, block });
            let pixels = block * LANES..(block * LANES + LANES).min(n_pixels);
            for (group, bucket) in buckets.iter_mut().enumerate() {
                let sums = empty(bucket);
                for (h, sum) in (group * BITS..n_hidden).zip(&sums[..BITS]) {
                    subtract(weight, sum, &mut grad[h * n_pixels..][pixels.clone()]);
                }
                if group == 0 {
                    subtract(weight, &sums[BITS], &mut grad[n_hidden * n_pixels..][pixels.clone()]);
                }
            }
        }
    }
}

/// grad −= weight · sum
fn subtract(weight: f64, sum: &[f64; LANES], grad: &mut [f64]) {
    for (g, s) in grad.iter_mut().zip(sum) {
        *g -= weight * s;
    }
}

/// The sums of a bucket's values over the patterns with bit j, for every j, and over all patterns.
fn empty(bucket: &mut Table) -> [[f64; LANES]; BITS + 1] {
    let mut sums = [[0.0; LANES]; BITS + 1];
    for j in (0..BITS).rev() {
        let (without, with) = bucket[..2 << j].split_at_mut(1 << j);
        for (without, with) in without.iter_mut().zip(with) {
            for i in 0..LANES {
                sums[j][i] += with[i];
                without[i] += with[i];
            }
        }
    }
    sums[BITS] = bucket[0];
    sums
}

/// Everything that is linear in z, and the patterns.
struct LinearTerms<'a, 'b> {
    tile: &'a mut Tile<'b>,
    out: &'a mut [f64],
    grad: Option<(f64, &'a mut [f64])>,
}

impl Vectorised for LinearTerms<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { tile: Tile { at, data, n_points, first, z, buffers }, out, mut grad } = self;
        let (n_hidden, n_groups) = (at.network.n_hidden(), at.tables.n_groups);
        buffers.linear.resize(n_hidden, 0.0);
        buffers.hidden_sum.resize(n_hidden, 0.0);
        buffers.hidden_total.clear();
        buffers.hidden_total.resize(n_hidden, 0.0);
        let mut row = 0;
        while row < out.len() {
            let i = (*first + row) / *n_points;
            let end = ((i + 1) * *n_points - *first).min(out.len());
            let ones = at.ones(data[i]);
            let mut constant = 0.0;
            buffers.linear.copy_from_slice(at.parts.hidden_bias);
            for &d in ones {
                add(&at.tables.weight_of_pixel[d * n_hidden..(d + 1) * n_hidden], &mut buffers.linear);
                constant += at.parts.pixel_bias[d];
            }
            buffers.hidden_sum.fill(0.0);
            for r in row..end {
                let z = &z[r * n_hidden..(r + 1) * n_hidden];
                let binary = read_patterns(z, &mut buffers.patterns[r * n_groups..(r + 1) * n_groups]);
                out[r] = if binary { constant + dot(z, &buffers.linear) } else { f64::NEG_INFINITY };
                add(z, &mut buffers.hidden_sum);
            }
            add(&buffers.hidden_sum, &mut buffers.hidden_total);
            if let Some((weight, grad)) = &mut grad {
                let n_pixels = at.network.n_pixels();
                for &d in ones {
                    for (h, z) in buffers.hidden_sum.iter().enumerate() {
                        grad[h * n_pixels + d] += *weight * z;
                    }
                    grad[n_hidden * n_pixels + d] += *weight * (end - row) as f64;
                }
            }
            row = end;
        }
        if let Some((weight, grad)) = &mut grad {
            let grad = &mut grad[(n_hidden + 1) * at.network.n_pixels()..];
            for ((g, z), mean) in grad.iter_mut().zip(&buffers.hidden_total).zip(&at.tables.hidden_mean) {
                *g += *weight * (z - out.len() as f64 * mean);
            }
        }
    }
}

#[inline(always)]
fn add(x: &[f64], sum: &mut [f64]) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum += x;
    }
}

#[inline(always)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for i in 0..LANES {
            lanes[i] += x[i] * y[i];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f64>() + rest
}

/// Hidden bits whose patterns are read together: a multiple of [`BITS`] and of [`LANES`].
const BITS_PER_WORD: usize = 40;

/// The patterns of a point, and whether all its elements are 0 or 1.
#[inline(always)]
fn read_patterns(z: &[f64], patterns: &mut [u8]) -> bool {
    let mut off = 0.0;
    let per_word = BITS_PER_WORD / BITS;
    for (z, patterns) in z.chunks(BITS_PER_WORD).zip(patterns.chunks_mut(per_word)) {
        let mut word = 0;
        let (lanes, rest) = z.as_chunks::<LANES>();
        for (c, lane) in lanes.iter().enumerate() {
            let mut bits = [0; LANES];
            for i in 0..LANES {
                off += (lane[i] * (lane[i] - 1.0)).abs();
                bits[i] = (lane[i].to_bits() >> 61 & 1) << i;
            }
            word |= bits.iter().fold(0, |word, bit| word | bit) << (c * LANES);
        }
        for (i, z) in rest.iter().enumerate() {
            off += (z * (z - 1.0)).abs();
            word |= (z.to_bits() >> 61 & 1) << (lanes.len() * LANES + i);
        }
        for (g, pattern) in patterns.iter_mut().enumerate() {
            *pattern = (word >> (g * BITS)) as u8 & (N_PATTERNS - 1) as u8;
        }
    }
    off == 0.0
}

/// eta ← the logits of one block of pixels.
struct Logits<'a> {
    tables: &'a [Table],
    patterns: &'a [u8],
    eta: &'a mut [f64],
    stride: usize,
    block: usize,
}

impl Vectorised for Logits<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let points =
            self.eta.chunks_exact_mut(self.stride).zip(self.patterns.chunks_exact(self.tables.len()));
        for (eta, patterns) in points {
            let mut sum = [0.0; LANES];
            for (table, pattern) in self.tables.iter().zip(patterns) {
                let row = &table[*pattern as usize % N_PATTERNS];
                for i in 0..LANES {
                    sum[i] += row[i];
                }
            }
            eta[self.block * LANES..][..LANES].copy_from_slice(&sum);
        }
    }
}

/// Adds the values of one block of pixels to the buckets of the points' patterns, which are emptied first.
struct FillBuckets<'a> {
    buckets: &'a mut [Table],
    patterns: &'a [u8],
    eta: &'a [f64],
    stride: usize,
    block: usize,
}

impl Vectorised for FillBuckets<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.buckets.fill([[0.0; LANES]; N_PATTERNS]);
        let points = self.eta.chunks_exact(self.stride).zip(self.patterns.chunks_exact(self.buckets.len()));
        for (eta, patterns) in points {
            let mut values = [0.0; LANES];
            values.copy_from_slice(&eta[self.block * LANES..][..LANES]);
            for (bucket, pattern) in self.buckets.iter_mut().zip(patterns) {
                let row = &mut bucket[*pattern as usize % N_PATTERNS];
                for i in 0..LANES {
                    row[i] += values[i];
                }
            }
        }
    }
}
