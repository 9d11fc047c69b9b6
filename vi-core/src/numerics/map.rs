//! The same machinery for functions of your own: several inputs and outputs, one pass, no allocation.

use std::marker::PhantomData;

use super::dispatch::{Op, dispatch};
use super::elementwise::BLOCK;
use super::gamma_kernel;
use super::kernel::{self, Arithmetic};
use super::trigonometric;

mod sealed {
    pub trait Sealed {}
}

/// What a [`SliceFunction`] may use: operations that vectorise, on whichever instruction set it is compiled for.
///
/// Plain `+ − × ÷`, comparisons and `if … { a } else { b }` with both values at hand vectorise too; calls into the
/// standard library (`f64::ln`, `powf`) do not.
pub trait Lane: sealed::Sealed + Copy {
    /// a·b + c, with one rounding where the CPU has the instruction.
    fn mul_add(a: f64, b: f64, c: f64) -> f64;
    /// eˣ
    fn exp(x: f64) -> f64;
    /// log x
    fn log(x: f64) -> f64;
    /// log x of an input as it came: cheaper than [`Lane::log`] for blocks without zeros, negative, subnormal and
    /// non-finite numbers, with the same bits.
    fn log_of_input(x: f64) -> f64;
    /// log(1 + x)
    fn log1p(x: f64) -> f64;
    /// (sin x, cos x) for |x| ≤ 10⁶, to 0.8 ulp each; NaN beyond.
    fn sin_cos(x: f64) -> (f64, f64);
    /// log(1 − x) for 0 ≤ x < 1, at two thirds of the price of `log1p(-x)` and as accurate to 1.5 ulp; some number
    /// that has no meaning for other `x`.
    fn log_complement(x: f64) -> f64;
    /// log Γ(x), given log x; see [`log_gamma`](super::log_gamma).
    fn log_gamma(x: f64, log_x: f64) -> f64;
    /// ψ(x), given log x; see [`digamma`](super::digamma).
    fn digamma(x: f64, log_x: f64) -> f64;
    /// log x − ψ(x), given log x: without cancellation from 5 on.
    fn log_minus_digamma(x: f64, log_x: f64) -> f64;
    /// log Γ(x) − [(x − ½) log x − x + ½ log 2π], given log x: without cancellation from 5 on.
    fn stirling_error(x: f64, log_x: f64) -> f64;
    /// ψ′(x); see [`trigamma`](super::trigamma).
    fn trigamma(x: f64) -> f64;
}

/// Inputs of any kind.
#[derive(Clone, Copy)]
struct AnyInput<A>(PhantomData<A>);

/// Inputs that are all positive, normal and finite.
#[derive(Clone, Copy)]
struct NormalInput<A>(PhantomData<A>);

macro_rules! lane {
    ($lane:ident, $log_of_input:path) => {
        impl<A: Arithmetic> sealed::Sealed for $lane<A> {}

        impl<A: Arithmetic> Lane for $lane<A> {
            #[inline(always)]
            fn mul_add(a: f64, b: f64, c: f64) -> f64 {
                A::mul_add(a, b, c)
            }
            #[inline(always)]
            fn exp(x: f64) -> f64 {
                kernel::exp::<A>(x)
            }
            #[inline(always)]
            fn log(x: f64) -> f64 {
                kernel::log::<A>(x)
            }
            #[inline(always)]
            fn log_of_input(x: f64) -> f64 {
                $log_of_input(x)
            }
            #[inline(always)]
            fn log1p(x: f64) -> f64 {
                kernel::log1p::<A>(x)
            }
            #[inline(always)]
            fn sin_cos(x: f64) -> (f64, f64) {
                trigonometric::sin_cos::<A>(x)
            }
            #[inline(always)]
            fn log_complement(x: f64) -> f64 {
                kernel::log_complement::<A>(x)
            }
            #[inline(always)]
            fn log_gamma(x: f64, log_x: f64) -> f64 {
                gamma_kernel::log_gamma_from::<A>(x, log_x)
            }
            #[inline(always)]
            fn digamma(x: f64, log_x: f64) -> f64 {
                gamma_kernel::digamma_from::<A>(x, log_x)
            }
            #[inline(always)]
            fn log_minus_digamma(x: f64, log_x: f64) -> f64 {
                gamma_kernel::log_minus_digamma_from::<A>(x, log_x)
            }
            #[inline(always)]
            fn stirling_error(x: f64, log_x: f64) -> f64 {
                gamma_kernel::stirling_error_from::<A>(x, log_x)
            }
            #[inline(always)]
            fn trigamma(x: f64) -> f64 {
                gamma_kernel::trigamma::<A>(x)
            }
        }
    };
}

