//! A line search that ends at the strong Wolfe conditions.

use ndarray::Array1;

/// Sufficient increase, and how much flatter the end has to be.
const C1: f64 = 1e-4;
const C2: f64 = 0.9;
/// Evaluations before the search gives up.
const LIMIT: usize = 40;
/// No bracket is sought beyond this many first steps.
const FARTHEST: f64 = 1e10;

/// A point on the line.
pub(super) struct Along {
    pub(super) step: f64,
    pub(super) value: f64,
    /// The derivative of f along the line.
    pub(super) slope: f64,
    pub(super) position: Array1<f64>,
    pub(super) grad: Array1<f64>,
}

/// What the search compares, without the vectors.
#[derive(Clone, Copy)]
struct End {
    step: f64,
    value: f64,
    slope: f64,
}

impl From<&Along> for End {
    fn from(at: &Along) -> Self {
        Self { step: at.step, value: at.value, slope: at.slope }
    }
}

/// A step along which f rises by enough and gets flat enough, or else the best one seen; `None` if none is better than
/// the start.
///
/// `value` and `slope` > 0 are those of the start, `first` is the step tried first, and changes of f below `resolution`
/// are rounding. Points where f or its derivative is not finite are too far.
///
/// Source: Nocedal & Wright 2006, algorithms 3.5 and 3.6, with the sign of an ascent.
pub(super) fn search(
    value: f64,
    slope: f64,
    first: f64,
    resolution: f64,
    mut at: impl FnMut(f64) -> Along,
) -> Option<Along> {
    let enough = |p: &End| p.value >= value + C1 * p.step * slope - resolution;
    let flat = |p: &End| p.slope.abs() <= C2 * slope;
    let mut low = End { step: 0.0, value, slope };
    let mut high: Option<End> = None;
    let mut best: Option<Along> = None;
    let mut step = first;
    for _ in 0..LIMIT {
        let point = at(step);
        let end = End::from(&point);
        let finite = end.value.is_finite() && point.grad.iter().all(|g| g.is_finite());
        if !finite {
            // No value to interpolate: the bracket shrinks by itself.
            high = Some(End { step, value: f64::NEG_INFINITY, slope: f64::NAN });
            step = low.step + 0.1 * (step - low.step);
            continue;
        }
        if enough(&end) && flat(&end) {
            return Some(point);
        }
        if !enough(&end) || end.value < low.value - resolution {
            high = Some(end);
        } else {
            // An end that rises away from `low` keeps the maximum between the two.
            if end.slope * (high.map_or(f64::INFINITY, |h| h.step) - low.step).signum() <= 0.0 {
                high = Some(low);
            }
            low = end;
            if best.as_ref().is_none_or(|b| point.value >= b.value) {
                best = Some(point);
            }
        }
        step = match high {
            Some(high) => between(low, high),
            None => 4.0 * low.step,
        };
        let width = high.map_or(f64::INFINITY, |h| (h.step - low.step).abs());
        if step > FARTHEST * first || width <= f64::EPSILON * step.abs() {
            break;
        }
    }
    best.filter(|b| b.value > value)
}

/// The maximum of the cubic through two ends, kept off both by a tenth of their distance.
///
/// Source: Nocedal & Wright 2006, eq. 3.59.
fn between(low: End, high: End) -> f64 {
    let (a, b) = (low.step, high.step);
    let middle = 0.5 * (a + b);
    let guess = if high.slope.is_finite() && high.value.is_finite() {
        let d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (a - b);
        let d2 = (b - a).signum() * (d1 * d1 - low.slope * high.slope).sqrt();
        // Of −f, whose minimum the formula gives.
        b - (b - a) * (-high.slope + d2 + d1) / (-high.slope + low.slope + 2.0 * d2)
    } else {
        middle
    };
    let margin = 0.1 * (b - a).abs();
    let (least, most) = (a.min(b) + margin, a.max(b) - margin);
    if guess.is_finite() { guess.clamp(least.min(most), most.max(least)) } else { middle }
}
