//! A baseline that is chosen at run time.

use ndarray::ArrayRef1;
use vi_core::{CommError, Exec};

use super::moving_average::MovingAverageState;
use super::{
    Baseline, BaselineScratch, ControlVariate, LeaveOneOut, MovingAverage, NoBaseline,
    SameSampleControlVariate, Terms,
};

/// One of the baselines, chosen at run time: for settings files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyBaseline {
    /// [`NoBaseline`].
    None,
    /// [`LeaveOneOut`].
    LeaveOneOut,
    /// [`MovingAverage`].
    MovingAverage(MovingAverage),
    /// [`ControlVariate`].
    ControlVariate,
    /// [`SameSampleControlVariate`]: biased.
    SameSampleControlVariate,
}

/// Calls with the type of the baseline `B`.
macro_rules! each {
    ($any:expr, $B:ident => $do:expr) => {
        match $any {
            AnyBaseline::None => {
                type $B = NoBaseline;
                $do
            }
            AnyBaseline::LeaveOneOut => {
                type $B = LeaveOneOut;
                $do
            }
            AnyBaseline::MovingAverage(_) => {
                type $B = MovingAverage;
                $do
            }
            AnyBaseline::ControlVariate => {
                type $B = ControlVariate;
                $do
            }
            AnyBaseline::SameSampleControlVariate => {
                type $B = SameSampleControlVariate;
                $do
            }
        }
    };
}

/// The constants are those of no baseline in particular; the methods answer for the one that was chosen.
impl Baseline for AnyBaseline {
    const NAME: &'static str = "a baseline";
    const MIN_GROUPS: usize = 1;
    type State = MovingAverageState;

    fn name(&self) -> &'static str {
        each!(self, B => B::NAME)
    }
    fn min_groups(&self) -> usize {
        each!(self, B => B::MIN_GROUPS)
    }
    fn bias(&self) -> Option<&'static str> {
        each!(self, B => B::BIAS)
    }
    fn whole_groups(&self) -> bool {
        each!(self, B => B::WHOLE_GROUPS)
    }
    fn remembers(&self) -> bool {
        each!(self, B => size_of::<<B as Baseline>::State>() > 0)
    }

    fn combine(
        &self,
        state: &mut MovingAverageState,
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        match self {
            Self::None => NoBaseline.combine(&mut (), terms, exec, scratch, grad),
            Self::LeaveOneOut => LeaveOneOut.combine(&mut (), terms, exec, scratch, grad),
            Self::MovingAverage(inner) => inner.combine(state, terms, exec, scratch, grad),
            Self::ControlVariate => ControlVariate.combine(&mut (), terms, exec, scratch, grad),
            Self::SameSampleControlVariate => {
                SameSampleControlVariate.combine(&mut (), terms, exec, scratch, grad)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_one_answers() {
        let moving = AnyBaseline::MovingAverage(MovingAverage::default());
        let all = [
            AnyBaseline::None,
            AnyBaseline::LeaveOneOut,
            moving,
            AnyBaseline::ControlVariate,
            AnyBaseline::SameSampleControlVariate,
        ];
        assert_eq!(all.map(|b| b.min_groups()), [1, 2, 1, 2, 2]);
        assert_eq!(all.map(|b| b.whole_groups()), [false, false, false, true, true]);
        assert_eq!(all.map(|b| b.remembers()), [false, false, true, false, false]);
        assert_eq!(all.map(|b| b.bias().is_some()), [false, false, false, false, true]);
        assert_eq!(all[1].name(), LeaveOneOut::NAME);
    }
}
