//! Any variational family, one member for every datum.

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use vi_core::StreamKey;

use super::PlateFamily;
use crate::error::FamilyError;
use crate::variational::{VariationalDistribution, VariationalFamily};

/// A [`VariationalFamily`] over the local variables, with a member bound for every datum.
///
/// It makes any family one of a plate. Families that are written for plates do the same without binding, several times
/// as fast where z_n is short.
#[derive(Clone, Debug)]
pub struct EachMember<F> {
    family: F,
}

impl<F: VariationalFamily> EachMember<F> {
    /// The plate of this family's members.
    pub fn new(family: F) -> Self {
        Self { family }
    }

    /// The family.
    pub fn family(&self) -> &F {
        &self.family
    }

    /// Calls `f` with the member of every row of `params`, and its rows of points.
    fn each(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        mut f: impl FnMut(usize, std::ops::Range<usize>, F::Member<'_>),
    ) -> Result<(), FamilyError> {
        assert_eq!(params.ncols(), self.family.n_params(), "params: wrong shape");
        for (i, params) in params.rows().into_iter().enumerate() {
            let member = self.family.bind(&params).map_err(|error| in_row(error, i))?;
            f(i, i * n_samples..(i + 1) * n_samples, member);
        }
        Ok(())
    }
}

/// The error, with the row of the parameters that it is about.
fn in_row(error: FamilyError, row: usize) -> FamilyError {
    match error {
        FamilyError::Domain { family, parameter, value, requirement } => {
            FamilyError::Domain { family, parameter: format!("{parameter} of row {row}"), value, requirement }
        }
        other => other,
    }
}

impl<F: VariationalFamily> PlateFamily for EachMember<F> {
    fn dim(&self) -> usize {
        self.family.dim()
    }
    fn n_params(&self) -> usize {
        self.family.n_params()
    }
    fn param_names(&self) -> Vec<String> {
        self.family.param_names()
    }
    fn init(&self) -> Array1<f64> {
        self.family.init()
    }

    fn sample_points(
        &self,
        params: &ArrayRef2<f64>,
        data: &[usize],
        key: StreamKey,
        n_samples: usize,
        z: &mut ArrayRef2<f64>,
        log_q: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        assert_eq!((params.nrows(), log_q.len()), (data.len(), z.nrows()), "params or log_q: wrong shape");
        self.each(params, n_samples, |i, points, member| {
            let mut rng = key.rng(data[i] as u64);
            let mut z = z.slice_mut(s![points.clone(), ..]);
            z.rows_mut().into_iter().for_each(|mut row| member.sample(&mut rng, &mut row));
            member.log_prob_batch(&z, &mut log_q.slice_mut(s![points]));
        })
    }

    fn log_prob_points(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        self.each(params, n_samples, |_, points, member| {
            member.log_prob_batch(&z.slice(s![points.clone(), ..]), &mut out.slice_mut(s![points]));
        })
    }

    fn add_scores(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        weights: &ArrayRef1<f64>,
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        self.each(params, n_samples, |i, points, member| {
            let (z, weights) = (z.slice(s![points.clone(), ..]), weights.slice(s![points]));
            member.add_score_batch(&z, &weights, &mut out.row_mut(i));
        })
    }
}
