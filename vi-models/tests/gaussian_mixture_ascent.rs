//! Coordinate ascent on the Gaussian mixture: reference runs, invariances, empty components, threads.

use approx::assert_abs_diff_eq;
use ndarray::{Array1, Array2, Axis, array};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, LogJoint, StreamKey};
use vi_models::gaussian_mixture::{
    GaussianMixture, GaussianMixtureFactors, GaussianMixturePriors, GaussianMixtureStats,
};

type State = (GaussianMixtureFactors, GaussianMixtureStats);

/// 272 eruptions of Old Faithful, in minutes.
fn old_faithful() -> Array2<f64> {
    let text = include_str!("../../data/old_faithful.csv");
    let values: Vec<f64> =
        text.lines().skip(1).flat_map(|line| line.split(',').map(|v| v.parse().unwrap())).collect();
    Array2::from_shape_vec((272, 2), values).unwrap()
}

/// Zero mean and unit population standard deviation.
fn standardised(x: &Array2<f64>) -> Array2<f64> {
    (x - &x.mean_axis(Axis(0)).unwrap()) / &x.std_axis(Axis(0), 0.0)
}

/// Stable sort by the first column, cut into `k` parts of equal size.
fn labels_by_first_column(x: &Array2<f64>, k: usize) -> Vec<usize> {
    let n = x.nrows();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| x[[*a, 0]].total_cmp(&x[[*b, 0]]));
    let mut labels = vec![0; n];
    for (rank, i) in order.into_iter().enumerate() {
        labels[i] = rank * k / n;
    }
    labels
}

fn sweep(model: &GaussianMixture, (q, stats): &mut State) -> Result<f64, ConjugateError> {
    for &block in model.blocks() {
        model.condition(block, stats, q, Exec::local())?;
        model.expect(block, q, stats, Exec::local());
    }
    Ok(model.elbo(q, stats))
}

fn ascend(model: &GaussianMixture, state: &mut State, n_sweeps: usize) -> Vec<f64> {
    (0..n_sweeps).map(|_| sweep(model, state).unwrap()).collect()
}

/// A run of an independent NumPy implementation of PRML §10.2.1, whose parameters agree with scikit-learn's
/// updates to 1e-6: from hard labels, M step then E step, ELBO after the E step.
struct Run {
    data: Array2<f64>,
    k: usize,
    priors: GaussianMixturePriors,
    first: [f64; 5],
    last: f64,
    iterations: usize,
    counts: Vec<f64>,
    /// m of components `means.0`, row by row.
    means: Vec<(usize, [f64; 2])>,
    /// W of one component.
    scale: (usize, [f64; 4]),
}

fn check(run: &Run) {
    let model = GaussianMixture::new(run.data.clone(), run.k, run.priors.clone()).unwrap();
    let labels = labels_by_first_column(&run.data, run.k);
    let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
    let elbo = ascend(&model, &mut state, run.iterations);
    for (t, expected) in run.first.iter().enumerate() {
        assert_abs_diff_eq!(elbo[t], *expected, epsilon = 1e-8);
    }
    assert_abs_diff_eq!(*elbo.last().unwrap(), run.last, epsilon = 1e-7);
    for (t, pair) in elbo.windows(2).enumerate() {
        assert!(pair[1] >= pair[0] - 1e-9, "sweep {t} lowers the ELBO: {pair:?}");
    }
    let (q, stats) = &state;
    for (k, expected) in run.counts.iter().enumerate() {
        assert_abs_diff_eq!(stats.counts()[k], *expected, epsilon = 1e-4);
    }
    let components = model.component_posteriors(q);
    for (k, mean) in &run.means {
        assert_abs_diff_eq!(components[*k].mean().as_slice().unwrap(), mean.as_slice(), epsilon = 1e-5);
    }
    let (k, scale) = &run.scale;
    assert_abs_diff_eq!(components[*k].scale().as_slice().unwrap(), scale.as_slice(), epsilon = 1e-6);
}

