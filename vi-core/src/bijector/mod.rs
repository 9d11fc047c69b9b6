//! Bijectors between the natural supports of a model and ℝᴰ′, with exact log |det J|.

mod matrix;
mod ordered;
mod scalar;
mod simplex;

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{Array1, ArrayRef1, ArrayRef2};

use crate::parameter::{Parameter, ParameterError, ParameterSpace, Support};

/// The smooth one-to-one map z = z(u) from ℝᴰ′ onto the support of a parameter space, variable by variable.
///
/// | support | u | z |
/// |---|---|---|
/// | real | `x` | u |
/// | positive | `log(x)` | eᵘ |
/// | interval (a, b) | `logit(x)` | a + (b − a) σ(u) |
/// | simplex of K | `stick(x)`, K − 1 values | stick-breaking; u = 0 is uniform |
/// | ordered | `log_increments(x)` | z₁ = u₁, z_k = z_{k−1} + e^{u_k} |
/// | positive ordered | `log_increments(x)` | z₁ = e^{u₁}, z_k = z_{k−1} + e^{u_k} |
/// | Cholesky factor of order n | `log_cholesky(x)`, n(n + 1)/2 values | L, with e^{u_ii} on the diagonal |
/// | positive definite of order n | `log_cholesky(x)`, n(n + 1)/2 values | S = L Lᵀ |
///
/// J = ∂z/∂u has as many rows as z has free coordinates: all but the last of a simplex, the lower triangle of a
/// matrix. These are the reference measures stated at [`Support`]. A finite `u` with |u| ≤ 700 gives a `z`
/// inside its open support even where rounding would have put it on the boundary (a positive-definite matrix
/// excepted: its condition number is limited by the precision of its entries).
///
/// # Densities
/// ```text
/// log p(u) = log p(z(u)) + log |det J(u)|,      log q(z) = log q(u(z)) − log |det J(u(z))|
/// ```
/// The first is what [`Unconstrained`](crate::Unconstrained) does to a model, the second what
/// [`Bijection::log_prob_constrained`] does to a variational density over u.
///
/// # Gradients
/// A gradient in z is over all stored values. For a simplex, df = Σ_k g_k dz_k along directions that keep the
/// sum; for a positive-definite matrix, df = Σ_ij G_ij dS_ij over all n² entries along symmetric directions; of
/// a Cholesky factor the upper triangle is ignored.
///
/// ```
/// use ndarray::{Array1, array};
/// use vi_core::{Bijection, Parameter, ParameterSpace, Support};
///
/// let space = ParameterSpace::new([
///     Parameter::scalar("tau", Support::Positive),
///     Parameter::vector("w", 3, Support::Simplex),
/// ])?;
/// let bijection = Bijection::new(&space)?;
/// assert_eq!(bijection.unconstrained().names(), ["log(tau)", "stick(w)[1]", "stick(w)[2]"]);
/// let mut z = Array1::zeros(4);
/// let log_det = bijection.constrain(&array![0.0, 0.0, 0.0], &mut z);
/// assert!((&z - &array![1.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]).iter().all(|e| e.abs() < 1e-15));
/// assert!((log_det - (1.0f64 / 27.0).ln()).abs() < 1e-14); // z₁(1 − z₁) · z₂(1 − z₂/(z₂ + z₃))
/// # Ok::<(), vi_core::ParameterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bijection {
    constrained: ParameterSpace,
    unconstrained: ParameterSpace,
    pieces: Vec<Piece>,
}

/// One variable: where it stands in z and in u, and the sizes of one element of its support in both.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    support: Support,
    order: usize,
    z: Range<usize>,
    u: Range<usize>,
    event_z: usize,
    event_u: usize,
}

