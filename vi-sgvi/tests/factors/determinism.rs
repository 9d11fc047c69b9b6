//! The same key gives the same bits on any number of ranks.

use ndarray::Array1;
use vi_core::{Exec, LogJoint, StreamKey};
use vi_families::ProductFamily;
use vi_sgvi::{
    DisArm, Elbo, Enumeration, GradientEstimator, LocalExpectations, MeasureValued, Memory,
    OverdispersedFactors, PerFactor, ScoreFunction,
};

use crate::common::{Mixture, Spins, on_ranks, params_of};

fn bits<M, E>(model: &M, family: &ProductFamily, estimator: &E, exec: Exec<'_>) -> Vec<u64>
where
    M: LogJoint,
    E: GradientEstimator<M, ProductFamily>,
{
    let elbo = Elbo::new(model, family).unwrap();
    let params = params_of(family);
    let (mut grad, mut memory) = (Array1::zeros(params.len()), Memory::default());
    let mut out = Vec::new();
    for t in 0..2 {
        let key = StreamKey::from_seed(9).fold_in(t);
        let estimate = estimator.estimate(elbo, &params, key, exec, &mut memory, &mut grad).unwrap();
        out.extend([estimate.value, estimate.mcse].iter().chain(&grad).map(|v| v.to_bits()));
    }
    out
}

#[test]
fn ranks_leave_no_trace() {
    let (spins, mixture) = (Spins::dense(8), Mixture::new());
    let rest = ScoreFunction::leave_one_out(200);
    let per_factor = PerFactor::new(mixture.parameters(), &["k"], Enumeration::around(5), rest).unwrap();
    let third = PerFactor::new(mixture.parameters(), &["tau"], OverdispersedFactors::new(150), rest).unwrap();
    let nested = PerFactor::new(mixture.parameters(), &["k"], LocalExpectations::new(150), third).unwrap();
    let all = |exec: Exec<'_>| {
        let family = spins.family();
        [
            bits(&spins, &family, &LocalExpectations::new(150), exec),
            bits(&spins, &family, &MeasureValued::new(150), exec),
            bits(&spins, &family, &DisArm::new(150), exec),
            bits(&spins, &family, &Enumeration::default(), exec),
            bits(&mixture, &mixture.family(), &per_factor, exec),
            bits(&mixture, &mixture.family(), &OverdispersedFactors::new(150), exec),
            bits(&mixture, &mixture.family(), &nested, exec),
        ]
    };
    let expected = all(Exec::local());
    for size in [2, 3] {
        for got in on_ranks(size, all) {
            assert!(got == expected, "{size} ranks");
        }
    }
}
