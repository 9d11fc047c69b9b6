//! Variational families by name.

use serde::{Deserialize, Serialize};

use super::{Owner, words};
use crate::error::ConfigError;

/// Variational families by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FamilyKind {
    /// Independent Gaussians on the unconstrained scale.
    #[default]
    MeanField,
    /// One Gaussian with a full covariance on the unconstrained scale.
    FullRank,
    /// One Gaussian whose covariance is diagonal plus one of low rank, on the unconstrained scale.
    LowRank,
    /// Independent blocks of Gaussians with full covariance, on the unconstrained scale.
    BlockDiagonal,
    /// A mixture of mean-field Gaussians on the unconstrained scale.
    Mixture,
    /// Independent Student-t variables with given degrees of freedom, on the unconstrained scale.
    StudentT,
    /// Independent Student-t variables whose degrees of freedom are learned, on the unconstrained scale.
    LearnedStudentT,
    /// Independent exponential-family factors, chosen by support.
    Product,
}

impl FamilyKind {
    /// All families.
    pub const ALL: [Self; 8] = [
        Self::MeanField,
        Self::FullRank,
        Self::LowRank,
        Self::BlockDiagonal,
        Self::Mixture,
        Self::StudentT,
        Self::LearnedStudentT,
        Self::Product,
    ];

    /// Its name in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Self::MeanField => "mean-field",
            Self::FullRank => "full-rank",
            Self::LowRank => "low-rank",
            Self::BlockDiagonal => "block-diagonal",
            Self::Mixture => "mixture",
            Self::StudentT => "student-t",
            Self::LearnedStudentT => "learned-student-t",
            Self::Product => "product",
        }
    }

    /// What it is, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::MeanField => "independent Gaussians on the unconstrained scale; any continuous support",
            Self::FullRank => {
                "one Gaussian with full covariance on the unconstrained scale; any continuous support"
            }
            Self::LowRank => {
                "one Gaussian of covariance diagonal + BBᵀ on the unconstrained scale, B with `rank` columns (1)"
            }
            Self::BlockDiagonal => {
                "independent Gaussians with full covariances of sizes `blocks` (one for each variable) on the \
                 unconstrained scale"
            }
            Self::Mixture => {
                "a mixture of `n_components` (2) mean-field Gaussians on the unconstrained scale"
            }
            Self::StudentT => {
                "independent Student-t variables of `dof` (5) degrees of freedom on the unconstrained scale"
            }
            Self::LearnedStudentT => {
                "independent Student-t variables on the unconstrained scale, their degrees of freedom learned from \
                 `dof` (5) on"
            }
            Self::Product => {
                "independent exponential-family factors on the natural scale, chosen by support: real → Gaussian, \
                 positive → Gamma, interval → Beta, simplex → Dirichlet, binary → Bernoulli, categorical → \
                 Categorical"
            }
        }
    }
}

/// A family with its keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FamilySettings {
    /// The variational family.
    pub family: FamilyKind,
    /// Columns of the factor of `low-rank`; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// Sizes of the blocks of `block-diagonal`, in the order of the coordinates; one for each variable by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Vec<usize>>,
    /// Components of `mixture`; 2 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_components: Option<usize>,
    /// Degrees of freedom of `student-t`, or those that `learned-student-t` starts at; 5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dof: Option<f64>,
}

impl FamilySettings {
    /// The keys of a table that are read here.
    pub(crate) const KEYS: [&'static str; 5] = ["family", "rank", "blocks", "n_components", "dof"];

    /// The family and its keys in words.
    pub fn describe(&self) -> String {
        let value = serde_json::to_value(self);
        words(&value.unwrap_or_else(|_| unreachable!("settings are tables of plain values")))
    }

    /// The keys that only some families have, and their domains.
    pub(crate) fn check(&self, owner: &Owner) -> Result<(), ConfigError> {
        use FamilyKind::{BlockDiagonal, LearnedStudentT, LowRank, Mixture, StudentT};
        let kind = self.family;
        let given = [
            ("rank", self.rank.is_some(), kind == LowRank, "left away: only `low-rank` has a rank"),
            (
                "blocks",
                self.blocks.is_some(),
                kind == BlockDiagonal,
                "left away: only `block-diagonal` has blocks",
            ),
            (
                "n_components",
                self.n_components.is_some(),
                kind == Mixture,
                "left away: only `mixture` has components",
            ),
            (
                "dof",
                self.dof.is_some(),
                matches!(kind, StudentT | LearnedStudentT),
                "left away: only `student-t` and `learned-student-t` have degrees of freedom",
            ),
        ];
        for (key, is_given, belongs, requirement) in given {
            if is_given && !belongs {
                return Err(owner.domain(key, format!("given with `{}`", kind.name()), requirement));
            }
        }
        if self.n_components == Some(0) {
            return Err(owner.domain("n_components", "0".into(), "at least 1"));
        }
        match self.dof {
            Some(dof) if !(0.1..=1e8).contains(&dof) => {
                Err(owner.domain("dof", dof.to_string(), "between 0.1 and 10⁸"))
            }
            _ => Ok(()),
        }
    }

    /// Rank and blocks, against the dimension on the unconstrained scale.
    pub(crate) fn check_size(&self, owner: &Owner, dim: usize) -> Result<(), ConfigError> {
        let of = |value: String| format!("{value} with dimension {dim}");
        if let Some(rank) = self.rank
            && !(1..=dim).contains(&rank)
        {
            return Err(owner.domain("rank", of(rank.to_string()), "between 1 and the dimension"));
        }
        if let Some(blocks) = &self.blocks
            && (blocks.contains(&0) || blocks.iter().sum::<usize>() != dim)
        {
            let requirement = "sizes of at least 1 that add up to the dimension on the unconstrained scale";
            return Err(owner.domain("blocks", of(format!("{blocks:?}")), requirement));
        }
        Ok(())
    }
}