impl Bijection {
    /// The bijection onto `space`.
    ///
    /// # Errors
    /// [`ParameterError::Unsupported`] names a variable with a discrete support.
    pub fn new(space: &ParameterSpace) -> Result<Self, ParameterError> {
        let (mut pieces, mut unconstrained) = (Vec::new(), Vec::new());
        let mut offset = 0;
        for p in space.parameters() {
            let (name, event_u) = image(p)?;
            let size = p.n_events() * event_u;
            let mut shape = p.shape()[..p.shape().len() - p.support().event_rank()].to_vec();
            if p.support().event_rank() > 0 {
                shape.push(event_u);
            }
            // A simplex of one element is the constant 1 and has no coordinate in u.
            if size > 0 {
                unconstrained.push(Parameter::new(name, &shape, Support::Real));
            }
            pieces.push(Piece {
                support: p.support(),
                order: p.event_order(),
                z: p.range(),
                u: offset..offset + size,
                event_z: p.event_size(),
                event_u,
            });
            offset += size;
        }
        Ok(Self { constrained: space.clone(), unconstrained: ParameterSpace::new(unconstrained)?, pieces })
    }

    /// The space of z, length D.
    pub fn constrained(&self) -> &ParameterSpace {
        &self.constrained
    }

    /// The space of u, length D′, all real.
    pub fn unconstrained(&self) -> &ParameterSpace {
        &self.unconstrained
    }

    /// Whether z = u.
    pub fn is_identity(&self) -> bool {
        self.constrained.is_unconstrained()
    }

    /// Overwrites `z` (D) with z(u), `u` (D′), and returns log |det J(u)|.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn constrain(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) -> f64 {
        self.assert_lengths(u.len(), z.len());
        let u = contiguous(u);
        with_contiguous(z, |z| {
            self.pieces.iter().map(|p| p.constrain(&u[p.u.clone()], &mut z[p.z.clone()])).sum()
        })
    }

    /// The same for every row of `u` (S, D′): overwrites `z` (S, D) and `log_det` (S).
    ///
    /// # Panics
    /// If a shape is wrong.
    pub fn constrain_batch(&self, u: &ArrayRef2<f64>, z: &mut ArrayRef2<f64>, log_det: &mut ArrayRef1<f64>) {
        assert_eq!(
            (u.nrows(), u.nrows()),
            (z.nrows(), log_det.len()),
            "constrain_batch: rows of u, z, log_det"
        );
        for ((u, mut z), out) in u.rows().into_iter().zip(z.rows_mut()).zip(log_det.iter_mut()) {
            *out = self.constrain(&u, &mut z);
        }
    }

    /// log |det J(u)|.
    ///
    /// # Panics
    /// If the length is wrong.
    pub fn log_det(&self, u: &ArrayRef1<f64>) -> f64 {
        crate::scratch::with_vector(self.constrained.dim(), |z| self.constrain(u, z))
    }

    /// Overwrites `u` (D′) with the point that [`Bijection::constrain`] maps to `z` (D).
    ///
    /// # Errors
    /// [`ParameterError`] names the coordinate that lies outside its support and its value.
    ///
    /// # Panics
    /// If the length of `u` is wrong.
    pub fn unconstrain(&self, z: &ArrayRef1<f64>, u: &mut ArrayRef1<f64>) -> Result<(), ParameterError> {
        self.constrained.check(z)?;
        self.assert_lengths(u.len(), z.len());
        let z = contiguous(z);
        with_contiguous(u, |u| {
            for p in &self.pieces {
                p.unconstrain(&z[p.z.clone()], &mut u[p.u.clone()]).map_err(|i| {
                    let d = p.z.start + i;
                    ParameterError::OutsideSupport {
                        name: self.constrained.names()[d].clone(),
                        value: z[d],
                        support: p.support,
                    }
                })?;
            }
            Ok(())
        })
    }

    /// Pulls a gradient back: overwrites `grad_u` (D′), given u, z = z(u) and the gradient in z (D).
    ///
    /// ```text
    /// grad_u = Jᵀ grad_z + ∇_u log |det J|
    /// ```
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn pullback(
        &self,
        u: &ArrayRef1<f64>,
        z: &ArrayRef1<f64>,
        grad_z: &ArrayRef1<f64>,
        grad_u: &mut ArrayRef1<f64>,
    ) {
        self.assert_lengths(u.len(), z.len());
        self.assert_lengths(grad_u.len(), grad_z.len());
        let (u, z, grad_z) = (contiguous(u), contiguous(z), contiguous(grad_z));
        with_contiguous(grad_u, |grad_u| {
            for p in &self.pieces {
                let (zr, ur) = (p.z.clone(), p.u.clone());
                p.pullback(&u[ur.clone()], &z[zr.clone()], &grad_z[zr], &mut grad_u[ur]);
            }
        });
    }

    /// log q(z) of a density that is known over u: −∞ outside the support.
    ///
    /// ```text
    /// log q(z) = log q(u(z)) − log |det J(u(z))|
    /// ```
    ///
    /// # Panics
    /// If `z` has the wrong length.
    pub fn log_prob_constrained<F>(&self, z: &ArrayRef1<f64>, log_prob_u: F) -> f64
    where
        F: FnOnce(&ArrayRef1<f64>) -> f64,
    {
        assert_eq!(z.len(), self.constrained.dim(), "log_prob_constrained: length of z");
        let mut u = Array1::zeros(self.unconstrained.dim());
        match self.unconstrain(z, &mut u) {
            Ok(()) => log_prob_u(&u) - self.log_det(&u),
            Err(_) => f64::NEG_INFINITY,
        }
    }

    /// The coordinates of u behind a range of coordinates of z, when no element of a support is cut.
    pub(crate) fn unconstrained_range(&self, z: &Range<usize>) -> Option<Range<usize>> {
        Some(self.unconstrained_position(z.start)?..self.unconstrained_position(z.end)?)
    }

    fn unconstrained_position(&self, d: usize) -> Option<usize> {
        match self.pieces.iter().find(|p| p.z.contains(&d)) {
            None => (d == self.constrained.dim()).then(|| self.unconstrained.dim()),
            Some(p) => {
                let within = d - p.z.start;
                within.is_multiple_of(p.event_z).then(|| p.u.start + within / p.event_z * p.event_u)
            }
        }
    }

    /// The part of log |det J(u)| of the coordinates `range` of z, which cuts no element of a support.
    pub(crate) fn log_det_range(&self, range: &Range<usize>, u: &ArrayRef1<f64>) -> f64 {
        let u = contiguous(u);
        crate::scratch::with_vector(self.constrained.dim(), |z| {
            with_contiguous(z, |z| {
                let touched = self.pieces.iter().filter(|p| p.z.start < range.end && range.start < p.z.end);
                touched
                    .map(|p| {
                        let (lo, hi) = (range.start.max(p.z.start), range.end.min(p.z.end));
                        let event = |d: usize| (d - p.z.start) / p.event_z * p.event_u + p.u.start;
                        p.constrain(&u[event(lo)..event(hi)], &mut z[lo..hi])
                    })
                    .sum()
            })
        })
    }

    fn assert_lengths(&self, u: usize, z: usize) {
        assert_eq!(u, self.unconstrained.dim(), "bijection: length of u");
        assert_eq!(z, self.constrained.dim(), "bijection: length of z");
    }
}

