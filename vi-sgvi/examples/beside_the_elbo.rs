//! Score matching, fixed draws and particles beside pathwise stochastic gradients, on two posteriors, every evaluation counted
//! by the same counter.
//!
//! Eight schools, non-centred, on ℝ¹⁰; and a logistic regression with 569 data and 31 coefficients. The counts are those of
//! the fit alone; the ELBO comes from 10 000 draws that no fit has seen.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ndarray::{Array1, Array2, Axis, array, s};
use vi_core::{
    Counted, Exec, GradLogJoint, KnownPosterior, LogJoint, Outcome, Posterior, Role, StreamKey, Unconstrained,
};
use vi_families::{FullRankGaussian, MeanFieldGaussian, VariationalFamily};
use vi_models::eight_schools::{EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::{
    BatchAndMatch, DeterministicAdviSettings, GaussianScoreMatching, LearningRate, MatchRule, RmsProp,
    ScoreMatchingSettings, SgviFit, SgviPosterior, SgviSettings, SteinSettings, evaluate_elbo, fit,
    fit_deterministic, fit_score_matching, fit_stein,
};

type Failure = Box<dyn std::error::Error>;

const N_EVALUATE: usize = 10_000;

/// The methods on one model over ℝᴰ.
struct Comparison<'a, M> {
    model: &'a Counted<M>,
    key: StreamKey,
}

impl<M: GradLogJoint> Comparison<'_, M> {
    fn run(&self) -> Result<(), Failure> {
        println!("{:<34} {:>9} {:>20} {:>9}  ended", "", "gradients", "ELBO", "mean sd");
        let settings = SgviSettings { n_samples: 10, n_evaluate: N_EVALUATE, ..SgviSettings::default() };
        let space = self.model.parameters();
        self.pathwise("pathwise, mean field", &MeanFieldGaussian::new(space)?, &settings)?;
        self.pathwise("pathwise, full rank", &FullRankGaussian::new(space)?, &settings)?;
        self.matching(BatchAndMatch::default())?;
        self.matching(GaussianScoreMatching)?;
        self.deterministic()?;
        self.particles()
    }

    fn pathwise<F>(&self, name: &str, family: &F, settings: &SgviSettings) -> Result<(), Failure>
    where
        F: VariationalFamily + Clone,
        for<'b> F::Member<'b>: vi_families::Reparameterized,
    {
        self.model.set(0, 0);
        let fitted = fit(self.model, family, settings.pathwise(), settings, self.key, Exec::local())?;
        self.report(name, &fitted);
        Ok(())
    }

    fn matching<R: MatchRule>(&self, rule: R) -> Result<(), Failure> {
        self.model.set(0, 0);
        let settings = ScoreMatchingSettings { n_evaluate: N_EVALUATE, ..ScoreMatchingSettings::default() };
        let name = rule.name();
        let fitted = fit_score_matching(self.model, rule, &settings, self.key, Exec::local())?;
        self.report(&name, &fitted);
        Ok(())
    }

    /// The mean field at fixed draws, and the Gaussian with the covariance of its linear response.
    fn deterministic(&self) -> Result<(), Failure> {
        self.model.set(0, 0);
        let settings =
            DeterministicAdviSettings { n_evaluate: N_EVALUATE, ..DeterministicAdviSettings::default() };
        let fitted = fit_deterministic(self.model, &settings, self.key, Exec::local())?;
        self.report("deterministic, mean field", &fitted.fit);
        let Some(response) = fitted.linear_response else { return Ok(()) };
        let n_gradient = self.model.n_gradient();
        let q: SgviPosterior<FullRankGaussian> = response.posterior(self.model.parameters())?;
        let key = self.key.role(Role::Evaluate);
        let elbo = evaluate_elbo(self.model, q.family(), q.params(), N_EVALUATE, key, Exec::local())?;
        let elbo = format!("{:.3} ± {:.3}", elbo.value, elbo.mcse);
        let sd = response.sd().mean().unwrap_or(f64::NAN);
        println!("{:<34} {n_gradient:>9} {elbo:>20} {sd:>9.3}", "  with linear response");
        Ok(())
    }

    fn particles(&self) -> Result<(), Failure> {
        self.model.set(0, 0);
        let learning_rate = LearningRate::Polynomial { initial: 0.1, delay: 300.0, exponent: 0.7 };
        let adagrad = RmsProp { learning_rate, ..RmsProp::default() };
        let settings = SteinSettings { n_iterations: 1000, ..SteinSettings::default() };
        let fitted = fit_stein(self.model, adagrad, &settings, self.key, Exec::local())?;
        let last = fitted.discrepancy_trace.last().copied().unwrap_or(f64::NAN);
        let name = format!("Stein particles, discrepancy {last:.2}");
        self.line(&name, "none".to_owned(), &fitted.posterior, &fitted.outcome);
        Ok(())
    }

    fn report<F: VariationalFamily>(&self, name: &str, fitted: &SgviFit<F>) {
        let elbo = format!("{:.3} ± {:.3}", fitted.elbo.value, fitted.elbo.mcse);
        self.line(name, elbo, &fitted.posterior, &fitted.outcome);
    }

    fn line(&self, name: &str, elbo: String, posterior: &dyn Posterior, outcome: &Outcome) {
        let draws = posterior.draws(N_EVALUATE, self.key.role(Role::Evaluate).fold_in(1));
        let sd = draws.values().index_axis(Axis(0), 0).std_axis(Axis(0), 0.0).mean().unwrap_or(f64::NAN);
        let reason = if outcome.converged() { "converged" } else { "budget" };
        println!("{name:<34} {:>9} {elbo:>20} {sd:>9.3}  {reason}", self.model.n_gradient());
    }
}

fn eight_schools() -> Result<EightSchoolsNonCentred, Failure> {
    let data = EightSchoolsData {
        effect: array![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        standard_error: array![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    };
    Ok(EightSchoolsNonCentred::new(data, EightSchoolsPriors::default())?)
}

/// Wisconsin breast cancer, covariates standardised, an intercept, priors N(0, 2.5²).
fn breast_cancer() -> Result<LogisticRegression, Failure> {
    let mut values = Vec::new();
    for line in include_str!("../../data/breast_cancer.csv").lines().skip(1) {
        for field in line.split(',') {
            values.push(field.parse::<f64>()?);
        }
    }
    let table = Array2::from_shape_vec((values.len() / 31, 31), values)?;
    let (mut x, y): (Array2<f64>, Array1<f64>) =
        (table.slice(s![.., ..30]).to_owned(), table.column(30).to_owned());
    for mut column in x.columns_mut() {
        let (mean, sd) = (column.mean().unwrap_or(0.0), column.std(0.0));
        column.mapv_inplace(|v| (v - mean) / sd);
    }
    Ok(LogisticRegression::new(RegressionData::with_intercept(x, y)?, LogisticRegressionPriors::default())?)
}

fn main() -> Result<(), Failure> {
    let key = StreamKey::from_seed(1);
    let schools = eight_schools()?;
    let evidence = schools.log_evidence().unwrap_or(f64::NAN);
    println!("Eight schools, non-centred, D = 10; log evidence {evidence:.3}");
    Comparison { model: &Counted::new(Unconstrained::new(schools)?), key }.run()?;
    println!("\nLogistic regression, 569 data, D = 31");
    Comparison { model: &Counted::new(breast_cancer()?), key }.run()
}
