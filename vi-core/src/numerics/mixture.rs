//! Counts shared out among the components of a mixture: the inner loop of topic models.
//!
//! All sums have an order of their own, not that of the vectors at hand: bits are the same on every instruction set with
//! fused multiply–add.

use pulp::Simd;

use super::dispatch::{VectorOp, dispatch_vectors};
use super::gamma_kernel::exp_digamma;
use super::kernel::Arithmetic;

/// Columns per group of a packed tile, and what lengths are rounded up to.
pub const MIXTURE_LANES: usize = 8;

/// Vectors that hold [`MIXTURE_LANES`] values.
type Eight<V, const N: usize> = [V; N];

/// Mean-field proportions of a mixture whose components are known, under a Dirichlet prior.
///
/// W columns have counts n_w and the components give them probabilities B_kw (up to factors that are constant over k),
/// k = 1 … K. Counts are shared out by weights θ̃, and the Dirichlet factor γ follows them:
///
/// ```text
/// Z_w = Σ_k θ̃_k B_kw,     m_k = θ̃_k Σ_w B_kw n_w / Z_w,     γ_k = α_k + m_k,     θ̃_k = e^{ψ(γ_k)}
/// ```
/// Lengths are padded to multiples of [`MIXTURE_LANES`]: W′ ≥ W columns, K′ ≥ K components.
#[derive(Debug)]
pub struct MixtureProportions<'a> {
    /// B in groups of [`MIXTURE_LANES`] columns: B_kw stands at ((w / 8) K + k) 8 + w mod 8 (W′ K). Positive in the padding.
    pub components: &'a [f64],
    /// n (W′), 0 in the padding.
    pub counts: &'a [f64],
    /// α (K′), 1 in the padding.
    pub prior: &'a [f64],
    /// γ (K′), 1 in the padding.
    pub concentration: &'a mut [f64],
    /// θ̃ (K′), 0 or more.
    pub weights: &'a mut [f64],
    /// m (K′): overwritten, 0 in the padding.
    pub expected_counts: &'a mut [f64],
    /// Z (W′): overwritten.
    pub normalizers: &'a mut [f64],
    /// Scratch (8 K′), best at the start of a cache line.
    pub scratch: &'a mut [f64],
    /// K.
    pub n_components: usize,
}

impl MixtureProportions<'_> {
    /// Z and m at the weights given.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn share_out(mut self) {
        self.check();
        dispatch_vectors(Iterate { problem: &mut self, tolerance: f64::INFINITY, max_iterations: 0 });
    }

    /// Updates γ and θ̃ until the mean of |Δγ_k| is below `tolerance` or `max_iterations` are done; then Z and m at the
    /// last θ̃. Returns the number of iterations.
    ///
    /// A Z of zero leaves γ that is not finite.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn iterate(mut self, tolerance: f64, max_iterations: usize) -> usize {
        self.check();
        dispatch_vectors(Iterate { problem: &mut self, tolerance, max_iterations })
    }

    fn check(&self) {
        let (k, w) = (self.prior.len(), self.counts.len());
        let padded = k % MIXTURE_LANES == 0 && w % MIXTURE_LANES == 0;
        assert!(padded && self.n_components <= k, "{k} and {w} are no multiples of {MIXTURE_LANES}");
        assert_eq!(self.components.len(), w * self.n_components, "components");
        assert_eq!(self.normalizers.len(), w, "normalizers");
        assert_eq!(self.scratch.len(), MIXTURE_LANES * k, "scratch");
        for (length, name) in [
            (self.concentration.len(), "concentration"),
            (self.weights.len(), "weights"),
            (self.expected_counts.len(), "expected_counts"),
        ] {
            assert_eq!(length, k, "{name}");
        }
    }
}

struct Iterate<'p, 'a> {
    problem: &'p mut MixtureProportions<'a>,
    tolerance: f64,
    max_iterations: usize,
}

impl VectorOp for Iterate<'_, '_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) -> usize {
        // Groups side by side: as many running sums as hide the latency of an addition and fit into the registers.
        match S::F64_LANES {
            8 => self.run_with::<S, A, 1, 4>(simd),
            4 => self.run_with::<S, A, 2, 2>(simd),
            2 => self.run_with::<S, A, 4, 1>(simd),
            _ => self.run_with::<S, A, 8, 1>(simd),
        }
    }
}

impl Iterate<'_, '_> {
    #[inline(always)]
    fn run_with<S: Simd, A: Arithmetic, const N: usize, const G: usize>(self, simd: S) -> usize {
        let Self { problem, tolerance, max_iterations } = self;
        let mut done = 0;
        while done < max_iterations {
            problem.add_up::<S, N, G>(simd);
            done += 1;
            let change = problem.update::<A>();
            // A change that is not a number ends the loop too.
            if change < tolerance || change.is_nan() {
                break;
            }
        }
        problem.add_up::<S, N, G>(simd);
        for (m, weight) in problem.expected_counts.iter_mut().zip(problem.weights.iter()) {
            *m *= weight;
        }
        problem.expected_counts[problem.n_components..].fill(0.0);
        done
    }
}