#[test]
fn old_faithful_with_six_components_keeps_two() {
    check(&Run {
        data: standardised(&old_faithful()),
        k: 6,
        priors: GaussianMixturePriors { concentration: 1e-3, ..GaussianMixturePriors::default() },
        first: [
            -584.9002954460677,
            -548.8839863523792,
            -538.5014393145973,
            -533.7910200134113,
            -530.8524583985934,
        ],
        last: -443.29787345108764,
        iterations: 49,
        counts: vec![97.13815233, 0.0, 0.0, 0.0, 174.8618477, 0.0],
        // The empty ones are back at the prior.
        means: vec![
            (0, [-1.25804251523289, -1.19469046476716]),
            (2, [0.0, 0.0]),
            (4, [0.702039551053277, 0.666686496980194]),
        ],
        scale: (0, [0.142481837158301, -0.031336107233848, -0.031336107233848, 0.0558816182160201]),
    });
}

#[test]
fn old_faithful_with_two_components() {
    check(&Run {
        data: standardised(&old_faithful()),
        k: 2,
        priors: GaussianMixturePriors::default(),
        first: [
            -491.22033619511177,
            -480.8799807092403,
            -471.69276919333026,
            -459.64419739390115,
            -447.3351307193055,
        ],
        last: -436.0473266490393,
        iterations: 15,
        counts: vec![97.13936712, 174.8606329],
        means: vec![(0, [-1.25803170104765, -1.19467893926589]), (1, [0.70204706324569, 0.666692930022856])],
        scale: (1, [0.0482025484400449, -0.0146187424786628, -0.0146187424786628, 0.032722168385067]),
    });
}

#[test]
fn old_faithful_in_minutes() {
    check(&Run {
        data: old_faithful(),
        k: 2,
        priors: GaussianMixturePriors {
            count: 0.01,
            mean: Some(vec![3.4877830882352936, 70.8970588235294]),
            scale: Some(vec![
                vec![2.03570290229122, -0.153956033139936],
                vec![-0.153956033139936, 0.0143486652974035],
            ]),
            ..GaussianMixturePriors::default()
        },
        first: [
            -1242.2014887156154,
            -1232.2174769215758,
            -1223.4738884745313,
            -1211.652535332939,
            -1197.7405206140397,
        ],
        last: -1184.2096920446247,
        iterations: 14,
        counts: vec![97.01674836, 174.9832516],
        means: vec![(0, [2.03868619010965, 54.5051865128527]), (1, [4.29124933224566, 79.9856960946409])],
        scale: (0, [0.123761525856367, -0.0024553155529624, -0.0024553155529624, 0.000321703200715371]),
    });
}

/// Second moments about zero would lose 12 of 16 digits here, and the ELBO with them.
#[test]
fn a_large_offset_costs_no_digits() {
    // Multiples of 2⁻¹⁰ and a power of two as offset, so that the shifted data are exact.
    let offset = 1_048_576.0;
    let x = standardised(&old_faithful()).mapv(|v| (v * 1024.0).round() / 1024.0);
    let run = |data: &Array2<f64>, mean: f64| {
        let priors = GaussianMixturePriors { mean: Some(vec![mean; 2]), ..GaussianMixturePriors::default() };
        let model = GaussianMixture::new(data.clone(), 2, priors).unwrap();
        let mut state = model.start_from_labels(&labels_by_first_column(&x, 2), Exec::local()).unwrap();
        let elbo = *ascend(&model, &mut state, 15).last().unwrap();
        let mut z = Array1::zeros(model.dim());
        model.sample(&state.0, &mut StreamKey::from_seed(3).rng(0), &mut z);
        (elbo, model.log_joint(&z), z)
    };
    let (near, far) = (run(&x, 0.0), run(&x.mapv(|v| v + offset), offset));
    assert_abs_diff_eq!(near.0, far.0, epsilon = 1e-7);
    // The reported means themselves carry 1e-10 here.
    assert_abs_diff_eq!(near.1, far.1, epsilon = 1e-5);
    assert_abs_diff_eq!(near.2[2], far.2[2] - offset, epsilon = 1e-8);
}

