//! Members from uniforms against members from their own draws, and tempered members against powers of the density.
//!
//! Two samples of n draws may differ by a Kolmogorov–Smirnov distance of √(log(2/α)/n), α = 1e-8 (Smirnov's asymptotic
//! law, conservative for discrete coordinates). At most 150 distances make the false-alarm probability 1.5e-6.

use ndarray::{Array1, Array2, array};
use rand::RngExt;
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{
    BlockDiagonalGaussian, Disperse, DisperseFactors, FactorizedDistribution, FullRankGaussian,
    GaussianMixture, LearnedStudentTMeanField, LowRankGaussian, MeanFieldGaussian, ProductFamily,
    StudentTMeanField, UniformTransport, VariationalDistribution, VariationalFamily,
};

const N: usize = 6_000;

fn reals() -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("a", 2, Support::Real), Parameter::scalar("b", Support::Real)])
        .unwrap()
}

fn every_support() -> ParameterSpace {
    ParameterSpace::new([
        Parameter::scalar("real", Support::Real),
        Parameter::vector("positive", 2, Support::Positive),
        Parameter::scalar("interval", Support::Interval { lower: -1.0, upper: 3.0 }),
        Parameter::vector("simplex", 3, Support::Simplex),
        Parameter::scalar("binary", Support::Binary),
        Parameter::scalar("categorical", Support::Categorical { n: 4 }),
    ])
    .unwrap()
}

/// λ that is neither zero nor the same twice.
fn spread(n: usize) -> Array1<f64> {
    Array1::from_shape_fn(n, |p| 0.8 * (1.7 * p as f64 + 0.4).sin())
}

fn distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let below = |sorted: &[f64], x: f64| sorted.partition_point(|v| *v <= x) as f64 / sorted.len() as f64;
    a.iter().chain(&b).map(|x| (below(&a, *x) - below(&b, *x)).abs()).fold(0.0, f64::max)
}

/// Every coordinate, and projections that see how coordinates depend on each other.
fn projections(z: &Array2<f64>) -> Vec<Vec<f64>> {
    let d = z.ncols();
    let mut out: Vec<Vec<f64>> = z.columns().into_iter().map(|c| c.to_vec()).collect();
    for k in 0..4 {
        let direction = Array1::from_shape_fn(d, |i| (2.3 * (i * (k + 1)) as f64 + k as f64).cos());
        out.push(z.dot(&direction).to_vec());
    }
    out
}

fn check_transport<Q: UniformTransport>(q: &Q) {
    let (key, d) = (StreamKey::from_seed(52), q.dim());
    let (mut own, mut transported) = (Array2::zeros((N, d)), Array2::zeros((N, d)));
    q.sample_batch(key, 0..N, &mut own);
    for (s, mut row) in transported.rows_mut().into_iter().enumerate() {
        let mut rng = key.fold_in(1).rng(s as u64);
        let u = Array1::from_shape_fn(q.n_uniforms(), |_| rng.random::<f64>().max(1e-300));
        q.transport_uniforms(&u, &mut row);
        assert!(q.log_prob(&row).is_finite(), "outside the support: {row}");
    }
    let limit = ((2e8f64).ln() / N as f64).sqrt();
    for (i, (a, b)) in projections(&own).into_iter().zip(projections(&transported)).enumerate() {
        let distance = distance(a, b);
        assert!(distance < limit, "coordinate or projection {i}: distance {distance} > {limit}");
    }
    // Nothing leaves the support in the corners of the cube.
    let mut z = Array1::zeros(d);
    for corner in [2f64.powi(-53), 1.0 - 2f64.powi(-53)] {
        q.transport_uniforms(&Array1::from_elem(q.n_uniforms(), corner), &mut z);
        assert!(z.iter().all(|v| v.is_finite()) && q.log_prob(&z).is_finite(), "u = {corner}: {z}");
    }
}

