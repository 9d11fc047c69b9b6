//! Derivatives of draws: against mpmath, against differences of quantiles, and as gradients of expectations.
#![expect(clippy::excessive_precision, reason = "reference values are typed in as they were printed")]

mod table;

use ndarray::{Array1, array};
use vi_core::StreamKey;
use vi_core::testing::Moments;
use vi_families::special::trigamma;
use vi_families::{
    Beta, Dirichlet, ExponentialFamily, Gamma, ImplicitReparameterized, InverseGamma, Parametric,
    TruncatedGaussian, Univariate, VonMises,
};

fn assert_close(what: &str, value: f64, expected: f64, scale: f64, tolerance: f64) {
    let error = (value - expected).abs() / scale;
    assert!(error <= tolerance, "{what} = {value}, expected {expected}: error {error:e}");
}

#[test]
fn gamma_and_inverse_gamma_match_mpmath() {
    for [a, x, expected] in table::GAMMA {
        let jacobian = Gamma::from_shape_rate(a, 1.0).unwrap().sample_jacobian(&x);
        assert_close(&format!("Gamma({a}) at {x}"), jacobian[[0, 0]], expected, expected, 1e-13);
        assert_eq!(jacobian[[0, 1]], -x);
        // At rate 4 and x / 4 the derivative is a quarter; z = 1/x has −∂x/∂a / x².
        let jacobian = Gamma::from_shape_rate(a, 4.0).unwrap().sample_jacobian(&(0.25 * x));
        assert_close(
            &format!("Gamma({a}, 4) at {x} / 4"),
            jacobian[[0, 0]],
            0.25 * expected,
            expected,
            1e-13,
        );
        let jacobian = InverseGamma::from_shape_scale(a, 1.0).unwrap().sample_jacobian(&(1.0 / x));
        let expected = -expected / (x * x);
        assert_close(
            &format!("InverseGamma({a}) at 1/{x}"),
            jacobian[[0, 0]],
            expected,
            expected.abs(),
            1e-13,
        );
    }
}

#[test]
fn beta_matches_mpmath() {
    for [a, b, x, by_a, by_b] in table::BETA {
        let jacobian = Beta::from_alpha_beta(a, b).unwrap().sample_jacobian(&x);
        assert_close(&format!("∂a Beta({a}, {b}) at {x}"), jacobian[[0, 0]], by_a, by_a, 2e-13);
        assert_close(&format!("∂b Beta({a}, {b}) at {x}"), jacobian[[0, 1]], by_b, -by_b, 2e-13);
        // A Dirichlet of two categories is a Beta.
        let two = Dirichlet::from_concentration(&array![a, b]).unwrap().sample_jacobian(&array![x, 1.0 - x]);
        assert_close("Dirichlet[0, 0]", two[[0, 0]], by_a, by_a, 2e-13);
        assert_close("Dirichlet[1, 1]", two[[1, 1]], -by_b, -by_b, 2e-13);
    }
}

#[test]
fn von_mises_matches_mpmath() {
    for [kappa, theta, expected] in table::VON_MISES {
        let member = VonMises::from_mean_direction_concentration(0.0, kappa).unwrap();
        for sign in [1.0, -1.0] {
            let jacobian = member.sample_jacobian(&(sign * theta));
            assert_eq!(jacobian[[0, 0]], 1.0);
            let what = format!("VonMises({kappa}) at {theta}");
            assert_close(&what, jacobian[[0, 1]], sign * expected, -expected, 1e-13);
        }
        // Across the cut at ±π.
        let turned = VonMises::from_mean_direction_concentration(3.0, kappa).unwrap();
        let z = 3.0 + theta - if 3.0 + theta > std::f64::consts::PI { std::f64::consts::TAU } else { 0.0 };
        assert_close("turned", turned.sample_jacobian(&z)[[0, 1]], expected, -expected, 1e-12);
    }
}

#[test]
fn truncated_gaussian_matches_mpmath() {
    for [location, variance, lower, upper, z, by_location, by_variance] in table::TRUNCATED_GAUSSIAN {
        let member =
            TruncatedGaussian::from_location_scale(location, f64::sqrt(variance), lower, upper).unwrap();
        let jacobian = member.sample_jacobian(&z);
        let what = format!("TruncatedGaussian({location}, {variance}, {lower}, {upper}) at {z}");
        assert_close(&what, jacobian[[0, 0]], by_location, by_location, 1e-12);
        assert_close(&what, jacobian[[0, 1]], by_variance, by_variance.abs().max(z.abs() / variance), 1e-12);
    }
}

