//! Natural gradients against the Fisher information they invert, and steps in natural parameters against mixtures of
//! natural parameters. Nothing here is random but the points, which have fixed seeds.

use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use vi_core::linalg::Cholesky;
use vi_core::{Parameter, ParameterSpace, Support};
use vi_families::{
    BlockDiagonalGaussian, Damping, FamilyError, FullRankGaussian, GaussianMixture, LearnedStudentTMeanField,
    LowRankGaussian, MeanFieldGaussian, ProductFamily, StudentTMeanField, VariationalDistribution,
    VariationalFamily,
};

use crate::common::config;
use crate::{params, reals};

/// A factor of every kind, some of them in arrays.
fn product() -> ProductFamily {
    let space = ParameterSpace::new([
        Parameter::vector("theta", 2, Support::Real),
        Parameter::scalar("tau", Support::Positive),
        Parameter::scalar("rho", Support::Interval { lower: -1.0, upper: 3.0 }),
        Parameter::new("w", &[2, 3], Support::Simplex),
        Parameter::scalar("phi", Support::Angle),
        Parameter::vector("on", 2, Support::Binary),
        Parameter::scalar("k", Support::Categorical { n: 4 }),
    ]);
    ProductFamily::for_space(&space.unwrap()).unwrap()
}

const DAMPINGS: [Damping; 4] = [
    Damping::NONE,
    Damping { relative: 0.3, absolute: 0.0 },
    Damping { relative: 0.0, absolute: 0.2 },
    Damping { relative: 1e-3, absolute: 1e-2 },
];

