//! Fits without settings against the best Gaussians of fifteen posteriors.

use ndarray::{Array2, s};
use serde_json::Value;
use vi_core::{ElboEstimate, Exec, GradLogJoint, LogJoint, Outcome, Parameter, Role, StreamKey, Support};
use vi_families::{
    FullRankGaussian, MeanFieldGaussian, NearGaussian, Reparameterized, VariationalDistribution,
    VariationalFamily,
};
use vi_models::eight_schools::EightSchoolsCentred;
use vi_models::gaussian_process::{GaussianProcessPoisson, GaussianProcessPriors};
use vi_models::gaussian_regression::{GaussianRegression, NationalElectionStudy};
use vi_models::one_compartment::{OneCompartment, OneCompartmentData, OneCompartmentPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::{Account, Advice, Evaluations, SgviError, advise, evaluate_elbo};

pub use crate::optima_values::{Best, OPTIMA, Optimum};
use crate::posteriors::{self, column, json, numbers, read};

/// Any model with a gradient.
pub type Model = Box<dyn GradLogJoint>;

/// Draws for ELBO and k-hat, as many as the reference used.
pub const N_EVALUATE: usize = 40_000;

/// Sets of draws for k-hat, whose own noise is up to 0.1 where it is near 1.
pub const N_SETS: u64 = 5;

/// A family of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The mean-field Gaussian.
    MeanField,
    /// The full-rank Gaussian.
    FullRank,
}

/// What a fit without settings reached.
#[derive(Debug)]
pub struct Reached {
    /// ELBO of q, from draws of its own.
    pub elbo: ElboEstimate,
    /// ELBO of the best member − that of q, in nats, with its Monte Carlo error.
    pub gap: (f64, f64),
    /// log p(x, z) − log q(z) at [`N_SETS`] sets of draws, of which the first is that of `elbo`.
    pub log_ratios: Vec<ndarray::Array1<f64>>,
    /// The same of the best member at the same draws; empty for the full-rank family, whose best is not typed in.
    pub log_ratios_of_best: Vec<ndarray::Array1<f64>>,
    /// The largest |sd/sd of the best − 1|.
    pub sd_off: f64,
    /// How the fit ended.
    pub outcome: Outcome,
    /// What was chosen.
    pub account: Account,
    /// Seconds of the fit.
    pub seconds: f64,
    /// What it cost.
    pub evaluations: Evaluations,
}

impl Reached {
    /// Within 0.05 nat and three Monte Carlo errors, those of the best included.
    pub fn is_closed(&self) -> bool {
        self.gap.0 <= 0.05 + 3.0 * self.gap.1
    }
}

