//! The latent variables of a model: names, shapes, supports, and where each stands in the flat vector `z`.

use std::ops::Range;

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

/// Where a latent variable lives.
///
/// Scalar supports apply to every element of the shape. For [`Support::Simplex`], [`Support::Ordered`] and
/// [`Support::PositiveOrdered`] the last axis is the vector; for the matrix supports the last two axes are the square matrix, stored whole in
/// row-major order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Support {
    /// ℝ.
    Real,
    /// (0, ∞).
    Positive,
    /// (lower, upper).
    Interval {
        /// Lower end, excluded.
        lower: f64,
        /// Upper end, excluded.
        upper: f64,
    },
    /// Positive vectors that sum to one. Densities are with respect to Lebesgue measure on all coordinates but
    /// the last.
    Simplex,
    /// Strictly increasing vectors.
    Ordered,
    /// Strictly increasing vectors of positive numbers.
    PositiveOrdered,
    /// Lower-triangular matrices with a positive diagonal; the upper triangle is stored as zeros. Densities
    /// are with respect to Lebesgue measure on the lower triangle.
    CholeskyFactor,
    /// Symmetric positive-definite matrices. Densities are with respect to Lebesgue measure on the lower
    /// triangle.
    PositiveDefinite,
    /// The circle: numbers in [−π, π], whose two ends are one point. Densities are with respect to the length of arcs, and have
    /// to take the same value at both ends.
    Angle,
    /// {0, 1}.
    Binary,
    /// {0, 1, 2, …}.
    Count,
    /// {0, …, n − 1}.
    Categorical {
        /// The number of categories.
        n: usize,
    },
}

impl Support {
    /// Whether the support is countable.
    pub fn is_discrete(&self) -> bool {
        matches!(self, Support::Binary | Support::Count | Support::Categorical { .. })
    }

    /// How many trailing axes of the shape form one element of the support: 0, 1 or 2.
    pub fn event_rank(&self) -> usize {
        match self {
            Support::Simplex | Support::Ordered | Support::PositiveOrdered => 1,
            Support::CholeskyFactor | Support::PositiveDefinite => 2,
            _ => 0,
        }
    }
}

impl std::fmt::Display for Support {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Support::Real => f.write_str("real"),
            Support::Positive => f.write_str("positive"),
            Support::Interval { lower, upper } => write!(f, "interval({lower}, {upper})"),
            Support::Simplex => f.write_str("simplex"),
            Support::Ordered => f.write_str("ordered"),
            Support::PositiveOrdered => f.write_str("positive ordered"),
            Support::CholeskyFactor => f.write_str("Cholesky factor"),
            Support::PositiveDefinite => f.write_str("positive definite"),
            Support::Angle => f.write_str("angle"),
            Support::Binary => f.write_str("binary"),
            Support::Count => f.write_str("count"),
            Support::Categorical { n } => write!(f, "categorical({n})"),
        }
    }
}

/// One named latent variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    name: String,
    shape: Vec<usize>,
    support: Support,
    offset: usize,
}

impl Parameter {
    /// A variable of any shape; an empty shape is a scalar.
    pub fn new(name: impl Into<String>, shape: &[usize], support: Support) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), support, offset: 0 }
    }

    /// A scalar.
    pub fn scalar(name: impl Into<String>, support: Support) -> Self {
        Self::new(name, &[], support)
    }

    /// A vector of `n` scalars, or one simplex or ordered vector of length `n`.
    pub fn vector(name: impl Into<String>, n: usize, support: Support) -> Self {
        Self::new(name, &[n], support)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its support.
    pub fn support(&self) -> Support {
        self.support
    }

    /// Number of stored values.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Its coordinates in `z`.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.size()
    }

    /// Number of stored values of one element of the support: 1 for scalars, n for a vector, n² for a matrix.
    pub fn event_size(&self) -> usize {
        self.shape[self.shape.len() - self.support.event_rank()..].iter().product()
    }

    /// Length n of the vector, or order n of the matrix, of one element of the support; 1 for scalars.
    pub fn event_order(&self) -> usize {
        if self.support.event_rank() == 0 { 1 } else { self.shape[self.shape.len() - 1] }
    }

    /// Number of elements of the support.
    pub fn n_events(&self) -> usize {
        self.size() / self.event_size()
    }

    fn element_names(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.size()).map(move |mut flat| {
            if self.shape.is_empty() {
                return self.name.clone();
            }
            let mut index = vec![0; self.shape.len()];
            for (i, &n) in index.iter_mut().zip(&self.shape).rev() {
                *i = flat % n + 1;
                flat /= n;
            }
            let index: Vec<String> = index.iter().map(usize::to_string).collect();
            format!("{}[{}]", self.name, index.join(","))
        })
    }
}

/// Why a parameter space or a point in it is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// Two variables have one name.
    #[error("parameter `{name}` is declared twice")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A variable has no values.
    #[error("parameter `{name}` with shape {shape:?} has no values")]
    Empty {
        /// The name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A shape does not fit its support.
    #[error("parameter `{name}`: shape {shape:?} does not fit the support {support}")]
    Shape {
        /// The name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its support.
        support: Support,
    },
    /// An interval is empty or not finite.
    #[error("parameter `{name}`: interval ({lower}, {upper}) is empty or not finite")]
    Interval {
        /// The name.
        name: String,
        /// Lower end.
        lower: f64,
        /// Upper end.
        upper: f64,
    },
    /// A vector has the wrong length.
    #[error("z has length {actual}, expected {expected}")]
    Length {
        /// Length required.
        expected: usize,
        /// Length found.
        actual: usize,
    },
    /// A value lies outside its support.
    #[error("{name} = {value} lies outside its support ({support})")]
    OutsideSupport {
        /// The coordinate.
        name: String,
        /// Its value.
        value: f64,
        /// Its support.
        support: Support,
    },
    /// A method cannot treat a variable of this support.
    #[error("parameter `{name}` has support {support}, which {method} cannot treat")]
    Unsupported {
        /// The name.
        name: String,
        /// Its support.
        support: Support,
        /// The method or family.
        method: String,
    },
}

