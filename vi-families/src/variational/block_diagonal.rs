//! The block-diagonal Gaussian: full rank within blocks of coordinates, independence between them.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use vi_core::{ParameterSpace, StreamKey, StreamRng};

use super::full_rank::FullRankGaussian;
use super::full_rank_member::FullRankGaussianMember;
use super::gaussian::{fill_noise, real_names, transport_groups};
use super::natural_gradient::{check_step, shifted};
use super::{Damping, FactorizedDistribution, Reparameterized, VariationalDistribution, VariationalFamily};
use crate::error::FamilyError;
use crate::validate::{domain, length};

const FAMILY: &str = "BlockDiagonalGaussian";

/// q_λ(z) = Π_b N(z_b; m_b, L_b L_bᵀ) on ℝᴰ, the blocks z_b following each other in z.
///
/// ```text
/// λ = (λ₁, λ₂, …),   λ_b = (m_b; L_b row by row with log diagonal) as in FullRankGaussian
/// ```
#[derive(Clone, Debug)]
pub struct BlockDiagonalGaussian {
    blocks: Vec<FullRankGaussian>,
    places: Vec<Place>,
}

/// Where a block stands in z and in λ.
#[derive(Clone, Debug)]
struct Place {
    z: Range<usize>,
    params: Range<usize>,
}

impl BlockDiagonalGaussian {
    /// One block for every variable of a space whose variables are all real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete.
    pub fn by_parameter(space: &ParameterSpace) -> Result<Self, FamilyError> {
        let sizes: Vec<usize> = space.parameters().iter().map(|p| p.size()).collect();
        Self::from_sizes(space, &sizes)
    }

    /// Blocks of the given sizes, in the order of the coordinates of a space whose variables are all real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete; [`FamilyError::Length`] when
    /// the sizes do not add up to D; [`FamilyError::Domain`] for an empty block.
    pub fn from_sizes(space: &ParameterSpace, sizes: &[usize]) -> Result<Self, FamilyError> {
        let names = real_names(space, "the block-diagonal Gaussian")?;
        length(FAMILY, "the concatenation of all blocks", sizes.iter().sum(), names.len())?;
        let (mut blocks, mut places) = (Vec::new(), Vec::new());
        let (mut z, mut params) = (0, 0);
        for (b, size) in sizes.iter().enumerate() {
            if *size == 0 {
                return Err(domain(FAMILY, format!("size[{b}]"), 0.0, "at least 1"));
            }
            let block = FullRankGaussian::over(names[z..z + size].to_vec());
            places.push(Place { z: z..z + size, params: params..params + block.n_params() });
            (z, params) = (z + size, params + block.n_params());
            blocks.push(block);
        }
        Ok(Self { blocks, places })
    }

    /// λ of the member with this mean (D) and these covariances, one for each block.
    ///
    /// # Errors
    /// [`FamilyError`] when a covariance is not positive definite.
    ///
    /// # Panics
    /// If a length or the number of covariances does not fit.
    pub fn params_from_mean_covariances(
        &self,
        mean: &ArrayRef1<f64>,
        covariances: &[Array2<f64>],
    ) -> Result<Array1<f64>, FamilyError> {
        assert_eq!(mean.len(), self.dim(), "BlockDiagonalGaussian: wrong length");
        assert_eq!(covariances.len(), self.blocks.len(), "BlockDiagonalGaussian: one covariance per block");
        let mut params = Array1::zeros(self.n_params());
        for ((block, place), covariance) in self.blocks.iter().zip(&self.places).zip(covariances) {
            let of_block = block.params_from_mean_covariance(&mean.slice(s![place.z.clone()]), covariance)?;
            params.slice_mut(s![place.params.clone()]).assign(&of_block);
        }
        Ok(params)
    }
}

impl VariationalFamily for BlockDiagonalGaussian {
    type Member<'a> = BlockDiagonalGaussianMember<'a>;

    fn dim(&self) -> usize {
        self.places.last().map_or(0, |p| p.z.end)
    }
    fn n_params(&self) -> usize {
        self.places.last().map_or(0, |p| p.params.end)
    }
    fn param_names(&self) -> Vec<String> {
        self.blocks.iter().flat_map(VariationalFamily::param_names).collect()
    }
    /// The standard Gaussian.
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.n_params())
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        length(FAMILY, "λ", params.len(), self.n_params())?;
        let bind = |(block, place): (&FullRankGaussian, &Place)| {
            block.bind_as(FAMILY, &params.slice(s![place.params.clone()]))
        };
        let blocks = self.blocks.iter().zip(&self.places).map(bind).collect::<Result<_, _>>()?;
        Ok(BlockDiagonalGaussianMember { family: self, blocks })
    }
    /// Block by block.
    fn natural_step(
        &self,
        params: &ArrayRef1<f64>,
        natural_gradient: &ArrayRef1<f64>,
        step: f64,
        out: &mut ArrayRef1<f64>,
    ) -> Result<u32, FamilyError> {
        check_step(FAMILY, self.n_params(), params, natural_gradient, out)?;
        let mut n_halvings = 0;
        for (block, place) in self.blocks.iter().zip(&self.places) {
            let range = s![place.params.clone()];
            let (at, along) = (params.slice(range), natural_gradient.slice(range));
            n_halvings += block.natural_step_as(FAMILY, &at, &along, step, &mut out.slice_mut(range))?;
        }
        Ok(n_halvings)
    }
}

/// One member of [`BlockDiagonalGaussian`].
#[derive(Clone, Debug)]
pub struct BlockDiagonalGaussianMember<'a> {
    family: &'a BlockDiagonalGaussian,
    blocks: Vec<FullRankGaussianMember>,
}