/// ∂z/∂θ_i against five-point differences of the quantile at the same probability.
fn assert_transports_quantiles<F>(member: &F, tolerance: f64)
where
    F: ImplicitReparameterized + Univariate<Value = f64>,
{
    let theta = member.parameters();
    for p in [1e-6, 0.01, 0.2, 0.5, 0.75, 0.99] {
        let z = member.quantile(p);
        let jacobian = member.sample_jacobian(&z);
        let size = jacobian.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        assert_eq!(jacobian.dim(), (1, theta.len()));
        for i in 0..theta.len() {
            let h = 2e-4 * theta[i].abs().max(0.1);
            let at = |steps: f64| {
                let mut moved = theta.clone();
                moved[i] += steps * h;
                member.with_parameters(&moved).unwrap().quantile(p)
            };
            let difference = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
            let what = format!("{}{theta} at p = {p}, parameter {i}", F::NAME);
            // The quantile itself has the resolution of f64.
            let resolution = 2.0 * f64::EPSILON * z.abs() / h;
            assert_close(&what, jacobian[[0, i]], difference, size + resolution / tolerance, tolerance);
        }
    }
}

#[test]
fn draws_move_as_quantiles_do() {
    for (shape, rate) in [(0.3, 2.0), (1.0, 1.0), (8.0, 0.25), (25.0, 10.0), (4000.0, 3.0)] {
        assert_transports_quantiles(&Gamma::from_shape_rate(shape, rate).unwrap(), 1e-8);
        assert_transports_quantiles(&InverseGamma::from_shape_scale(shape, rate).unwrap(), 1e-8);
    }
    for (a, b) in [(0.4, 0.3), (1.0, 6.0), (12.0, 2.0), (40.0, 70.0), (900.0, 2.5)] {
        assert_transports_quantiles(&Beta::from_alpha_beta(a, b).unwrap(), 1e-8);
    }
    for (location, lower, upper) in
        [(0.5, -1.0, 2.0), (-4.0, 0.0, f64::INFINITY), (3.0, f64::NEG_INFINITY, 1.0)]
    {
        let member = TruncatedGaussian::from_location_scale(location, 1.5, lower, upper).unwrap();
        assert_transports_quantiles(&member, 1e-8);
    }
}

/// Asserts E[f′(z) ∂z/∂θ_i] = d/dθ_i E[f] within 5 standard errors (a correct member fails once in 10⁶ such checks).
fn assert_gradient<F>(member: &F, slope: impl Fn(f64) -> f64, expected: &[f64])
where
    F: ImplicitReparameterized + ExponentialFamily<Value = f64>,
{
    let mut rng = StreamKey::from_seed(20).rng(0);
    let mut moments = vec![Moments::default(); expected.len()];
    for _ in 0..8_000 {
        let z = member.sample(&mut rng);
        let jacobian = member.sample_jacobian(&z);
        for (i, m) in moments.iter_mut().enumerate() {
            m.push(slope(z) * jacobian[[0, i]]);
        }
    }
    for (i, (m, e)) in moments.iter().zip(expected).enumerate() {
        let bound = 5.0 * m.mcse() + 1e-9;
        assert!((m.mean() - e).abs() <= bound, "{} {i}: {} ± {}, expected {e}", F::NAME, m.mean(), m.mcse());
    }
}

#[test]
fn expectations_have_these_gradients() {
    for (a, r) in [(0.4, 2.0), (3.0, 0.5), (30.0, 7.0)] {
        let gamma = Gamma::from_shape_rate(a, r).unwrap();
        let inverse = InverseGamma::from_shape_scale(a, r).unwrap();
        assert_gradient(&gamma, |z| 1.0 / z, &[trigamma(a), -1.0 / r]);
        assert_gradient(
            &gamma,
            |z| 2.0 * z,
            &[(2.0 * a + 1.0) / (r * r), -2.0 * a * (a + 1.0) / (r * r * r)],
        );
        assert_gradient(&inverse, |z| 1.0 / z, &[-trigamma(a), 1.0 / r]);
    }
    for (a, b) in [(0.5, 0.75), (2.0, 7.0), (50.0, 22.0)] {
        let s = a + b;
        let beta = Beta::from_alpha_beta(a, b).unwrap();
        assert_gradient(&beta, |_| 1.0, &[b / (s * s), -a / (s * s)]);
        assert_gradient(&beta, |z| 1.0 / z, &[trigamma(a) - trigamma(s), -trigamma(s)]);
    }
    let von_mises = VonMises::from_mean_direction_concentration(0.7, 2.0).unwrap();
    // E[sin z] = A sin μ, with derivatives A cos μ and A′ sin μ, A′ = 1 − A² − A/κ.
    let a = von_mises.resultant_length();
    let slope = 1.0 - a * a - a / 2.0;
    assert_gradient(&von_mises, f64::cos, &[a * 0.7_f64.cos(), slope * 0.7_f64.sin()]);
    // Means of a truncated Gaussian: covariances of its score.
    let truncated = TruncatedGaussian::from_location_scale(0.5, 1.5, -1.0, 2.0).unwrap();
    let jacobian = truncated.natural_jacobian();
    let fisher = truncated.fisher();
    let expected: Vec<f64> = (0..2).map(|i| fisher.row(0).dot(&jacobian.column(i))).collect();
    assert_gradient(&truncated, |_| 1.0, &expected);
}