impl MixtureProportions<'_> {
    /// γ and θ̃ from Σ_w B_kw n_w / Z_w; returns the mean of |Δγ_k|.
    #[inline(always)]
    fn update<A: Arithmetic>(&mut self) -> f64 {
        let mut change = [0.0; MIXTURE_LANES];
        let eights = self.prior.as_chunks::<MIXTURE_LANES>().0.iter();
        let eights = eights.zip(self.expected_counts.as_chunks::<MIXTURE_LANES>().0);
        let eights = eights.zip(self.concentration.as_chunks_mut::<MIXTURE_LANES>().0);
        let eights = eights.zip(self.weights.as_chunks_mut::<MIXTURE_LANES>().0);
        for (((prior, sum), gamma), weight) in eights {
            // Copies: where slices might overlap, the loop would stay scalar.
            let (prior, sum, old) = (*prior, *sum, *weight);
            let (mut new, mut exp) = ([0.0; MIXTURE_LANES], [0.0; MIXTURE_LANES]);
            for i in 0..MIXTURE_LANES {
                new[i] = A::mul_add(old[i], sum[i], prior[i]);
                exp[i] = exp_digamma::<A>(new[i]);
            }
            for i in 0..MIXTURE_LANES {
                change[i] += (new[i] - gamma[i]).abs();
            }
            (*gamma, *weight) = (new, exp);
        }
        fold(change) / self.n_components as f64
    }

    /// Z, and Σ_w B_kw n_w / Z_w into `expected_counts`.
    #[inline(always)]
    fn add_up<S: Simd, const N: usize, const G: usize>(&mut self, simd: S) {
        let k = self.n_components;
        let components = S::as_simd_f64s(self.components).0.as_chunks::<N>().0;
        let counts = S::as_simd_f64s(self.counts).0.as_chunks::<N>().0;
        let normalizers = S::as_mut_simd_f64s(self.normalizers).0.as_chunks_mut::<N>().0;
        let sums = &mut S::as_mut_simd_f64s(self.scratch).0.as_chunks_mut::<N>().0[..k];
        let weights = &self.weights[..k];
        sums.fill([simd.splat_f64s(0.0); N]);
        let mut g = 0;
        while g + G <= counts.len() {
            let (tile, at) = (&components[g * k..(g + G) * k], g..g + G);
            share::<S, N, G>(simd, tile, weights, &counts[at.clone()], &mut normalizers[at], sums);
            g += G;
        }
        while g < counts.len() {
            let (tile, at) = (&components[g * k..(g + 1) * k], g..g + 1);
            share::<S, N, 1>(simd, tile, weights, &counts[at.clone()], &mut normalizers[at], sums);
            g += 1;
        }
        let lanes = self.scratch.as_chunks::<MIXTURE_LANES>().0;
        for (out, lanes) in self.expected_counts.iter_mut().zip(&lanes[..k]) {
            *out = fold(*lanes);
        }
        // The padding of γ stays at its prior.
        self.expected_counts[k..].fill(0.0);
    }
}

/// Z of G groups of columns, and n / Z times the columns added to the sums (K).
#[inline(always)]
fn share<S: Simd, const N: usize, const G: usize>(
    simd: S,
    tile: &[Eight<S::f64s, N>],
    weights: &[f64],
    counts: &[Eight<S::f64s, N>],
    normalizers: &mut [Eight<S::f64s, N>],
    sums: &mut [Eight<S::f64s, N>],
) {
    let k = weights.len();
    let tiles: [_; G] = std::array::from_fn(|g| &tile[g * k..(g + 1) * k]);
    // Even and odd components apart: twice as many sums that do not wait for each other.
    let zero = [[simd.splat_f64s(0.0); N]; G];
    let (mut even, mut odd) = (zero, zero);
    let add = |sum: &mut [Eight<S::f64s, N>; G], j: usize| {
        let weight = simd.splat_f64s(weights[j]);
        for g in 0..G {
            for n in 0..N {
                sum[g][n] = simd.mul_add_e_f64s(weight, tiles[g][j][n], sum[g][n]);
            }
        }
    };
    for j in 0..k / 2 {
        add(&mut even, 2 * j);
        add(&mut odd, 2 * j + 1);
    }
    if k % 2 == 1 {
        add(&mut even, k - 1);
    }
    let mut ratios = zero;
    for g in 0..G {
        for n in 0..N {
            let normalizer = simd.add_f64s(even[g][n], odd[g][n]);
            normalizers[g][n] = normalizer;
            ratios[g][n] = simd.div_f64s(counts[g][n], normalizer);
        }
    }
    for (j, sum) in sums.iter_mut().enumerate() {
        for g in 0..G {
            for n in 0..N {
                sum[n] = simd.mul_add_e_f64s(ratios[g][n], tiles[g][j][n], sum[n]);
            }
        }
    }
}

