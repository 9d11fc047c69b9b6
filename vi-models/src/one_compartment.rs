//! A drug in one compartment: first-order absorption, Michaelis–Menten elimination.
//!
//! ```text
//! dC/dt = [t > 0] exp(−k_a t) D k_a/V − (V_m/V) C/(K_m + C),     C(t_0) = 0
//! Ĉ_n ~ LogNormal(log C(t_n), σ²)
//! k_a, K_m, V_m, σ ~ half-Cauchy(1) by default
//! ```
//! z = (k_a, K_m, V_m, σ). The equation is solved by Runge–Kutta steps of order 4, 40 between neighbouring times, for
//! eight samples side by side; the gradient integrates the sensitivities ∂C/∂(k_a, K_m, V_m) with the same steps, so it is
//! the exact gradient of the discretised solution. Where the discretised concentration is not positive (elimination far
//! faster than a step), the log joint is −∞.
//!
//! It is posteriordb's `one_comp_mm_elim_abs`, whose program solves the equation adaptively and has a log joint that is
//! lower by 4 log 2 (four half-Cauchy priors).
//!
//! Source: C. C. Margossian & W. R. Gillespie, *Stan functions for Bayesian pharmacometric modeling* (2016).

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, StreamRng, Support, numerics};

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite, finite_vector, positive};
use crate::lanes::{LANES, coordinate, with_arrays};
use crate::prior::PositivePrior;

const MODEL: &str = "one_compartment";

/// Runge–Kutta steps between neighbouring times.
const N_STEPS: usize = 40;

/// A dose and the concentrations measured after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCompartmentData {
    /// The dose D > 0.
    pub dose: f64,
    /// The volume V > 0.
    pub volume: f64,
    /// t_0, when the concentration is 0.
    pub start: f64,
    /// The times t_n, increasing from `start` on (N).
    pub times: Array1<f64>,
    /// The measured concentrations Ĉ_n > 0 (N).
    pub concentrations: Array1<f64>,
}

impl OneCompartmentData {
    fn check(&self) -> Result<(), ModelError> {
        positive(MODEL, "dose", self.dose)?;
        positive(MODEL, "volume", self.volume)?;
        finite(MODEL, "start", self.start)?;
        finite_vector(MODEL, "times", &self.times)?;
        finite_vector(MODEL, "concentrations", &self.concentrations)?;
        let (expected, actual) = (self.times.len(), self.concentrations.len());
        if expected != actual {
            return Err(ModelError::Length { model: MODEL, data: "concentrations", expected, actual });
        }
        let mut before = self.start;
        for (row, &value) in self.times.iter().enumerate() {
            if value <= before {
                let requirement = "greater than the time before";
                return Err(ModelError::Datum {
                    model: MODEL,
                    data: "times",
                    row,
                    column: 0,
                    value,
                    requirement,
                });
            }
            before = value;
        }
        match self.concentrations.iter().enumerate().find(|(_, c)| **c <= 0.0) {
            None => Ok(()),
            Some((row, &value)) => Err(ModelError::Datum {
                model: MODEL,
                data: "concentrations",
                row,
                column: 0,
                value,
                requirement: "finite and > 0",
            }),
        }
    }
}

/// The priors of k_a, K_m, V_m and σ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCompartmentPriors {
    /// The prior of the absorption rate k_a. Default half-Cauchy with scale 1, as for the others.
    pub absorption: PositivePrior,
    /// The prior of the concentration K_m of half the largest elimination.
    pub half_saturation: PositivePrior,
    /// The prior of the largest elimination V_m.
    pub elimination: PositivePrior,
    /// The prior of the noise σ.
    pub noise: PositivePrior,
}

impl Default for OneCompartmentPriors {
    fn default() -> Self {
        let prior = PositivePrior::HalfCauchy { scale: 1.0 };
        Self { absorption: prior, half_saturation: prior, elimination: prior, noise: prior }
    }
}

impl OneCompartmentPriors {
    fn each(&self) -> [PositivePrior; 4] {
        [self.absorption, self.half_saturation, self.elimination, self.noise]
    }
}

/// A one-compartment model; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::one_compartment::{OneCompartment, OneCompartmentData, OneCompartmentPriors};
///
/// let data = OneCompartmentData {
///     dose: 30.0,
///     volume: 2.0,
///     start: 0.0,
///     times: array![0.5, 1.0, 2.0],
///     concentrations: array![5.7, 7.1, 8.4],
/// };
/// let model = OneCompartment::new(data, OneCompartmentPriors::default())?;
/// assert_eq!(model.parameters().names(), ["k_a", "K_m", "V_m", "sigma"]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OneCompartment {
    data: OneCompartmentData,
    priors: OneCompartmentPriors,
    /// Every additive constant of the log joint.
    log_constant: f64,
    space: ParameterSpace,
}