/// The layout of `z`: its variables one after the other.
///
/// ```
/// use vi_core::{Parameter, ParameterSpace, Support};
///
/// let space = ParameterSpace::new([
///     Parameter::vector("theta", 2, Support::Real),
///     Parameter::scalar("tau", Support::Positive),
/// ])?;
/// assert_eq!(space.dim(), 3);
/// assert_eq!(space.names(), ["theta[1]", "theta[2]", "tau"]);
/// # Ok::<(), vi_core::ParameterError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterSpace {
    parameters: Vec<Parameter>,
    names: Vec<String>,
}

impl ParameterSpace {
    /// Lays the variables out in this order.
    ///
    /// # Errors
    /// [`ParameterError`] for duplicate names, empty shapes, shapes that do not fit their support.
    pub fn new(parameters: impl IntoIterator<Item = Parameter>) -> Result<Self, ParameterError> {
        let mut out: Vec<Parameter> = Vec::new();
        let mut offset = 0;
        for mut p in parameters {
            validate(&p)?;
            if out.iter().any(|q| q.name == p.name) {
                return Err(ParameterError::DuplicateName { name: p.name });
            }
            p.offset = offset;
            offset += p.size();
            out.push(p);
        }
        let names = out.iter().flat_map(Parameter::element_names).collect();
        Ok(Self { parameters: out, names })
    }

    /// The length D of `z`.
    pub fn dim(&self) -> usize {
        self.names.len()
    }

    /// The variables in order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The variable with this name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// One name per coordinate, indices counted from 1: `theta[3]`, `Sigma[1,2]`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether every variable is real and needs no transformation.
    pub fn is_unconstrained(&self) -> bool {
        self.parameters.iter().all(|p| p.support == Support::Real)
    }

    /// Checks that `z` has the right length and every variable lies in its support.
    ///
    /// # Errors
    /// [`ParameterError`] names the coordinate and its value.
    pub fn check(&self, z: &ArrayRef1<f64>) -> Result<(), ParameterError> {
        if z.len() != self.dim() {
            return Err(ParameterError::Length { expected: self.dim(), actual: z.len() });
        }
        for p in &self.parameters {
            let values = z.slice(ndarray::s![p.range()]).to_vec();
            for (e, event) in values.chunks_exact(p.event_size()).enumerate() {
                if let Some(i) = first_outside(p.support, event, p.event_order()) {
                    let d = p.offset + e * p.event_size() + i;
                    return Err(ParameterError::OutsideSupport {
                        name: self.names[d].clone(),
                        value: z[d],
                        support: p.support,
                    });
                }
            }
        }
        Ok(())
    }
}

fn validate(p: &Parameter) -> Result<(), ParameterError> {
    let (name, shape, support) = (p.name.clone(), p.shape.clone(), p.support);
    if shape.contains(&0) {
        return Err(ParameterError::Empty { name, shape });
    }
    let rank = support.event_rank();
    let fits = shape.len() >= rank && (rank != 2 || shape[shape.len() - 1] == shape[shape.len() - 2]);
    if !fits || support == (Support::Categorical { n: 0 }) {
        return Err(ParameterError::Shape { name, shape, support });
    }
    if let Support::Interval { lower, upper } = support
        && !(lower.is_finite() && upper.is_finite() && lower < upper)
    {
        return Err(ParameterError::Interval { name, lower, upper });
    }
    Ok(())
}

/// The index of the first value of one element that lies outside the support.
fn first_outside(support: Support, x: &[f64], n: usize) -> Option<usize> {
    if let Some(i) = x.iter().position(|v| !v.is_finite()) {
        return Some(i);
    }
    match support {
        Support::Real => None,
        Support::Positive => x.iter().position(|&v| v <= 0.0),
        Support::Interval { lower, upper } => x.iter().position(|&v| v <= lower || v >= upper),
        Support::Simplex => x.iter().position(|&v| v <= 0.0).or_else(|| {
            let total: f64 = x.iter().sum();
            ((total - 1.0).abs() > 1e-9).then_some(n - 1)
        }),
        Support::Ordered => (1..n).find(|&i| x[i] <= x[i - 1]),
        Support::PositiveOrdered => (0..n).find(|&i| x[i] <= if i == 0 { 0.0 } else { x[i - 1] }),
        Support::CholeskyFactor => (0..n * n).find(|&k| {
            let (i, j) = (k / n, k % n);
            (i == j && x[k] <= 0.0) || (j > i && x[k] != 0.0)
        }),
        Support::PositiveDefinite => (0..n * n)
            .find(|&k| {
                let (a, b) = (x[k], x[(k % n) * n + k / n]);
                (a - b).abs() > 1e-9 * a.abs().max(b.abs())
            })
            .or_else(|| crate::linalg::first_bad_pivot(x, n).map(|i| i * n + i)),
        Support::Angle => x.iter().position(|&v| v.abs() > std::f64::consts::PI),
        Support::Binary => x.iter().position(|&v| v != 0.0 && v != 1.0),
        Support::Count => x.iter().position(|&v| v < 0.0 || v.fract() != 0.0),
        Support::Categorical { n } => x.iter().position(|&v| v < 0.0 || v.fract() != 0.0 || v >= n as f64),
    }
}
