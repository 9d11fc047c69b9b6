//! Gradients against sums over all hidden bits. With 3 data, 4 hidden bits and 5 pixels there are 29 elements of θ and 12
//! to 84 of λ or ψ: a correct estimator fails a check with probability at most 113 · 5.7e-7 = 6.5e-5.

use ndarray::{Array1, ArrayRef2, ArrayViewMut1};
use vi_core::{PlateJoint, PlateModel, StreamKey};
use vi_families::{BernoulliPlate, EachMember, FamilyError, PlateFamily, ProductFamily};
use vi_sgvi::testing::{Z_LIMIT, check_estimator, check_plate_estimator, compare_plate_gradient};
use vi_sgvi::{
    ControlVariate, DisArm, HiddenLayerEncoder, LeaveOneOut, LinearEncoder, PlateBaseline, PlateElbo,
    PlateEstimator, PlateScoreFunction, Recognition, SameSampleControlVariate, ScoreFunction, Table,
};

use crate::network::{Small, normal};

const N_REPLICATES: u64 = 2000;

fn small() -> Small {
    Small::new(3, 5, 4)
}

fn check<R: Recognition>(
    small: &Small,
    recognition: &R,
    params: &Array1<f64>,
    estimator: &impl PlateEstimator<BernoulliPlate>,
) {
    let elbo = PlateElbo::new(&small.model, &small.family, recognition).unwrap();
    let (exact_model, exact) = small.exact(recognition, params);
    let key = StreamKey::from_seed(10);
    check_plate_estimator(estimator, elbo, &small.theta, params, &exact_model, &exact, N_REPLICATES, key);
}

#[test]
fn every_estimator_is_unbiased_in_a_table() {
    let small = small();
    let table = Table::new(3, &small.family);
    let logits = normal(12, 3);
    for s in [1, 2, 10] {
        check(&small, &table, &logits, &PlateScoreFunction::naive(s));
        check(&small, &table, &logits, &DisArm::new(s));
    }
    for s in [2, 3, 10] {
        check(&small, &table, &logits, &PlateScoreFunction::leave_one_out(s));
        check(&small, &table, &logits, &PlateScoreFunction::control_variate(s));
    }
}

#[test]
fn encoders_follow_the_chain_rule() {
    let small = small();
    let features = small.model.pixels().clone();
    let linear = LinearEncoder::new(features.clone(), &small.family).unwrap();
    check(&small, &linear, &normal(linear.n_params(), 4), &PlateScoreFunction::leave_one_out(4));
    let hidden = HiddenLayerEncoder::new(features, 6, &small.family).unwrap();
    check(&small, &hidden, &normal(hidden.n_params(), 5), &PlateScoreFunction::leave_one_out(4));
    check(&small, &hidden, &normal(hidden.n_params(), 5), &DisArm::new(2));
}

/// The mean log ratio of all points, the point itself included, as baseline: what is often written by mistake.
struct SameSampleMean;

impl PlateBaseline for SameSampleMean {
    const NAME: &'static str = "same-sample mean";
    const MIN_POINTS: usize = 1;

    fn add_gradient<F: PlateFamily>(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        n_points: usize,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        for f in log_ratios.chunks_exact_mut(n_points) {
            let mean = f.iter().sum::<f64>() / n_points as f64;
            f.iter_mut().for_each(|f| *f = (*f - mean) / n_points as f64);
        }
        family.add_scores(params, n_points, z, &ArrayViewMut1::from(log_ratios), out)
    }
}

/// The largest |z| of the gradient in λ.
fn worst_z<B: PlateBaseline>(estimator: &PlateScoreFunction<B>) -> f64 {
    let small = small();
    let table = Table::new(3, &small.family);
    let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
    let logits = normal(12, 3);
    let (exact_model, exact) = small.exact(&table, &logits);
    let key = StreamKey::from_seed(11);
    let theta = &small.theta;
    let check =
        compare_plate_gradient(estimator, elbo, theta, &logits, &exact_model, &exact, 20_000, key).unwrap();
    check.recognition.worst().1
}

#[test]
fn biased_estimators_are_caught() {
    let wrong = worst_z(&PlateScoreFunction { n_points: 2, baseline: SameSampleMean });
    assert!(wrong > 2.0 * Z_LIMIT, "the mean of the same points as baseline: {wrong} standard errors");
    let labelled = PlateScoreFunction { n_points: 2, baseline: SameSampleControlVariate };
    assert!(PlateEstimator::<BernoulliPlate>::bias(&labelled).is_some());
    assert!(worst_z(&labelled) > Z_LIMIT, "what is labelled biased is");
    let right = worst_z(&PlateScoreFunction { n_points: 2, baseline: LeaveOneOut });
    assert!(right <= Z_LIMIT, "{right}");
    assert!(
        PlateEstimator::<BernoulliPlate>::bias(&PlateScoreFunction { n_points: 2, baseline: ControlVariate })
            .is_none()
    );
}

#[test]
fn any_family_of_one_datum_serves() {
    let small = small();
    let family = EachMember::new(ProductFamily::for_space(small.model.local_parameters()).unwrap());
    let table = Table::new(3, &family);
    let elbo = PlateElbo::new(&small.model, &family, &table).unwrap();
    let logits = normal(12, 3);
    let (exact_model, exact) = small.exact(&table, &logits);
    let (estimator, key) = (PlateScoreFunction::leave_one_out(3), StreamKey::from_seed(12));
    check_plate_estimator(&estimator, elbo, &small.theta, &logits, &exact_model, &exact, N_REPLICATES, key);
}

/// At fixed θ a plate is a log joint, and the estimators of log joints apply to it: with the same exact gradient.
#[test]
fn estimators_of_log_joints_work_at_fixed_theta() {
    let small = small();
    let table = Table::new(3, &small.family);
    let logits = normal(12, 3);
    let exact = small.exact(&table, &logits).1;
    let mut tables = Default::default();
    let joint = PlateJoint::new(&small.model, small.model.at(&small.theta, &mut tables).unwrap()).unwrap();
    let family = ProductFamily::for_space(vi_core::LogJoint::parameters(&joint)).unwrap();
    let key = StreamKey::from_seed(13);
    check_estimator(&ScoreFunction::leave_one_out(5), &joint, &family, &logits, &exact, N_REPLICATES, key);
    let blanket = ScoreFunction::leave_one_out(5).rao_blackwellized();
    check_estimator(&blanket, &joint, &family, &logits, &exact, N_REPLICATES, key);
    check_estimator(&DisArm::new(3), &joint, &family, &logits, &exact, N_REPLICATES, key);
}
