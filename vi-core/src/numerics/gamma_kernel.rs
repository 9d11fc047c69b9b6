//! One element of log Γ and its derivatives on (0, ∞), free of branches and calls like the rest of the kernels.
//!
//! Two forms share one division: below [`SERIES_FROM`] a rational minimax fit with the zeros and the pole taken
//! out, all of whose coefficients are positive, so that it loses no digits; from there on the asymptotic series with
//! its coefficients refitted. Every lane computes both and keeps one.
//!
//! The fits are relative minimax fits (weighted linear least squares with Lawson's weights) in 60-digit arithmetic.

use super::kernel::{Arithmetic, exp, log, polynomial};

/// Where the series take over.
const SERIES_FROM: f64 = 5.0;

/// Numerator of log Γ(y) / ((y − 1)(y − 2)) on [1, 5]; the fit is good to 3.2e-17.
const LOG_GAMMA_NUMERATOR: [f64; 9] = [
    2.436_122_560_002_524_5,
    50.414_319_361_676_14,
    224.225_863_504_232_45,
    332.990_383_850_041,
    188.406_529_285_350_73,
    41.494_030_028_004_8,
    3.261_396_196_486_225_5,
    0.068_274_578_169_371_56,
    7.986_241_109_529_039e-05,
];

/// Its denominator.
const LOG_GAMMA_DENOMINATOR: [f64; 9] = [
    1.0,
    36.121_388_463_085_7,
    245.452_083_372_834_98,
    536.579_845_419_337_3,
    456.114_216_706_521_7,
    161.230_471_785_846_16,
    23.251_149_258_041_686,
    1.208_942_375_983_076,
    0.015_764_736_648_358_327,
];

/// x (log Γ(x) − (x − ½) log x + x − ½ log 2π) in x⁻² for x ≥ 5, to 2.4e-18 of log Γ.
const LOG_GAMMA_SERIES: [f64; 7] = [
    0.083_333_333_333_323_98,
    -0.002_777_777_772_568_216_4,
    0.000_793_649_758_985_76,
    -0.000_595_137_050_765_796_1,
    0.000_836_288_374_703_837_4,
    -0.001_747_416_834_335_668_4,
    0.003_388_397_673_792_844_5,
];

/// Numerator of x ψ(x) / (x − root) on (0, 5]; the fit is good to 3.8e-18.
const DIGAMMA_NUMERATOR: [f64; 9] = [
    0.684_166_671_787_069_6,
    2.438_538_932_955_963_5,
    2.775_330_841_091_728,
    1.422_714_236_375_753_2,
    0.365_086_568_026_865_84,
    0.047_277_724_557_281_97,
    0.002_880_456_028_332_590_6,
    6.862_405_931_396_751e-05,
    3.932_363_868_457_302e-07,
];

/// Its denominator.
const DIGAMMA_DENOMINATOR: [f64; 9] = [
    1.0,
    2.302_864_554_476_684_6,
    1.933_658_409_163_538,
    0.774_019_549_398_555_1,
    0.159_021_408_130_204_2,
    0.016_586_168_519_722_045,
    0.000_805_146_593_172_690_8,
    1.474_457_713_229_470_1e-05,
    5.816_052_585_758_552_7e-08,
];

/// x² (log x − ψ(x) − 1/(2x)) in x⁻² for x ≥ 5, to 1.7e-17 of ψ.
const DIGAMMA_SERIES: [f64; 7] = [
    0.083_333_333_333_229_54,
    -0.008_333_333_271_809_577,
    0.003_968_241_194_932_166,
    -0.004_165_374_484_715_495,
    0.007_503_721_160_431_683,
    -0.018_780_466_930_589_26,
    0.040_720_176_190_334_98,
];