#[test]
fn dirichlet_moves_mass_as_its_density_does() {
    for alpha in [array![0.4, 1.5, 0.7], array![30.0, 2.0, 55.0, 8.0]] {
        let n = alpha.len();
        let total: f64 = alpha.sum();
        let member = Dirichlet::from_concentration(&alpha).unwrap();
        let mut rng = StreamKey::from_seed(21).rng(0);
        let mut logs = vec![Moments::default(); n * n];
        let mut products = vec![Moments::default(); n];
        for _ in 0..8_000 {
            let z: Array1<f64> = member.sample(&mut rng);
            let jacobian = member.sample_jacobian(&z);
            for i in 0..n {
                assert!(jacobian.column(i).sum().abs() <= 1e-12 * (1.0 + jacobian[[i, i]].abs()));
                products[i].push(jacobian[[0, i]] * z[n - 1] + z[0] * jacobian[[n - 1, i]]);
                for k in 0..n {
                    logs[k * n + i].push(jacobian[[k, i]] / z[k]);
                }
            }
        }
        let check = |what: &str, m: &Moments, expected: f64| {
            let bound = 5.0 * m.mcse() + 1e-9;
            assert!(
                (m.mean() - expected).abs() <= bound,
                "{what}: {} ± {}, expected {expected}",
                m.mean(),
                m.mcse()
            );
        };
        let product = alpha[0] * alpha[n - 1] / (total * (total + 1.0));
        for i in 0..n {
            for k in 0..n {
                let own = if i == k { trigamma(alpha[k]) } else { 0.0 };
                check(&format!("E[log z_{k}] by α_{i}"), &logs[k * n + i], own - trigamma(total));
            }
            let own = if i == 0 || i == n - 1 { 1.0 / alpha[i] } else { 0.0 };
            let slope = product * (own - 1.0 / total - 1.0 / (total + 1.0));
            check(&format!("E[z_0 z_last] by α_{i}"), &products[i], slope);
        }
    }
}

#[test]
fn extreme_members_stay_finite() {
    for (shape, x) in
        [(1e-3, 1e-300), (1e-3, 5.0), (1e8, 1e8), (1e12, 1.000001e12), (1e-3, 50.0), (1e5, 1e-5)]
    {
        let jacobian = Gamma::from_shape_rate(shape, 1.0).unwrap().sample_jacobian(&x);
        assert!(jacobian.iter().all(|d| d.is_finite()) && jacobian[[0, 0]] > 0.0, "{shape} {x} {jacobian}");
    }
    // A Gamma of large shape is nearly shape + √shape ε: its derivative is nearly 1 + ε / (2 √shape).
    let far = Gamma::from_shape_rate(1e12, 1.0).unwrap().sample_jacobian(&(1e12 + 2e6));
    assert_close("Gamma(1e12)", far[[0, 0]], 1.0 + 1e-6, 1.0, 1e-9);
    for kappa in [0.0, 1e-300, 1e10, 1e100] {
        let member = VonMises::from_mean_direction_concentration(0.0, kappa).unwrap();
        for theta in [0.0, 1e-50, 1e-5, 1.0, std::f64::consts::PI] {
            assert!(member.sample_jacobian(&theta).iter().all(|d| d.is_finite()), "{kappa} {theta}");
        }
    }
    let one_sided = Dirichlet::from_concentration(&array![1e-3, 1e-3, 1e6]).unwrap();
    for z in [array![1e-300, 1e-300, 1.0], array![0.0, 0.5, 0.5], array![1.0, 0.0, 0.0]] {
        assert!(one_sided.sample_jacobian(&z).iter().all(|d| !d.is_nan()), "{z}");
    }
}
