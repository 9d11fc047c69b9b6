//! Choice of the instruction set, once per process.

use std::marker::PhantomData;
use std::sync::OnceLock;

use pulp::{Simd, WithSimd};

use super::kernel::{Arithmetic, Fused, Separate};

/// Work that can be compiled for any instruction set.
pub(crate) trait Op {
    type Output;
    /// Has to be `#[inline(always)]`: what is not inlined is compiled without the vector instructions.
    fn run<A: Arithmetic>(self) -> Self::Output;
}

/// Work in vectors of the instruction set, for what has to stay in registers.
pub(crate) trait VectorOp {
    type Output;
    /// `#[inline(always)]`, as [`Op::run`].
    fn run<S: Simd, A: Arithmetic>(self, simd: S) -> Self::Output;
}

/// A set of vector instructions that this CPU has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    #[cfg(target_arch = "x86_64")]
    V4(pulp::x86::V4),
    #[cfg(target_arch = "x86_64")]
    V3(pulp::x86::V3),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    Baseline,
}

impl Level {
    /// All levels of this CPU, the best one first.
    pub(crate) fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(pulp::x86::V4::try_new().map(Self::V4));
            levels.extend(pulp::x86::V3::try_new().map(Self::V3));
        }
        #[cfg(target_arch = "aarch64")]
        levels.extend(pulp::aarch64::Neon::try_new().map(Self::Neon));
        levels.push(Self::Baseline);
        levels
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::V4(_) => "x86-v4",
            #[cfg(target_arch = "x86_64")]
            Self::V3(_) => "x86-v3",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
            Self::Baseline => "baseline",
        }
    }

    /// The level below, where this one has vectors of 512 bits.
    #[inline(always)]
    fn narrow(self) -> Self {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::V4(simd) => Self::V3(*simd),
            other => other,
        }
    }

    #[inline(always)]
    pub(crate) fn run<O: Op>(self, op: O) -> O::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::V4(simd) => Simd::vectorize(simd, With::<O, Fused>(op, PhantomData)),
            #[cfg(target_arch = "x86_64")]
            Self::V3(simd) => Simd::vectorize(simd, With::<O, Fused>(op, PhantomData)),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => Simd::vectorize(simd, With::<O, Fused>(op, PhantomData)),
            Self::Baseline => op.run::<Separate>(),
        }
    }

    #[inline(always)]
    pub(crate) fn run_vectors<O: VectorOp>(self, op: O) -> O::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::V4(simd) => Simd::vectorize(simd, WithVectors::<O, Fused>(op, PhantomData)),
            #[cfg(target_arch = "x86_64")]
            Self::V3(simd) => Simd::vectorize(simd, WithVectors::<O, Fused>(op, PhantomData)),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => Simd::vectorize(simd, WithVectors::<O, Fused>(op, PhantomData)),
            Self::Baseline => op.run::<pulp::Scalar, Separate>(pulp::Scalar::new()),
        }
    }
}

struct With<O, A>(O, PhantomData<A>);

impl<O: Op, A: Arithmetic> WithSimd for With<O, A> {
    type Output = O::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> O::Output {
        self.0.run::<A>()
    }
}

struct WithVectors<O, A>(O, PhantomData<A>);

impl<O: VectorOp, A: Arithmetic> WithSimd for WithVectors<O, A> {
    type Output = O::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> O::Output {
        self.0.run::<S, A>(simd)
    }
}

/// Runs `op` on the best level of this CPU.
#[inline(always)]
pub(crate) fn dispatch_vectors<O: VectorOp>(op: O) -> O::Output {
    current().run_vectors(op)
}

/// Runs `op` on the best level of this CPU.
#[inline(always)]
pub(crate) fn dispatch<O: Op>(op: O) -> O::Output {
    current().run(op)
}

/// Work in plain Rust, compiled once for every instruction set; for [`vectorised`].
pub trait Vectorised {
    /// What the work yields.
    type Output;
    /// Does it. Mark it, and what it calls, `#[inline(always)]`: what is not inlined is compiled without the vector
    /// instructions.
    fn run(self) -> Self::Output;
}

/// Runs `work` compiled for the vector instructions of the CPU at hand.
///
/// Plain operators are rounded one by one on every instruction set, so the bits are the same on all. Vectors are of
/// 256 bits at most: the table look-ups that this form is for gain nothing from wider ones.
#[inline(always)]
pub fn vectorised<V: Vectorised>(work: V) -> V::Output {
    current().narrow().run(Plain(work))
}

struct Plain<V>(V);

impl<V: Vectorised> Op for Plain<V> {
    type Output = V::Output;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> V::Output {
        self.0.run()
    }
}

#[inline]
fn best() -> Level {
    static BEST: OnceLock<Level> = OnceLock::new();
    *BEST.get_or_init(|| Level::available()[0])
}

#[cfg(not(any(test, feature = "testing")))]
#[inline(always)]
fn current() -> Level {
    best()
}

#[cfg(any(test, feature = "testing"))]
thread_local! {
    static FORCED: std::cell::Cell<Option<Level>> = const { std::cell::Cell::new(None) };
}

#[cfg(any(test, feature = "testing"))]
fn current() -> Level {
    FORCED.get().unwrap_or_else(best)
}

/// Calls `check` once for each instruction set of this CPU, by name, the best first; what it calls of this module
/// on its own thread runs on that set.
#[cfg(any(test, feature = "testing"))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub fn on_each_level(mut check: impl FnMut(&'static str)) {
    // Dropped on unwinding too, so that a failed check leaves nothing behind on its thread.
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            FORCED.set(None);
        }
    }
    let _restore = Restore;
    for level in Level::available() {
        FORCED.set(Some(level));
        check(level.name());
    }
}

/// Name of the instruction set that the functions of this module run on: `x86-v4`, `x86-v3`, `neon` or `baseline`.
///
/// It belongs in the manifest of a run: bits are only promised to be equal on equal levels.
pub fn cpu_level() -> &'static str {
    current().name()
}
