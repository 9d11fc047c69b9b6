//! Bad input and bad models: the message says what and where.

mod support;

use ndarray::{ArrayRef1, array};
use support::{Model, gaussian};
use vi_core::{Counted, Parameter, ParameterSpace, StreamKey, Support};
use vi_mcmc::{
    Control, McmcError, McmcPosterior, McmcSettings, Nuts, NutsSettings, RandomWalk, RandomWalkSettings,
    Sampler, sample,
};

const SHORT: McmcSettings = McmcSettings { n_chains: 2, n_warmup: 100, n_draws: 100, thin: 1 };

fn run<S: Sampler>(sampler: &S) -> Result<McmcPosterior, McmcError> {
    sample(sampler, &SHORT, StreamKey::from_seed(3), Control::none())
}

fn normal(z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
    grad.assign(&z.mapv(|v| -v));
    -0.5 * z.dot(z)
}

fn mu_tau() -> [Parameter; 2] {
    [Parameter::scalar("mu", Support::Real), Parameter::scalar("tau", Support::Positive)]
}

#[test]
fn nan_shows_the_point() {
    let model = || {
        Model::new(mu_tau(), |z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
            let value = normal(z, grad);
            if z[0] > 1.0 { f64::NAN } else { value }
        })
    };
    let nuts = run(&Nuts::new(model(), NutsSettings::default()).unwrap());
    let walk = run(&RandomWalk::new(model(), RandomWalkSettings::default()).unwrap());
    for error in [nuts.unwrap_err(), walk.unwrap_err()] {
        let message = error.to_string();
        assert!(message.starts_with("chain 0: "), "{message}");
        let point = message.split("log joint is NaN at mu = ").nth(1).unwrap_or_else(|| panic!("{message}"));
        let mu: f64 = point.split(',').next().unwrap().parse().unwrap();
        assert!(mu > 1.0, "{message}");
        assert!(point.contains("tau = "), "{message}");
    }
}

#[test]
fn nan_in_a_gradient_names_the_coordinate() {
    let model = Model::new(mu_tau(), |z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
        let value = normal(z, grad);
        grad[1] = if z[0] > 1.0 { f64::NAN } else { grad[1] };
        value
    });
    let message = run(&Nuts::new(model, NutsSettings::default()).unwrap()).unwrap_err().to_string();
    assert!(message.contains("gradient of the log joint in log(tau) is NaN at mu = "), "{message}");
}

/// exp(u) overflows far out in the transform; that is no fault of the model.
#[test]
fn nan_beyond_the_support_is_zero_density() {
    let model = Model::new(
        [Parameter::scalar("tau", Support::Positive)],
        |z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
            // log τ has a Cauchy density of scale 300; τ/τ is NaN at ∞ and 0.
            let (log_tau, one) = (z[0].ln() / 300.0, z[0] / z[0]);
            let denominator = 1.0 + log_tau * log_tau;
            grad[0] = -(one + 2.0 * log_tau / 300.0 / denominator) / z[0];
            -z[0].ln() * one - denominator.ln()
        },
    );
    let posterior = run(&Nuts::new(model, NutsSettings::default()).unwrap()).unwrap();
    let largest = posterior.all_draws().values().iter().copied().fold(0.0, f64::max);
    assert!(largest > 1e100 && largest < f64::INFINITY, "{largest}");
}

#[test]
fn infinite_log_joint_is_a_fault() {
    let model = Model::new(mu_tau(), |_: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
        grad.fill(0.0);
        f64::INFINITY
    });
    let message = run(&Nuts::new(model, NutsSettings::default()).unwrap()).unwrap_err().to_string();
    assert!(message.starts_with("chain 0: log joint is inf at mu = "), "{message}");
}