/// Numerator of x² ψ′(x) on (0, 5]; the fit is good to 7.8e-18.
const TRIGAMMA_NUMERATOR: [f64; 9] = [
    1.0,
    4.283_871_040_659_831_5,
    9.329_517_066_754_113,
    12.161_094_825_414_088,
    9.950_801_431_696_371,
    5.166_985_964_550_218,
    1.662_603_825_625_687_6,
    0.304_839_054_732_439_7,
    0.024_604_374_707_360_356,
];

/// Its denominator.
const TRIGAMMA_DENOMINATOR: [f64; 9] = [
    1.0,
    4.283_871_040_659_834,
    7.684_582_999_905_71,
    7.518_523_218_971_851,
    4.362_112_877_776_157,
    1.512_234_623_636_846_5,
    0.292_536_870_241_570_2,
    0.024_604_374_573_001_183,
    3.024_451_716_848_450_8e-12,
];

/// x³ (ψ′(x) − 1/x − 1/(2x²)) in x⁻² for x ≥ 5, to 2.7e-17 of ψ′.
const TRIGAMMA_SERIES: [f64; 8] = [
    0.166_666_666_666_592_97,
    -0.033_333_333_271_960_91,
    0.023_809_506_241_530_876,
    -0.033_330_878_656_566_06,
    0.075_564_862_576_455_42,
    -0.244_041_949_665_868_4,
    0.903_961_150_348_485_7,
    -2.373_226_451_226_275_7,
];

/// y² (e^{ψ(y + ½)} / y − 1) in y⁻² for y ≥ 3.5: interpolated at the Chebyshev nodes in 60-digit arithmetic, good to
/// 1.5e-17 of e^ψ.
const EXP_DIGAMMA_SERIES: [f64; 10] = [
    0.041_666_666_666_666_37,
    -0.006_423_611_110_389_469,
    0.003_552_482_617_782_573,
    -0.003_953_509_414_294_894,
    0.007_361_005_106_863_133,
    -0.020_534_970_983_321_882,
    0.076_065_113_508_084_16,
    -0.305_073_682_603_187_4,
    0.988_690_174_722_505_2,
    -1.695_594_212_151_626,
];

/// The zero of ψ on (0, ∞), in two parts.
const DIGAMMA_ROOT: f64 = 1.461_632_144_968_362_2;
const DIGAMMA_ROOT_LOW: f64 = 9.549_995_429_965_697e-17;

/// ½ log 2π − ½
const HALF_LOG_TWO_PI_MINUS_HALF: f64 = 0.418_938_533_204_672_7;

/// log Γ(x).
#[inline(always)]
pub(crate) fn log_gamma<A: Arithmetic>(x: f64) -> f64 {
    log_gamma_from::<A>(x, log::<A>(x))
}

/// log Γ(x), given log x.
#[inline(always)]
pub(crate) fn log_gamma_from<A: Arithmetic>(x: f64, log_x: f64) -> f64 {
    let series = x >= SERIES_FROM;
    // Below 1, log Γ(x) = log Γ(x + 1) − log x.
    let below_one = x < 1.0;
    let y = if below_one { x + 1.0 } else { x };
    let y_minus_one = if below_one { x } else { x - 1.0 };
    let y_minus_two = if below_one { x - 1.0 } else { x - 2.0 };
    let numerator = if series { 1.0 } else { polynomial::<A, 9>(y, LOG_GAMMA_NUMERATOR) };
    let denominator = if series { x } else { polynomial::<A, 9>(y, LOG_GAMMA_DENOMINATOR) };
    let q = numerator / denominator;
    let rest = A::mul_add(q, polynomial::<A, 7>(q * q, LOG_GAMMA_SERIES), HALF_LOG_TWO_PI_MINUS_HALF);
    let asymptotic = A::mul_add(x - 0.5, log_x - 1.0, rest);
    let shifted = if below_one { log_x } else { 0.0 };
    let fitted = A::mul_add(y_minus_one * y_minus_two, q, -shifted);
    let value = if series { asymptotic } else { fitted };
    // Negative numbers and NaN.
    if x >= 0.0 { value } else { f64::NAN }
}

