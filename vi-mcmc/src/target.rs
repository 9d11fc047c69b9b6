//! The density that samplers see: on ℝᴰ′, with zero density and faults told apart.

use ndarray::{Array1, Array2, ArrayRef1};
use rand::RngExt;
use rand::distr::Uniform;
use vi_core::{GradLogJoint, LogJoint, ParameterSpace, StreamKey, Unconstrained};

use crate::error::{McmcError, Point};

/// Random starts tried before giving up.
const N_TRIES: u64 = 100;

/// A model on ℝᴰ′.
#[derive(Clone, Debug)]
pub(crate) struct Target<M> {
    model: Unconstrained<M>,
    starts: Option<Array2<f64>>,
}

impl<M: LogJoint> Target<M> {
    pub(crate) fn new(model: M) -> Result<Self, McmcError> {
        Ok(Self { model: Unconstrained::new(model)?, starts: None })
    }

    /// Starts on the natural support, one row per chain.
    pub(crate) fn set_starts(&mut self, starts: Array2<f64>) -> Result<(), McmcError> {
        let expected = (starts.nrows(), self.space().dim());
        if starts.dim() != expected {
            return Err(McmcError::StartShape { expected, actual: starts.dim() });
        }
        self.starts = Some(starts);
        Ok(())
    }

    pub(crate) fn space(&self) -> &ParameterSpace {
        self.model.bijection().constrained()
    }

    /// D′.
    pub(crate) fn dim(&self) -> usize {
        self.model.dim()
    }

    /// Overwrites `z` (D) with the natural-scale point; returns log |det J|.
    pub(crate) fn constrain(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) -> f64 {
        self.model.bijection().constrain(u, z)
    }

    pub(crate) fn log_det(&self, u: &ArrayRef1<f64>) -> f64 {
        self.model.bijection().log_det(u)
    }

    /// The name of coordinate `d` of ℝᴰ′.
    pub(crate) fn name(&self, d: usize) -> String {
        self.model.parameters().names()[d].clone()
    }

    pub(crate) fn point(&self, u: &ArrayRef1<f64>) -> Point {
        Point::new(self.space(), &self.natural(u))
    }

    fn natural(&self, u: &ArrayRef1<f64>) -> Array1<f64> {
        let mut z = Array1::zeros(self.space().dim());
        self.constrain(u, &mut z);
        z
    }

    /// Far out a transform over- or underflows onto the border of the support; the density there is zero.
    fn is_inside(&self, u: &ArrayRef1<f64>) -> bool {
        self.space().check(&self.natural(u)).is_ok()
    }

    /// The log joint on ℝᴰ′: finite or −∞.
    pub(crate) fn log_joint(&self, u: &ArrayRef1<f64>) -> Result<f64, McmcError> {
        self.classify(self.model.log_joint(u), u)
    }

    fn classify(&self, value: f64, u: &ArrayRef1<f64>) -> Result<f64, McmcError> {
        if !value.is_nan() && value != f64::INFINITY {
            return Ok(value);
        }
        if self.is_inside(u) {
            return Err(McmcError::LogJoint { value, z: self.point(u) });
        }
        Ok(f64::NEG_INFINITY)
    }

    /// A start for `chain` on ℝᴰ′ and the log joint there, which `evaluate` computes: the given one, or the
    /// first of up to 100 uniform draws from (−2, 2)ᴰ′ where it is finite.
    pub(crate) fn start(
        &self,
        chain: u32,
        key: StreamKey,
        mut evaluate: impl FnMut(&ArrayRef1<f64>) -> Result<f64, McmcError>,
    ) -> Result<(Array1<f64>, f64), McmcError> {
        let mut u = Array1::zeros(self.dim());
        if let Some(starts) = &self.starts {
            let c = chain as usize;
            if c >= starts.nrows() {
                let expected = (c + 1, self.space().dim());
                return Err(McmcError::StartShape { expected, actual: starts.dim() });
            }
            self.model.bijection().unconstrain(&starts.row(c), &mut u)?;
            let value = evaluate(&u)?;
            let start = (u, value);
            return if value.is_finite() {
                Ok(start)
            } else {
                Err(McmcError::Start { value, z: self.point(&start.0) })
            };
        }
        let mut value = f64::NEG_INFINITY;
        for i in 0..N_TRIES {
            let mut rng = key.rng(i);
            let uniform = Uniform::new(-2.0, 2.0).expect("−2 < 2");
            u.mapv_inplace(|_| rng.sample(uniform));
            value = evaluate(&u)?;
            if value.is_finite() {
                return Ok((u, value));
            }
        }
        Err(McmcError::NoStart { n_tries: N_TRIES, value, z: self.point(&u) })
    }
}

impl<M: GradLogJoint> Target<M> {
    /// The log joint on ℝᴰ′ and its gradient; −∞ also where the gradient is infinite.
    pub(crate) fn log_joint_and_grad(
        &self,
        u: &ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<f64, McmcError> {
        let raw = self.model.log_joint_and_grad(u, grad);
        let value = self.classify(raw, u)?;
        if value == f64::NEG_INFINITY || grad.iter().all(|g| g.is_finite()) {
            return Ok(value);
        }
        match grad.iter().position(|g| g.is_nan()) {
            Some(d) if self.is_inside(u) => {
                Err(McmcError::Gradient { coordinate: self.name(d), z: self.point(u) })
            }
            _ => Ok(f64::NEG_INFINITY),
        }
    }
}
