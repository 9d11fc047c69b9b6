//! The contract of an exponential family.

use std::borrow::Borrow;
use std::fmt::Debug;

use ndarray::{Array1, ArrayRef1};
use vi_core::StreamKey;
use vi_core::testing::Moments;

use super::fit;
use super::statistics::{
    ScaledCholesky, assert_mean_with, chi_squared_bound, five_point, five_point_vector, steady_step,
    with_element,
};
use crate::exponential_family::ExponentialFamily;

/// Draws per member for the statistical checks.
const N_DRAWS: usize = 4000;
/// Error of a derivative by differences, in standard deviations of the statistics.
const DIFFERENCES: f64 = 1e-5;

/// Checks the whole contract on every member, and divergences between neighbours in the list.
///
/// - η → θ → η and μ → θ → μ return where they came from: 10⁻¹² relative, plus what the rounding of μ grows to
///   in the inverse of the Fisher information.
/// - ∇A is the mean parameter and ∇²A the Fisher information, by differences of A and of ∇A; Fisher is positive
///   definite.
/// - `log_prob`, `entropy`, `kl`, `expected_log_prob` and `score` agree with their formulas in η, T, μ and A;
///   KL ≥ 0, and 0 on itself.
/// - `product` and `power` add and multiply η; the Rényi divergence is KL at order 1, does not decrease in its order, and
///   at ½ is −2 log E[√(q/p)] over the draws, where it is below 3.
/// - Draws lie in the support. The mean of T over 4000 of them is μ: n (T̄ − μ)ᵀF⁻¹(T̄ − μ) below the 1 − 3·10⁻⁸
///   quantile of χ². Entropy and KL are within 5.4 standard errors of their Monte Carlo estimates. A correct
///   family fails a member for about 1 key in 10⁷ as far as the central limit theorem holds, which is slow for rare
///   events: a success of probability 10⁻⁴ comes four times in 4000 draws for 7 keys in 10⁴.
///
/// - Weighted statistics of two parts of the data, merged, are those of all; the fit to them gains on the member what
///   theory says: `Σ w log p(z | fit) − Σ w log p(z | member) = Σ w · KL(fit, member)`.
///
/// The normalisation of A itself is not visible from inside a family: see [`check_univariate`](super::check_univariate)
/// and [`check_normalised`](super::check_normalised). Where draws leave the range of `f64`, use [`check_calculus`].
///
/// # Panics
/// With the member and both numbers where the contract is broken.
pub fn check_exponential_family<F>(members: &[F], key: StreamKey)
where
    F: ExponentialFamily,
{
    check_calculus(members);
    for (i, member) in members.iter().enumerate() {
        check_draws(member, next_alike(members, i), key.fold_in(i as u64));
        fit::check_fit(member, key.fold_in(i as u64).fold_in(1));
    }
}

/// Checks what [`check_exponential_family`] does of every member, except what needs draws.
///
/// For members whose draws leave the range of `f64`: the logarithm of a Gamma variable of shape k is below that of the
/// least positive number with probability exp(−745 k), which biases the mean of T for shapes below 0.03.
///
/// # Panics
/// With the member and both numbers where the contract is broken.
pub fn check_calculus<F: ExponentialFamily>(members: &[F]) {
    for (i, member) in members.iter().enumerate() {
        check_round_trips(member);
        check_derivatives(member);
        check_formulas(member, next_alike(members, i));
    }
}

/// The member after `i` if it belongs to the same family, and `i` itself otherwise.
fn next_alike<F: ExponentialFamily>(members: &[F], i: usize) -> &F {
    let (member, other) = (&members[i], &members[(i + 1) % members.len()]);
    let same = other.n_params() == member.n_params() && other.fixed() == member.fixed();
    if same { other } else { member }
}

/// Checks that any vector whatever, as natural or as mean parameter, gives an error or a member with finite
/// parameters, and never a panic.
///
/// # Panics
/// With the vector that was accepted although its member is not finite.
pub fn check_any_vector<F>(fixed: &F::Fixed, vector: &ArrayRef1<f64>)
where
    F: ExponentialFamily,
{
    for member in
        [F::from_natural_given(fixed, vector), F::from_mean_params_given(fixed, vector)].into_iter().flatten()
    {
        let eta = member.natural();
        assert!(eta.iter().all(|v| v.is_finite()), "{vector} gives {member:?} with η = {eta}");
        assert!(!member.entropy().is_nan(), "{vector} gives {member:?} with an entropy that is not a number");
    }
}

