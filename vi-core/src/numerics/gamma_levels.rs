//! log Γ and its derivatives on every instruction set that this CPU has, against 25-digit values.
#![allow(clippy::excessive_precision, reason = "reference values are typed in as they were printed")]

use std::marker::PhantomData;

use super::dispatch::{Level, on_each_level};
use super::elementwise::{Digamma, Elementwise, LogGamma, Map, Trigamma};
use super::{Lane, SliceFunction, digamma, exp_digamma, log_gamma, map_slices, trigamma};

/// x, log Γ(x), ψ(x), ψ′(x) by mpmath 1.3 with 50 digits: `loggamma(x)`, `digamma(x)`, `psi(1, x)` at the f64 x.
#[rustfmt::skip]
const TABLE: [(f64, f64, f64, f64); 50] = [
    (5e-324, 744.4400719213812623141073, f64::NEG_INFINITY, f64::INFINITY),
    (1e-310, 713.8013788281541651006446, f64::NEG_INFINITY, f64::INFINITY),
    (1e-300, 690.7755278982137051803383, -9.999999999999999749409082e+299, f64::INFINITY),
    (1e-154, 354.598104321083035365862, -1.000000000000000027091302e+154, 1.000000000000000054182603e+308),
    (1e-100, 230.2585092994045683818072, -9.999999999999999800081002e+99, 9.999999999999999600162004e+199),
    (1e-20, 46.05170185988091373520079, -1.000000000000000054852501e+20, 1.000000000000000109693457e+40),
    (1e-05, 11.51291969289582562561731, -1.00000577199215672888681e+5, 1.000000000164490838997378e+10),
    (0.1, 2.252712651734205902006238, -10.4237549404110762321003, 101.433299150792747704652),
    (0.3, 1.095797994818075560562999, -3.502524222200133124915351, 12.24536454610773130116664),
    (0.5, 0.5723649429247000870717137, -1.963510026021423479440976, 4.934802200544679309417245),
    (0.75, 0.203280951431295371481433, -1.085860879786472169626887, 2.541879647671606498397663),
    (0.9, 0.06637623973474295442597111, -0.7549269499470513491974215, 1.922539959477203445385018),
    (0.99, 0.005854806764709781453188386, -0.5937863040555951592593944, 1.669304101071824537886125),
    (0.999999, 5.772164873855652379393149e-7, -0.5772173098368018141196737, 1.644936470965279798641912),
    (1.000001, -5.772148423874146650588064e-7, -0.5772140199686682035239106, 1.644931662737667280615098),
    (1.0001, -5.771334222047126800518104e-5, -0.5770511835143348681213895, 1.644693687933144353010291),
    (1.1, -0.04987244125983976178528914, -0.4237549404110766678656787, 1.433299150792758651884823),
    (1.3, -0.1081748095078604784591629, -0.16919088886679960526019, 1.134253434996619301140065),
    (1.46, -0.1214850010040074294465261, -0.001580561987083452106150901, 0.9691196215098878945522623),
    (1.4616, -0.1214862900358973284194158, -3.110625123034164965756368e-5, 0.9677007114650835451182025),
    (1.461632144968, -0.1214862905358496080955145, -3.505395133995687296538091e-13, 0.9676722454479419525652749),
    (1.4616321449683622, -0.1214862905358496080955146, -9.241265521729427516792351e-17, 0.9676722454476212549951696),
    (1.4616321449683625, -0.1214862905358496080955146, 1.224537462200406903132497e-16, 0.9676722454476210583688237),
    (1.462, -0.1214862250717853952665989, 0.0003559032038010427633396214, 0.9673466050344077172608114),
    (1.5, -0.1207822376352452223455184, 0.03648997397857652055902367, 0.9348022005446793094172455),
    (1.75, -0.08440112102048555595778603, 0.2474724535468611637064466, 0.7641018698938287206198851),
    (1.9, -0.03898427592308336167429278, 0.3561841611640596581205335, 0.687972058242635655950982),
    (1.9999, -4.227520877215345801134138e-5, 0.4227198396711309653306077, 0.6449744806987030819050303),
    (2.0000001, 4.227843666532497923203435e-8, 0.4227843995918716980986421, 0.6449340264368483403868254),
    (2.1, 0.04543773854448517900215568, 0.485335968679832349640237, 0.6068528698010232481550587),
    (2.5, 0.2846828704729191596324947, 0.7031566406452431872256903, 0.4903577561002348649728011),
    (3.25, 0.9358019311087253582584675, 1.016990911068179036354914, 0.3597982903095798750737883),
    (4.0, 1.791759469228055000812477, 1.256117668431800472726821, 0.2838229557371153253613041),
    (4.999999, 3.178052324230387638810434, 1.506117447108820309805722, 0.2213230045268582912119736),
    (5.0, 3.178053830347945619646942, 1.506117668431800472726821, 0.2213229557371153253613041),
    (5.000001, 3.178055336465724923439248, 1.506117889754731845915661, 0.2213229069473937873388333),
    (5.5, 3.957813967618716293877401, 1.611093148581751123733627, 0.1993423869896276591275),
    (6.0, 4.787491742782045994247701, 1.706117668431800472726821, 0.1813229557371153253613041),
    (7.75, 8.025458396315983871200245, 1.98179156269434559723207, 0.137713791447655660544724),
    (9.999, 12.79957578007741371468892, 2.251647417205735314158332, 0.1051773866767288621529907),
    (12.5, 18.73434751193644570163412, 2.48519565127491204815044, 0.08328522460157837044359113),
    (20.25, 40.08411059791734898397077, 2.983260263975307814657109, 0.05062210381441977341623335),
    (100.0, 359.134205369575398776044, 4.600161852738087400198606, 0.01005016666333357139524567),
    (1234.5, 7550.550901077894895729836, 7.118016231827997843305218, 0.000810372727126966652695133),
    (100000.0, 1.051287708973656894900858e+6, 11.51292046496189508675671, 1.000005000016666666666333e-5),
    (1234567.25, 1.608175216562912227105046e+7, 14.02623065677951926571865, 8.100007553256600543454058e-7),
    (100000000.0, 1.742068066103834709276217e+9, 18.4206807389523654638106, 1.000000005000000016666667e-8),
    (1000000000000000.0, 3.353877639491066890982021e+16, 34.53877639491068476026987, 1.0000000000000005e-15),
    (1e+100, 2.292585092994045720635751e+102, 230.258509299404568417702, 9.999999999999999840971089e-101),
    (1e+300, 6.897755278982137414744009e+302, 690.7755278982137052579022, 9.999999999999999474952397e-301),
];

