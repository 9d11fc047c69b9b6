//! The same key gives the same bits, on any number of threads and ranks and over any stop.

use ndarray::Array1;
use vi_core::testing::check_kernel;
use vi_core::{Exec, LogJoint, StreamKey};
use vi_families::MeanFieldGaussian;
use vi_sgvi::{
    Adam, ControlledPathwise, Elbo, GradientEstimator, ImportanceBound, ImportancePathwise, Memory, Pathwise,
    Sgvi, Vimco,
};

use crate::gaussian_target::GaussianTarget;
use crate::ranks::on_ranks;
use crate::spread;

/// Three chunks of samples, the last one short, and groups that lie across chunks.
fn bound() -> ImportanceBound {
    ImportanceBound::importance_weighted(26).unwrap()
}

fn threads_and_stops<E: GradientEstimator<GaussianTarget, MeanFieldGaussian>>(estimator: E) {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let kernel = Sgvi::new(&model, &family, estimator, Adam::default()).unwrap();
    check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(6), 12);
}

#[test]
fn threads_and_stops_leave_no_trace() {
    threads_and_stops(Pathwise::monte_carlo_entropy(130));
    threads_and_stops(Pathwise::sticking_the_landing(130));
    threads_and_stops(ControlledPathwise::new(130).unwrap());
    threads_and_stops(Vimco::new(bound(), 5));
    threads_and_stops(ImportancePathwise::naive(bound(), 5));
    threads_and_stops(ImportancePathwise::doubly_reparameterized(bound(), 5));
}

fn ranks<E: GradientEstimator<GaussianTarget, MeanFieldGaussian>>(estimator: E) {
    let bits = |exec: Exec<'_>| {
        let model = GaussianTarget::correlated();
        let family = MeanFieldGaussian::new(model.parameters()).unwrap();
        let elbo = Elbo::new(&model, &family).unwrap();
        let (params, mut memory) = (spread(6, 0.2), Memory::default());
        let (mut grad, mut out) = (Array1::zeros(6), Vec::new());
        for t in 0..3 {
            let key = StreamKey::from_seed(9).fold_in(t);
            let estimate = estimator.estimate(elbo, &params, key, exec, &mut memory, &mut grad).unwrap();
            out.extend([estimate.value, estimate.mcse].iter().chain(&grad).map(|v| v.to_bits()));
        }
        out
    };
    let alone = bits(Exec::local());
    for size in [2, 3] {
        for of_rank in on_ranks(size, bits) {
            assert_eq!(of_rank, alone, "{size} ranks");
        }
    }
}

#[test]
fn ranks_leave_no_trace() {
    ranks(Pathwise::monte_carlo_entropy(130));
    ranks(ControlledPathwise::new(130).unwrap());
    ranks(Vimco::new(bound(), 5));
    ranks(ImportancePathwise::naive(bound(), 5));
}
