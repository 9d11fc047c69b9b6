//! Conjugate gradients within a trust region, which know the matrix only by its products.

use ndarray::{Array1, ArrayRef1};

/// What conjugate gradients came back with.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The step (n).
    pub(super) step: Array1<f64>,
    /// bᵀx − ½ xᵀBx: by how much the quadratic model grows.
    pub(super) predicted: f64,
    /// Whether it ended on the boundary of the region: the step would have gone on, or B is not positive there.
    pub(super) on_boundary: bool,
    /// ‖b − Bx‖ at the end, where it did not end on the boundary.
    pub(super) residual: f64,
    /// Products with B.
    pub(super) n_products: u64,
}

/// Maximises bᵀx − ½ xᵀBx over ‖x‖ ≤ radius until the residual ‖b − Bx‖ is below `tolerance`, or 2n products are made.
///
/// With an infinite radius and a positive definite B this solves Bx = b.
///
/// Source: Steihaug 1983; Nocedal & Wright 2006, algorithm 7.2.
pub(super) fn conjugate_gradients<E>(
    b: &ArrayRef1<f64>,
    radius: f64,
    tolerance: f64,
    mut product: impl FnMut(&ArrayRef1<f64>) -> Result<Array1<f64>, E>,
) -> Result<Step, E> {
    let n = b.len();
    let (mut x, mut bx) = (Array1::zeros(n), Array1::<f64>::zeros(n));
    let (mut residual, mut direction) = (b.to_owned(), b.to_owned());
    let (mut on_boundary, mut n_products) = (false, 0);
    let mut square: f64 = residual.dot(&residual);
    while square.sqrt() > tolerance && n_products < 2 * n as u64 {
        let along = product(&direction)?;
        n_products += 1;
        let curvature = direction.dot(&along);
        let length = square / curvature;
        let next_x: Array1<f64> = &x + &(&direction * length);
        let next_norm: f64 = next_x.dot(&next_x);
        if curvature <= 0.0 || next_norm.sqrt() >= radius {
            let to_boundary = to_boundary(&x, &direction, radius);
            x.scaled_add(to_boundary, &direction);
            bx.scaled_add(to_boundary, &along);
            on_boundary = true;
            break;
        }
        x = next_x;
        bx.scaled_add(length, &along);
        residual.scaled_add(-length, &along);
        let next: f64 = residual.dot(&residual);
        direction = &residual + &(&direction * (next / square));
        square = next;
    }
    let predicted = b.dot(&x) - 0.5 * x.dot(&bx);
    Ok(Step { step: x, predicted, on_boundary, residual: square.sqrt(), n_products })
}

/// τ ≥ 0 with ‖x + τd‖ = radius.
fn to_boundary(x: &Array1<f64>, d: &Array1<f64>, radius: f64) -> f64 {
    let (a, b, c) = (d.dot(d), x.dot(d), x.dot(x) - radius * radius);
    let root = (b * b - a * c).max(0.0).sqrt();
    // The form without cancellation for b > 0.
    if b > 0.0 { -c / (b + root) } else { (root - b) / a }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use ndarray::{Array1, Array2, array};

    use super::conjugate_gradients;

    fn solve(a: &Array2<f64>, b: &Array1<f64>, radius: f64) -> super::Step {
        conjugate_gradients::<Infallible>(b, radius, 1e-12, |x| Ok(a.dot(x))).unwrap()
    }

    #[test]
    fn a_positive_definite_system_is_solved_and_its_gain_is_half_bx() {
        let (a, b) = (array![[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 2.0]], array![1.0, -2.0, 0.5]);
        let solved = solve(&a, &b, f64::INFINITY);
        assert!((a.dot(&solved.step) - &b).iter().all(|e| e.abs() < 1e-12));
        assert!((solved.predicted - 0.5 * b.dot(&solved.step)).abs() < 1e-12);
        assert!(!solved.on_boundary && solved.n_products == 3, "{solved:?}");
    }

    #[test]
    fn a_short_radius_and_negative_curvature_end_on_the_boundary() {
        let b = array![1.0, 1.0];
        for a in [array![[1.0, 0.0], [0.0, 2.0]], array![[1.0, 0.0], [0.0, -2.0]]] {
            let step = solve(&a, &b, 0.3);
            assert!((step.step.dot(&step.step).sqrt() - 0.3).abs() < 1e-12 && step.on_boundary);
            let x = &step.step;
            let gain = b.dot(x) - 0.5 * x.dot(&a.dot(x));
            assert!((step.predicted - gain).abs() < 1e-12 && gain > 0.0);
        }
    }
}