/// (F + damping) ñ = ∇, and ñ is that of a dense solve.
fn check_solve<F: VariationalFamily>(family: &F, lambda: &Array1<f64>, grad: &Array1<f64>) {
    let lambda = lambda.slice(s![..family.n_params()]).to_owned();
    let grad = grad.slice(s![..family.n_params()]).to_owned();
    let q = family.bind(&lambda).unwrap();
    for damping in DAMPINGS {
        let mut damped = q.fisher().unwrap();
        for d in damped.diag_mut() {
            *d += damping.relative * *d + damping.absolute;
        }
        let mut natural = Array1::from_elem(grad.len(), f64::NAN);
        q.natural_gradient(damping, &grad, &mut natural).unwrap();
        let residual = (damped.dot(&natural) - &grad).mapv(f64::abs);
        let size = damped.mapv(f64::abs).dot(&natural.mapv(f64::abs)) + grad.mapv(f64::abs);
        for (i, (r, s)) in residual.iter().zip(&size).enumerate() {
            assert!(*r <= 1e-10 * s, "{damping:?}, λ = {lambda}: element {i} is {r} off");
        }
        let dense = Cholesky::factor(&damped).unwrap().solve(&grad);
        let distance = (&dense - &natural).mapv(f64::abs).sum() / dense.mapv(f64::abs).sum();
        assert!(distance < 1e-8, "{damping:?}, λ = {lambda}: {natural} ≠ {dense}");
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn solves_undo_the_fisher_information(lambda in params(30, 1.2), grad in params(30, 3.0)) {
        check_solve(&MeanFieldGaussian::new(&reals(5)).unwrap(), &lambda, &grad);
        check_solve(&FullRankGaussian::new(&reals(4)).unwrap(), &lambda, &grad);
        check_solve(&BlockDiagonalGaussian::from_sizes(&reals(6), &[2, 1, 3]).unwrap(), &lambda, &grad);
        check_solve(&StudentTMeanField::new(&reals(4), 3.0).unwrap(), &lambda, &grad);
        check_solve(&LearnedStudentTMeanField::new(&reals(3), 5.0).unwrap(), &lambda, &grad);
        check_solve(&product(), &lambda, &grad);
        check_solve(&LowRankGaussian::new(&reals(4), 1).unwrap(), &lambda, &grad);
    }

    /// The step along F⁻¹F x = x of length ρ has natural parameters (1 − ρ) η + ρ η*, with η* those of the step of
    /// length 1: and that one is the target itself.
    #[test]
    fn product_steps_mix_natural_parameters(
        from in params(30, 1.0), to in params(30, 1.0), rho in 0.05..0.95f64,
    ) {
        let family = product();
        let p = family.n_params();
        let (from, to) = (from.slice(s![..p]).to_owned(), to.slice(s![..p]).to_owned());
        let (eta, target) = (natural_of(&from), natural_of(&to));
        // ∇_λ of −KL(q ‖ target) is F (∂η/∂λ)⁻¹ (η* − η).
        let direction = lambda_direction(&from, &(&target - &eta));
        let q = family.bind(&from).unwrap();
        let grad = q.fisher().unwrap().dot(&direction);
        let (mut natural, mut moved) = (Array1::zeros(p), Array1::zeros(p));
        q.natural_gradient(Damping::NONE, &grad, &mut natural).unwrap();
        assert_eq!(family.natural_step(&from, &natural, 1.0, &mut moved).unwrap(), 0);
        assert_near(&moved, &to, 1e-10);
        family.natural_step(&from, &natural, rho, &mut moved).unwrap();
        assert_near(&natural_of(&moved), &(&eta * (1.0 - rho) + &target * rho), 1e-10);
    }

    #[test]
    fn gaussian_steps_mix_precisions(
        from in params(9, 0.8), to in params(9, 0.8), rho in 0.05..0.95f64,
    ) {
        let family = FullRankGaussian::new(&reals(3)).unwrap();
        // Two blocks, of which the second is the family above.
        let blocks = BlockDiagonalGaussian::from_sizes(&reals(4), &[1, 3]).unwrap();
        let (eta, target) = (precision_of(&family, &from), precision_of(&family, &to));
        let grad = gaussian_gradient(&family, &from, &target);
        let (mut natural, mut moved) = (Array1::zeros(9), Array1::zeros(9));
        family.bind(&from).unwrap().natural_gradient(Damping::NONE, &grad, &mut natural).unwrap();
        for (rho, tolerance) in [(1.0, 1e-9), (rho, 1e-9)] {
            assert_eq!(family.natural_step(&from, &natural, rho, &mut moved).unwrap(), 0);
            let (shift, precision) = precision_of(&family, &moved);
            assert_near(&shift, &(&eta.0 * (1.0 - rho) + &target.0 * rho), tolerance);
            let mixed = &eta.1 * (1.0 - rho) + &target.1 * rho;
            assert_near(&precision.flatten().to_owned(), &mixed.flatten().to_owned(), tolerance);
            let with_block = |v: &Array1<f64>| -> Array1<f64> { [0.1, -0.2].into_iter().chain(v.to_vec()).collect() };
            let mut by_blocks = Array1::zeros(11);
            blocks.natural_step(&with_block(&from), &with_block(&natural), rho, &mut by_blocks).unwrap();
            assert_near(&by_blocks.slice(s![2..]).to_owned(), &moved, 1e-14);
        }
    }

    /// Steps of length ρ in η and in λ differ by O(ρ²): the direction is one and the same change of q.
    #[test]
    fn the_direction_does_not_depend_on_the_parametrisation(lambda in params(30, 1.0), grad in params(30, 1.0)) {
        fn gap<F: VariationalFamily>(family: &F, lambda: &Array1<f64>, grad: &Array1<f64>) -> [f64; 2] {
            let p = family.n_params();
            let lambda = lambda.slice(s![..p]).to_owned();
            let mut natural = Array1::zeros(p);
            let q = family.bind(&lambda).unwrap();
            q.natural_gradient(Damping::NONE, &grad.slice(s![..p]), &mut natural).unwrap();
            natural /= natural.dot(&natural).sqrt();
            [1e-3, 1e-4].map(|rho| {
                let mut moved = Array1::zeros(p);
                assert_eq!(family.natural_step(&lambda, &natural, rho, &mut moved).unwrap(), 0);
                (moved - &lambda - &natural * rho).mapv(f64::abs).sum()
            })
        }
        for [at, tenth] in [
            gap(&product(), &lambda, &grad),
            gap(&MeanFieldGaussian::new(&reals(3)).unwrap(), &lambda, &grad),
            gap(&FullRankGaussian::new(&reals(3)).unwrap(), &lambda, &grad),
        ] {
            prop_assert!(at > 1e-9 && tenth < 0.012 * at, "{at} at ρ, {tenth} at ρ/10");
        }
    }
}

fn assert_near(a: &Array1<f64>, b: &Array1<f64>, tolerance: f64) {
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "element {i}: {x} ≠ {y}");
    }
}

