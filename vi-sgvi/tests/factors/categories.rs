//! Variables with two, three and five values.

use vi_core::StreamKey;
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{Arm, DisArm, GradientEstimator, LocalExpectations, MeasureValued, ScoreFunction};

use crate::models::{Spins, exact, params_of};

fn variance<E>(estimator: &E, s: usize) -> f64
where
    E: GradientEstimator<Spins, vi_families::ProductFamily>,
{
    let model = Spins::categories();
    let family = model.family();
    let params = params_of(&family);
    let (_, gradient) = exact(&model, &family, &params);
    let key = StreamKey::from_seed(21_060_805).fold_in(s as u64);
    check_estimator(estimator, &model, &family, &params, &gradient, 500, key).variance.sum()
}

/// Variances from 500 replicates are good to some per cent; the margins are wider.
#[test]
fn unbiased_and_in_the_order_of_theory() {
    for s in [2, 3, 10, 100] {
        let (arm, disarm) = (variance(&Arm::new(s), s), variance(&DisArm::new(s), s));
        assert!(disarm < 0.8 * arm, "S = {s}: DisARM {disarm}, ARM {arm}");
        let local = variance(&LocalExpectations::new(s), s);
        let blanket = variance(&LocalExpectations::new(s).rao_blackwellized(), s);
        assert!((local / blanket - 1.0).abs() < 1e-8, "S = {s}: {local} ≠ {blanket}");
        let measures = variance(&MeasureValued::new(s), s);
        let loo = variance(&ScoreFunction::leave_one_out(s), s);
        assert!(local < measures && local < 0.5 * loo, "S = {s}: {local}, {measures}, {loo}");
    }
}
