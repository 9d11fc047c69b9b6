//! One sweep of coordinate ascent, with the ELBO checked after every block and after the sweep alone.

use criterion::{Criterion, criterion_group, criterion_main};
use vi_benches::{linear_regression, logistic_regression};
use vi_cavi::Cavi;
use vi_core::{ConditionallyConjugate, Exec, Kernel, StreamKey};

fn sweep<M: ConditionallyConjugate>(c: &mut Criterion, name: &str, model: &M) {
    let key = StreamKey::from_seed(1);
    for check_blocks in [true, false] {
        let cavi = Cavi::new(model, Exec::local()).with_check_blocks(check_blocks);
        let start = cavi.init(key).expect("the synthetic data admit a start");
        let check = if check_blocks { "checked" } else { "unchecked" };
        c.bench_function(&format!("cavi_sweep/{name}/{check}"), |b| {
            b.iter_batched_ref(
                || start.clone(),
                |state| cavi.step(key, state).expect("the conditionals are exact"),
                criterion::BatchSize::SmallInput,
            );
        });
    }
}

fn models(c: &mut Criterion) {
    sweep(c, "logistic_regression_569x31", &logistic_regression(569, 30));
    sweep(c, "linear_regression_569x31", &linear_regression(569, 30));
}

criterion_group!(benches, models);
criterion_main!(benches);