/// Where λ of `product` holds logarithms of ± η.
const LOGARITHMS: std::ops::Range<usize> = 4..14;

/// Where λ of `product` holds the location and the log concentration of the angle.
const ANGLE: usize = 14;

/// η of every factor of `product`.
fn natural_of(lambda: &Array1<f64>) -> Array1<f64> {
    let mut eta = lambda.clone();
    for i in [0, 2] {
        let precision = (-2.0 * lambda[i + 1]).exp();
        (eta[i], eta[i + 1]) = (precision * lambda[i], precision);
    }
    eta.slice_mut(s![LOGARITHMS]).mapv_inplace(f64::exp);
    let (concentration, (sin, cos)) = (lambda[ANGLE + 1].exp(), lambda[ANGLE].sin_cos());
    (eta[ANGLE], eta[ANGLE + 1]) = (concentration * cos, concentration * sin);
    eta
}

/// (∂η/∂λ)⁻¹ change.
fn lambda_direction(lambda: &Array1<f64>, change: &Array1<f64>) -> Array1<f64> {
    let mut direction = change.clone();
    for i in [0, 2] {
        let precision = (-2.0 * lambda[i + 1]).exp();
        direction[i + 1] = -0.5 * change[i + 1] / precision;
        direction[i] = (change[i] - change[i + 1] * lambda[i]) / precision;
    }
    for i in LOGARITHMS {
        direction[i] /= lambda[i].exp();
    }
    let (concentration, (sin, cos)) = (lambda[ANGLE + 1].exp(), lambda[ANGLE].sin_cos());
    let (along, across) =
        (cos * change[ANGLE] + sin * change[ANGLE + 1], cos * change[ANGLE + 1] - sin * change[ANGLE]);
    (direction[ANGLE], direction[ANGLE + 1]) = (across / concentration, along / concentration);
    direction
}

/// (Σ⁻¹m, Σ⁻¹).
fn precision_of(family: &FullRankGaussian, lambda: &Array1<f64>) -> (Array1<f64>, Array2<f64>) {
    let q = family.bind(lambda).unwrap();
    let precision = Cholesky::factor(&q.covariance()).unwrap().inverse();
    (precision.dot(&Array1::from(q.mean().to_vec())), precision)
}

/// ∇_λ of −KL(q ‖ target): −P*(m − m*) and −P*L + L⁻ᵀ on the lower triangle.
fn gaussian_gradient(
    family: &FullRankGaussian,
    lambda: &Array1<f64>,
    target: &(Array1<f64>, Array2<f64>),
) -> Array1<f64> {
    let (q, d) = (family.bind(lambda).unwrap(), family.dim());
    let location = &target.0 - target.1.dot(&Array1::from(q.mean().to_vec()));
    let by_factor = -target.1.dot(q.factor());
    let mut grad = location.to_vec();
    for i in 0..d {
        grad.extend((0..i).map(|j| by_factor[[i, j]]));
        grad.push(by_factor[[i, i]] * q.factor()[[i, i]] + 1.0);
    }
    Array1::from(grad)
}

