//! Several samples side by side: what a recursion waits for in one sample, the others fill with work.

use ndarray::ArrayRef2;

use crate::scratch;

/// Samples that are evaluated together.
pub(crate) const LANES: usize = 8;

/// One coordinate of the `L` rows of `z` from `first` on; lanes beyond the last row repeat it.
pub(crate) fn coordinate<const L: usize>(z: &ArrayRef2<f64>, first: usize, d: usize) -> [f64; L] {
    std::array::from_fn(|l| z[[(first + l).min(z.nrows() - 1), d]])
}

/// Calls `f` with `N` arrays of scratch of these lengths, `L` lanes a value.
pub(crate) fn with_arrays<const L: usize, const N: usize, R>(
    lengths: [usize; N],
    f: impl FnOnce([&mut [[f64; L]]; N]) -> R,
) -> R {
    scratch::with(L * lengths.iter().sum::<usize>(), |buffer| {
        let (mut rest, _) = buffer.as_chunks_mut::<L>();
        f(lengths.map(|n| {
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(n);
            rest = tail;
            head
        }))
    })
}
