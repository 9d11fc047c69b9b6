//! What a reader of a report is warned of, at the limits and on both sides of them.

mod common;

use common::{TINY, parse};
use vi_diagnostics::Summary as Figures;
use vi_lab::{
    Experiment, KHAT_LIMIT, Manifest, MethodKind, MethodResult, RHAT_LIMIT, Summary, TraceColumns,
    render_report,
};

/// A result without fault: converged, k-hat and R-hat at their limits, no divergence.
fn faultless() -> MethodResult {
    MethodResult {
        name: "cavi".into(),
        method: MethodKind::Cavi,
        settings: String::new(),
        converged: true,
        stop_reason: "tolerance reached".into(),
        interrupted: false,
        iterations: 1,
        elapsed_s: 0.0,
        n_log_joint: 0,
        n_gradient: 0,
        n_log_joint_block: 0,
        elbo: None,
        elbo_sampled: None,
        khat: Some(KHAT_LIMIT),
        n_divergent: Some(0),
        parameters: ["theta[1]", "theta[2]", "tau"].map(|name| coordinate(name, RHAT_LIMIT)).to_vec(),
        remarks: Vec::new(),
        optima: Vec::new(),
        trace: TraceColumns::new(&["iteration"]),
        draws: None,
        notes: Vec::new(),
    }
}

fn coordinate(name: &str, rhat: f64) -> Figures {
    Figures {
        name: name.into(),
        mean: 0.0,
        sd: 1.0,
        q05: -1.6,
        q50: 0.0,
        q95: 1.6,
        mcse_mean: None,
        ess_bulk: None,
        ess_tail: None,
        rhat: Some(rhat),
    }
}

/// TINY with its first method alone, so that one result is all results.
fn experiment() -> Experiment {
    let (head, _) = TINY.split_once("[[methods]]\nname = \"full-rank\"").expect("a second method");
    parse(head).expect("the experiment is in order")
}

fn report(result: MethodResult) -> String {
    let (experiment, results) = (experiment(), [result]);
    let summary = Summary::new(&experiment, &results, Manifest::here());
    render_report(&experiment, &results, &summary).expect("a report")
}

#[test]
fn at_the_limits_there_is_no_warning() {
    assert_eq!((KHAT_LIMIT, RHAT_LIMIT), (0.7, 1.01));
    assert_eq!(faultless().warnings(), [""; 0]);
    let report = report(faultless());
    assert!(report.contains("<h2>No warnings</h2>") && !report.contains("<h2>Warnings</h2>"));
}

#[test]
fn k_hat_warns_above_its_limit_only() {
    let of = |khat: Option<f64>| MethodResult { khat, ..faultless() }.warnings();
    for fine in [None, Some(-0.3), Some(0.7_f64.next_down())] {
        assert_eq!(of(fine), [""; 0], "{fine:?}");
    }
    assert_eq!(of(Some(0.7_f64.next_up())).len(), 1);
    let wanted = "Pareto k-hat 0.83 > 0.7: the approximation misses posterior mass that importance weighting \
                  cannot mend";
    assert_eq!(of(Some(0.83)), [wanted]);
}

#[test]
fn r_hat_warns_above_its_limit_only_and_names_the_worst_coordinate() {
    let of = |rhat: [f64; 3]| {
        let names = ["theta[1]", "theta[2]", "tau"];
        let parameters = names.iter().zip(rhat).map(|(name, r)| coordinate(name, r)).collect();
        MethodResult { parameters, ..faultless() }.warnings()
    };
    assert_eq!(of([1.0, 0.999, 1.01_f64.next_down()]), [""; 0]);
    assert_eq!(of([1.0, 1.01_f64.next_up(), 1.0]).len(), 1);
    assert_eq!(of([1.0, 1.25, 1.02]), ["R-hat > 1.01 for 2 of 3 coordinates (largest 1.250, theta[2])"]);
}

#[test]
fn divergences_budgets_and_interruptions_are_told() {
    let of = |change: fn(&mut MethodResult)| {
        let mut result = faultless();
        change(&mut result);
        result.warnings()
    };
    assert_eq!(of(|r| r.n_divergent = Some(3)), ["3 divergent transitions after warm-up"]);
    assert_eq!(of(|r| r.n_divergent = None), [""; 0]);
    let budget = of(|r| (r.converged, r.stop_reason) = (false, "iteration budget used up".into()));
    assert_eq!(budget, ["not converged (iteration budget used up)"]);
    let interrupted = of(|r| (r.converged, r.interrupted) = (false, true));
    assert_eq!(interrupted, ["interrupted: the figures are those of an unfinished run"]);
    assert_eq!(of(|r| r.notes.push("no k-hat".into())), ["no k-hat"]);
}

#[test]
fn every_warning_reaches_the_report() {
    let mut result = faultless();
    result.khat = Some(0.83);
    result.n_divergent = Some(3);
    result.converged = false;
    result.parameters[1].rhat = Some(1.25);
    result.notes.push("a < b".into());
    let warnings = result.warnings();
    assert_eq!(warnings.len(), 5);
    let report = report(result);
    assert!(report.contains("<h2>Warnings</h2>") && !report.contains("<h2>No warnings</h2>"));
    let (_, section) = report.split_once("<h2>Warnings</h2>").expect("a section of warnings");
    let (section, _) = section.split_once("</section>").expect("its end");
    assert_eq!(section.matches("<li>").count(), 5);
    for warning in warnings {
        let escaped = warning.replace('<', "&lt;").replace('>', "&gt;");
        assert!(section.contains(&escaped), "no `{escaped}` in {section}");
    }
}