impl Piece {
    fn constrain(&self, u: &[f64], z: &mut [f64]) -> f64 {
        match self.support {
            Support::Real => {
                z.copy_from_slice(u);
                return 0.0;
            }
            Support::Positive => {
                z.iter_mut().zip(u).for_each(|(z, &u)| *z = scalar::positive_exp(u));
                return u.iter().sum();
            }
            Support::Interval { lower, upper } => {
                let pairs = u.iter().zip(z.iter_mut());
                return pairs.map(|(&u, z)| scalar::interval_constrain(lower, upper, u, z)).sum();
            }
            _ => {}
        }
        let mut log_det = 0.0;
        for (e, z) in z.chunks_exact_mut(self.event_z).enumerate() {
            let u = &u[e * self.event_u..(e + 1) * self.event_u];
            log_det += match self.support {
                Support::Simplex => simplex::constrain(u, z),
                Support::Ordered => ordered::constrain(u, z),
                Support::PositiveOrdered => ordered::positive_constrain(u, z),
                Support::CholeskyFactor => matrix::cholesky_constrain(u, self.order, z),
                Support::PositiveDefinite => matrix::definite_constrain(u, self.order, z),
                _ => unreachable!("circles and discrete supports are refused when the bijection is built"),
            };
        }
        log_det
    }

