//! The same key gives the same bits, however the work is cut.

use ndarray::Array1;
use vi_core::testing::check_kernel;
use vi_core::{Exec, Role, StreamKey};
use vi_sgvi::{
    Adam, AnyOptimizer, Averaging, Elbo, GradientEstimator, Memory, Pathwise, RmsProp, ScoreFunction, Sgd,
    Sgvi, Window, evaluate_elbo,
};

use crate::common::{Diagonal, GaussianTarget, on_ranks};

#[test]
fn threads_and_stops_leave_no_trace() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let key = StreamKey::from_seed(8);
    // Windows end on both sides of the stops.
    let window = Window { length: 4, growth: 1.25, ..Window::default() };

    let kernel = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(200), Adam::default()).unwrap();
    let kernel = kernel.with_window(window).unwrap();
    check_kernel(&kernel, &kernel.init(), key, 20);

    let kernel = Sgvi::new(&model, &family, Pathwise::new(130), RmsProp::default()).unwrap();
    let kernel =
        kernel.with_window(window).unwrap().with_averaging(Averaging::Polynomial { eta: 8.0 }).unwrap();
    check_kernel(&kernel, &kernel.init(), key, 20);

    let optimizer = AnyOptimizer::Sgd(Sgd::default());
    let kernel = Sgvi::new(&model, &family, ScoreFunction::naive(65), optimizer).unwrap();
    check_kernel(&kernel, &kernel.init(), key, 20);
}

/// The bits of two gradients, of their ELBO estimates and of an evaluation.
fn bits<E>(estimator: &E, exec: Exec<'_>) -> Vec<u64>
where
    E: GradientEstimator<GaussianTarget, Diagonal>,
{
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let elbo = Elbo::new(&model, &family).unwrap();
    let (params, mut memory) = (Array1::from_elem(6, 0.3), Memory::default());
    let (mut grad, mut out) = (Array1::zeros(6), Vec::new());
    for t in 0..2 {
        let key = StreamKey::from_seed(9).fold_in(t);
        let estimate = estimator.estimate(elbo, &params, key, exec, &mut memory, &mut grad).unwrap();
        out.extend([estimate.value, estimate.mcse].iter().chain(&grad).map(|v| v.to_bits()));
    }
    let key = StreamKey::from_seed(9).role(Role::Evaluate);
    let evaluated = evaluate_elbo(&model, &family, &params, 777, key, exec).unwrap();
    out.extend([evaluated.value.to_bits(), evaluated.mcse.to_bits()]);
    out
}

#[test]
fn ranks_leave_no_trace() {
    let score = ScoreFunction::leave_one_out(333);
    let pathwise = Pathwise::new(333);
    let expected = (bits(&score, Exec::local()), bits(&pathwise, Exec::local()));
    for size in [2, 3, 5] {
        for got in on_ranks(size, |exec| (bits(&score, exec), bits(&pathwise, exec))) {
            assert!(got == expected, "{size} ranks");
        }
    }
}
