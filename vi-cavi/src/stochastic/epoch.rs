//! Which data a step sees.

use std::ops::Range;

use rand::seq::SliceRandom;
use vi_core::StreamKey;

/// The order of one epoch, remembered so that not every step has to shuffle anew. It follows from key and epoch alone, so
/// that it is no part of what a state is: not saved, and equal to any other.
#[derive(Clone, Debug, Default)]
pub(crate) struct EpochOrder {
    made: Option<(StreamKey, u64)>,
    indices: Vec<usize>,
}

impl PartialEq for EpochOrder {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl EpochOrder {
    /// The data of batch `position` of `epoch`, in ascending order. Every epoch visits every datum once; its last batch is
    /// short when `batch_size` does not divide `n_data`.
    pub(crate) fn batch(
        &mut self,
        key: StreamKey,
        epoch: u64,
        position: usize,
        batch_size: usize,
        n_data: usize,
    ) -> &[usize] {
        let range = |position: usize| -> Range<usize> {
            position * batch_size..((position + 1) * batch_size).min(n_data)
        };
        if self.made != Some((key, epoch)) {
            self.indices.clear();
            self.indices.extend(0..n_data);
            self.indices.shuffle(&mut key.fold_in(epoch).rng(0));
            // Ascending within a batch: neighbours in memory, and a batch of all data is the data as they stand.
            for batch in self.indices.chunks_mut(batch_size) {
                batch.sort_unstable();
            }
            self.made = Some((key, epoch));
        }
        &self.indices[range(position)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_visits_every_datum_once_in_another_order() {
        let (key, mut order) = (StreamKey::from_seed(1), EpochOrder::default());
        let mut epoch =
            |e| -> Vec<Vec<usize>> { (0..4).map(|p| order.batch(key, e, p, 3, 10).to_vec()).collect() };
        let (first, second) = (epoch(0), epoch(1));
        for batches in [&first, &second] {
            assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
            let mut all = batches.concat();
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(first, second);
        assert_eq!(epoch(0), first);
    }
}
