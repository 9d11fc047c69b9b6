//! Scratch of a thread, so that a log joint allocates nothing after its first evaluation.

pub(crate) use vi_core::scratch::{with, with_vec};
