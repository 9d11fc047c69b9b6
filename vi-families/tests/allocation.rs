//! Slice forms allocate nothing: counted by the global allocator.

use std::hint::black_box;

use ndarray::{Array1, Array2};
use vi_core::StreamKey;
use vi_core::testing::CountingAllocator;
use vi_families::*;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn count(f: impl FnOnce()) -> usize {
    CountingAllocator::during(f).n
}

/// Once before, so that what is found out once in a process does not count.
fn check(what: &str, mut f: impl FnMut()) {
    f();
    assert_eq!(count(f), 0, "{what} allocates");
}

const N: usize = 1000;

fn check_log_prob<F: LogProbSlice>(member: Result<F, FamilyError>, z: F::Value)
where
    F::Value: Clone,
{
    let (member, z, mut out) = (member.unwrap(), vec![z; N], vec![0.0; N]);
    check(F::NAME, || member.log_prob_slice(black_box(&z), &mut out));
}

fn check_sample<F: SampleSlice>(member: Result<F, FamilyError>) {
    let (member, mut out) = (member.unwrap(), vec![0.0; N]);
    let mut rng = StreamKey::from_seed(3).rng(0);
    check(F::NAME, || member.sample_slice(&mut rng, &mut out));
}

#[test]
fn slice_forms_allocate_nothing() {
    assert_eq!(count(|| drop(black_box(vec![1u8]))), 1, "the counter counts");
    one_member();
    members_of_their_own();
    rows();
    natural_gradients();
    plates();
}

/// Members of a plate, in the scratch of the thread.
fn plates() {
    let space = vi_core::Parameter::vector("z", 20, vi_core::Support::Positive);
    let family = GammaPlate::for_space(&vi_core::ParameterSpace::new([space]).unwrap()).unwrap();
    let (params, data, key) = (Array2::from_elem((9, 40), -0.1), [4; 9], StreamKey::from_seed(1));
    let (mut z, mut out, mut scores) = (Array2::zeros((27, 20)), Array1::zeros(27), Array2::zeros((9, 40)));
    let weights = Array1::ones(27);
    check("a plate of Gammas", || {
        family.sample_points(&params, &data, key, 3, &mut z, &mut out).unwrap();
        family.log_prob_points(&params, 3, &z, &mut out).unwrap();
        family.add_scores(&params, 3, &z, &weights, &mut scores).unwrap();
    });
}

/// Of families with independent coordinates.
fn natural_gradients() {
    fn of<F: VariationalFamily>(family: &F) {
        let (params, grad) = (family.init(), Array1::ones(family.n_params()));
        let (q, mut natural, mut moved) = (family.bind(&params).unwrap(), grad.clone(), grad.clone());
        let damping = Damping { relative: 0.1, absolute: 0.0 };
        check("a natural gradient", || q.natural_gradient(damping, &grad, &mut natural).unwrap());
        check("a step along it", || {
            let n_halvings = family.natural_step(&params, &grad, 0.1, &mut moved).unwrap();
            assert_eq!(n_halvings, 0);
        });
    }
    let space = vi_core::Parameter::vector("theta", 20, vi_core::Support::Real);
    let space = vi_core::ParameterSpace::new([space]).unwrap();
    of(&MeanFieldGaussian::new(&space).unwrap());
    of(&StudentTMeanField::new(&space, 3.0).unwrap());
    of(&LearnedStudentTMeanField::new(&space, 3.0).unwrap());
}

