//! Functions of each element of a slice.

use std::marker::PhantomData;

use super::dispatch::{Op, dispatch};
use super::gamma_kernel;
use super::kernel::{self, Arithmetic};

/// Elements per block: enough for four vectors of AVX-512, so that the latency of one hides behind the others.
/// A shorter rest goes through the same code in a padded buffer, which keeps it off a slow scalar loop.
pub(crate) const BLOCK: usize = 32;

/// A function of one element, in blocks.
pub(crate) trait Elementwise {
    fn apply<A: Arithmetic>(x: f64) -> f64;

    /// The same for a positive, normal and finite `x`, where that is cheaper; the same bits.
    #[inline(always)]
    fn apply_normal<A: Arithmetic>(x: f64) -> f64 {
        Self::apply::<A>(x)
    }

    /// Whether [`Elementwise::apply_normal`] is worth a look at the block.
    const HAS_NORMAL_FORM: bool = false;

    #[inline(always)]
    fn apply_block<A: Arithmetic>(x: &[f64; BLOCK], out: &mut [f64; BLOCK]) {
        if Self::HAS_NORMAL_FORM {
            let mut outside = 0;
            for i in 0..BLOCK {
                outside |= kernel::outside_normal(x[i]);
                out[i] = Self::apply_normal::<A>(x[i]);
            }
            if outside >= 0 {
                return;
            }
        }
        for i in 0..BLOCK {
            out[i] = Self::apply::<A>(x[i]);
        }
    }

    /// The same for fewer elements than a block holds.
    #[inline(always)]
    fn apply_rest<A: Arithmetic>(x: &[f64], out: &mut [f64]) {
        // One is in every domain and on every short path.
        let (mut padded, mut values) = ([1.0; BLOCK], [0.0; BLOCK]);
        padded[..x.len()].copy_from_slice(x);
        Self::apply_block::<A>(&padded, &mut values);
        out.copy_from_slice(&values[..x.len()]);
    }
}

/// out ← f(x).
pub(crate) struct Map<'a, F> {
    pub(crate) x: &'a [f64],
    pub(crate) out: &'a mut [f64],
    pub(crate) function: PhantomData<F>,
}

impl<F: Elementwise> Op for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let (blocks, rest) = self.x.as_chunks::<BLOCK>();
        let (out_blocks, out_rest) = self.out.as_chunks_mut::<BLOCK>();
        for (x, out) in blocks.iter().zip(out_blocks) {
            F::apply_block::<A>(x, out);
        }
        if !rest.is_empty() {
            F::apply_rest::<A>(rest, out_rest);
        }
    }
}

/// x ← f(x).
pub(crate) struct MapInplace<'a, F> {
    pub(crate) x: &'a mut [f64],
    pub(crate) function: PhantomData<F>,
}

impl<F: Elementwise> Op for MapInplace<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let (blocks, rest) = self.x.as_chunks_mut::<BLOCK>();
        for x in blocks {
            let copy = *x;
            F::apply_block::<A>(&copy, x);
        }
        if !rest.is_empty() {
            let mut copy = [0.0; BLOCK];
            copy[..rest.len()].copy_from_slice(rest);
            F::apply_rest::<A>(&copy[..rest.len()], rest);
        }
    }
}

/// eˣ
pub(crate) struct Exp;

/// log x
pub(crate) struct Log;

/// log(1 + x)
pub(crate) struct Log1p;

/// log(1 + eˣ)
pub(crate) struct Softplus;

/// 1 / (1 + e⁻ˣ)
pub(crate) struct Sigmoid;

/// log Γ(x)
pub(crate) struct LogGamma;

/// ψ(x)
pub(crate) struct Digamma;

/// ψ′(x)
pub(crate) struct Trigamma;

/// e^{ψ(x)}
pub(crate) struct ExpDigamma;

impl Elementwise for Exp {
    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        kernel::exp::<A>(x)
    }
}

impl Elementwise for Log {
    const HAS_NORMAL_FORM: bool = true;

    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        kernel::log::<A>(x)
    }
    #[inline(always)]
    fn apply_normal<A: Arithmetic>(x: f64) -> f64 {
        kernel::log_normal::<A>(x)
    }
}

impl Elementwise for Log1p {
    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        kernel::log1p::<A>(x)
    }
}

impl Elementwise for Sigmoid {
    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        kernel::sigmoid::<A>(x)
    }
}

impl Elementwise for LogGamma {
    const HAS_NORMAL_FORM: bool = true;

    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        gamma_kernel::log_gamma::<A>(x)
    }
    #[inline(always)]
    fn apply_normal<A: Arithmetic>(x: f64) -> f64 {
        gamma_kernel::log_gamma_from::<A>(x, kernel::log_normal::<A>(x))
    }
}

