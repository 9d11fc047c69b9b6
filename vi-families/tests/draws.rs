//! Draws against their distributions and against an independent implementation of the same method.

use rand::Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use vi_core::StreamKey;
use vi_core::numerics::on_each_level;
use vi_families::{
    Beta, Exponential, ExponentialFamily, Gamma, Gaussian, InverseGamma, SampleSlice, Univariate,
    fill_standard_normal,
};

const DRAWS: usize = 200_000;

/// The distance of Kolmogorov and Smirnov stays below what one in 10⁹ samples exceeds: P(√n D > x) ≤ 2 exp(−2x²)
/// (Massart 1990).
fn check_distribution(what: &str, draws: &mut [f64], cdf: impl Fn(f64) -> f64) {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance = draws.iter().enumerate().fold(0.0_f64, |worst, (i, z)| {
        let (below, p) = (i as f64 / n, cdf(*z));
        worst.max(p - below).max(below + 1.0 / n - p)
    });
    let bound = (0.5 * (2e9_f64).ln() / n).sqrt();
    assert!(distance < bound, "{what}: distance {distance:e}, bound {bound:e}");
}

/// χ² of the counts over cells of equal probability stays below what one in 10⁹ samples exceeds:
/// P(χ² > k + 2√(kx) + 2x) ≤ exp(−x) (Laurent and Massart 2000, lemma 1), here with x = 20.8.
fn check_cells(what: &str, draws: &[f64], cdf: impl Fn(f64) -> f64) {
    const CELLS: usize = 256;
    let mut counts = [0.0; CELLS];
    for z in draws {
        counts[((cdf(*z) * CELLS as f64) as usize).min(CELLS - 1)] += 1.0;
    }
    let expected = draws.len() as f64 / CELLS as f64;
    let chi_squared: f64 = counts.iter().map(|n| (n - expected) * (n - expected) / expected).sum();
    let (dof, x) = ((CELLS - 1) as f64, 20.8_f64);
    let bound = dof + 2.0 * (dof * x).sqrt() + 2.0 * x;
    assert!(chi_squared < bound, "{what}: χ² {chi_squared}, bound {bound}");
}

fn check_member<F: SampleSlice + Univariate>(member: &F, seed: u64) {
    let mut draws = vec![0.0; DRAWS];
    member.sample_slice(&mut StreamKey::from_seed(seed).rng(0), &mut draws);
    let what = format!("{} {member:?}", F::NAME);
    check_cells(&what, &draws, |z| member.cdf(z));
    check_distribution(&what, &mut draws, |z| member.cdf(z));
}

#[test]
fn normals_and_exponentials_are_those_of_rand_distr() {
    let key = StreamKey::from_seed(9);
    let mut out = vec![0.0; DRAWS];
    on_each_level(|level| {
        let (mut rng, mut other) = (key.rng(1), key.rng(1));
        fill_standard_normal(&mut rng, &mut out);
        for (i, z) in out.iter().enumerate() {
            let expected: f64 = StandardNormal.sample(&mut other);
            assert_eq!(z.to_bits(), expected.to_bits(), "normal {i} on {level}");
        }
        assert!(out.iter().any(|z| z.abs() > 3.66), "the tail was drawn from");
        Exponential::from_rate(1.0).unwrap().sample_slice(&mut rng, &mut out);
        for (i, z) in out.iter().enumerate() {
            let expected: f64 = Exp1.sample(&mut other);
            assert_eq!(z.to_bits(), expected.to_bits(), "exponential {i} on {level}");
        }
        assert!(out.iter().any(|z| *z > 7.7), "the tail was drawn from");
        assert_eq!(rng.next_u64(), other.next_u64(), "the stream after the draws, on {level}");
    });
}

#[test]
fn every_instruction_set_draws_the_same() {
    fn check<F: SampleSlice>(member: &F) {
        let mut first: Option<Vec<u64>> = None;
        on_each_level(|level| {
            let mut out = vec![0.0; 3000];
            member.sample_slice(&mut StreamKey::from_seed(2).rng(0), &mut out);
            let bits: Vec<u64> = out.iter().map(|z| z.to_bits()).collect();
            assert_eq!(*first.get_or_insert_with(|| bits.clone()), bits, "{} on {level}", F::NAME);
        });
    }
    check(&Gaussian::from_mean_precision(0.3, 7.0).unwrap());
    for shape in [0.4, 1.0, 1.3, 30.0] {
        check(&Gamma::from_shape_rate(shape, 0.7).unwrap());
        check(&InverseGamma::from_shape_scale(shape, 0.7).unwrap());
        check(&Beta::from_alpha_beta(shape, 1.5).unwrap());
    }
}

#[test]
fn draws_follow_their_distributions() {
    check_member(&Gaussian::from_mean_precision(0.0, 1.0).unwrap(), 1);
    check_member(&Exponential::from_rate(0.3).unwrap(), 2);
    // The method changes at 1; its squeeze is tightest just above.
    for (i, shape) in [0.02, 0.3, 0.999, 1.0, 1.0001, 1.5, 2.0, 7.0, 300.0, 1e6].into_iter().enumerate() {
        check_member(&Gamma::from_shape_rate(shape, 2.0).unwrap(), 10 + i as u64);
    }
    check_member(&InverseGamma::from_shape_scale(2.5, 2.0).unwrap(), 30);
    check_member(&Beta::from_alpha_beta(2.0, 3.0).unwrap(), 31);
    check_member(&Beta::from_alpha_beta(0.3, 1.7).unwrap(), 32);
}

/// Shapes at which the accepted values differ from the proposals by less than rounding: the standardised draws are
/// normal up to 1/√shape, below the bound of the distance of Kolmogorov and Smirnov.
#[test]
fn gamma_of_huge_shape() {
    for shape in [1e12, 1e20] {
        let member = Gamma::from_shape_rate(shape, 1.0).unwrap();
        let normal = Gaussian::from_mean_variance(0.0, 1.0).unwrap();
        let mut draws = vec![0.0; DRAWS];
        member.sample_slice(&mut StreamKey::from_seed(3).rng(0), &mut draws);
        draws.iter_mut().for_each(|z| *z = (*z - shape) / shape.sqrt());
        check_distribution(&format!("shape {shape}"), &mut draws, |z| normal.cdf(z));
    }
    for shape in [1e300, f64::MAX] {
        let x = Gamma::from_shape_rate(shape, 1.0).unwrap().sample(&mut StreamKey::from_seed(4).rng(0));
        assert!((x / shape - 1.0).abs() < 1e-9, "shape {shape}: {x}");
    }
}

#[test]
fn few_and_many_draws_share_a_stream() {
    let member = Gamma::from_shape_rate(1.2, 1.0).unwrap();
    let (mut whole, mut parts) = (vec![0.0; 4000], vec![0.0; 4000]);
    member.sample_slice(&mut StreamKey::from_seed(6).rng(0), &mut whole);
    let mut rng = StreamKey::from_seed(6).rng(0);
    let (mut rest, mut size) = (&mut parts[..], 1);
    while !rest.is_empty() {
        let (part, others) = rest.split_at_mut(size.min(rest.len()));
        member.sample_slice(&mut rng, part);
        (rest, size) = (others, size * 2 % 701);
    }
    assert_eq!(whole, parts);
}
