//! Sums of the rows of W for all patterns of five hidden bits.

use vi_core::numerics::{sigmoid, sum_softplus};

use super::Parts;

/// Hidden bits that one table takes.
pub(super) const BITS: usize = 5;
/// Their patterns.
pub(super) const N_PATTERNS: usize = 1 << BITS;
/// Pixels treated together: one vector of the widest kind.
pub(super) const LANES: usize = 8;

/// For every pattern, values of [`LANES`] pixels. Tables of one block of pixels stay in a first-level cache.
pub(super) type Table = [[f64; LANES]; N_PATTERNS];

/// Where a logit does not exist, in the last block of pixels: its softplus and its sigmoid are 0.
const NO_PIXEL: f64 = -1e300;

/// What a [`SigmoidBeliefNetwork`](super::SigmoidBeliefNetwork) computes once for every θ.
#[derive(Clone, Debug, Default)]
pub struct SigmoidBeliefTables {
    /// Table `block · n_groups + group`; the bias of the pixels is part of group 0.
    pub(super) tables: Vec<Table>,
    /// W, transposed: (D, H).
    pub(super) weight_of_pixel: Vec<f64>,
    /// σ(b) (H).
    pub(super) hidden_mean: Vec<f64>,
    /// Σ_h softplus(b_h).
    pub(super) log_normalizer: f64,
    pub(super) n_groups: usize,
    pub(super) n_blocks: usize,
}

impl SigmoidBeliefTables {
    pub(super) fn fill(&mut self, Parts { weight, pixel_bias, hidden_bias }: Parts<'_>) {
        let (n_hidden, n_pixels) = (hidden_bias.len(), pixel_bias.len());
        (self.n_groups, self.n_blocks) = (n_hidden.div_ceil(BITS), n_pixels.div_ceil(LANES));
        self.tables.resize(self.n_groups * self.n_blocks, [[0.0; LANES]; N_PATTERNS]);
        for (t, table) in self.tables.iter_mut().enumerate() {
            let (block, group) = (t / self.n_groups, t % self.n_groups);
            let pixels = block * LANES..(block * LANES + LANES).min(n_pixels);
            table[0] = if group == 0 { lanes(&pixel_bias[pixels.clone()], NO_PIXEL) } else { [0.0; LANES] };
            for pattern in 1..N_PATTERNS {
                let h = group * BITS + pattern.trailing_zeros() as usize;
                let row = if h < n_hidden { &weight[h * n_pixels..][pixels.clone()] } else { &[] };
                let (others, row) = (table[pattern & (pattern - 1)], lanes(row, 0.0));
                table[pattern] = std::array::from_fn(|i| others[i] + row[i]);
            }
        }
        self.weight_of_pixel.resize(weight.len(), 0.0);
        for (h, row) in weight.chunks_exact(n_pixels).enumerate() {
            for (d, w) in row.iter().enumerate() {
                self.weight_of_pixel[d * n_hidden + h] = *w;
            }
        }
        self.hidden_mean.resize(n_hidden, 0.0);
        sigmoid(hidden_bias, &mut self.hidden_mean);
        self.log_normalizer = sum_softplus(hidden_bias);
    }
}

fn lanes(values: &[f64], rest: f64) -> [f64; LANES] {
    let mut out = [rest; LANES];
    out[..values.len()].copy_from_slice(values);
    out
}