fn apply<F: Elementwise>(level: Level, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    level.run(Map { x, out: &mut out, function: PhantomData::<F> });
    out
}

/// Relative error at most `relative`, or absolute at most `absolute`, on every level, in a block of all points and
/// in a block of ordinary ones; levels with fused multiply–add agree in every bit.
fn check<F: Elementwise>(
    name: &str,
    pick: impl Fn(&(f64, f64, f64, f64)) -> f64,
    relative: f64,
    absolute: f64,
) {
    let ordinary = TABLE.iter().filter(|row| row.0 >= f64::MIN_POSITIVE).copied().collect::<Vec<_>>();
    for table in [&TABLE[..], &ordinary] {
        let x: Vec<f64> = table.iter().map(|row| row.0).collect();
        let best = apply::<F>(Level::available()[0], &x);
        for level in Level::available() {
            let values = apply::<F>(level, &x);
            for ((row, value), best) in table.iter().zip(values).zip(&best) {
                let exact = pick(row);
                let close = (value - exact).abs() <= absolute.max(relative * exact.abs());
                assert!(
                    value == exact || close,
                    "{name}({:e}) on {}: {value:e}, not {exact:e}",
                    row.0,
                    level.name()
                );
                let same = value.to_bits() == best.to_bits();
                assert!(same || level.name() == "baseline", "{name}({:e}) on {}", row.0, level.name());
            }
        }
    }
}

#[test]
fn values_agree_with_the_table_on_every_level() {
    check::<LogGamma>("log_gamma", |row| row.1, 3e-15, 0.0);
    check::<Digamma>("digamma", |row| row.2, 3e-15, 0.0);
    check::<Trigamma>("trigamma", |row| row.3, 3e-15, 0.0);
}

/// x, e^{ψ(x)} by mpmath 1.3 with 60 digits: `exp(digamma(x))` at the f64 x.
const EXP_DIGAMMA: [(f64, f64); 14] = [
    (0.0, 0.0),
    (1e-300, 0.0),
    (1e-3, 0.0),
    (0.002, 4.013323400891367988438538e-218),
    (0.01, 2.123060402646926423064461e-44),
    (0.1, 0.00002971808008176839566042875),
    (0.5, 0.1403648708917212924560358),
    (1.0, 0.5614594835668851698241432),
    (1.4616321449683622, 0.9999999999999999075873448),
    (2.5, 2.020119444580200539645198),
    (5.0, 4.509190594916874937251338),
    (17.25, 16.7524861979789081280942),
    (1e10, 9999999999.500000000004167),
    (1e60, 9.999999999999999493871353e+59),
];

