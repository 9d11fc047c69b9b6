//! Groups of normal data with their own means, half-Cauchy scales within and between groups.
//!
//! ```text
//! y_ij | θ_j, σ ~ N(θ_j, σ²)          i = 1 … n_j, j = 1 … J
//! θ_j | μ, τ ~ N(μ, τ²)
//! μ ~ N(m, s²),   τ ~ half-Cauchy(0, A),   σ ~ half-Cauchy(0, B)
//! ```
//! z = (θ, μ, τ, σ). The half-Cauchy priors are mixtures of inverse Gammas, whose auxiliary variables are blocks of the
//! sweep but not reported. With one datum per group and known standard errors it is [`eight_schools`](crate::eight_schools).
//!
//! Source: A. Gelman, "Prior distributions for variance parameters in hierarchical models", *Bayesian Analysis* 1 (2006)
//! 515–534.

mod conjugate;
mod log_joint;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::ModelError;
use crate::checks::{finite, positive};

pub use crate::half_cauchy::HalfCauchyStats;
pub use crate::normal_effects::NormalEffectsStats;
pub use conjugate::{HierarchicalNormalBlock, HierarchicalNormalFactors, HierarchicalNormalStats};

const MODEL: &str = "hierarchical_normal";

/// A group without data costs memory too.
const MAX_GROUPS: usize = 1 << 24;

/// The priors of μ, τ and σ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HierarchicalNormalPriors {
    /// m.
    pub mu_mean: f64,
    /// s > 0.
    pub mu_sd: f64,
    /// A > 0.
    pub between_scale: f64,
    /// B > 0.
    pub within_scale: f64,
}

impl Default for HierarchicalNormalPriors {
    fn default() -> Self {
        Self { mu_mean: 0.0, mu_sd: 5.0, between_scale: 5.0, within_scale: 5.0 }
    }
}

/// Data in groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupedData {
    /// y, in any order (N).
    pub value: Array1<f64>,
    /// The group of each datum, from 0 (N).
    pub group: Vec<usize>,
}

/// The hierarchical model; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::hierarchical_normal::{GroupedData, HierarchicalNormal, HierarchicalNormalPriors};
///
/// let data = GroupedData { value: array![1.2, 0.7, 3.1, 2.9], group: vec![0, 0, 1, 1] };
/// let model = HierarchicalNormal::new(data, HierarchicalNormalPriors::default())?;
/// assert_eq!(model.parameters().names(), ["theta[1]", "theta[2]", "mu", "tau", "sigma"]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HierarchicalNormal {
    data: GroupedData,
    priors: HierarchicalNormalPriors,
    /// n_j, ȳ_j (J).
    count: Array1<f64>,
    mean: Array1<f64>,
    /// Σ_ij (y_ij − ȳ_j)².
    within_squares: f64,
    space: ParameterSpace,
}

impl HierarchicalNormal {
    /// The model of these data; there are as many groups as the largest number says, some may be empty.
    ///
    /// # Errors
    /// [`ModelError`] names the datum that is not finite, the length that does not fit, or the prior parameter outside its
    /// domain.
    pub fn new(data: GroupedData, priors: HierarchicalNormalPriors) -> Result<Self, ModelError> {
        crate::checks::finite_vector(MODEL, "value", &data.value)?;
        let (expected, actual) = (data.value.len(), data.group.len());
        if expected != actual {
            return Err(ModelError::Length { model: MODEL, data: "group", expected, actual });
        }
        if let Some((row, group)) = data.group.iter().enumerate().find(|(_, j)| **j >= MAX_GROUPS) {
            let (value, requirement) = (*group as f64, "a group number below 2²⁴");
            return Err(ModelError::Datum {
                model: MODEL,
                data: "group",
                row,
                column: 0,
                value,
                requirement,
            });
        }
        finite(MODEL, "mu_mean", priors.mu_mean)?;
        positive(MODEL, "mu_sd", priors.mu_sd)?;
        positive(MODEL, "between_scale", priors.between_scale)?;
        positive(MODEL, "within_scale", priors.within_scale)?;
        let n_groups = data.group.iter().max().map_or(0, |j| j + 1);
        let (mut count, mut mean) = (Array1::<f64>::zeros(n_groups), Array1::<f64>::zeros(n_groups));
        for (y, j) in data.value.iter().zip(&data.group) {
            count[*j] += 1.0;
            mean[*j] += y;
        }
        mean.iter_mut().zip(&count).for_each(|(m, n)| *m /= n.max(1.0));
        let squares = data.value.iter().zip(&data.group).map(|(y, j)| (y - mean[*j]).powi(2));
        let within_squares = squares.sum();
        let space = ParameterSpace::new([
            Parameter::vector("theta", n_groups, Support::Real),
            Parameter::scalar("mu", Support::Real),
            Parameter::scalar("tau", Support::Positive),
            Parameter::scalar("sigma", Support::Positive),
        ])?;
        Ok(Self { data, priors, count, mean, within_squares, space })
    }

    /// Refuses new data of groups that have no mean.
    fn check_groups(&self, data: &GroupedData) {
        assert_eq!(data.group.len(), data.value.len(), "hierarchical_normal: one group for each value");
        let j = data.group.iter().max().map_or(0, |j| j + 1);
        assert!(j <= self.n_groups(), "hierarchical_normal: group {} of {}", j - 1, self.n_groups());
    }

    /// The data.
    pub fn data(&self) -> &GroupedData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &HierarchicalNormalPriors {
        &self.priors
    }

    /// J.
    pub fn n_groups(&self) -> usize {
        self.count.len()
    }

    fn n_data(&self) -> f64 {
        self.data.value.len() as f64
    }
}
