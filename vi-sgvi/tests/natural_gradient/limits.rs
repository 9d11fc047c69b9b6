//! Bounds on steps, errors, settings.

use ndarray::{Array1, array};
use vi_core::{Kernel, LogJoint, StreamKey};
use vi_families::{Damping, GaussianMixture, MeanFieldGaussian, ProductFamily};
use vi_sgvi::{
    AnyOptimizer, AscentRule, LearningRate, NaturalGradient, ScoreFunction, Sgvi, SgviError, SgviSettings,
    StepCoordinates, TrustRegion,
};

use crate::models::{after, badly_scaled, gamma_and_bits, natural};

/// KL(q ‖ q′) of two mean-field Gaussians over two coordinates.
fn divergence(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    let each = |d: usize| {
        let (ratio, shift) = ((2.0 * (a[2 + d] - b[2 + d])).exp(), (a[d] - b[d]) * (-b[2 + d]).exp());
        0.5 * (ratio + shift * shift - 1.0) + b[2 + d] - a[2 + d]
    };
    each(0) + each(1)
}

#[test]
fn the_trust_region_bounds_the_divergence() {
    let family = MeanFieldGaussian::new(badly_scaled().parameters()).unwrap();
    for (i, kappa) in [1e-4, 1e-3, 1e-2].into_iter().enumerate() {
        for coordinates in [StepCoordinates::Natural, StepCoordinates::Unconstrained] {
            for damping in [Damping::NONE, Damping { relative: 0.5, absolute: 0.1 }] {
                let start: Array1<f64> = (0..4).map(|k| ((5 * i + k) as f64).sin()).collect();
                let grad: Array1<f64> = (0..4).map(|k| 30.0 * ((3 * i + k) as f64).cos()).collect();
                let trust_region = TrustRegion::MaxKl(kappa);
                let rule = NaturalGradient { trust_region, damping, coordinates, ..natural(1.0) };
                let (mut params, mut state) = (start.clone(), rule.start(4));
                rule.step(&family, &mut state, &grad, &mut params).unwrap();
                assert_eq!(state.n_limited(), 1);
                let kl = divergence(&start, &params);
                // The bound is of second order: the next one is some √κ of it.
                assert!(kl > 0.0 && kl < kappa * (1.0 + 3.0 * kappa.sqrt()), "{rule:?}: {kl}");
                assert!(!damping.is_none() || kl > kappa * (1.0 - 3.0 * kappa.sqrt()), "{rule:?}: {kl}");
                // Without the bound it goes much further.
                let free = NaturalGradient { trust_region: TrustRegion::None, ..rule };
                let (mut params, mut state) = (start.clone(), free.start(4));
                free.step(&family, &mut state, &grad, &mut params).unwrap();
                assert!(state.n_limited() == 0 && divergence(&start, &params) > 10.0 * kappa);
            }
        }
    }
}

#[test]
fn damping_bounds_the_step_and_halvings_are_counted() {
    let model = gamma_and_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    // An all but certain bit.
    let (start, grad) = (array![0.0, 0.0, 12.0, 0.0], array![0.0, 0.0, 1.0, 0.0]);
    let moved = |damping: Damping| {
        let rule = NaturalGradient { damping, ..NaturalGradient::whole() };
        let (mut params, mut state) = (start.clone(), rule.start(4));
        rule.step(&family, &mut state, &grad, &mut params).unwrap();
        (params[2] - start[2]).abs()
    };
    assert!(moved(Damping::NONE) > 1e5);
    let bounded = moved(Damping { relative: 0.0, absolute: 0.5 });
    assert!(bounded <= 2.0 && bounded > 1.9, "{bounded}");

    let rule = NaturalGradient::whole();
    let (mut params, mut state) = (array![0.0, 0.0, 0.0, 0.0], rule.start(4));
    rule.step(&family, &mut state, &array![-3.0, 1.0, 0.0, 0.0], &mut params).unwrap();
    assert!(state.n_halvings() > 0 && params.iter().all(|v| v.is_finite()), "{state:?}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let model = gamma_and_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let kernel =
        Sgvi::new(&model, &family, ScoreFunction::leave_one_out(8), NaturalGradient::default()).unwrap();
    let start = array![0.0, 0.0, 800.0, 0.0];
    let mut state = kernel.init_at(&start).unwrap();
    let error = kernel.step(StreamKey::from_seed(1), &mut state).unwrap_err();
    assert!(
        matches!(&error, SgviError::SingularFisher { parameter, .. } if parameter == "logit(on[1])"),
        "{error}"
    );
    assert_eq!(state.params, start);

    let model = badly_scaled();
    let mixture = GaussianMixture::mean_field(model.parameters(), 2).unwrap();
    let message =
        after(&model, &mixture, ScoreFunction::leave_one_out(8), NaturalGradient::default(), 5).unwrap_err();
    assert!(message.contains("no Fisher information in closed form"), "{message}");

    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let refused = |rule: NaturalGradient| {
        let error = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(8), rule).unwrap_err();
        error.to_string()
    };
    let damping = Damping { relative: -1.0, absolute: 0.0 };
    assert!(refused(NaturalGradient { damping, ..natural(0.1) }).contains("natural.damping.relative"));
    let trust_region = TrustRegion::MaxKl(0.0);
    assert!(
        refused(NaturalGradient { trust_region, ..natural(0.1) }).contains("natural.trust_region.max_kl")
    );
    assert!(refused(natural(-0.1)).contains("learning_rate"));
}

#[test]
fn a_file_sets_what_it_names() {
    let text = r#"
        [optimizer.natural]
        learning_rate = { constant = 0.5 }
        damping = { relative = 0.01 }
        trust_region = { max_kl = 0.1 }
        coordinates = "unconstrained"
    "#;
    let settings: SgviSettings = toml::from_str(text).unwrap();
    let expected = NaturalGradient {
        learning_rate: LearningRate::Constant(0.5),
        damping: Damping { relative: 0.01, absolute: 0.0 },
        trust_region: TrustRegion::MaxKl(0.1),
        coordinates: StepCoordinates::Unconstrained,
    };
    assert_eq!(settings.optimizer, AnyOptimizer::Natural(expected));
    assert_eq!(toml::from_str::<SgviSettings>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
    let none: SgviSettings = toml::from_str("[optimizer.natural]\ntrust_region = \"none\"").unwrap();
    let default = NaturalGradient { trust_region: TrustRegion::None, ..NaturalGradient::default() };
    assert_eq!(none.optimizer, AnyOptimizer::Natural(default));
    let wrong = toml::from_str::<SgviSettings>("[optimizer.natural]\ndamping = { relativ = 1.0 }");
    assert!(wrong.unwrap_err().to_string().contains("relativ"));
}
