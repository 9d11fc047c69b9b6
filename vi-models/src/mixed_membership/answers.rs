//! Answers to categorical items, some of them missing.

use ndarray::Array2;

use super::MODEL;
use crate::ModelError;
use crate::sparse_counts::SparseCounts;

/// Answers (N, J): of item j a level from 0 to V_j − 1, or NaN where the answer is missing.
#[derive(Clone, Debug)]
pub struct Answers {
    values: Array2<f64>,
    levels: Vec<usize>,
    /// Where the levels of each item begin among those of all (J + 1).
    offsets: Vec<usize>,
}

impl Answers {
    /// These answers to items of `levels` (J) levels.
    ///
    /// # Errors
    /// [`ModelError`] names the answer that is no level of its item, or the item with fewer than two levels.
    pub fn new(values: Array2<f64>, levels: Vec<usize>) -> Result<Self, ModelError> {
        if values.is_empty() {
            return Err(ModelError::Empty { model: MODEL, data: "answers" });
        }
        let (expected, actual) = (values.ncols(), levels.len());
        if expected != actual {
            return Err(ModelError::Length { model: MODEL, data: "levels of the items", expected, actual });
        }
        if let Some((j, n)) = levels.iter().enumerate().find(|(_, n)| **n < 2) {
            let (parameter, value) = (format!("levels[{j}]"), *n as f64);
            return Err(ModelError::Prior { model: MODEL, parameter, value, requirement: "at least 2" });
        }
        let is_level = |value: f64, n: usize| value.fract() == 0.0 && (0.0..n as f64).contains(&value);
        let wrong =
            |((_, j), value): &((usize, usize), &f64)| !value.is_nan() && !is_level(**value, levels[*j]);
        if let Some(((row, column), value)) = values.indexed_iter().find(wrong) {
            let (data, requirement) = ("answers", "a level of its item, counted from 0, or NaN");
            return Err(ModelError::Datum { model: MODEL, data, row, column, value: *value, requirement });
        }
        let mut offsets = vec![0; levels.len() + 1];
        levels.iter().enumerate().for_each(|(j, n)| offsets[j + 1] = offsets[j] + n);
        Ok(Self { values, levels, offsets })
    }

    /// The answers (N, J), NaN where missing.
    pub fn values(&self) -> &Array2<f64> {
        &self.values
    }

    /// V (J).
    pub fn levels(&self) -> &[usize] {
        &self.levels
    }

    /// N.
    pub fn n_individuals(&self) -> usize {
        self.values.nrows()
    }

    /// Where the levels of each item begin among those of all (J + 1).
    pub(super) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// The same as counts of levels (N, Σ_j V_j): none of a missing answer.
    pub(super) fn counts(&self) -> SparseCounts {
        let given = self.values.indexed_iter().filter(|(_, value)| !value.is_nan());
        let entries = given.map(|((n, j), value)| (n, self.offsets[j] + *value as usize, 1.0));
        let size = self.offsets[self.levels.len()];
        SparseCounts::from_entries(self.n_individuals(), size, entries).expect("levels of the items")
    }

    /// Answers from counts of levels (N, Σ_j V_j), one of every item that was answered.
    pub(super) fn of_counts(&self, counts: &SparseCounts) -> Self {
        let mut values = Array2::from_elem((counts.n_rows(), self.levels.len()), f64::NAN);
        for n in 0..counts.n_rows() {
            for word in counts.row(n).0 {
                let j = self.offsets.partition_point(|start| start <= word) - 1;
                values[[n, j]] = (word - self.offsets[j]) as f64;
            }
        }
        Self { values, levels: self.levels.clone(), offsets: self.offsets.clone() }
    }
}