#[test]
fn no_start_says_what_was_seen() {
    let model = || {
        Model::new(mu_tau(), |_: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
            grad.fill(0.0);
            f64::NEG_INFINITY
        })
    };
    let nuts = run(&Nuts::new(model(), NutsSettings::default()).unwrap());
    let walk = run(&RandomWalk::new(model(), RandomWalkSettings::default()).unwrap());
    for error in [nuts.unwrap_err(), walk.unwrap_err()] {
        let message = error.to_string();
        assert!(
            message.starts_with(
                "chain 0: none of 100 random starts has a finite log joint and gradient; the last: -inf at mu = "
            ),
            "{message}"
        );
    }
}

#[test]
fn starts_are_checked() {
    let model = || Model::new(mu_tau(), normal);
    let walk = |starts| {
        RandomWalk::new(model(), RandomWalkSettings::default())
            .and_then(|w| w.with_starts(starts))
            .and_then(|w| run(&w))
    };
    assert!(walk(array![[0.0, 1.0], [1.0, 2.0]]).is_ok());
    let message = walk(array![[0.0], [1.0]]).unwrap_err().to_string();
    assert_eq!(message, "starts have shape (2, 1), expected (2, 2) (chains, variables)");
    let message = walk(array![[0.0, 1.0]]).unwrap_err().to_string();
    assert_eq!(message, "chain 1: starts have shape (1, 2), expected (2, 2) (chains, variables)");
    let message = walk(array![[0.0, 1.0], [0.0, -1.0]]).unwrap_err().to_string();
    assert_eq!(message, "chain 1: tau = -1 lies outside its support (positive)");
}

#[test]
fn a_start_of_zero_density_is_refused() {
    let half = |z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
        let value = normal(z, grad);
        if z[0] < 0.0 { f64::NEG_INFINITY } else { value }
    };
    let nuts = Nuts::new(Model::new(mu_tau(), half), NutsSettings::default()).unwrap();
    let message = run(&nuts.with_starts(array![[-1.0, 1.0], [1.0, 1.0]]).unwrap()).unwrap_err().to_string();
    assert_eq!(message, "chain 0: log joint is -inf at the given start mu = -1, tau = 1");
}

#[test]
fn nuts_starts_beside_a_point_of_symmetry() {
    let nuts = |f: fn(&ArrayRef1<f64>, &mut ArrayRef1<f64>) -> f64| {
        let space = [Parameter::vector("x", 2, Support::Real)];
        Nuts::new(Model::new(space, f), NutsSettings::default())
            .and_then(|n| n.with_starts(ndarray::Array2::zeros((2, 2))))
            .and_then(|n| run(&n))
    };
    assert!(nuts(normal).is_ok());
    let message = nuts(|z, grad| {
        grad[0] = -z[0];
        grad[1] = 0.0;
        -0.5 * z[0] * z[0]
    });
    let message = message.unwrap_err().to_string();
    assert!(message.starts_with("chain 0: log joint does not depend on x[2] around x[1] = "), "{message}");
}

#[test]
fn discrete_variables_are_refused() {
    let model = Model::new([Parameter::scalar("k", Support::Binary)], normal);
    let message = Nuts::new(model, NutsSettings::default()).err().unwrap().to_string();
    assert!(message.contains("parameter `k` has support binary"), "{message}");
}

#[test]
fn settings_are_checked() {
    let model = || Model::new(mu_tau(), normal);
    let nuts = |s| Nuts::new(model(), s).err().unwrap().to_string();
    let wrong = NutsSettings { target_accept: 1.0, ..Default::default() };
    assert_eq!(nuts(wrong), "target_accept = 1, but it must be between 0 and 1, both excluded");
    let wrong = NutsSettings { max_tree_depth: 31, ..Default::default() };
    assert_eq!(nuts(wrong), "max_tree_depth = 31, but it must be between 1 and 30");
    let wrong = NutsSettings { max_energy_error: f64::NAN, ..Default::default() };
    assert_eq!(nuts(wrong), "max_energy_error = NaN, but it must be finite and > 0");
    let wrong = RandomWalkSettings { target_acceptance: -0.5 };
    let message = RandomWalk::new(model(), wrong).err().unwrap().to_string();
    assert_eq!(message, "target_acceptance = -0.5, but it must be between 0 and 1, both excluded");
    let walk = RandomWalk::new(model(), RandomWalkSettings::default()).unwrap();
    let none = McmcSettings { n_draws: 0, ..SHORT };
    let message = sample(&walk, &none, StreamKey::from_seed(1), Control::none()).unwrap_err().to_string();
    assert_eq!(message, "n_draws = 0, but it must be between 1 and 2³² − 1");
}