#[test]
fn steps_are_halved_until_they_stay_inside() {
    let family = MeanFieldGaussian::new(&reals(2)).unwrap();
    let mut moved = Array1::zeros(4);
    // 1 − 20ρ > 0 from ρ = 1/32 on; the other coordinate takes the whole step.
    let natural = array![1.0, 1.0, 10.0, 0.1];
    assert_eq!(family.natural_step(&Array1::zeros(4), &natural, 1.0, &mut moved).unwrap(), 5);
    assert_near(&moved, &array![(1.0 / 32.0) / 0.375, 1.25, -0.5 * 0.375f64.ln(), -0.5 * 0.8f64.ln()], 1e-15);

    let full = FullRankGaussian::new(&reals(2)).unwrap();
    // (m; log L₁₁, L₂₁, log L₂₂)
    let mut moved = Array1::zeros(5);
    let natural = array![0.0, 0.0, 10.0, 0.0, 0.1];
    assert_eq!(full.natural_step(&Array1::zeros(5), &natural, 1.0, &mut moved).unwrap(), 5);
    assert!(full.bind(&moved).is_ok());

    let gamma = ParameterSpace::new([Parameter::vector("tau", 2, Support::Positive)]).unwrap();
    let gamma = ProductFamily::for_space(&gamma).unwrap();
    let mut moved = Array1::zeros(4);
    let natural = array![-3.0, 0.5, 1.0, -1.0];
    // 1 − 3ρ > 0 from ρ = 1/4 on, 1 − ρ > 0 from 1/2 on.
    assert_eq!(gamma.natural_step(&Array1::zeros(4), &natural, 1.0, &mut moved).unwrap(), 3);
    assert_near(&moved, &array![0.25f64.ln(), 1.125f64.ln(), 1.5f64.ln(), 0.5f64.ln()], 1e-15);

    let wild = array![0.0, f64::NAN, 0.0, 0.0];
    let message = gamma.natural_step(&Array1::zeros(4), &wild, 1.0, &mut moved).unwrap_err().to_string();
    assert!(message.contains("natural gradient[1]"), "{message}");
}

#[test]
fn what_has_no_inverse_says_where() {
    let solve = |family: &ProductFamily, lambda: &Array1<f64>, damping| {
        let mut out = Array1::zeros(lambda.len());
        let q = family.bind(lambda).unwrap();
        q.natural_gradient(damping, &Array1::ones(lambda.len()), &mut out).map(|()| out)
    };
    let family = product();
    let mut lambda = family.init();
    // The second bit is certain in double precision.
    lambda[17] = 800.0;
    let error = solve(&family, &lambda, Damping::NONE).unwrap_err();
    assert_eq!(error, FamilyError::SingularFisher { index: 17, value: 0.0 });
    assert_eq!(family.param_names()[17], "logit(on[2])");
    let damped = solve(&family, &lambda, Damping { absolute: 0.5, relative: 0.0 }).unwrap();
    assert_eq!(damped[17], 2.0);
    // The first category is impossible in double precision.
    lambda[17] = 0.0;
    lambda[18] = -800.0;
    let error = solve(&family, &lambda, Damping::NONE).unwrap_err();
    assert_eq!(error, FamilyError::SingularFisher { index: 18, value: 0.0 });
}

#[test]
fn a_factor_that_can_be_turned_is_singular_unless_damped() {
    let family = LowRankGaussian::new(&reals(4), 2).unwrap();
    let lambda: Array1<f64> = (0..family.n_params()).map(|i| (1.0 + i as f64).sin()).collect();
    let (q, grad) = (family.bind(&lambda).unwrap(), Array1::ones(lambda.len()));
    let mut out = Array1::zeros(lambda.len());
    let error = q.natural_gradient(Damping::NONE, &grad, &mut out).unwrap_err();
    assert!(matches!(error, FamilyError::SingularFisher { index: 8.., .. }), "{error}");
    q.natural_gradient(Damping { relative: 1e-3, absolute: 0.0 }, &grad, &mut out).unwrap();
    assert!(out.iter().all(|v| v.is_finite()));
}

#[test]
fn a_mixture_has_none_and_is_named() {
    let family = GaussianMixture::mean_field(&reals(2), 2).unwrap();
    let lambda = family.init();
    let mut out = Array1::zeros(lambda.len());
    let error = family.bind(&lambda).unwrap().natural_gradient(Damping::NONE, &lambda, &mut out).unwrap_err();
    assert!(error.to_string().contains("GaussianMixtureMember"), "{error}");
}
