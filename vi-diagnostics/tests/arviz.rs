//! Every diagnostic against ArviZ 0.17.1 (`arviz.stats.diagnostics`, SciPy 1.12), on chains that both sides
//! build with the same arithmetic. `mcse_sd` uses ArviZ's effective size of the mean of (x − x̄)² in the
//! formula of Kenney & Keeping, because ArviZ 0.17 assumes normal draws there.

use ndarray::Array2;
use vi_diagnostics::{ess_bulk, ess_mean, ess_quantile, ess_tail, mcse_mean, mcse_quantile, mcse_sd, rhat};

/// Knuth's 64-bit linear congruential generator: exact in both languages.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 * 2f64.powi(-53)
    }
}

/// Chain c is x_t = φ x_{t−1} + u_t − 1/2 with the generator seeded by c + 1.
fn ar1(n_chains: usize, n_draws: usize, phi: f64) -> Array2<f64> {
    let mut out = Array2::zeros((n_chains, n_draws));
    for (c, mut row) in out.rows_mut().into_iter().enumerate() {
        let (mut lcg, mut x) = (Lcg(c as u64 + 1), 0.0);
        for v in &mut row {
            x = phi * x + (lcg.next() - 0.5);
            *v = x;
        }
    }
    out
}

fn independent(n_chains: usize, n_draws: usize, f: impl Fn(f64) -> f64) -> Array2<f64> {
    let mut out = Array2::zeros((n_chains, n_draws));
    for (c, mut row) in out.rows_mut().into_iter().enumerate() {
        let mut lcg = Lcg(c as u64 + 1);
        row.mapv_inplace(|_| f(lcg.next()));
    }
    out
}

/// What ArviZ printed for one set of chains.
struct Expected {
    last: f64,
    rhat: f64,
    ess_bulk: f64,
    ess_tail: f64,
    ess_mean: f64,
    ess_q30: f64,
    mcse_mean: f64,
    mcse_sd: f64,
    mcse_q10: f64,
    mcse_q50: f64,
    mcse_q95: f64,
}

#[track_caller]
fn check(x: &Array2<f64>, e: &Expected) {
    let close = |name: &str, actual: f64, expected: f64| {
        let both_nan = actual.is_nan() && expected.is_nan();
        let error = (actual - expected).abs();
        assert!(both_nan || error <= 1e-10 * (1.0 + expected.abs()), "{name}: {actual} against {expected}");
    };
    assert_eq!(x[(x.nrows() - 1, x.ncols() - 1)], e.last, "the chains differ");
    close("rhat", rhat(x), e.rhat);
    close("ess_bulk", ess_bulk(x), e.ess_bulk);
    close("ess_tail", ess_tail(x), e.ess_tail);
    close("ess_mean", ess_mean(x), e.ess_mean);
    close("ess_quantile", ess_quantile(x, 0.3), e.ess_q30);
    close("mcse_mean", mcse_mean(x), e.mcse_mean);
    close("mcse_sd", mcse_sd(x), e.mcse_sd);
    close("mcse_quantile 0.1", mcse_quantile(x, 0.1), e.mcse_q10);
    close("mcse_quantile 0.5", mcse_quantile(x, 0.5), e.mcse_q50);
    close("mcse_quantile 0.95", mcse_quantile(x, 0.95), e.mcse_q95);
}

#[test]
fn moderate_autocorrelation() {
    let x = ar1(4, 500, 0.5);
    let expected = Expected {
        last: -0.431_904_423_803_386_95,
        rhat: 1.001_349_106_752_875_3,
        ess_bulk: 556.010_896_393_715_5,
        ess_tail: 908.540_224_093_733_1,
        ess_mean: 567.970_282_057_110_4,
        ess_q30: 821.514_117_865_367_8,
        mcse_mean: 0.013_823_111_096_746_419,
        mcse_sd: 0.006_114_685_702_588_485,
        mcse_q10: 0.022_675_712_443_258_916,
        mcse_q50: 0.018_494_277_324_422_66,
        mcse_q95: 0.013_716_918_136_904_399,
    };
    check(&x, &expected);
}

#[test]
fn odd_chains_one_of_them_three_times_as_wide() {
    let mut x = ar1(4, 501, 0.9);
    x.row_mut(2).mapv_inplace(|v| 3.0 * v);
    let expected = Expected {
        last: -0.803_327_763_337_214_6,
        rhat: 1.165_962_119_207_857_8,
        ess_bulk: 134.964_329_749_478_76,
        ess_tail: 56.411_832_918_675_99,
        ess_mean: 141.473_035_012_051_64,
        ess_q30: 156.561_677_013_790_53,
        mcse_mean: 0.098_719_804_247_101_1,
        mcse_sd: 0.273_166_739_069_282_5,
        mcse_q10: 0.203_588_946_398_910_9,
        mcse_q50: 0.071_715_940_494_978_15,
        mcse_q95: 0.570_801_999_336_533_6,
    };
    check(&x, &expected);
}

