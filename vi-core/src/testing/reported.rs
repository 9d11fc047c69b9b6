//! Reparametrised models.

use faer::Mat;
use ndarray::Array1;

use super::points::random_points;
use crate::bijector::Bijection;
use crate::key::StreamKey;
use crate::model::Reported;

/// Checks that `report` and `unreport` undo each other, that what is reported lies in its support, and that
/// the log determinant is that of the Jacobian (by differences, to 10⁻⁵), at `n_points` random points.
///
/// # Panics
/// With the point and both numbers where they differ; if a space is discrete, or the two have different numbers
/// of free coordinates.
pub fn check_reported<M: Reported + ?Sized>(model: &M, n_points: usize, key: StreamKey) {
    let own = Bijection::new(model.parameters()).unwrap_or_else(|e| panic!("{e}"));
    let other = Bijection::new(model.reported()).unwrap_or_else(|e| panic!("{e}"));
    let n = own.unconstrained().dim();
    assert_eq!(
        n,
        other.unconstrained().dim(),
        "numbers of free coordinates of z and of the reported variables"
    );
    for z in random_points(model.parameters(), n_points, key).rows() {
        let mut reported = Array1::from_elem(model.reported().dim(), f64::NAN);
        let log_det = model.report(&z, &mut reported);
        model.reported().check(&reported).unwrap_or_else(|e| panic!("reported at z = {z}: {e}"));
        let mut back = Array1::from_elem(z.len(), f64::NAN);
        model.unreport(&reported, &mut back);
        let error = (&back - &z).mapv(f64::abs) / z.mapv(|v| 1.0 + v.abs());
        assert!(
            error.iter().all(|e| *e <= 1e-8),
            "z = {z} is reported as {reported}, which is unreported as {back}"
        );
        // On the unconstrained scales: v(u) is report between the two bijections.
        let mut u = Array1::zeros(n);
        own.unconstrain(&z, &mut u).unwrap_or_else(|e| panic!("{e}"));
        let through = |u: &Array1<f64>| {
            let (mut z, mut r, mut v) = (z.to_owned(), reported.clone(), Array1::zeros(n));
            own.constrain(u, &mut z);
            model.report(&z, &mut r);
            other.unconstrain(&r, &mut v).unwrap_or_else(|e| panic!("{e}"));
            v
        };
        let expected =
            jacobian(&u, &through).determinant().abs().ln() + other.log_det(&through(&u)) - own.log_det(&u);
        assert!(
            (log_det - expected).abs() <= 1e-5 * (1.0 + expected.abs()),
            "log |det| is {log_det} by the model, {expected} by differences at z = {z}"
        );
    }
}

/// ∂v_i/∂u_j by central differences of fourth order.
fn jacobian(u: &Array1<f64>, v: &dyn Fn(&Array1<f64>) -> Array1<f64>) -> Mat<f64> {
    let columns: Vec<Array1<f64>> = (0..u.len())
        .map(|j| {
            let h = 1e-3 * (1.0 + u[j].abs());
            let at = |step: f64| {
                let mut u = u.clone();
                u[j] += step;
                v(&u)
            };
            ((at(h) - at(-h)) * 8.0 - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
        })
        .collect();
    Mat::from_fn(u.len(), u.len(), |i, j| columns[j][i])
}