impl Elementwise for Digamma {
    const HAS_NORMAL_FORM: bool = true;

    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        gamma_kernel::digamma::<A>(x)
    }
    #[inline(always)]
    fn apply_normal<A: Arithmetic>(x: f64) -> f64 {
        gamma_kernel::digamma_from::<A>(x, kernel::log_normal::<A>(x))
    }
}

impl Elementwise for Trigamma {
    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        gamma_kernel::trigamma::<A>(x)
    }
}

impl Elementwise for ExpDigamma {
    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        gamma_kernel::exp_digamma::<A>(x)
    }
}

impl Elementwise for Softplus {
    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        kernel::softplus_from::<A>(x, kernel::exp_neg_abs::<A>(x))
    }

    // Two loops: the constants of the exponential and of the logarithm do not fit into the registers together.
    #[inline(always)]
    fn apply_block<A: Arithmetic>(x: &[f64; BLOCK], out: &mut [f64; BLOCK]) {
        let mut exp_neg_abs = [0.0; BLOCK];
        for i in 0..BLOCK {
            exp_neg_abs[i] = kernel::exp_neg_abs::<A>(x[i]);
        }
        for i in 0..BLOCK {
            out[i] = kernel::softplus_from::<A>(x[i], exp_neg_abs[i]);
        }
    }
}

macro_rules! elementwise {
    ($function:ident, $inplace:ident, $marker:ident, $(#[$doc:meta])*) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// If the lengths differ.
        pub fn $function(x: &[f64], out: &mut [f64]) {
            assert_eq!(x.len(), out.len(), "x and out differ in length");
            dispatch(Map { x, out, function: PhantomData::<$marker> });
        }

        #[doc = concat!("The in-place form of [`", stringify!($function), "`]; the same bits.")]
        pub fn $inplace(x: &mut [f64]) {
            dispatch(MapInplace { x, function: PhantomData::<$marker> });
        }
    };
}

elementwise!(exp, exp_inplace, Exp,
    /// out ← eˣ, element by element.
    ///
    /// Worst error measured: 1.1 ulp. Overflows to ∞ above 709.78, underflows gradually below −708.40
    /// and is 0 below −745.13.
);

elementwise!(log, log_inplace, Log,
    /// out ← log x, element by element.
    ///
    /// Worst error measured: 0.8 ulp. log(±0) = −∞; NaN for negative x.
);

elementwise!(log1p, log1p_inplace, Log1p,
    /// out ← log(1 + x), element by element, with full relative accuracy near x = 0 and near x = −1.
    ///
    /// Worst error measured: 0.9 ulp. log1p(−1) = −∞; NaN for x < −1; ±0 and
    /// subnormal x are returned as they are.
);

elementwise!(softplus, softplus_inplace, Softplus,
    /// out ← log(1 + eˣ), element by element.
    ///
    /// Worst error measured: 1.8 ulp, relative to the result also where it is close to eˣ (x ≪ 0).
);

elementwise!(sigmoid, sigmoid_inplace, Sigmoid,
    /// out ← σ(x) = 1 / (1 + e⁻ˣ), element by element.
    ///
    /// Worst error measured: 2.3 ulp, relative to the result also where it is close to eˣ (x ≪ 0).
);

elementwise!(log_gamma, log_gamma_inplace, LogGamma,
    /// out ← log Γ(x), element by element, for x ≥ 0.
    ///
    /// Relative error below 1e-14, also beside the zeros at 1 and 2. +∞ at ±0 and at +∞; NaN for negative x.
);

elementwise!(digamma, digamma_inplace, Digamma,
    /// out ← ψ(x) = d log Γ(x) / dx, element by element, for x > 0.
    ///
    /// Relative error below 1e-14, also beside the zero at 1.4616…. NaN for x ≤ 0.
);

elementwise!(exp_digamma, exp_digamma_inplace, ExpDigamma,
    /// out ← e^{ψ(x)}, element by element, for 0 ≤ x ≤ 1e70: the geometric mean of a Gamma(x, 1) variate, which mean-field
    /// updates of Dirichlet and Gamma factors take in its stead.
    ///
    /// Relative error below 1e-15 (1 + 1/x), the second part being that of ψ(x) rounded to double precision. Underflows to
    /// 0 below 0.00134; NaN for negative x.
);

elementwise!(trigamma, trigamma_inplace, Trigamma,
    /// out ← ψ′(x), element by element, for x > 0.
    ///
    /// Relative error below 1e-14; overflows to +∞ below 7.5e-155. NaN for x ≤ 0.
);
