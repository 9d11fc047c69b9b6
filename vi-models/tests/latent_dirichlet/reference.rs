//! Runs of independent implementations.

use approx::assert_relative_eq;
use ndarray::{arr2, s};
use vi_core::{ConditionallyConjugate, Exec};
use vi_models::latent_dirichlet::{DocumentStart, DocumentUpdate, LatentDirichletAllocation};
use vi_models::sparse_counts::SparseCounts;

use crate::corpora::{State, dense, fixed_topics, pride_and_prejudice, priors, seven, sweep};

fn model(
    counts: SparseCounts,
    k: usize,
    alpha: f64,
    eta: f64,
    update: DocumentUpdate,
) -> LatentDirichletAllocation {
    LatentDirichletAllocation::new(counts, k, priors(alpha, eta))
        .unwrap()
        .with_document_update(update)
        .unwrap()
}

fn fresh(tolerance: f64, max_iterations: usize) -> DocumentUpdate {
    DocumentUpdate { tolerance, max_iterations, start: DocumentStart::Fresh }
}

/// The ELBO after each E step, of which the start makes the first.
fn trace(model: &LatentDirichletAllocation, n: usize) -> (State, Vec<f64>) {
    let topics = fixed_topics(model.n_topics(), model.n_words());
    let mut state = model.start_from_topics(&topics, Exec::local()).unwrap();
    let mut elbos = vec![model.elbo(&state.0, &state.1)];
    elbos.extend((1..n).map(|_| sweep(model, &mut state)));
    (state, elbos)
}

/// The corpus `three_docs1200` of posteriordb: three words, documents of 400 tokens. Values of an independent NumPy
/// implementation of batch variational Bayes with every constant in the bound.
#[test]
fn three_documents() {
    let counts = dense(&arr2(&[[360.0, 40.0, 0.0], [0.0, 400.0, 0.0], [0.0, 0.0, 400.0]]));
    let model = model(counts, 2, 0.5, 0.1, fresh(1e-10, 200));
    let ((q, _), elbos) = trace(&model, 60);
    let expected =
        [-1404.9284628258765, -570.6866334098002, -569.5140350238255, -569.5140349468652, -569.5140349468629];
    for (elbo, expected) in elbos.iter().zip(expected) {
        assert_relative_eq!(*elbo, expected, max_relative = 1e-9);
    }
    assert_relative_eq!(elbos[59], -569.5140349468634, max_relative = 1e-10);
    for (topic, total) in
        q.topics().concentration().rows().into_iter().zip([400.3000000365483, 800.2999999634517])
    {
        assert_relative_eq!(topic.sum(), total, max_relative = 1e-9);
    }
}

/// 61 chapters, five topics, sixty E steps: the same implementation.
#[test]
fn pride_and_prejudice_with_five_topics() {
    let model = model(pride_and_prejudice(), 5, 0.5, 0.1, fresh(1e-10, 200));
    let ((q, _), elbos) = trace(&model, 60);
    let expected = [
        -263065.47187350865,
        -236298.3788503018,
        -232356.60242563073,
        -230774.38191916075,
        -230004.90271330072,
    ];
    for (elbo, expected) in elbos.iter().zip(expected) {
        assert_relative_eq!(*elbo, expected, max_relative = 1e-9);
    }
    assert_relative_eq!(elbos[59], -227256.52976778385, max_relative = 1e-6);
    let totals =
        [8664.354665903467, 1023.6054561916485, 11308.571769912971, 5093.815984107365, 7534.152123884549];
    for (topic, total) in q.topics().concentration().rows().into_iter().zip(totals) {
        assert_relative_eq!(topic.sum(), total, max_relative = 1e-5);
    }
    let top: Vec<Vec<usize>> =
        model.top_words(q.topics(), 8).iter().map(|t| t.iter().map(|word| word.word).collect()).collect();
    assert_eq!(
        top,
        [
            [135, 296, 416, 895, 874, 741, 1245, 130],
            [216, 183, 895, 416, 822, 619, 184, 1244],
            [895, 416, 296, 1454, 896, 788, 516, 1364],
            [825, 741, 130, 416, 307, 896, 758, 588],
            [895, 763, 896, 216, 130, 170, 416, 1490],
        ]
    );
}