/// Mean and standard deviation of the k-hats of the sets.
pub fn mean_and_sd(khats: &[f64]) -> (f64, f64) {
    let n = khats.len() as f64;
    let mean = khats.iter().sum::<f64>() / n;
    (mean, (khats.iter().map(|k| (k - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

/// Whether k-hat is within 0.1 of that of the best, which was found from one set of draws and has the same noise: three
/// of its standard deviations are allowed for it.
pub fn is_khat_close((mean, sd): (f64, f64), best: f64) -> bool {
    (mean - best).abs() <= 0.1 + 3.0 * sd
}

/// The model of a posterior of [`OPTIMA`], on its natural support.
///
/// # Panics
/// For another name, or if the data of the repository cannot be read.
pub fn model(name: &str) -> Model {
    match name {
        "eight_schools_centered" => Box::new(
            EightSchoolsCentred::new(posteriors::eight_schools_data(), Default::default()).expect(VALID),
        ),
        "eight_schools_noncentered" => Box::new(posteriors::eight_schools()),
        "kidscore_momhsiq" => Box::new(posteriors::kidscore()),
        "logearn_interaction" => Box::new(logearn()),
        "kilpisjarvi" => Box::new(kilpisjarvi()),
        "sblrc-blr" => Box::new(posteriors::blr()),
        "nes" => Box::new(nes()),
        "diamonds" => Box::new(diamonds()),
        "arK" => Box::new(GaussianRegression::autoregression(&column("arK.json", "y"), 5).expect(VALID)),
        "garch11" => Box::new(posteriors::garch()),
        "gp_regr" => Box::new(posteriors::gaussian_process()),
        "gp_pois_regr" => Box::new(gp_poisson()),
        "low_dim_gauss_mix" => Box::new(posteriors::two_normals()),
        "hmm_example" => Box::new(posteriors::hidden_markov()),
        "one_comp_mm_elim_abs" => Box::new(one_compartment()),
        other => panic!("no posterior is named {other}"),
    }
}

const VALID: &str = "the data are valid";

/// Fits a family to a posterior with the default settings.
///
/// # Errors
/// As for [`Advice::fit_family`].
pub fn reach(optimum: &Optimum, family: Family, seed: u64) -> Result<Reached, SgviError> {
    let model = model(optimum.name);
    let advice = advise(&model)?;
    let space = advice.model().parameters();
    match family {
        Family::MeanField => {
            let family = MeanFieldGaussian::new(space)?;
            let sd =
                |params: &ndarray::Array1<f64>| params.slice(s![params.len() / 2..]).mapv(f64::exp).to_vec();
            let Best { mean, sd: scales, .. } = optimum.mean_field;
            let best = family.params_from_mean_sd(&ndarray::aview1(mean), &ndarray::aview1(scales));
            let mut reached = reach_with(&advice, &family, (optimum.higher, optimum.mean_field), seed, sd)?;
            reached.log_ratios_of_best = sets(&advice, &family, &best)?;
            Ok(reached)
        }
        Family::FullRank => {
            let family = FullRankGaussian::new(space)?;
            let sd = |params: &ndarray::Array1<f64>| {
                let q = family.bind(params).expect("λ was bound before");
                q.covariance().diag().mapv(f64::sqrt).to_vec()
            };
            reach_with(&advice, &family, (optimum.higher, optimum.full_rank), seed, sd)
        }
    }
}

fn reach_with<F>(
    advice: &Advice<'_, Model>,
    family: &F,
    (higher, best): (f64, Best),
    seed: u64,
    sd: impl Fn(&ndarray::Array1<f64>) -> Vec<f64>,
) -> Result<Reached, SgviError>
where
    F: NearGaussian + Clone,
    for<'a> F::Member<'a>: Reparameterized,
{
    let clock = std::time::Instant::now();
    let fit = advice.fit_family(family, StreamKey::from_seed(seed), Exec::local())?;
    let seconds = clock.elapsed().as_secs_f64();
    let params = fit.posterior.params();
    let elbo = evaluate_elbo(advice.model(), family, params, N_EVALUATE, key(0), Exec::local())?;
    let log_ratios = sets(advice, family, params)?;
    let off = |(sd, best): (&f64, &f64)| (sd / best - 1.0).abs();
    Ok(Reached {
        elbo,
        gap: (best.elbo + higher - elbo.value, elbo.mcse.hypot(best.mcse)),
        log_ratios,
        log_ratios_of_best: Vec::new(),
        sd_off: sd(params).iter().zip(best.sd).map(off).fold(0.0, f64::max),
        outcome: fit.outcome,
        seconds,
        account: fit.account,
        evaluations: fit.evaluations,
    })
}

/// The key of a set of draws.
fn key(set: u64) -> StreamKey {
    let key = StreamKey::from_seed(0x6761_7021).role(Role::Evaluate);
    if set == 0 { key } else { key.fold_in(set) }
}

/// The log ratios at every set of draws.
fn sets<F: VariationalFamily>(
    advice: &Advice<'_, Model>,
    family: &F,
    params: &ndarray::Array1<f64>,
) -> Result<Vec<ndarray::Array1<f64>>, SgviError> {
    (0..N_SETS).map(|set| log_ratios(advice, family, params, key(set))).collect()
}

/// The log ratios at the draws of one set.
fn log_ratios<F: VariationalFamily>(
    advice: &Advice<'_, Model>,
    family: &F,
    params: &ndarray::Array1<f64>,
    key: StreamKey,
) -> Result<ndarray::Array1<f64>, SgviError> {
    let q = family.bind(params)?;
    let mut ratios = ndarray::Array1::zeros(N_EVALUATE);
    let rows = ratios.as_slice_mut().expect("a new array is contiguous");
    Exec::local().for_each_chunk(rows, 1, |items, out| {
        let mut z = Array2::zeros((items.len(), family.dim()));
        q.sample_batch(key, items.clone(), &mut z);
        let mut log_q = ndarray::Array1::zeros(items.len());
        q.log_prob_batch(&z, &mut log_q);
        advice.model().log_joint_batch(&z, &mut ndarray::ArrayViewMut1::from(&mut *out));
        out.iter_mut().zip(&log_q).for_each(|(o, q)| *o -= q);
    });
    Ok(ratios)
}

fn logearn() -> GaussianRegression {
    let [earn, height, male] = ["earn", "height", "male"].map(|name| column("earnings.json", name));
    GaussianRegression::logearn_interaction(&earn, &height, &male).expect(VALID)
}

fn kilpisjarvi() -> GaussianRegression {
    let file = "kilpisjarvi_mod.json";
    let value = json(file);
    let number = |name: &str| value[name].as_f64().expect("a number");
    let alpha = (number("pmualpha"), number("psalpha"));
    let beta = (number("pmubeta"), number("psbeta"));
    GaussianRegression::kilpisjarvi(&column(file, "x"), &column(file, "y"), alpha, beta).expect(VALID)
}

fn nes() -> GaussianRegression {
    let column = |name| column("nes2000.json", name);
    GaussianRegression::nes(&NationalElectionStudy {
        partyid7: column("partyid7"),
        real_ideo: column("real_ideo"),
        race_adj: column("race_adj"),
        age_discrete: column("age_discrete"),
        educ1: column("educ1"),
        gender: column("gender"),
        income: column("income"),
    })
    .expect(VALID)
}

/// From the triangular factor of the centred design, which has the sums of squares of all 5000 rows.
fn diamonds() -> GaussianRegression {
    let text = read("../vi-models/tests/posteriordb/diamonds_factor.json");
    let value: Value = serde_json::from_str(&text).expect("the factor is JSON");
    let n = value["N"].as_u64().expect("a number") as usize;
    let rows: Vec<Vec<f64>> = value["R"].as_array().expect("rows").iter().map(numbers).collect();
    let d = rows.len() - 1;
    let mut design = Array2::zeros((n, d + 1));
    for (i, row) in rows.iter().enumerate() {
        design.slice_mut(s![i, i..]).assign(&ndarray::aview1(row));
    }
    // The priors are those of the constructor, whatever its data.
    let three = Array2::from_shape_fn((5, 3), |(i, j)| ((i * (j + 1)) as f64).sin());
    let small = GaussianRegression::diamonds(&three, &ndarray::Array1::linspace(7.0, 9.0, 5)).expect(VALID);
    let mut priors = vec![small.coefficient_priors()[0]; d - 1];
    priors.push(small.coefficient_priors()[2]);
    let data = RegressionData::new(design.slice(s![.., ..d]).to_owned(), design.column(d).to_owned());
    let names =
        vec![Parameter::vector("b", d - 1, Support::Real), Parameter::scalar("Intercept", Support::Real)];
    let data = data.expect(VALID);
    GaussianRegression::with_parameters(data, names, priors, small.noise_prior()).expect(VALID)
}

fn gp_poisson() -> GaussianProcessPoisson {
    let (file, priors) = ("gp_pois_regr.json", GaussianProcessPriors::default());
    GaussianProcessPoisson::new(column(file, "x"), column(file, "k"), priors).expect(VALID)
}

fn one_compartment() -> OneCompartment {
    let file = "one_comp_mm_elim_abs.json";
    let value = json(file);
    let number = |name: &str| value[name].as_f64().expect("a number");
    let data = OneCompartmentData {
        dose: number("D"),
        volume: number("V"),
        start: number("t0"),
        times: column(file, "times"),
        concentrations: column(file, "C_hat"),
    };
    OneCompartment::new(data, OneCompartmentPriors::default()).expect(VALID)
}