impl OneCompartment {
    /// The model of `data` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] when there are no data, the lengths differ, the times do not increase, a concentration is
    /// not positive, or another value is outside its domain.
    pub fn new(data: OneCompartmentData, priors: OneCompartmentPriors) -> Result<Self, ModelError> {
        data.check()?;
        let names = ["absorption", "half_saturation", "elimination", "noise"];
        for (prior, name) in priors.each().iter().zip(names) {
            prior.check(MODEL, name)?;
        }
        let space = ParameterSpace::new(
            ["k_a", "K_m", "V_m", "sigma"].map(|name| Parameter::scalar(name, Support::Positive)),
        )?;
        let log_constant = priors.each().iter().map(PositivePrior::log_constant).sum::<f64>()
            - 0.5 * LOG_2_PI * data.times.len() as f64
            - data.concentrations.iter().map(|c| c.ln()).sum::<f64>();
        Ok(Self { data, priors, log_constant, space })
    }

    /// The data.
    pub fn data(&self) -> &OneCompartmentData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &OneCompartmentPriors {
        &self.priors
    }

    /// Calls `f` with the index, the start and the step of every interval between measurements.
    fn for_each_interval(&self, mut f: impl FnMut(usize, f64, f64)) {
        let mut start = self.data.start;
        for (n, &end) in self.data.times.iter().enumerate() {
            f(n, start, (end - start) / N_STEPS as f64);
            start = end;
        }
    }

    /// Fills `inflow` with D k_a/V exp(−k_a t) at the half steps of an interval; 0 for t ≤ 0.
    fn fill_inflow<const L: usize>(&self, k_a: [f64; L], start: f64, step: f64, inflow: &mut [[f64; L]]) {
        let time = |i: usize| start + 0.5 * step * i as f64;
        for (i, values) in inflow.iter_mut().enumerate() {
            *values = k_a.map(|k| -k * time(i));
        }
        numerics::exp_inplace(inflow.as_flattened_mut());
        for (i, values) in inflow.iter_mut().enumerate() {
            let scale = if time(i) > 0.0 { self.data.dose / self.data.volume } else { 0.0 };
            for l in 0..L {
                values[l] *= scale * k_a[l];
            }
        }
    }

    /// Log joints of `L` samples: squares of log Ĉ_n − log C(t_n) along the solution.
    fn evaluate<const L: usize>(&self, z: [[f64; L]; 4]) -> [f64; L] {
        let [k_a, k_m, v_m, sigma] = z;
        let rate = v_m.map(|v| v / self.data.volume);
        let mut c = [0.0; L];
        let mut positive = [true; L];
        let squares = with_arrays([2 * N_STEPS + 1, self.data.times.len()], |[inflow, solution]| {
            self.for_each_interval(|n, start, step| {
                self.fill_inflow(k_a, start, step, inflow);
                for i in 0..N_STEPS {
                    c = runge_kutta(c, step, |half, c| {
                        let inflow = &inflow[2 * i + half];
                        std::array::from_fn(|l| inflow[l] - rate[l] * c[l] / (k_m[l] + c[l]))
                    });
                }
                solution[n] = c;
                for l in 0..L {
                    positive[l] &= c[l] > 0.0 && c[l] < f64::INFINITY;
                }
            });
            numerics::log_inplace(solution.as_flattened_mut());
            let mut squares = [0.0; L];
            for (log_c, measured) in solution.iter().zip(&self.data.concentrations) {
                let log_measured = measured.ln();
                for l in 0..L {
                    squares[l] += (log_measured - log_c[l]).powi(2);
                }
            }
            squares
        });
        std::array::from_fn(|l| {
            let point = z.map(|lanes| lanes[l]);
            if point.iter().any(|v| v.is_nan()) {
                return f64::NAN;
            }
            if point.iter().any(|v| *v <= 0.0) || !positive[l] {
                return f64::NEG_INFINITY;
            }
            let priors: f64 = self.priors.each().iter().zip(point).map(|(p, v)| p.log_kernel(v)).sum();
            let n = self.data.times.len() as f64;
            self.log_constant + priors - n * sigma[l].ln() - 0.5 * squares[l] / sigma[l].powi(2)
        })
    }

