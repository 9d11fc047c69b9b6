//! Points of the optimisation at which gradients are estimated.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{Exec, LogJoint, Role, StreamKey};
use vi_families::VariationalFamily;

use super::candidate::{Ascent, Candidate};
use super::{Progress, Watch};
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
    let climb = Climb { elbo: Elbo::new(model, family)?, candidate, settings };
    Ok(climb.run(key, exec, &mut |_| true)?.unwrap_or_default())
}

/// The fit behind [`points_of_fit`], for callers who watch or interrupt.
#[derive(Debug)]
pub struct Climb<'a, M: ?Sized, F> {
    /// The objective.
    pub elbo: Elbo<'a, M, F>,
    /// Who climbs.
    pub candidate: &'a Candidate<'a, M, F>,
    /// How long, with which optimizer.
    pub settings: &'a SgviSettings,
}

impl<M, F> Climb<'_, M, F>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    /// Start, middle and optimum; `None` when the watch ended the climb.
    ///
    /// # Errors
    /// As for [`points_of_fit`].
    pub fn run(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Vec<Point>>, SgviError> {
        let start = self.elbo.family().init();
        let Some(path) = self.path(&start, key.role(Role::Step), exec, watch)? else { return Ok(None) };
        let value = |params: &Array1<f64>| {
            let (n, key) = (self.settings.n_evaluate, key.role(Role::Evaluate));
            evaluate_elbo(self.elbo.model(), self.elbo.family(), params, n, key, exec)
        };
        let values = path.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let half = 0.5 * (values[0].value + values[values.len() - 1].value);
        let distance = |i: &usize| (values[*i].value - half).abs();
        let middle = (0..path.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
        let optimum = path[path.len() - 1].clone();
        Ok(Some(vec![
            Point::new("start", start),
            Point::new("middle", path[middle].clone()),
            Point::new("optimum", optimum),
        ]))
    }

    /// The averages after 0, 1, 2, 3, 4, 6, 8, 12 … iterations, and after all of them.
    fn path(
        &self,
        start: &Array1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Vec<Array1<f64>>>, SgviError> {
        let SgviSettings { n_iterations, optimizer, averaging, .. } = *self.settings;
        let ascent = Ascent { n_iterations, optimizer, averaging, key };
        let (mut path, mut next, mut go_on) = (vec![start.clone()], 1, true);
        self.candidate.inner().ascend(self.elbo, start, ascent, exec, &mut |step| {
            if step.t >= next || step.t == n_iterations {
                path.push((step.average)());
                next = after(step.t);
            }
            let (candidate, stage) = (self.candidate.name(), "climb");
            go_on = watch(Progress { candidate, stage, n_done: step.t, n_total: n_iterations });
            Ok(go_on)
        })?;
        Ok(go_on.then_some(path))
    }
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
