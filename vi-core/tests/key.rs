//! Keys: named streams that are the same everywhere and independent of each other.

use rand::RngExt;
use vi_core::{Role, StreamKey};

/// First uniform of many streams under one key, or of many keys: independent uniforms.
fn uniforms(name: impl Fn(u64) -> f64) -> Vec<f64> {
    (0..4096).map(name).collect()
}

#[test]
fn neighbouring_names_give_independent_uniforms() {
    let key = StreamKey::from_seed(3);
    for (how, u) in [
        ("streams", uniforms(|i| key.rng(i).random())),
        ("iterations", uniforms(|i| key.fold_in(i).rng(0).random())),
        ("seeds", uniforms(|i| StreamKey::from_seed(i).rng(0).random())),
        ("chains", uniforms(|i| key.role(Role::Chain(i as u32)).rng(0).random())),
        ("grandchildren", uniforms(|i| key.fold_in(i / 64).fold_in(i % 64).rng(0).random())),
    ] {
        let n = u.len() as f64;
        // Under independence both are N(0, 1) to good accuracy: 5 standard errors are exceeded with
        // probability 6·10⁻⁷ each.
        let mean = (12.0 * n).sqrt() * (u.iter().sum::<f64>() / n - 0.5);
        let lag = u.windows(2).map(|w| (w[0] - 0.5) * (w[1] - 0.5)).sum::<f64>() * 12.0 / (n - 1.0).sqrt();
        assert!(mean.abs() < 5.0 && lag.abs() < 5.0, "{how}: mean {mean}, lag-1 correlation {lag}");
        let mut sorted = u.clone();
        sorted.sort_by(f64::total_cmp);
        // Kolmogorov–Smirnov: √n D > 2.7 has probability 2 exp(−2 · 2.7²) = 9·10⁻⁷.
        let d = sorted.iter().enumerate().map(|(i, u)| (u - (i as f64 + 0.5) / n).abs()).fold(0.0, f64::max);
        assert!(d * n.sqrt() < 2.7, "{how}: √n D = {}", d * n.sqrt());
    }
}

#[test]
fn the_order_of_names_matters_and_roles_are_apart() {
    let key = StreamKey::from_seed(3);
    assert_ne!(key.fold_in(1).fold_in(2), key.fold_in(2).fold_in(1));
    let roles = [Role::Init, Role::Step, Role::Evaluate, Role::Data, Role::Chain(0), Role::Chain(1)];
    for (i, a) in roles.iter().enumerate() {
        assert!(roles.iter().skip(i + 1).all(|b| key.role(*a) != key.role(*b)), "{a:?}");
    }
}

#[test]
fn a_stream_is_the_same_on_every_thread() {
    let key = StreamKey::from_seed(3).role(Role::Step);
    let draw = || (0..100).map(|i| key.rng(i).random()).collect::<Vec<u64>>();
    let here = draw();
    let there = std::thread::scope(|scope| scope.spawn(draw).join().unwrap());
    assert_eq!(here, there);
}
