//! The same bits on any number of threads and after any stop.

use ndarray::Array1;
use vi_core::testing::{check_kernel, simulate_ranks};
use vi_core::{Exec, StreamKey};
use vi_sgvi::{
    Adam, Averaging, DisArm, HiddenLayerEncoder, PlateElbo, PlateScoreFunction, PlateWorkspace, Table,
    VariationalEm,
};

use crate::network::Small;

/// More data than two chunks hold.
const N: usize = 150;

#[test]
fn tables_and_encoders_end_in_the_same_bits() {
    let small = Small::new(N, 9, 7);
    let key = StreamKey::from_seed(40);
    let table = Table::new(N, &small.family);
    let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
    let kernel =
        VariationalEm::new(elbo, PlateScoreFunction::leave_one_out(5), Adam::default(), Adam::default())
            .unwrap();
    check_kernel(&kernel, &kernel.init(key).unwrap(), key, 6);
    let kernel = kernel.with_batch_size(70).unwrap().with_averaging(Averaging::Tail).unwrap();
    check_kernel(&kernel, &kernel.init(key).unwrap(), key, 9);

    let encoder = HiddenLayerEncoder::new(small.model.pixels().clone(), 5, &small.family).unwrap();
    let elbo = PlateElbo::new(&small.model, &small.family, &encoder).unwrap();
    let kernel = VariationalEm::new(elbo, DisArm::new(3), Adam::default(), Adam::default()).unwrap();
    check_kernel(&kernel, &kernel.init(key).unwrap(), key, 6);
    let kernel = kernel.with_batch_size(100).unwrap().with_fixed_model();
    check_kernel(&kernel, &kernel.init(key).unwrap(), key, 6);
}

#[test]
fn ranks_see_the_same_gradient() {
    let small = Small::new(N, 9, 7);
    let table = Table::new(N, &small.family);
    let gradient = |exec: Exec<'_>| {
        let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
        let logits = Array1::from_elem(7 * N, 0.3);
        let (mut model_grad, mut grad) = (Array1::zeros(small.theta.len()), Array1::zeros(7 * N));
        let (estimator, key) = (PlateScoreFunction::leave_one_out(4), StreamKey::from_seed(41));
        let workspace = &mut PlateWorkspace::default();
        let value = elbo
            .gradient(&estimator, &small.theta, &logits, key, exec, workspace, &mut model_grad, &mut grad)
            .unwrap()
            .value;
        model_grad.iter().chain(&grad).chain([&value]).map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    let expected = gradient(Exec::local());
    for size in [2, 3, 5] {
        for got in simulate_ranks(size, gradient) {
            assert!(got == expected, "{size} ranks");
        }
    }
}