    /// Calls `each` with n and C, ∂C/∂k_a, ∂C/∂K_m, ∂C/∂V_m at t_n.
    fn for_each_sensitivity(&self, [k_a, k_m, v_m]: [f64; 3], mut each: impl FnMut(usize, [f64; 4])) {
        let mut state = [0.0; 4];
        with_arrays([2 * N_STEPS + 1], |[inflow]| {
            self.for_each_interval(|n, start, step| {
                self.fill_inflow([k_a], start, step, inflow);
                for i in 0..N_STEPS {
                    state = runge_kutta(state, step, |half, [c, s_ka, s_km, s_vm]| {
                        let time = start + 0.5 * step * (2 * i + half) as f64;
                        let [inflow] = inflow[2 * i + half];
                        let saturation = c / (k_m + c);
                        let rate = v_m / self.data.volume;
                        let slope = -rate * k_m / (k_m + c).powi(2);
                        [
                            inflow - rate * saturation,
                            slope * s_ka + inflow * (k_a.recip() - time),
                            slope * s_km + rate * saturation / (k_m + c),
                            slope * s_vm - saturation / self.data.volume,
                        ]
                    });
                }
                each(n, state);
            });
        });
    }

    /// C(t_n) for all n.
    fn solution(&self, z: &ArrayRef1<f64>) -> Vec<f64> {
        let mut out = vec![0.0; self.data.times.len()];
        self.for_each_sensitivity([z[0], z[1], z[2]], |n, [c, ..]| out[n] = c);
        out
    }
}

/// One step of order 4; `slope` is given 0, 1 or 2 half steps and the state there.
#[inline(always)]
fn runge_kutta<const N: usize>(
    state: [f64; N],
    step: f64,
    slope: impl Fn(usize, [f64; N]) -> [f64; N],
) -> [f64; N] {
    let moved = |by: f64, k: &[f64; N]| std::array::from_fn(|i| state[i] + by * k[i]);
    let k1 = slope(0, state);
    let k2 = slope(1, moved(0.5 * step, &k1));
    let k3 = slope(1, moved(0.5 * step, &k2));
    let k4 = slope(2, moved(step, &k3));
    std::array::from_fn(|i| state[i] + step / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]))
}

impl LogJoint for OneCompartment {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.evaluate([[z[0]], [z[1]], [z[2]], [z[3]]])[0]
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        for (i, mut out) in out.axis_chunks_iter_mut(Axis(0), LANES).enumerate() {
            let values = self.evaluate([0, 1, 2, 3].map(|d| coordinate::<LANES>(z, i * LANES, d)));
            out.iter_mut().zip(values).for_each(|(o, v)| *o = v);
        }
    }
}

impl GradLogJoint for OneCompartment {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let precision = z[3].powi(-2);
        for (d, prior) in self.priors.each().iter().enumerate() {
            grad[d] = prior.derivative(z[d]);
        }
        let mut squares = 0.0;
        self.for_each_sensitivity([z[0], z[1], z[2]], |n, [c, sensitivities @ ..]| {
            let error = self.data.concentrations[n].ln() - c.ln();
            squares += error * error;
            for (d, s) in sensitivities.iter().enumerate() {
                grad[d] += precision * error * s / c;
            }
        });
        grad[3] += (precision * squares - self.data.times.len() as f64) / z[3];
        self.log_joint(z)
    }
}

/// Concentrations at the same times after the same dose.
impl Predictive for OneCompartment {
    type Data = Array1<f64>;

    fn observed(&self) -> &Array1<f64> {
        &self.data.concentrations
    }

    fn n_points(&self, data: &Array1<f64>) -> usize {
        data.len()
    }

    /// # Panics
    /// If `data` has not one concentration per time.
    fn log_likelihood_pointwise(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(data.len(), self.data.times.len(), "one_compartment: one concentration per time");
        for ((o, measured), c) in out.iter_mut().zip(data).zip(self.solution(z)) {
            let error = (measured.ln() - c.ln()) / z[3];
            *o = -0.5 * (LOG_2_PI + error * error) - z[3].ln() - measured.ln();
        }
    }

    /// # Panics
    /// As for the densities.
    fn simulate(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array1<f64> {
        assert_eq!(data.len(), self.data.times.len(), "one_compartment: one concentration per time");
        let noise = |rng: &mut StreamRng| Distribution::<f64>::sample(&StandardNormal, rng);
        self.solution(z).into_iter().map(|c| c * (z[3] * noise(rng)).exp()).collect()
    }
}
