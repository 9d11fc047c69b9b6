//! Checkpoints on disk: every restart writes its own, and a fit resumed from them ends in the same bits.

use ndarray::{Array1, array};
use vi_cavi::{CaviSettings, Fit, fit};
use vi_core::checkpoint::{self, Header};
use vi_core::{Checkpointer, Exec, StreamKey};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;

#[test]
fn a_fit_resumed_from_the_checkpoints_of_its_restarts_is_the_unbroken_one() {
    let x = array![[0.3, 1.0], [-1.2, 0.4], [0.8, -0.7], [1.9, 0.1], [-0.4, -1.5], [0.6, 0.6]];
    let y: Array1<f64> = array![1.0, 0.0, 1.0, 1.0, 0.0, 0.0];
    let data = RegressionData::with_intercept(x, y).unwrap();
    let model = LogisticRegression::new(data, LogisticRegressionPriors::default()).unwrap();
    let key = StreamKey::from_seed(4);
    let settings = CaviSettings { n_restarts: 2, ..CaviSettings::default() };
    let unbroken = fit(&model, &settings, key, Exec::local()).unwrap();
    assert!(unbroken.restarts[0].n_iterations() > 6);

    let dir = tempfile::tempdir().unwrap();
    let path = |r: usize| dir.path().join(format!("restart-{r}.ckpt"));
    let header = Header::new("cavi", checkpoint::fingerprint(&settings));
    let short = CaviSettings { max_iterations: 5, ..settings.clone() };
    let broken = Fit::new(&model, &short, key)
        .observe(|r| vec![Box::new(Checkpointer::new(path(r), header.clone(), 2))])
        .run()
        .unwrap();
    assert!(!broken.converged());
    let resumed = Fit::new(&model, &settings, key)
        .resume(|r| {
            let (next, state) = checkpoint::read(&path(r), &header).unwrap();
            assert_eq!(next, 5);
            Some((state, next))
        })
        .run()
        .unwrap();
    assert_eq!(resumed, unbroken);
}