fn one_member() {
    check_log_prob(Gaussian::from_mean_precision(0.1, 2.0), 0.3);
    check_log_prob(Gamma::from_shape_rate(0.5, 2.0), 0.3);
    check_log_prob(InverseGamma::from_shape_scale(0.5, 2.0), 0.3);
    check_log_prob(Beta::from_alpha_beta(0.5, 2.0), 0.3);
    check_log_prob(Exponential::from_rate(2.0), 0.3);
    check_log_prob(ChiSquared::from_dof(2.0), 0.3);
    check_log_prob(LogNormal::from_log_mean_log_precision(0.5, 2.0), 0.3);
    check_log_prob(HalfNormal::from_scale(2.0), 0.3);
    check_log_prob(Rayleigh::from_scale(2.0), 0.3);
    check_log_prob(InverseGaussian::from_mean_shape(0.5, 2.0), 0.3);
    check_log_prob(Pareto::from_minimum_shape(0.1, 2.0), 0.3);
    check_log_prob(Weibull::from_shape_scale(0.5, 2.0), 0.3);
    check_log_prob(Laplace::from_location_scale(0.5, 2.0), 0.3);
    check_log_prob(TruncatedGaussian::from_location_scale(0.5, 2.0, 0.0, 1.0), 0.3);
    check_log_prob(VonMises::from_mean_direction_concentration(0.5, 2.0), 0.3);
    check_log_prob(ContinuousBernoulli::from_logit(0.5), 0.3);
    check_log_prob(Bernoulli::from_logit(0.5), true);
    check_log_prob(Categorical::from_logits(&ndarray::array![0.5, 1.0]), 1);
    check_log_prob(Poisson::from_rate(0.5), 3);
    check_log_prob(Geometric::from_probability(0.5), 3);
    check_log_prob(Binomial::from_logit(9, 0.5), 3);
    check_log_prob(NegativeBinomial::from_probability(1.5, 0.5), 3);

    check_sample(Gaussian::from_mean_precision(0.1, 2.0));
    check_sample(Gamma::from_shape_rate(0.5, 2.0));
    check_sample(InverseGamma::from_shape_scale(0.5, 2.0));
    check_sample(Beta::from_alpha_beta(0.5, 2.0));
    check_sample(Exponential::from_rate(2.0));
    check_sample(ChiSquared::from_dof(2.0));
    check_sample(VonMises::from_mean_direction_concentration(0.5, 2.0));
}

fn members_of_their_own() {
    let (a, b, z) = (vec![0.5; N], vec![0.25; N], vec![1.5; N]);
    let (counts, coins) = (vec![3u64; N], vec![true; N]);
    let [mut o, mut p] = [vec![0.0; N], vec![0.0; N]];
    check("Gamma", || {
        Gamma::log_prob_each(&a, &b, &z, &mut o);
        Gamma::mean_params_each(&a, &b, &mut o, &mut p);
        Gamma::entropy_each(&a, &b, &mut o);
    });
    check("Beta, inverse Gamma and Gaussian", || {
        Beta::mean_params_each(&a, &b, &mut o, &mut p);
        Beta::entropy_each(&a, &b, &mut o);
        InverseGamma::entropy_each(&a, &b, &mut o);
        Gaussian::log_prob_each(&a, &b, &z, &mut o);
    });
    check("Weibull", || {
        Weibull::log_prob_each(&a, &b, &z, &mut o);
        Weibull::mean_params_each(&a, &b, &mut o);
        Weibull::entropy_each(&a, &b, &mut o);
    });
    check("continuous Bernoulli", || {
        ContinuousBernoulli::log_prob_each(&a, &b, &mut o);
        ContinuousBernoulli::entropy_each(&a, &mut o);
    });
    check("von Mises", || {
        VonMises::log_prob_each(&a, &b, &z, &mut o);
        VonMises::mean_params_each(&a, &b, &mut o, &mut p);
        VonMises::entropy_each(&a, &b, &mut o);
    });
    check("counts", || {
        Poisson::log_prob_each(&a, &counts, &mut o);
        NegativeBinomial::log_prob_each(&a, &b, &counts, &mut o);
        Binomial::log_prob_each(&counts, &b, &counts, &mut o);
        Binomial::mean_params_each(&counts, &b, &mut o);
        Bernoulli::log_prob_each(&b, &coins, &mut o);
        Geometric::entropy_each(&b, &mut o);
    });
}

fn rows() {
    let x = Array2::from_shape_fn((100, 17), |(n, k)| 0.1 + (n * k) as f64 * 1e-3);
    let (mut out, mut rows, mut values, z) = (x.clone(), Array1::zeros(100), [0.0; 100], [3usize; 100]);
    check("rows", || {
        Dirichlet::expected_log_rows(&x, &mut out);
        Categorical::log_probabilities_rows(&x, &mut out);
        Categorical::probabilities_rows(&x, &mut out);
        Categorical::entropy_rows(&x, &mut rows);
        Categorical::log_prob_rows(&x, &z, &mut values);
    });
}
