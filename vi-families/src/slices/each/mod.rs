//! Slices of parameters for the other families: every value with a member of its own, from formulas for one member.
//!
//! There is no error to return here for each value: where a parameter is no valid one the result is NaN.

mod categorical;
mod circle;
mod discrete;
mod positive;
mod real;

/// Inherent functions of a family on slices of its parameters.
///
/// ```text
/// each! {
///     Family(parameters = parameter, …) if (condition), "what the condition excludes";
///     log_prob(z) { formula }        or log_prob(z: u64) { formula }, of `parameter`, … and z as f64
///     mean_params(outputs, …) "what they are" { formula for an array }
///     entropy { formula }
/// }
/// ```
/// `L` is the [`Lane`](vi_core::numerics::Lane) in the formulas.
macro_rules! each {
    (
        $family:ident $parameters:tt if $valid:tt, $invalid:literal;
        log_prob($z:ident $(: $value:ty)?) $log_prob:block
        $(mean_params $means:tt $names:literal $mean_params:block)?
        $(entropy $entropy:block)?
    ) => {
        impl $family {
            each!(@log_prob $parameters $valid $invalid ($z $(: $value)?) $log_prob);
            $(each!(@mean_params $parameters $valid $invalid $means $names $mean_params);)?
            $(each!(@entropy $parameters $valid $invalid $entropy);)?
        }
    };
    (@log_prob ($($parameters:ident = $x:ident),+) $valid:tt $invalid:literal ($z:ident) $formula:block) => {
        #[doc = concat!(
            "out ← log p(z) with parameters of its own for every value; −∞ outside the support, NaN at NaN and where ",
            $invalid, ".\n\n# Panics\nIf the lengths differ.",
        )]
        pub fn log_prob_each($($parameters: &[f64],)+ z: &[f64], out: &mut [f64]) {
            each!(@function LogProb ($($x),+, $z) -> 1, if $valid { [$formula] });
            map_slices(&LogProb, [$($parameters,)+ z], [out]);
        }
    };
    (@log_prob ($($parameters:ident = $x:ident),+) $valid:tt $invalid:literal ($z:ident: $value:ty) $formula:block) => {
        #[doc = concat!(
            "out ← log p(z) with parameters of its own for every value; NaN where ", $invalid,
            ".\n\n# Panics\nIf the lengths differ.",
        )]
        pub fn log_prob_each($($parameters: &[f64],)+ z: &[$value], out: &mut [f64]) {
            each!(@function LogProb ($($x),+, $z) -> 1, if $valid { [$formula] });
            assert!([z.len() $(, $parameters.len())+].iter().all(|n| *n == out.len()), "inputs and out differ in length");
            for_blocks(z.len(), |_, n| z[n].to_f64(), |block, [z]| {
                map_slices(&LogProb, [$(&$parameters[block.clone()],)+ z], [&mut out[block]]);
            });
        }
    };
    (
        @mean_params ($($parameters:ident = $x:ident),+) $valid:tt $invalid:literal
        ($($mean:ident),+) $names:literal $formula:block
    ) => {
        #[doc = concat!(
            "The mean parameters of every member: ", $names, "; NaN where ", $invalid,
            ".\n\n# Panics\nIf the lengths differ.",
        )]
        pub fn mean_params_each($($parameters: &[f64],)+ $($mean: &mut [f64]),+) {
            each!(@function MeanParams ($($x),+) -> [$(stringify!($mean)),+].len(), if $valid $formula);
            map_slices(&MeanParams, [$($parameters),+], [$($mean),+]);
        }
    };
    (@entropy ($($parameters:ident = $x:ident),+) $valid:tt $invalid:literal $formula:block) => {
        #[doc = concat!(
            "out ← the entropy of every member; NaN where ", $invalid, ".\n\n# Panics\nIf the lengths differ.",
        )]
        pub fn entropy_each($($parameters: &[f64],)+ out: &mut [f64]) {
            each!(@function Entropy ($($x),+) -> 1, if $valid { [$formula] });
            map_slices(&Entropy, [$($parameters),+], [out]);
        }
    };
    (@function $name:ident ($($x:ident),+) -> $n_outputs:expr, if ($valid:expr) $formula:block) => {
        struct $name;
        impl SliceFunction<{ [$(stringify!($x)),+].len() }, { $n_outputs }> for $name {
            #[inline(always)]
            fn apply<L: Lane>(
                &self,
                [$($x),+]: [f64; [$(stringify!($x)),+].len()],
            ) -> [f64; $n_outputs] {
                let values: [f64; $n_outputs] = $formula;
                let valid: bool = $valid;
                values.map(|value| if valid { value } else { f64::NAN })
            }
        }
    };
}
use each;

/// Values as numbers.
trait Number: Copy {
    fn to_f64(self) -> f64;
}

impl Number for u64 {
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Number for bool {
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

/// Whether x is finite and positive.
#[inline(always)]
fn positive(x: f64) -> bool {
    (x > 0.0) & (x <= f64::MAX)
}

/// Whether x is finite.
#[inline(always)]
fn finite(x: f64) -> bool {
    x.abs() <= f64::MAX
}
