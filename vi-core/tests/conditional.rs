//! The checks of conditionally conjugate models pass a correct one and name what is wrong with the others.

#[path = "support/panics.rs"]
mod panics;
#[path = "support/sign.rs"]
mod sign;

use panics::message;
use sign::{Block, Fault, SignToy};
use vi_core::StreamKey;
use vi_core::testing::{check_conditional, check_conditional_against};

fn key() -> StreamKey {
    StreamKey::from_seed(11)
}

#[test]
fn a_correct_model_passes() {
    let model = SignToy::new(Fault::None);
    check_conditional(&model, key());
    check_conditional_against(&model, &[Block::Sign], 10, key());
}

#[test]
fn every_mistake_is_named() {
    for (fault, expected) in [
        (Fault::RateWithoutHalf, "block Precision: its factor is not the complete conditional"),
        (Fault::SignForgetsTheFactorTwo, "block Sign: its factor is not the complete conditional"),
        (Fault::DrawsWithVarianceForDeviation, "block Mean: −log q_b averages to"),
        (Fault::SecondMomentWithoutVariance, "lowers the ELBO by"),
        (Fault::EntropyWithoutItsConstant, "by block_log_prob and expect it is"),
        (Fault::SamplesPrecisionForMean, "log_prob is not the density of Sample"),
        (Fault::DensityOfTheWrongWidth, "log_prob is not the density of Sample"),
    ] {
        let text = message(|| check_conditional(&SignToy::new(fault), key()));
        assert!(text.contains(expected), "{fault:?}: {text}");
    }
}

#[test]
fn a_log_joint_that_belongs_to_another_model_is_found() {
    let model = SignToy::new(Fault::LogJointWithoutThePriorOfTheSign);
    check_conditional(&model, key());
    let text = message(|| check_conditional_against(&model, &[Block::Sign], 3, key()));
    assert!(text.starts_with("log joint -") && text.contains("by the conditionals -"), "{text}");
    // The auxiliary block has to be named.
    let text = message(|| check_conditional_against(&SignToy::new(Fault::None), &[], 3, key()));
    assert!(text.contains("by the conditionals"), "{text}");
}