lane!(AnyInput, kernel::log::<A>);
lane!(NormalInput, kernel::log_normal::<A>);

/// M functions of N numbers, for [`map_slices`].
///
/// ```
/// use vi_core::numerics::{Lane, SliceFunction, map_slices};
///
/// /// x log(x / y)
/// struct RelativeEntropy;
/// impl SliceFunction<2, 1> for RelativeEntropy {
///     #[inline(always)]
///     fn apply<L: Lane>(&self, [x, y]: [f64; 2]) -> [f64; 1] {
///         [x * (L::log_of_input(x) - L::log_of_input(y))]
///     }
/// }
///
/// let mut out = [0.0; 2];
/// map_slices(&RelativeEntropy, [&[1.0, 2.0], &[1.0, 1.0]], [&mut out]);
/// assert_eq!(out, [0.0, 2.0 * 2f64.ln()]);
/// ```
pub trait SliceFunction<const N: usize, const M: usize> {
    /// The values at `x`. Mark it `#[inline(always)]`: what is not inlined is compiled without the vector
    /// instructions.
    fn apply<L: Lane>(&self, x: [f64; N]) -> [f64; M];
}

/// `out_m[i]` ← f_m(`x_1[i]`, …, `x_N[i]`), vectorised for the CPU at hand.
///
/// # Panics
/// If the lengths differ.
pub fn map_slices<const N: usize, const M: usize>(
    function: &impl SliceFunction<N, M>,
    x: [&[f64]; N],
    out: [&mut [f64]; M],
) {
    let len = out.first().map_or(0, |out| out.len());
    assert!(x.iter().all(|x| x.len() == len), "x and out differ in length");
    assert!(out.iter().all(|out| out.len() == len), "the outputs differ in length");
    dispatch(MapSlices { function, x, out, len });
}

struct MapSlices<'a, F, const N: usize, const M: usize> {
    function: &'a F,
    x: [&'a [f64]; N],
    out: [&'a mut [f64]; M],
    len: usize,
}

impl<F: SliceFunction<N, M>, const N: usize, const M: usize> Op for MapSlices<'_, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(mut self) {
        let mut start = 0;
        while start + BLOCK <= self.len {
            self.block::<A>(start, BLOCK);
            start += BLOCK;
        }
        if start < self.len {
            self.block::<A>(start, self.len - start);
        }
    }
}

impl<F: SliceFunction<N, M>, const N: usize, const M: usize> MapSlices<'_, F, N, M> {
    #[inline(always)]
    fn block<A: Arithmetic>(&mut self, start: usize, width: usize) {
        let mut x = [const { Lines([1.0; BLOCK]) }; N];
        for (block, x) in x.iter_mut().zip(self.x) {
            block.0[..width].copy_from_slice(&x[start..start + width]);
        }
        let mut values = [const { Lines([0.0; BLOCK]) }; M];
        let outside = apply_block::<NormalInput<A>, F, N, M>(self.function, &x, &mut values);
        if outside < 0 {
            apply_block::<AnyInput<A>, F, N, M>(self.function, &x, &mut values);
        }
        for (values, out) in values.iter().zip(&mut self.out) {
            out[start..start + width].copy_from_slice(&values.0[..width]);
        }
    }
}

/// A block on cache lines of its own: a vector across two lines costs two accesses, and where the stack happens to be
/// would decide on a third of the time.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Lines([f64; BLOCK]);

/// The values of a block and, combined over it, [`kernel::outside_normal`].
#[inline(always)]
fn apply_block<L: Lane, F: SliceFunction<N, M>, const N: usize, const M: usize>(
    function: &F,
    x: &[Lines; N],
    values: &mut [Lines; M],
) -> i64 {
    let mut outside = 0;
    for i in 0..BLOCK {
        let x = std::array::from_fn(|n| x[n].0[i]);
        for x in x {
            outside |= kernel::outside_normal(x);
        }
        let value = function.apply::<L>(x);
        for m in 0..M {
            values[m].0[i] = value[m];
        }
    }
    outside
}