impl BlockDiagonalGaussianMember<'_> {
    /// The full-rank members, one for each block.
    pub fn blocks(&self) -> &[FullRankGaussianMember] {
        &self.blocks
    }

    /// The same with the standard deviations of block `i` `factor(i)` times as large.
    pub(super) fn stretched(&self, factor: impl Fn(usize) -> f64) -> Self {
        let blocks = self.blocks.iter().enumerate().map(|(i, b)| b.stretched(factor(i)));
        Self { family: self.family, blocks: blocks.collect() }
    }

    fn pairs(&self) -> impl Iterator<Item = (&Place, &FullRankGaussianMember)> {
        self.family.places.iter().zip(&self.blocks)
    }
}

impl VariationalDistribution for BlockDiagonalGaussianMember<'_> {
    fn dim(&self) -> usize {
        self.family.dim()
    }
    fn n_params(&self) -> usize {
        self.family.n_params()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "BlockDiagonalGaussian: z has the wrong length");
        for (place, block) in self.pairs() {
            block.sample(rng, &mut z.slice_mut(s![place.z.clone()]));
        }
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "BlockDiagonalGaussian: z has the wrong length");
        self.pairs().map(|(place, block)| block.log_prob(&z.slice(s![place.z.clone()]))).sum()
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "BlockDiagonalGaussian: z has the wrong length");
        assert_eq!(out.len(), self.n_params(), "BlockDiagonalGaussian: out has the wrong length");
        for (place, block) in self.pairs() {
            let mut of_block = out.slice_mut(s![place.params.clone()]);
            block.add_score(&z.slice(s![place.z.clone()]), weight, &mut of_block);
        }
    }
    /// The sum of the blocks' entropies.
    fn entropy(&self) -> Option<f64> {
        self.blocks.iter().map(VariationalDistribution::entropy).sum()
    }
    /// The Fisher informations of the blocks along the diagonal.
    fn fisher(&self) -> Option<Array2<f64>> {
        let mut fisher = Array2::zeros((self.n_params(), self.n_params()));
        for (place, block) in self.pairs() {
            let range = place.params.clone();
            fisher.slice_mut(s![range.clone(), range]).assign(&block.fisher()?);
        }
        Some(fisher)
    }
    /// Block by block.
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let p = self.n_params();
        assert_eq!((grad.len(), out.len()), (p, p), "BlockDiagonalGaussian: wrong length");
        for (place, block) in self.pairs() {
            let range = s![place.params.clone()];
            let solved = block.natural_gradient(damping, &grad.slice(range), &mut out.slice_mut(range));
            solved.map_err(|e| shifted(e, place.params.start))?;
        }
        Ok(())
    }

    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        assert_eq!(z.dim(), (samples.len(), self.dim()), "BlockDiagonalGaussian: z has the wrong shape");
        transport_groups(key, samples, self.dim(), z, |noise, rows| {
            for (place, block) in self.pairs() {
                let range = place.z.clone();
                block.transport_group(&noise[range.clone()], &mut rows.slice_mut(s![.., range]));
            }
        });
    }
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (out.len(), self.dim()), "BlockDiagonalGaussian: z has the wrong shape");
        let mut of_block = Array1::zeros(out.len());
        out.fill(0.0);
        for (place, block) in self.pairs() {
            block.log_prob_batch(&z.slice(s![.., place.z.clone()]), &mut of_block);
            *out += &*of_block;
        }
    }
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (weights.len(), self.dim()), "BlockDiagonalGaussian: z has the wrong shape");
        assert_eq!(out.len(), self.n_params(), "BlockDiagonalGaussian: out has the wrong length");
        for (place, block) in self.pairs() {
            let mut of_block = out.slice_mut(s![place.params.clone()]);
            block.add_score_batch(&z.slice(s![.., place.z.clone()]), weights, &mut of_block);
        }
    }
}

/// Every block is a factor.
impl FactorizedDistribution for BlockDiagonalGaussianMember<'_> {
    fn n_factors(&self) -> usize {
        self.blocks.len()
    }
    fn factor(&self, i: usize) -> Range<usize> {
        self.family.places[i].z.clone()
    }
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize> {
        self.family.places[i].params.clone()
    }
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        self.blocks[i].sample(rng, &mut z.slice_mut(s![self.factor(i)]));
    }
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64 {
        self.blocks[i].log_prob(&z.slice(s![self.factor(i)]))
    }
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let params = self.family.places[i].params.clone();
        self.blocks[i].add_score(&z.slice(s![self.factor(i)]), weight, &mut out.slice_mut(s![params]));
    }
}

impl Reparameterized for BlockDiagonalGaussianMember<'_> {
    fn noise_dim(&self) -> usize {
        self.dim()
    }
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
        fill_noise(rng, noise);
    }
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        assert_eq!((noise.len(), z.len()), (self.dim(), self.dim()), "BlockDiagonalGaussian: wrong length");
        for (place, block) in self.pairs() {
            let range = s![place.z.clone()];
            block.transport(&noise.slice(range), &mut z.slice_mut(range));
        }
    }
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        assert_eq!((noise.len(), z.len(), grad.len()), (d, d, d), "BlockDiagonalGaussian: wrong length");
        assert_eq!(out.len(), self.n_params(), "BlockDiagonalGaussian: out has the wrong length");
        for (place, block) in self.pairs() {
            let range = s![place.z.clone()];
            let (noise, z, grad) = (noise.slice(range), z.slice(range), grad.slice(range));
            block.add_transport_vjp(&noise, &z, &grad, weight, &mut out.slice_mut(s![place.params.clone()]));
        }
    }
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>) {
        for (place, block) in self.pairs() {
            block.add_entropy_grad(weight, &mut out.slice_mut(s![place.params.clone()]));
        }
    }
}
