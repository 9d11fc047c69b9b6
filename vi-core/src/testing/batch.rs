//! Batch forms against one row at a time.

use ndarray::{Array1, Array2, ArrayView2, ShapeBuilder, s};

use super::exec::simulate_ranks;
use super::gradient::close;
use super::points::random_points;
use crate::exec::{CHUNK, Exec};
use crate::key::StreamKey;
use crate::model::{GradLogJoint, LogJoint};

const RELATIVE: f64 = 1e-10;

/// Checks that `log_joint_batch` is `log_joint` row by row, to 10⁻¹⁰ relative: batches of 1, 2 and
/// [`CHUNK`] + 1 random points, stored by rows, by columns and with gaps.
///
/// # Panics
/// With the row and both values where they differ, or where one of them is NaN.
pub fn check_batch<M: LogJoint + ?Sized>(model: &M, key: StreamKey) {
    for_each_layout(model, key, |z, layout| {
        let mut out = Array1::from_elem(z.nrows(), f64::NAN);
        model.log_joint_batch(z, &mut out);
        for (i, (row, &batch)) in z.rows().into_iter().zip(&out).enumerate() {
            let alone = model.log_joint(&row.to_owned());
            assert!(
                close(batch, alone, RELATIVE),
                "row {i} of {} ({layout}): {batch} in the batch, {alone} alone, at z = {row}",
                z.nrows()
            );
        }
    });
}

/// Checks that `log_joint_and_grad_batch` is `log_joint_and_grad` row by row, as [`check_batch`] does, and that
/// `log_joint_and_grad_batch_in` has its bits on 1 and 3 threads and on 2 ranks.
///
/// # Panics
/// With the row and both numbers where they differ, or where one of them is NaN.
pub fn check_gradient_batch<M: GradLogJoint + ?Sized>(model: &M, key: StreamKey) {
    for_each_layout(model, key, |z, layout| {
        let mut out = Array1::from_elem(z.nrows(), f64::NAN);
        let mut grad = Array2::from_elem(z.dim(), f64::NAN);
        model.log_joint_and_grad_batch(z, &mut out, &mut grad);
        check_executors(model, z, (&out, &grad), layout);
        for (i, row) in z.rows().into_iter().enumerate() {
            let mut expected = Array1::from_elem(row.len(), f64::NAN);
            let alone = model.log_joint_and_grad(&row.to_owned(), &mut expected);
            let place = format!("row {i} of {} ({layout}), z = {row}", z.nrows());
            assert!(close(out[i], alone, RELATIVE), "{} in the batch, {alone} alone: {place}", out[i]);
            let largest = expected.iter().fold(0.0, |a: f64, g| a.max(g.abs()));
            for (d, (g, e)) in grad.row(i).iter().zip(&expected).enumerate() {
                // Terms that cancel in one coordinate leave the rounding of the large ones.
                assert!(
                    close(*g, *e, RELATIVE) || (g - e).abs() <= 1e-12 * largest,
                    "gradient in {}: {g} in the batch, {e} alone: {place}",
                    model.parameters().names()[d]
                );
            }
        }
    });
}

/// The bits of a batch wherever it is computed.
fn check_executors<M: GradLogJoint + ?Sized>(
    model: &M,
    z: &ArrayView2<'_, f64>,
    (out, grad): (&Array1<f64>, &Array2<f64>),
    layout: &str,
) {
    let check = |exec: Exec<'_>, place: &str| {
        let (mut values, mut grads) =
            (Array1::from_elem(out.len(), f64::NAN), Array2::from_elem(grad.dim(), f64::NAN));
        model
            .log_joint_and_grad_batch_in(exec, z, &mut values, &mut grads)
            .unwrap_or_else(|e| panic!("{place}: {e}"));
        let equal =
            values.iter().chain(&grads).zip(out.iter().chain(grad)).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(equal, "other bits on {place} ({layout}): {values} and {grads}, not {out} and {grad}");
    };
    for n_threads in [1, 3] {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads can be started");
        pool.install(|| check(Exec::local(), &format!("{n_threads} threads")));
    }
    simulate_ranks(2, |exec| check(exec, "2 ranks"));
}

fn for_each_layout<M: LogJoint + ?Sized>(
    model: &M,
    key: StreamKey,
    check: impl Fn(&ArrayView2<'_, f64>, &str),
) {
    let d = model.dim();
    for n in [1, 2, CHUNK + 1] {
        let z = random_points(model.parameters(), n, key.fold_in(n as u64));
        check(&z.view(), "stored by rows");
        let mut columns = Array2::zeros((n, d).f());
        columns.assign(&z);
        check(&columns.view(), "stored by columns");
        let mut wide = Array2::from_elem((n, d + 1), f64::NAN);
        wide.slice_mut(s![.., ..d]).assign(&z);
        check(&wide.slice(s![.., ..d]), "stored with gaps between rows");
    }
}