/// log r − log q/τ is the same number everywhere.
fn check_dispersed<Q: Disperse>(q: &Q) {
    let key = StreamKey::from_seed(53);
    for dispersion in [1.0, 1.5, 4.0] {
        let r = q.disperse(dispersion).unwrap();
        let mut z = Array2::zeros((40, q.dim()));
        q.sample_batch(key, 0..40, &mut z);
        let constants: Vec<f64> =
            z.rows().into_iter().map(|z| r.log_prob(&z) - q.log_prob(&z) / dispersion).collect();
        for c in &constants {
            assert!(
                (c - constants[0]).abs() < 1e-9 * (1.0 + c.abs()),
                "τ = {dispersion}: {c} ≠ {}",
                constants[0]
            );
        }
        assert!(dispersion > 1.0 || constants[0].abs() < 1e-9, "τ = 1 changes the density");
        // Draws and densities of the proposal belong together: E_r[q/r] = 1, within 6 standard errors.
        let n = 4_000;
        let mut z = Array2::zeros((n, q.dim()));
        r.sample_batch(key.fold_in(1), 0..n, &mut z);
        let u: Vec<f64> = z.rows().into_iter().map(|z| (q.log_prob(&z) - r.log_prob(&z)).exp()).collect();
        let mean = u.iter().sum::<f64>() / n as f64;
        let variance = u.iter().map(|u| (u - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
        assert!(
            (mean - 1.0).abs() < 6.0 * (variance / n as f64).sqrt() + 1e-9,
            "τ = {dispersion}: E[q/r] = {mean}"
        );
    }
    for invalid in [0.99, 0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = q.disperse(invalid).err().unwrap().to_string();
        assert!(message.contains("dispersion") && message.contains("at least 1"), "{message}");
    }
}

/// Factor i alone is that of a member dispersed by τ_i as a whole.
fn check_dispersed_factors<Q: DisperseFactors>(q: &Q) {
    let dispersions: Vec<f64> = (0..q.n_factors()).map(|i| 1.0 + 0.7 * i as f64).collect();
    let r = q.disperse_factors(&dispersions).unwrap();
    let mut z = Array1::zeros(q.dim());
    q.sample(&mut StreamKey::from_seed(8).rng(0), &mut z);
    for (i, dispersion) in dispersions.iter().enumerate() {
        assert_eq!(r.factor(i), q.factor(i));
        let expected = q.disperse(*dispersion).unwrap().log_prob_factor(i, &z);
        assert!((r.log_prob_factor(i, &z) - expected).abs() < 1e-12 * (1.0 + expected.abs()), "factor {i}");
    }
    let message = q.disperse_factors(&dispersions[1..]).err().unwrap().to_string();
    assert!(message.contains("dispersions"), "{message}");
    let invalid = vec![0.5; q.n_factors()];
    let message = q.disperse_factors(&invalid).err().unwrap().to_string();
    assert!(message.contains("dispersion = 0.5"), "{message}");
}

#[test]
fn gaussians() {
    let space = reals();
    let family = MeanFieldGaussian::new(&space).unwrap();
    let params = spread(family.n_params());
    let q = family.bind(&params).unwrap();
    check_transport(&q);
    check_dispersed(&q);
    check_dispersed_factors(&q);
    let family = FullRankGaussian::new(&space).unwrap();
    let params = spread(family.n_params());
    let q = family.bind(&params).unwrap();
    check_transport(&q);
    check_dispersed(&q);
    let family = BlockDiagonalGaussian::by_parameter(&space).unwrap();
    let params = spread(family.n_params());
    let q = family.bind(&params).unwrap();
    check_transport(&q);
    check_dispersed(&q);
    check_dispersed_factors(&q);
    let family = LowRankGaussian::new(&space, 2).unwrap();
    let params = spread(family.n_params());
    let q = family.bind(&params).unwrap();
    assert_eq!(q.n_uniforms(), 5);
    check_transport(&q);
    check_dispersed(&q);
}

#[test]
fn students_and_mixtures() {
    let space = reals();
    for dof in [0.7, 5.0] {
        let family = StudentTMeanField::new(&space, dof).unwrap();
        let params = spread(family.n_params());
        check_transport(&family.bind(&params).unwrap());
    }
    let family = LearnedStudentTMeanField::new(&space, 3.0).unwrap();
    let params = spread(family.n_params());
    check_transport(&family.bind(&params).unwrap());
    let family = GaussianMixture::mean_field(&space, 3).unwrap();
    let params = spread(family.n_params());
    let q = family.bind(&params).unwrap();
    assert_eq!(q.n_uniforms(), 4);
    check_transport(&q);
    let family = GaussianMixture::full_rank(&space, 2).unwrap();
    let params = spread(family.n_params());
    check_transport(&family.bind(&params).unwrap());
}

#[test]
fn products() {
    let space = every_support();
    let family = ProductFamily::for_space(&space).unwrap();
    let params = spread(family.n_params());
    let q = family.bind(&params).unwrap();
    check_transport(&q);
    check_dispersed(&q);
    check_dispersed_factors(&q);
    // Shapes and concentrations so small that quantiles underflow.
    let params = family.init().mapv(|_| -3.0);
    check_transport(&family.bind(&params).unwrap());
}

#[test]
fn opposite_uniforms_are_opposite_draws() {
    let family = FullRankGaussian::new(&reals()).unwrap();
    let params = spread(family.n_params());
    let q = family.bind(&params).unwrap();
    let u = array![0.1, 0.75, 0.4];
    let (mut z, mut opposite) = (Array1::zeros(3), Array1::zeros(3));
    q.transport_uniforms(&u, &mut z);
    q.transport_uniforms(&(1.0 - &u), &mut opposite);
    for i in 0..3 {
        assert!((z[i] + opposite[i] - 2.0 * q.mean()[i]).abs() < 1e-13, "{z} {opposite}");
    }
}