/// `LatentDirichletAllocation` of scikit-learn 1.9.1 with these priors, this start, γ = 1 at every E step,
/// `mean_change_tol=1e-13` and at most 1000 inner iterations: `_approx_bound` after each of twelve E steps,
/// `components_` and γ after the last.
#[test]
fn scikit_learn_at_the_same_start() {
    let model = model(seven(), 3, 0.4, 0.3, fresh(1e-13, 1000));
    let ((q, _), elbos) = trace(&model, 12);
    let expected = [
        -149.60563990721494,
        -110.22814219584673,
        -108.64295617098597,
        -107.78810969812275,
        -107.39203409404854,
        -107.23802017328427,
        -107.13782016980566,
        -107.05394642972337,
        -106.98296328204762,
        -106.92548006631867,
        -106.88131364820116,
        -106.85005025305895,
    ];
    for (elbo, expected) in elbos.iter().zip(expected) {
        assert_relative_eq!(*elbo, expected, max_relative = 1e-9);
    }
    let topics = arr2(&[
        [
            0.3067860982381071,
            0.3557373450717778,
            10.451207006322067,
            11.25963229344778,
            0.3051167161711721,
            0.4112663632260637,
        ],
        [
            8.060554685864643,
            9.242974096652464,
            1.1361869745210018,
            0.3027994009390315,
            0.5028155088680706,
            0.30265871919433895,
        ],
        [
            1.5326592158972383,
            0.30128855827574813,
            0.3126060191569191,
            0.3375683056131779,
            11.092067774960745,
            12.186074917579585,
        ],
    ]);
    assert!(
        (&q.topics().concentration() - &topics).iter().all(|e| e.abs() < 1e-6),
        "{:?}",
        q.topics().concentration()
    );
    let proportions = arr2(&[
        [0.4005963628061212, 7.470889644479261, 1.328513992714609],
        [0.7605722640109012, 8.036815107763902, 0.4026126282251881],
        [9.468839250879228, 0.4047685587349289, 1.3263921903858333],
        [9.429168392903012, 1.3703349848322142, 0.4004966222647628],
        [0.4006216497163181, 0.5431314114092044, 10.256246938874467],
        [1.3699191855183484, 0.40093095078169877, 9.429149863899744],
        [2.2539800591043155, 2.240245278622496, 3.705774662273176],
    ]);
    assert!((&q.proportions() - &proportions).iter().all(|e| e.abs() < 1e-6), "{:?}", q.proportions());
    assert_eq!(q.topics().concentration().slice(s![0, ..]).len(), 6);
}

/// Updates to convergence from the last γ, from γ = 1 and one by one end at the same fixed point.
#[test]
fn all_kinds_of_sweeps_have_one_fixed_point() {
    let update = DocumentUpdate { tolerance: 1e-12, max_iterations: 1000, start: DocumentStart::Warm };
    let warm = model(seven(), 3, 0.4, 0.3, update);
    let restarted = model(seven(), 3, 0.4, 0.3, fresh(1e-12, 1000));
    let single = warm.clone().with_single_updates();
    let ends = [warm, restarted, single].map(|model| {
        let mut state = model.start_from_topics(&fixed_topics(3, 6), Exec::local()).unwrap();
        let elbos: Vec<f64> = (0..3000).map(|_| sweep(&model, &mut state)).collect();
        assert!(elbos.windows(2).all(|w| w[1] >= w[0] - 1e-9), "a sweep lowered the bound");
        (elbos[2999], state.0.topics().concentration().to_owned())
    });
    for (elbo, topics) in &ends[1..] {
        assert_relative_eq!(*elbo, ends[0].0, max_relative = 1e-9);
        assert!((topics - &ends[0].1).iter().all(|e| e.abs() < 1e-5));
    }
}