    /// The error is the index of the offending value within this variable.
    fn unconstrain(&self, z: &[f64], u: &mut [f64]) -> Result<(), usize> {
        for (e, z) in z.chunks_exact(self.event_z).enumerate() {
            let u = &mut u[e * self.event_u..(e + 1) * self.event_u];
            match self.support {
                Support::Real => u[0] = z[0],
                Support::Positive => u[0] = z[0].ln(),
                Support::Interval { lower, upper } => u[0] = scalar::interval_unconstrain(lower, upper, z[0]),
                Support::Simplex => simplex::unconstrain(z, u),
                Support::Ordered => ordered::unconstrain(z, u),
                Support::PositiveOrdered => ordered::positive_unconstrain(z, u),
                Support::CholeskyFactor => matrix::cholesky_unconstrain(z, self.order, u),
                Support::PositiveDefinite => matrix::definite_unconstrain(z, self.order, u)
                    .map_err(|pivot| e * self.event_z + pivot * self.order + pivot)?,
                _ => unreachable!("circles and discrete supports are refused when the bijection is built"),
            }
        }
        Ok(())
    }

    fn pullback(&self, u: &[f64], z: &[f64], grad_z: &[f64], grad_u: &mut [f64]) {
        let events = z.chunks_exact(self.event_z).zip(grad_z.chunks_exact(self.event_z));
        for (e, (z, grad_z)) in events.enumerate() {
            let range = e * self.event_u..(e + 1) * self.event_u;
            let (u, grad_u) = (&u[range.clone()], &mut grad_u[range]);
            match self.support {
                Support::Real => grad_u[0] = grad_z[0],
                Support::Positive => grad_u[0] = z[0] * grad_z[0] + 1.0,
                Support::Interval { lower, upper } => {
                    grad_u[0] = scalar::interval_pullback(lower, upper, u[0], grad_z[0]);
                }
                Support::Simplex => simplex::pullback(u, z, grad_z, grad_u),
                Support::Ordered => ordered::pullback(u, grad_z, grad_u),
                Support::PositiveOrdered => ordered::positive_pullback(u, grad_z, grad_u),
                Support::CholeskyFactor => matrix::cholesky_pullback(z, self.order, grad_z, grad_u),
                Support::PositiveDefinite => matrix::definite_pullback(u, self.order, grad_z, grad_u),
                _ => unreachable!("circles and discrete supports are refused when the bijection is built"),
            }
        }
    }
}

/// The name of a variable's image in u, and the number of values of u for one element of its support.
fn image(p: &Parameter) -> Result<(String, usize), ParameterError> {
    let (name, n) = (p.name(), p.event_order());
    Ok(match p.support() {
        Support::Real => (name.to_owned(), 1),
        Support::Positive => (format!("log({name})"), 1),
        Support::Interval { .. } => (format!("logit({name})"), 1),
        Support::Simplex => (format!("stick({name})"), n - 1),
        Support::Ordered | Support::PositiveOrdered => (format!("log_increments({name})"), n),
        Support::CholeskyFactor | Support::PositiveDefinite => {
            (format!("log_cholesky({name})"), matrix::packed_len(n))
        }
        support @ (Support::Angle | Support::Binary | Support::Count | Support::Categorical { .. }) => {
            return Err(ParameterError::Unsupported {
                name: name.to_owned(),
                support,
                method: "a bijection onto the real line".to_owned(),
            });
        }
    })
}

fn contiguous(x: &ArrayRef1<f64>) -> Cow<'_, [f64]> {
    x.as_slice().map_or_else(|| Cow::Owned(x.to_vec()), Cow::Borrowed)
}

fn with_contiguous<R>(x: &mut ArrayRef1<f64>, f: impl FnOnce(&mut [f64]) -> R) -> R {
    if let Some(slice) = x.as_slice_mut() {
        return f(slice);
    }
    let mut copy = x.to_vec();
    let out = f(&mut copy);
    x.iter_mut().zip(copy).for_each(|(x, c)| *x = c);
    out
}