/// Folds the lanes by halves.
#[inline(always)]
fn fold(lanes: [f64; MIXTURE_LANES]) -> f64 {
    let four: [f64; 4] = std::array::from_fn(|i| lanes[i] + lanes[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Rows of a matrix, of which some have counts: the other direction of [`MixtureProportions`], where a word is shared out
/// among topics in all its documents.
#[derive(Clone, Copy, Debug)]
pub struct MixtureRows<'a> {
    /// Row-major.
    pub values: &'a [f64],
    /// Values from one row to the next.
    pub stride: usize,
    /// Where in a row its first value stands.
    pub start: usize,
}

impl MixtureRows<'_> {
    /// Adds Σ_i n_i x_ik / Z_i with Z_i = Σ_k w_k x_ik to the sums (K′), where x_i are the rows `indices`, and w (K′) are
    /// the weights; returns the least Z_i.
    ///
    /// K′ is a multiple of [`MIXTURE_LANES`]; the padding of rows or weights is 0.
    ///
    /// # Panics
    /// If the lengths do not fit or a row is out of bounds.
    pub fn add_shares(&self, indices: &[usize], counts: &[f64], weights: &[f64], sums: &mut [f64]) -> f64 {
        assert!(indices.len() == counts.len() && weights.len() == sums.len(), "lengths differ");
        assert_eq!(weights.len() % MIXTURE_LANES, 0, "weights are padded");
        dispatch_vectors(AddShares { rows: *self, indices, counts, weights, sums })
    }

    #[inline(always)]
    fn row(&self, i: usize, width: usize) -> &[f64] {
        &self.values[i * self.stride + self.start..][..width]
    }
}

struct AddShares<'a> {
    rows: MixtureRows<'a>,
    indices: &'a [usize],
    counts: &'a [f64],
    weights: &'a [f64],
    sums: &'a mut [f64],
}

impl VectorOp for AddShares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) -> f64 {
        match S::F64_LANES {
            8 => self.run_with::<S, 1>(simd),
            4 => self.run_with::<S, 2>(simd),
            2 => self.run_with::<S, 4>(simd),
            _ => self.run_with::<S, 8>(simd),
        }
    }
}

/// Rows worked on together.
const ROWS: usize = 4;

impl AddShares<'_> {
    #[inline(always)]
    fn run_with<S: Simd, const N: usize>(self, simd: S) -> f64 {
        let mut least = f64::INFINITY;
        let weights = S::as_simd_f64s(self.weights).0.as_chunks::<N>().0;
        let sums = S::as_mut_simd_f64s(self.sums).0.as_chunks_mut::<N>().0;
        let (fours, rest) = self.indices.as_chunks::<ROWS>();
        let (count_fours, count_rest) = self.counts.as_chunks::<ROWS>();
        for (i, n) in fours.iter().zip(count_fours) {
            let rows = i.map(|i| self.rows.row(i, self.weights.len()));
            least = least.min(add_rows::<S, N, ROWS>(simd, rows, *n, weights, sums));
        }
        for (i, n) in rest.iter().zip(count_rest) {
            let row = [self.rows.row(*i, self.weights.len())];
            least = least.min(add_rows::<S, N, 1>(simd, row, [*n], weights, sums));
        }
        least
    }
}

#[inline(always)]
fn add_rows<S: Simd, const N: usize, const R: usize>(
    simd: S,
    rows: [&[f64]; R],
    counts: [f64; R],
    weights: &[Eight<S::f64s, N>],
    sums: &mut [Eight<S::f64s, N>],
) -> f64 {
    let rows = rows.map(|row| &S::as_simd_f64s(row).0.as_chunks::<N>().0[..weights.len()]);
    let mut products = [[simd.splat_f64s(0.0); N]; R];
    for (j, w) in weights.iter().enumerate() {
        for r in 0..R {
            for n in 0..N {
                products[r][n] = simd.mul_add_e_f64s(w[n], rows[r][j][n], products[r][n]);
            }
        }
    }
    let mut least = f64::INFINITY;
    let mut ratios = [simd.splat_f64s(0.0); R];
    for r in 0..R {
        let mut lanes = Lanes([0.0; MIXTURE_LANES]);
        S::as_mut_simd_f64s(&mut lanes.0).0.copy_from_slice(&products[r]);
        let normalizer = fold(lanes.0);
        least = if normalizer < least { normalizer } else { least };
        ratios[r] = simd.splat_f64s(counts[r] / normalizer);
    }
    for (j, sum) in sums.iter_mut().enumerate() {
        for r in 0..R {
            for n in 0..N {
                sum[n] = simd.mul_add_e_f64s(ratios[r], rows[r][j][n], sum[n]);
            }
        }
    }
    least
}

#[repr(align(64))]
struct Lanes([f64; MIXTURE_LANES]);