fn check_round_trips<F: ExponentialFamily>(member: &F) {
    let (eta, mu, fisher) = (member.natural(), member.mean_params(), member.fisher());
    let p = member.n_params();
    assert_eq!((eta.len(), mu.len(), fisher.dim()), (p, p, (p, p)), "{member:?}: lengths differ");
    if p == 0 {
        return;
    }
    let largest = eta.fold(0.0, |m: f64, v| m.max(v.abs()));
    let back = F::from_natural_given(&member.fixed(), &eta)
        .unwrap_or_else(|e| panic!("{member:?}: from_natural(η): {e}"))
        .natural();
    for i in 0..p {
        let error = (back[i] - eta[i]).abs();
        assert!(error <= 1e-12 * largest, "{member:?}: η[{i}] = {} → θ → {}", eta[i], back[i]);
    }
    let fisher = ScaledCholesky::new(&format!("Fisher information of {member:?}"), &fisher);
    let again = F::from_mean_params_given(&member.fixed(), &mu)
        .unwrap_or_else(|e| panic!("{member:?}: from_mean_params(μ = {mu}): {e}"));
    let sd = member.fisher().diag().mapv(f64::sqrt);
    let rounding = (mu.mapv(f64::abs) + &sd + 1.0) * (256.0 * f64::EPSILON);
    let growth = fisher.solve_absolute(&rounding);
    let (eta_again, mu_again) = (again.natural(), again.mean_params());
    for i in 0..p {
        let error = (eta_again[i] - eta[i]).abs();
        let bound = 1e-12 * eta[i].abs() + growth[i];
        assert!(error <= bound, "{member:?}: η[{i}] = {} → μ → {} (bound {bound:e})", eta[i], eta_again[i]);
        let error = (mu_again[i] - mu[i]).abs();
        let bound = 1e-12 * mu[i].abs() + 4.0 * rounding[i];
        assert!(error <= bound, "{member:?}: μ[{i}] = {} → θ → {} (bound {bound:e})", mu[i], mu_again[i]);
    }
}

fn check_derivatives<F: ExponentialFamily>(member: &F) {
    let (eta, mu, fisher) = (member.natural(), member.mean_params(), member.fisher());
    let sd = fisher.diag().mapv(f64::sqrt);
    for i in 0..member.n_params() {
        let try_at = |x: f64| F::from_natural_given(&member.fixed(), &with_element(&eta, i, x));
        let at = |x: f64| try_at(x).unwrap_or_else(|e| panic!("{member:?}: no member at η[{i}] = {x}: {e}"));
        let h = steady_step(3e-3 / sd[i], eta[i], |x| try_at(x).ok().map(|m| m.fisher()[[i, i]]));
        // What the last digits of η, A and μ do to differences over h.
        let unit = 16.0 * f64::EPSILON / h;
        let slope = five_point(|x| at(x).log_partition(), eta[i], h);
        let rounding = unit * (member.log_partition().abs() + (mu[i] * eta[i]).abs());
        assert!(
            (slope - mu[i]).abs() <= DIFFERENCES * (sd[i] + 1e-5 * mu[i].abs()) + rounding,
            "{member:?}: ∂A/∂η[{i}] is {slope} by differences, mean_params says {}",
            mu[i]
        );
        let row = five_point_vector(|x| at(x).mean_params(), eta[i], h);
        for j in 0..member.n_params() {
            let rounding = unit * (mu[j].abs() + (fisher[[i, j]] * eta[i]).abs());
            assert!(
                (row[j] - fisher[[i, j]]).abs() <= DIFFERENCES * sd[i] * sd[j] + rounding,
                "{member:?}: ∂μ[{j}]/∂η[{i}] is {} by differences, fisher says {}",
                row[j],
                fisher[[i, j]]
            );
        }
    }
}

/// η·x and the size of its largest term, which rounding errors scale with.
fn dot_with_size(eta: &ArrayRef1<f64>, x: &ArrayRef1<f64>) -> (f64, f64) {
    let size = eta.iter().zip(x).map(|(a, b)| (a * b).abs()).sum();
    (eta.dot(x), size)
}

fn assert_close(what: &str, member: &dyn Debug, value: f64, expected: f64, size: f64) {
    let bound = 1e-11 * (1.0 + size + expected.abs());
    assert!((value - expected).abs() <= bound, "{member:?}: {what} is {value}, its formula gives {expected}");
}

fn check_formulas<F: ExponentialFamily>(member: &F, other: &F) {
    let (eta, mu, a) = (member.natural(), member.mean_params(), member.log_partition());
    let (dot, size) = dot_with_size(&eta, &mu);
    let size = size + a.abs();
    let entropy = a - dot - member.expected_log_base_measure();
    assert_close("entropy", member, member.entropy(), entropy, size);
    let itself = member.kl(member);
    assert!(itself.abs() <= 1e-13 * (1.0 + size), "{member:?}: KL to itself is {itself}");
    let (other_dot, other_size) = dot_with_size(&other.natural(), &mu);
    let size = size + other_size + other.log_partition().abs();
    let kl = dot - other_dot - a + other.log_partition();
    assert_close("KL", member, member.kl(other), kl, size);
    assert!(member.kl(other) >= -1e-13 * (1.0 + size), "{member:?}: KL to {other:?} is {}", member.kl(other));
    check_orders(member, other, size);
    let cross = -member.entropy() - member.kl(other);
    assert_close("expected_log_prob", member, member.expected_log_prob(other), cross, size);
}

