//! What an ascent remembers of the curvature it met.

use std::collections::VecDeque;

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};

/// One step: s = x′ − x, y = ∇f(x) − ∇f(x′), so that y ≈ −∇²f s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) s: Array1<f64>,
    pub(crate) y: Array1<f64>,
    pub(crate) sy: f64,
}

/// The last steps, and the diagonal from which the estimate H of the inverse of −∇²f starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    pub(crate) pairs: VecDeque<Pair>,
    pub(crate) diagonal: Array1<f64>,
}

impl History {
    pub(crate) fn new(n: usize) -> Self {
        Self { pairs: VecDeque::new(), diagonal: Array1::ones(n) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Takes in a step, unless f was not concave along it.
    pub(crate) fn push(&mut self, s: Array1<f64>, y: Array1<f64>, memory: usize) {
        let (sy, yy) = (s.dot(&y), y.dot(&y));
        if !(sy > 1e-12 * yy && sy.is_finite()) {
            return;
        }
        self.rescale(&s, &y, sy);
        if self.pairs.len() == memory {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair { s, y, sy });
    }

    /// ```text
    /// α′_i⁻¹ = a/(b α_i) + y_i²/b − a s_i²/(b c α_i²),     a = yᵀ diag(α) y,  b = yᵀs,  c = sᵀ diag(α)⁻¹ s
    /// ```
    /// Source: Gilbert & Lemaréchal 1989, eq. 4.9, as in Zhang et al. 2022, algorithm 3.
    fn rescale(&mut self, s: &ArrayRef1<f64>, y: &ArrayRef1<f64>, b: f64) {
        let alpha = &mut self.diagonal;
        let (mut a, mut c) = (0.0, 0.0);
        Zip::from(&*alpha).and(s).and(y).for_each(|alpha, s, y| {
            a += y * y * alpha;
            c += s * s / alpha;
        });
        Zip::from(alpha).and(s).and(y).for_each(|alpha, s, y| {
            let inverse = a / (b * *alpha) + y * y / b - a * s * s / (b * c * *alpha * *alpha);
            // Positive but for rounding, by Cauchy and Schwarz.
            if inverse > 0.0 && inverse.is_finite() {
                *alpha = inverse.recip();
            }
        });
    }

    /// H v, by the two loops of Nocedal & Wright 2006, algorithm 7.4.
    pub(crate) fn times(&self, v: &ArrayRef1<f64>) -> Array1<f64> {
        let mut q = v.to_owned();
        let mut weights = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let weight = pair.s.dot(&q) / pair.sy;
            q.scaled_add(-weight, &pair.y);
            weights.push(weight);
        }
        q *= &self.diagonal;
        for (pair, weight) in self.pairs.iter().zip(weights.iter().rev()) {
            let back = pair.y.dot(&q) / pair.sy;
            q.scaled_add(weight - back, &pair.s);
        }
        q
    }
}
