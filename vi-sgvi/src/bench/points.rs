//! Points of the optimisation at which gradients are estimated.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{Exec, LogJoint, Role, StreamKey};
use vi_families::VariationalFamily;

use super::candidate::{Ascent, Candidate};
use crate::elbo::{Elbo, evaluate_elbo};
use crate::error::SgviError;
use crate::settings::SgviSettings;

/// A named λ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What it is: `start`, `middle`, `optimum`.
    pub name: String,
    /// λ (P).
    pub params: Array1<f64>,
}

impl Point {
    /// A λ (P) of your own.
    pub fn new(name: impl Into<String>, params: Array1<f64>) -> Self {
        Self { name: name.into(), params }
    }
}

/// Start, middle and optimum of one candidate's fit.
///
/// The start is the family's, the optimum the averaged λ after all of `settings.n_iterations`, whether or not they
/// were enough. The middle is the average, among those after 1, 2, 3, 4, 6, 8, 12 … iterations, whose ELBO is nearest
/// to half way between the two.
///
/// # Errors
/// [`SgviError`] as for [`crate::fit`].
pub fn points_of_fit<M, F>(
    model: &M,
    family: &F,
    candidate: &Candidate<'_, M, F>,
    settings: &SgviSettings,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<Vec<Point>, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let elbo = Elbo::new(model, family)?;
    let start = family.init();
    let n_iterations = settings.n_iterations;
    let ascent = Ascent {
        n_iterations,
        optimizer: settings.optimizer,
        averaging: settings.averaging,
        key: key.role(Role::Step),
    };
    let mut path = vec![start.clone()];
    let mut next = 1;
    candidate.inner().ascend(elbo, &start, ascent, exec, &mut |step| {
        if step.t >= next || step.t == n_iterations {
            path.push((step.average)());
            next = after(step.t);
        }
        Ok(true)
    })?;
    let value = |params: &Array1<f64>| {
        evaluate_elbo(model, family, params, settings.n_evaluate, key.role(Role::Evaluate), exec)
    };
    let values = path.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    let half = 0.5 * (values[0].value + values[values.len() - 1].value);
    let distance = |i: &usize| (values[*i].value - half).abs();
    let middle = (0..path.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
    let optimum = path[path.len() - 1].clone();
    Ok(vec![
        Point::new("start", start),
        Point::new("middle", path[middle].clone()),
        Point::new("optimum", optimum),
    ])
}

/// 1, 2, 3, 4, 6, 8, 12, 16, ….
fn after(t: u64) -> u64 {
    let power = 1 << t.ilog2();
    if t < 2 || t >= power + power / 2 { 2 * power } else { power + power / 2 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn snapshots_lie_two_to_an_octave() {
        let times: Vec<u64> = std::iter::successors(Some(1), |t| Some(super::after(*t))).take(9).collect();
        assert_eq!(times, [1, 2, 3, 4, 6, 8, 12, 16, 24]);
    }
}