fn check_orders<F: ExponentialFamily>(member: &F, other: &F, size: f64) {
    assert_eq!(
        member.renyi_divergence(other, 1.0),
        member.kl(other),
        "{member:?}: Rényi divergence of order 1"
    );
    let mut before = 0.0;
    for order in [0.25, 0.5, 0.75, 1.0, 1.25] {
        let divergence = member.renyi_divergence(other, order);
        assert!(
            divergence >= before - 1e-11 * (1.0 + size),
            "{member:?}: Rényi divergence to {other:?} is {divergence} at order {order}, {before} before"
        );
        before = divergence;
    }
    let close = |a: &Array1<f64>, b: Array1<f64>| {
        let largest = b.fold(0.0, |m: f64, v| m.max(v.abs()));
        a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 1e-12 * largest)
    };
    let (eta, theirs) = (member.natural(), other.natural());
    if let Ok(product) = member.product(other) {
        assert!(
            close(&product.natural(), &eta + &theirs),
            "{member:?}: product with {other:?} is {product:?}"
        );
    }
    let powers = [0.5, 1.0, 2.0].map(|t| (t, member.power(t)));
    assert!(powers[1].1.is_ok(), "{member:?}: its own first power is refused");
    for (t, power) in powers.iter().filter_map(|(t, p)| p.as_ref().ok().map(|p| (t, p))) {
        assert!(close(&power.natural(), &eta * *t), "{member:?}: power {t} is {power:?}");
    }
}

fn check_draws<F: ExponentialFamily>(member: &F, other: &F, key: StreamKey) {
    let (eta, mu, a) = (member.natural(), member.mean_params(), member.log_partition());
    let mut total = Array1::zeros(member.n_params());
    let (mut surprise, mut ratio) = (Moments::default(), Moments::default());
    let (mut overlap, mut base) = (Moments::default(), Moments::default());
    let half = member.renyi_divergence(other, 0.5);
    for s in 0..N_DRAWS {
        let draw = member.sample(&mut key.rng(s as u64));
        let z: &F::Value = draw.borrow();
        let t = member.sufficient_stats(z);
        let h = member.log_base_measure(z);
        assert!(h > f64::NEG_INFINITY, "{member:?}: draw {s} with T = {t} lies outside the support");
        let (dot, size) = dot_with_size(&eta, &t);
        let log_prob = member.log_prob(z);
        assert_close("log_prob", member, log_prob, dot - a + h, size + a.abs());
        let score = member.score(z);
        let far =
            score.iter().zip(&t).zip(&mu).any(|((s, t), m)| (s - (t - m)).abs() > 1e-9 * (1.0 + t.abs()));
        assert!(!far, "{member:?}: the score is {score}, T − μ is {}", &t - &mu);
        surprise.push(-log_prob);
        base.push(h);
        ratio.push(log_prob - other.log_prob(z));
        overlap.push((0.5 * (other.log_prob(z) - log_prob + half)).exp());
        total += &score;
    }
    // Var[log p − log q] = (η − η′)ᵀF(η − η′), and Var[log p] = ηᵀFη where h is constant.
    let se = |direction: &Array1<f64>| {
        (direction.dot(&member.fisher().dot(direction)).max(0.0) / N_DRAWS as f64).sqrt()
    };
    let least = if base.mcse() == 0.0 { se(&eta) } else { 0.0 };
    assert_mean_with(|| format!("entropy of {member:?}"), &surprise, member.entropy(), least);
    let least = se(&(&eta - &other.natural()));
    assert_mean_with(|| format!("KL of {member:?} to {other:?}"), &ratio, member.kl(other), least);
    // Farther apart, too few draws carry the mean.
    if half < 3.0 {
        // E[(q/p)] exp D_½ = exp D_½.
        let least = (half.max(0.0).exp_m1() / N_DRAWS as f64).sqrt();
        let what = || format!("√(q/p) of {member:?} to {other:?} over its Rényi divergence");
        assert_mean_with(what, &overlap, 1.0, least);
    }
    if member.n_params() > 0 {
        let fisher = ScaledCholesky::new(&format!("Fisher information of {member:?}"), &member.fisher());
        let distance = total.dot(&fisher.solve(&total)) / N_DRAWS as f64;
        let bound = chi_squared_bound(member.n_params());
        assert!(
            distance <= bound,
            "{member:?}: mean of T is {distance} from μ in the Fisher metric, > {bound}"
        );
    }
}
