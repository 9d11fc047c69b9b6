//! A mixture of Gaussians from a start in which coordinate ascent gets stuck, and four ways out of it.

#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use vi_cavi::{
    Annealing, Ascent, Cavi, CaviSettings, DampedCavi, DampedSettings, ElboTolerance, Fit, MoveSettings,
    MovingCavi, StateOf, SviSettings, fit, fit_stochastic,
};
use vi_core::{Exec, NeverStop, StreamKey, run};
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixturePriors};

const EACH: usize = 60;

/// Three clusters in a row.
fn model() -> Result<GaussianMixture, Box<dyn std::error::Error>> {
    let mut rng = StreamKey::from_seed(3).rng(0);
    let data = Array2::from_shape_fn((3 * EACH, 2), |(n, j)| {
        let noise: f64 = StandardNormal.sample(&mut rng);
        noise + if j == 0 { 4.0 * (n / EACH) as f64 - 4.0 } else { 0.0 }
    });
    let priors = GaussianMixturePriors { count: 0.1, ..GaussianMixturePriors::default() };
    Ok(GaussianMixture::new(data, 3, priors)?)
}

/// Two clusters in one component, the third cut in two.
fn bad_start(model: &GaussianMixture) -> Result<StateOf<GaussianMixture>, Box<dyn std::error::Error>> {
    let label = |n| if n / EACH < 2 { 0 } else { 1 + usize::from(model.data()[[n, 1]] > 0.0) };
    let labels: Vec<usize> = (0..3 * EACH).map(label).collect();
    let (factors, stats) = model.start_from_labels(&labels, Exec::local())?;
    Ok(Cavi::new(model, Exec::local()).warm_start(factors, stats)?)
}

fn ascend<K: Ascent>(kernel: &K, mut state: K::State) -> Result<(f64, u64), Box<dyn std::error::Error>> {
    let stop = ElboTolerance { relative: 1e-10 };
    let outcome = run(kernel, &mut state, StreamKey::from_seed(1), 0..5000, &stop, &mut [])?;
    Ok((K::ascent(&state).elbo, outcome.next))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (model, exec, settings) = (model()?, Exec::local(), CaviSettings::default());
    let (elbo, n) = ascend(&Cavi::new(&model, exec), bad_start(&model)?)?;
    println!("plain sweeps      ELBO {elbo:.3} after {n} iterations");

    let damped = DampedSettings { rate: 1.0, annealing: Some(Annealing::default()) };
    let (elbo, n) = ascend(&DampedCavi::new(&model, damped, &settings, exec)?, bad_start(&model)?)?;
    println!("annealing         ELBO {elbo:.3} after {n} iterations");

    let kernel = MovingCavi::new(&model, MoveSettings::default(), &settings, exec)?;
    let state = kernel.start_from(bad_start(&model)?);
    let (elbo, n) = ascend(&kernel, state)?;
    println!("splits and merges ELBO {elbo:.3} after {n} iterations");

    let key = StreamKey::from_seed(2);
    let restarts = fit(&model, &CaviSettings { n_restarts: 20, ..settings.clone() }, key, exec)?;
    for optimum in &restarts.optima {
        println!("restarts          ELBO {:.3}: {:.0} %", optimum.elbo, 100.0 * optimum.frequency(20));
    }
    let moved = Fit::with_kernel(kernel, &CaviSettings { n_restarts: 20, ..settings }, key).run()?;
    for optimum in &moved.optima {
        println!("  with moves      ELBO {:.3}: {:.0} %", optimum.elbo, 100.0 * optimum.frequency(20));
    }

    let minibatches = SviSettings { batch_size: 30, n_epochs: 30, ..SviSettings::default() };
    let svi = fit_stochastic(&model, &minibatches, key, exec, None, &NeverStop, &mut [])?;
    println!("minibatches of 30 ELBO {:.3} after {} steps", svi.state.elbo(), svi.state.n_steps);
    Ok(())
}