/// x ↦ s x changes densities by the Jacobian and nothing else: the ELBO falls by N Σ_d log s_d.
#[test]
fn the_elbo_follows_the_units_of_the_data() {
    let x = standardised(&old_faithful());
    let elbo = |data: Array2<f64>, variances: [f64; 2]| {
        let scale = vec![vec![1.0 / variances[0], 0.0], vec![0.0, 1.0 / variances[1]]];
        let priors = GaussianMixturePriors { scale: Some(scale), ..GaussianMixturePriors::default() };
        let model = GaussianMixture::new(data, 2, priors).unwrap();
        let mut state = model.start_from_labels(&labels_by_first_column(&x, 2), Exec::local()).unwrap();
        *ascend(&model, &mut state, 15).last().unwrap()
    };
    let expected = elbo(x.clone(), [1.0, 1.0]) - 272.0 * (60f64.ln() + 0.01f64.ln());
    assert_abs_diff_eq!(elbo(&x * &array![60.0, 0.01], [3600.0, 1e-4]), expected, epsilon = 1e-7);
}

/// A column that does not vary, fewer data than components, and equal data: nothing divides by zero.
#[test]
fn degenerate_data_still_have_a_bound() {
    for data in [Array2::from_elem((1, 2), 5.0), Array2::from_elem((40, 2), 5.0), Array2::zeros((3, 1))] {
        let model = GaussianMixture::new(data, 4, GaussianMixturePriors::default()).unwrap();
        let mut state = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
        let elbo = ascend(&model, &mut state, 20);
        assert!(elbo.iter().all(|e| e.is_finite()));
        assert!(elbo.windows(2).all(|e| e[1] >= e[0] - 1e-9));
    }
}

#[test]
fn seeds_find_well_separated_clusters() {
    let x = Array2::from_shape_fn((90, 2), |(i, j)| {
        20.0 * ((i % 3) as f64) * (1.0 - 2.0 * j as f64) + 0.1 * ((i * (3 + j)) % 7) as f64
    });
    // A location prior worth little: clusters 20 away from its mean would otherwise look 20 wide.
    let priors = GaussianMixturePriors { count: 0.01, ..GaussianMixturePriors::default() };
    let model = GaussianMixture::new(x, 3, priors).unwrap();
    for restart in 0..10 {
        let mut state = model.init(StreamKey::from_seed(2).fold_in(restart), Exec::local()).unwrap();
        ascend(&model, &mut state, 5);
        let counts = state.1.counts();
        assert!(counts.iter().all(|n| (n - 30.0).abs() < 1e-6), "{counts}");
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let x = Array2::from_shape_fn((2500, 3), |(i, j)| (((i * 31 + j * 17) % 101) as f64).sqrt());
    let gaps = Array2::from_shape_fn(x.dim(), |(i, j)| if i % 7 == 2 * j { f64::NAN } else { x[[i, j]] });
    let priors = GaussianMixturePriors::default;
    bits_of(&GaussianMixture::new(x, 4, priors()).unwrap());
    bits_of(&GaussianMixture::with_missing_values(gaps, 4, priors()).unwrap());
}

fn bits_of(model: &GaussianMixture) {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let key = StreamKey::from_seed(5);
            let mut state = model.init(key, Exec::local()).unwrap();
            let elbo: Vec<u64> = ascend(model, &mut state, 3).iter().map(|e| e.to_bits()).collect();
            for &block in model.blocks() {
                model.draw(block, &state.0, key, &mut state.1, Exec::local());
            }
            (elbo, state)
        })
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert!(run(threads) == one, "{threads} threads");
    }
}
