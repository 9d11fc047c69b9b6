//! Sparse matrices line by line: the rows of a matrix, or its columns.

use std::ops::Range;

/// Indices line by line: those of line i stand at first[i]..first[i + 1].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lines {
    first: Vec<usize>,
    index: Vec<usize>,
}

impl Lines {
    /// From (line, index), the lines in ascending order.
    pub(crate) fn new(n_lines: usize, entries: impl Iterator<Item = (usize, usize)>) -> Self {
        let (mut first, mut index) = (vec![0; n_lines + 1], Vec::new());
        for (line, i) in entries {
            first[line + 1] += 1;
            index.push(i);
        }
        (0..n_lines).for_each(|n| first[n + 1] += first[n]);
        Self { first, index }
    }

    /// The number of lines.
    pub(crate) fn n_lines(&self) -> usize {
        self.first.len() - 1
    }

    /// The number of entries.
    pub(crate) fn n_entries(&self) -> usize {
        self.index.len()
    }

    /// The indices of all lines, one line after the other.
    pub(crate) fn indices(&self) -> &[usize] {
        &self.index
    }

    /// Where the entries of a line stand.
    pub(crate) fn range(&self, line: usize) -> Range<usize> {
        self.first[line]..self.first[line + 1]
    }

    /// The indices of a line.
    pub(crate) fn line(&self, line: usize) -> &[usize] {
        &self.index[self.range(line)]
    }

    /// The line of the entry that stands at `position`.
    pub(crate) fn line_of(&self, position: usize) -> usize {
        // The last line that begins there or before; empty ones begin there too.
        self.first.partition_point(|first| *first <= position) - 1
    }

    /// Rows for columns: the lines in which each of `n_indices` indices stands, ascending, and where each of these
    /// entries stands here.
    pub(crate) fn transposed(&self, n_indices: usize) -> (Self, Vec<usize>) {
        let mut first = vec![0; n_indices + 1];
        self.index.iter().for_each(|i| first[i + 1] += 1);
        (0..n_indices).for_each(|i| first[i + 1] += first[i]);
        let mut next = first.clone();
        let (mut index, mut position) = (vec![0; self.index.len()], vec![0; self.index.len()]);
        for line in 0..self.n_lines() {
            for p in self.range(line) {
                let at = &mut next[self.index[p]];
                (index[*at], position[*at]) = (line, p);
                *at += 1;
            }
        }
        (Self { first, index }, position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_transposed_and_found() {
        let lines = Lines::new(4, [(0, 2), (0, 1), (2, 1), (3, 0)].into_iter());
        assert_eq!((lines.n_lines(), lines.n_entries()), (4, 4));
        assert_eq!((lines.line(0), lines.line(1)), (&[2, 1][..], &[][..]));
        assert_eq!([0, 1, 2, 3].map(|p| lines.line_of(p)), [0, 0, 2, 3]);
        let (turned, position) = lines.transposed(3);
        assert_eq!([0, 1, 2].map(|i| turned.line(i)), [&[3][..], &[0, 2], &[0]]);
        assert_eq!(position, [3, 1, 2, 0]);
    }
}