/// Neal's funnel: x ~ N(0, exp(v)), v ~ N(0, 3²). Its neck is too narrow for any one step size.
#[test]
fn divergences_of_a_funnel_are_counted() {
    let funnel = Model::new(
        [Parameter::scalar("v", Support::Real), Parameter::vector("x", 9, Support::Real)],
        |z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
            let (v, precision) = (z[0], (-z[0]).exp());
            let squares: f64 = z.iter().skip(1).map(|x| x * x).sum();
            for i in 1..10 {
                grad[i] = -precision * z[i];
            }
            grad[0] = -v / 9.0 - 4.5 + 0.5 * precision * squares;
            -v * v / 18.0 - 4.5 * v - 0.5 * precision * squares
        },
    );
    let settings = McmcSettings { n_chains: 4, n_warmup: 500, n_draws: 500, thin: 1 };
    let nuts = Nuts::new(funnel, NutsSettings::default()).unwrap();
    let reported = std::sync::atomic::AtomicU64::new(0);
    let count = |p: vi_mcmc::ChainProgress| {
        let divergent = p.divergent && !p.warmup;
        reported.fetch_add(u64::from(divergent), std::sync::atomic::Ordering::Relaxed);
    };
    let control = Control::none().with_progress(&count);
    let posterior = sample(&nuts, &settings, StreamKey::from_seed(2), control).unwrap();
    assert!(posterior.n_divergent() > 0, "{:?}", posterior.chains());
    assert_eq!(posterior.n_divergent(), reported.into_inner());
}

#[test]
fn short_trajectories_hit_the_greatest_depth() {
    let (model, _) = gaussian();
    let settings = NutsSettings { max_tree_depth: 1, ..Default::default() };
    let posterior = run(&Nuts::new(model, settings).unwrap()).unwrap();
    assert!(posterior.n_max_tree_depth() > 100, "{}", posterior.n_max_tree_depth());
}

#[test]
fn evaluations_are_counted() {
    let counted = Counted::new(Model::new(mu_tau(), normal));
    let posterior = run(&Nuts::new(&counted, NutsSettings::default()).unwrap()).unwrap();
    assert_eq!((posterior.n_log_joint(), posterior.n_gradient()), (0, counted.n_gradient()));
    assert!(counted.n_gradient() > 400);

    let counted = Counted::new(Model::new(mu_tau(), normal));
    let posterior = run(&RandomWalk::new(&counted, RandomWalkSettings::default()).unwrap()).unwrap();
    assert_eq!((posterior.n_log_joint(), posterior.n_gradient()), (counted.n_log_joint(), 0));
    assert!(counted.n_log_joint() >= 402);
}

/// The log joint that is recorded is that of the model on its natural support.
#[test]
fn log_joints_are_those_of_the_draws() {
    let model = Model::new(mu_tau(), normal);
    let posterior = run(&Nuts::new(&model, NutsSettings::default()).unwrap()).unwrap();
    let walk = run(&RandomWalk::new(&model, RandomWalkSettings::default()).unwrap()).unwrap();
    for posterior in [posterior, walk] {
        let values = posterior.all_draws().values();
        for ((c, i), recorded) in posterior.log_joint().indexed_iter() {
            let z = values.slice(ndarray::s![c, i, ..]);
            let direct = vi_core::LogJoint::log_joint(&model, &z);
            assert!((recorded - direct).abs() < 1e-9 * (1.0 + direct.abs()), "{recorded} {direct}");
        }
    }
    assert!(ParameterSpace::new(mu_tau()).is_ok());
}
