//! Densities that integrate to one on their natural support do so on the unconstrained one.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Bijection, LogJoint, Parameter, ParameterSpace, Support, Unconstrained};

#[derive(Debug)]
struct Density {
    space: ParameterSpace,
    log_density: fn(&ArrayRef1<f64>) -> f64,
}

impl LogJoint for Density {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.log_density)(z)
    }
}

fn unconstrained(parameter: Parameter, log_density: fn(&ArrayRef1<f64>) -> f64) -> Unconstrained<Density> {
    let space = ParameterSpace::new([parameter]).unwrap();
    Unconstrained::new(Density { space, log_density }).unwrap()
}

/// The trapezoidal rule on [−30, 30]ⁿ, which converges geometrically for these integrands.
fn integral(model: &Unconstrained<Density>) -> f64 {
    let (n, h) = (model.dim() as u32, 0.125);
    let per_axis = 481usize;
    let points = (0..per_axis.pow(n)).map(|mut index| {
        let u = Array1::from_shape_simple_fn(n as usize, || {
            let i = index % per_axis;
            index /= per_axis;
            -30.0 + h * i as f64
        });
        model.log_joint(&u).exp()
    });
    points.sum::<f64>() * h.powi(n as i32)
}

#[test]
fn densities_integrate_to_one() {
    // Gamma(2, 3), Γ(2) = 1.
    let gamma = unconstrained(Parameter::scalar("tau", Support::Positive), |z| {
        2.0 * 3f64.ln() + z[0].ln() - 3.0 * z[0]
    });
    // Beta(2, 3) on (−1, 3): B(2, 3) = 1/12.
    let beta = unconstrained(Parameter::scalar("p", Support::Interval { lower: -1.0, upper: 3.0 }), |z| {
        let x = (z[0] + 1.0) / 4.0;
        12f64.ln() + x.ln() + 2.0 * (1.0 - x).ln() - 4f64.ln()
    });
    // Dirichlet(2, 3) and Dirichlet(2, 1, 3): Γ(5)/(Γ(2)Γ(3)) = 12, Γ(6)/(Γ(2)Γ(1)Γ(3)) = 60.
    let two = unconstrained(Parameter::vector("w", 2, Support::Simplex), |z| {
        12f64.ln() + z[0].ln() + 2.0 * z[1].ln()
    });
    let three = unconstrained(Parameter::vector("w", 3, Support::Simplex), |z| {
        60f64.ln() + z[0].ln() + 2.0 * z[2].ln()
    });
    // Two order statistics of N(0, 1): 2 φ(z₁) φ(z₂) on z₁ < z₂.
    let ordered = unconstrained(Parameter::vector("c", 2, Support::Ordered), |z| {
        2f64.ln() - std::f64::consts::TAU.ln() - 0.5 * (z[0] * z[0] + z[1] * z[1])
    });
    // Those of an exponential: 2 exp(−z₁ − z₂) on 0 < z₁ < z₂.
    let positive =
        unconstrained(Parameter::vector("d", 2, Support::PositiveOrdered), |z| 2f64.ln() - z[0] - z[1]);
    // A 1×1 Wishart with 4 degrees of freedom is Gamma(2, 1/2).
    let wishart = unconstrained(Parameter::new("S", &[1, 1], Support::PositiveDefinite), |z| {
        2.0 * 0.5f64.ln() + z[0].ln() - 0.5 * z[0]
    });
    // L ~ Gamma(2, 3) as a 1×1 factor.
    let factor = unconstrained(Parameter::new("L", &[1, 1], Support::CholeskyFactor), |z| {
        2.0 * 3f64.ln() + z[0].ln() - 3.0 * z[0]
    });
    for model in [gamma, beta, two, three, ordered, positive, wishart, factor] {
        let total = integral(&model);
        assert!((total - 1.0).abs() < 1e-10, "{:?}: {total}", model.inner().space.names());
    }
}

#[test]
fn a_density_over_u_seen_from_z_integrates_to_one() {
    // u ~ N(0, 1) seen from z = eᵘ is the log-normal density.
    let space = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap();
    let b = Bijection::new(&space).unwrap();
    let log_normal = |z: f64| {
        b.log_prob_constrained(&Array1::from_elem(1, z), |u| {
            -0.5 * u[0] * u[0] - 0.5 * std::f64::consts::TAU.ln()
        })
    };
    for z in [0.1f64, 1.0, 7.0] {
        let expected = -z.ln() - 0.5 * z.ln().powi(2) - 0.5 * std::f64::consts::TAU.ln();
        assert!((log_normal(z) - expected).abs() < 1e-14);
    }
}