#[test]
fn exponentials_of_digammas_agree_with_the_table_on_every_level() {
    on_each_level(|level| {
        for (x, exact) in EXP_DIGAMMA {
            let mut out = [f64::NAN];
            exp_digamma(&[x], &mut out);
            let tolerance = 1e-15 * (1.0 + x.recip()) * exact;
            assert!(out[0] == exact || (out[0] - exact).abs() <= tolerance, "{x} on {level}: {}", out[0]);
        }
        let mut out = [0.0; 2];
        exp_digamma(&[-0.5, f64::NAN], &mut out);
        assert!(out.iter().all(|v| v.is_nan()), "{level}");
    });
    // Beside the digamma and the exponential that it stands for, on points between those of the table.
    let x: Vec<f64> = (0..20_000).map(|i| (-7.0 + i as f64 * 1e-3).exp2()).collect();
    let (mut values, mut expected) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    exp_digamma(&x, &mut values);
    digamma(&x, &mut expected);
    for ((x, value), psi) in x.iter().zip(values).zip(expected) {
        let error = (value / psi.exp() - 1.0).abs();
        assert!(error <= 1e-15 * (2.0 + psi.abs()), "{x}: {error:e}");
    }
}

/// f(x + 1) − f(x) on 20 000 points, many of them beside the joints of the forms at 1 and 5.
#[test]
fn recurrences_hold_on_every_level() {
    let spread = (0..20_000).map(|i| (-2.0 + 7.0 * (i as f64 * 0.618_033_988_749_894_9).fract()).exp2());
    // Multiples of 2⁻³², so that x + 1 is exact.
    let x: Vec<f64> = spread.map(|x| (x * 2f64.powi(32)).round() * 2f64.powi(-32)).collect();
    let next: Vec<f64> = x.iter().map(|x| x + 1.0).collect();
    let (mut at_x, mut at_next) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    type Case = (&'static str, fn(&[f64], &mut [f64]), fn(f64) -> f64);
    let cases: [Case; 3] = [
        ("log_gamma", log_gamma, f64::ln),
        ("digamma", digamma, f64::recip),
        ("trigamma", trigamma, |x| -1.0 / (x * x)),
    ];
    on_each_level(|level| {
        for (name, f, step) in cases {
            f(&x, &mut at_x);
            f(&next, &mut at_next);
            for ((x, f), f_next) in x.iter().zip(&at_x).zip(&at_next) {
                let error = (f_next - f - step(*x)).abs() / (f.abs() + f_next.abs());
                assert!(error <= 2e-15, "{name} at {x} on {level}: {error:e}");
            }
        }
    });
}

#[test]
fn outside_the_domain() {
    on_each_level(|level| {
        for x in [f64::NAN, -1e-310, -0.5, -1.0, -2.5, -1e300, f64::NEG_INFINITY] {
            for f in [log_gamma, digamma, trigamma] {
                let mut out = [0.0];
                f(&[x], &mut out);
                assert!(out[0].is_nan(), "{x} on {level}: {}", out[0]);
            }
        }
        let ends = |f: fn(&[f64], &mut [f64])| {
            let mut out = [0.0; 3];
            f(&[0.0, -0.0, f64::INFINITY], &mut out);
            out
        };
        assert_eq!(ends(log_gamma), [f64::INFINITY; 3], "{level}");
        assert!(
            ends(digamma)[..2].iter().all(|v| v.is_nan()) && ends(digamma)[2] == f64::INFINITY,
            "{level}"
        );
        assert!(ends(trigamma)[..2].iter().all(|v| v.is_nan()) && ends(trigamma)[2] == 0.0, "{level}");
    });
}

/// x log y, y log1p(x)
struct TwoByTwo;

impl SliceFunction<2, 2> for TwoByTwo {
    #[inline(always)]
    fn apply<L: Lane>(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [x * L::log_of_input(y), L::mul_add(y, L::log1p(x), L::exp(-x))]
    }
}

#[test]
fn functions_of_several_slices() {
    for n in [0, 1, 31, 32, 33, 100] {
        let x: Vec<f64> = (0..n).map(|i| 0.1 + i as f64).collect();
        // Subnormal and zero inputs now and then, for the general form.
        let y: Vec<f64> = (0..n).map(|i| if i % 50 == 7 { 5e-324 } else { 3.0 / (1 + i) as f64 }).collect();
        on_each_level(|level| {
            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            map_slices(&TwoByTwo, [&x, &y], [&mut a, &mut b]);
            for i in 0..n {
                let (exact_a, exact_b) = (x[i] * y[i].ln(), y[i] * x[i].ln_1p() + (-x[i]).exp());
                assert!((a[i] - exact_a).abs() <= 1e-15 * exact_a.abs(), "{level} {i} of {n}");
                assert!((b[i] - exact_b).abs() <= 1e-15 * exact_b.abs(), "{level} {i} of {n}");
            }
        });
    }
}

#[test]
#[should_panic(expected = "differ in length")]
fn inputs_of_different_lengths_panic() {
    map_slices(&TwoByTwo, [&[1.0], &[1.0, 2.0]], [&mut [0.0], &mut [0.0]]);
}