/// ψ(x).
#[inline(always)]
pub(crate) fn digamma<A: Arithmetic>(x: f64) -> f64 {
    digamma_from::<A>(x, log::<A>(x))
}

/// ψ(x), given log x.
#[inline(always)]
pub(crate) fn digamma_from<A: Arithmetic>(x: f64, log_x: f64) -> f64 {
    let series = x >= SERIES_FROM;
    let numerator = if series { 1.0 } else { polynomial::<A, 9>(x, DIGAMMA_NUMERATOR) };
    let denominator = if series { x } else { x * polynomial::<A, 9>(x, DIGAMMA_DENOMINATOR) };
    let q = numerator / denominator;
    let below_log = q * A::mul_add(q, polynomial::<A, 7>(q * q, DIGAMMA_SERIES), 0.5);
    let fitted = ((x - DIGAMMA_ROOT) - DIGAMMA_ROOT_LOW) * q;
    let value = if series { log_x - below_log } else { fitted };
    if x > 0.0 { value } else { f64::NAN }
}

/// ψ′(x).
#[inline(always)]
pub(crate) fn trigamma<A: Arithmetic>(x: f64) -> f64 {
    let series = x >= SERIES_FROM;
    let numerator = if series { 1.0 } else { polynomial::<A, 9>(x, TRIGAMMA_NUMERATOR) };
    let denominator = if series { x } else { x * x * polynomial::<A, 9>(x, TRIGAMMA_DENOMINATOR) };
    let q = numerator / denominator;
    let above = q * q * A::mul_add(q, polynomial::<A, 8>(q * q, TRIGAMMA_SERIES), 0.5);
    let value = if series { q + above } else { q };
    if x > 0.0 { value } else { f64::NAN }
}

/// e^{ψ(x)} for 0 ≤ x ≤ 1e70.
///
/// ```text
/// ψ(x) = ψ(x + 4) − Σ_{i<4} 1/(x + i),     e^{ψ(y + ½)} = y + 1/(24 y) − …,     y = x + 3.5
/// ```
/// Neither a logarithm nor a choice between two forms: half the work of a digamma and an exponential.
#[inline(always)]
pub(crate) fn exp_digamma<A: Arithmetic>(x: f64) -> f64 {
    let y = x + 3.5;
    let t = 1.0 / (y * y);
    let main = A::mul_add(y * t, polynomial::<A, 10>(t, EXP_DIGAMMA_SERIES), y);
    // With u = x (x + 3): the four fractions in one.
    let u = x * (x + 3.0);
    let fractions = A::mul_add(2.0, x, 3.0) * A::mul_add(2.0, u, 2.0) / (u * (u + 2.0));
    let value = main * exp::<A>(-fractions);
    if x >= 0.0 { value } else { f64::NAN }
}

/// log x − ψ(x), given log x: without cancellation from 5 on.
#[inline(always)]
pub(crate) fn log_minus_digamma_from<A: Arithmetic>(x: f64, log_x: f64) -> f64 {
    let y = 1.0 / x;
    let series = y * A::mul_add(y, polynomial::<A, 7>(y * y, DIGAMMA_SERIES), 0.5);
    if x >= SERIES_FROM { series } else { log_x - digamma_from::<A>(x, log_x) }
}

/// log Γ(x) − [(x − ½) log x − x + ½ log 2π], given log x: without cancellation from 5 on.
#[inline(always)]
pub(crate) fn stirling_error_from<A: Arithmetic>(x: f64, log_x: f64) -> f64 {
    let y = 1.0 / x;
    let series = y * polynomial::<A, 7>(y * y, LOG_GAMMA_SERIES);
    let main = A::mul_add(x - 0.5, log_x - 1.0, HALF_LOG_TWO_PI_MINUS_HALF);
    if x >= SERIES_FROM { series } else { log_gamma_from::<A>(x, log_x) - main }
}