#[test]
fn a_chain_that_stays_elsewhere() {
    let mut x = ar1(3, 100, 0.97);
    x.row_mut(0).mapv_inplace(|v| v + 5.0);
    let expected = Expected {
        last: -0.437_519_566_308_485_76,
        rhat: 2.523_165_939_433_705_6,
        ess_bulk: 3.929_069_050_495_376,
        ess_tail: 22.639_068_564_036_222,
        ess_mean: 3.514_356_057_650_745_8,
        ess_q30: 6.482_666_249_044_501,
        mcse_mean: 1.385_019_141_563_131_9,
        mcse_sd: 0.555_515_809_655_230_7,
        mcse_q10: 0.766_175_286_838_053_4,
        mcse_q50: 1.706_825_308_219_441_6,
        mcse_q95: 0.530_898_606_851_647_7,
    };
    check(&x, &expected);
}

#[test]
fn antithetic_chains_are_worth_more_than_their_length() {
    let x = ar1(3, 100, -0.7);
    let expected = Expected {
        last: 0.082_926_815_241_138_8,
        rhat: 0.993_473_649_667_617_6,
        ess_bulk: 743.136_376_415_898_8,
        ess_tail: 262.090_941_489_696_3,
        ess_mean: 743.136_376_415_898_8,
        ess_q30: 743.136_376_415_898_8,
        mcse_mean: 0.013_662_780_502_018_598,
        mcse_sd: 0.019_110_517_049_575_865,
        mcse_q10: 0.045_282_193_989_421_68,
        mcse_q50: 0.032_337_723_166_334_625,
        mcse_q95: 0.030_691_363_761_337_742,
    };
    check(&x, &expected);
}

#[test]
fn discrete_values_have_ties() {
    let x = independent(4, 250, |u| (5.0 * u).floor());
    let expected = Expected {
        last: 1.0,
        rhat: 1.001_170_815_353_99,
        ess_bulk: 873.509_148_182_872_1,
        ess_tail: 869.656_353_584_435,
        ess_mean: 904.772_292_829_939_3,
        ess_q30: 929.292_160_280_110_6,
        mcse_mean: 0.046_449_668_663_650_51,
        mcse_sd: 0.018_966_523_717_882_516,
        mcse_q10: 0.0,
        mcse_q50: 0.0,
        mcse_q95: 0.0,
    };
    check(&x, &expected);
}

#[test]
fn heavy_tails() {
    let x = independent(2, 400, |u| 1.0 / (u * u));
    let expected = Expected {
        last: 49.217_957_106_923_78,
        rhat: 1.003_230_773_267_958_6,
        ess_bulk: 774.106_928_127_115_2,
        ess_tail: 766.829_550_464_087_4,
        ess_mean: 807.810_341_478_770_5,
        ess_q30: 754.806_356_757_847_8,
        mcse_mean: 239.667_166_109_045_8,
        mcse_sd: 1_596.527_008_636_014_4,
        mcse_q10: 0.021_338_668_753_550_283,
        mcse_q50: 0.309_763_414_755_237_5,
        mcse_q95: 145.190_760_883_367_55,
    };
    check(&x, &expected);
}

#[test]
fn the_shortest_chains() {
    let x = ar1(2, 4, 0.3);
    let expected = Expected {
        last: -0.033_288_670_250_521_19,
        rhat: 1.161_262_741_503_499,
        ess_bulk: 7.224_719_895_935_548,
        ess_tail: 7.224_719_895_935_548,
        ess_mean: 7.224_719_895_935_548,
        ess_q30: 7.224_719_895_935_548,
        mcse_mean: 0.080_826_767_220_411_22,
        mcse_sd: 0.034_553_085_906_907_914,
        mcse_q10: 0.021_751_079_438_382_774,
        mcse_q50: 0.171_032_580_348_372_57,
        mcse_q95: 0.176_654_289_661_848_5,
    };
    check(&x, &expected);
}

#[test]
fn short_chains() {
    let x = ar1(2, 10, 0.3);
    let expected = Expected {
        last: 0.370_093_639_780_564_86,
        rhat: 1.042_211_959_947_462_2,
        ess_bulk: 26.020_599_913_279_625,
        ess_tail: 26.020_599_913_279_625,
        ess_mean: 26.020_599_913_279_625,
        ess_q30: 21.118_012_422_360_25,
        mcse_mean: 0.053_735_353_089_307_394,
        mcse_sd: 0.028_934_717_885_835_36,
        mcse_q10: 0.124_536_260_736_400_56,
        mcse_q50: 0.078_177_044_378_005_75,
        mcse_q95: 0.112_143_962_213_069_88,
    };
    check(&x, &expected);
}

/// `arviz.summary` folds before it splits, like the R package posterior; `arviz.rhat` splits first and gives
/// 1.6637617 here, because the middle draws are then missing from the median.
#[test]
fn folding_comes_before_splitting() {
    let mut x = ar1(2, 25, 0.3);
    x.row_mut(1).mapv_inplace(|v| 4.0 * v);
    assert!((rhat(&x) - 1.657_150_508_346_153_5).abs() < 1e-10, "{}", rhat(&x));
    assert!((mcse_quantile(&x, 0.9) - 0.584_345_713_959_181_1).abs() < 1e-10);
}

#[test]
fn one_chain() {
    let x = ar1(1, 200, 0.3);
    assert!((ess_bulk(&x) - 114.159_193_229_621_68).abs() < 1e-8);
    assert!((ess_tail(&x) - 152.814_259_183_889_48).abs() < 1e-8);
    assert!((mcse_mean(&x) - 0.026_174_061_375_264_342).abs() < 1e-12);
    // ArviZ has no R̂ of one chain; here its halves are compared.
    assert!((0.98..1.05).contains(&rhat(&x)));
}
