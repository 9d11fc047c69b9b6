//! The regressions of posteriordb, each from its columns.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use vi_core::{Parameter, Support};

use super::{GaussianRegression, MODEL};
use crate::ModelError;
use crate::checks::{finite_matrix, positive};
use crate::prior::{PositivePrior, RealPrior};
use crate::regression::RegressionData;

impl GaussianRegression {
    /// posteriordb's `kidscore_momhsiq`: a child's test score on its mother's schooling and IQ.
    ///
    /// ```text
    /// kid_score ~ N(β₁ + β₂ mom_hs + β₃ mom_iq, σ²),   β flat,   σ ~ half-Cauchy(2.5)
    /// ```
    /// Parameters `beta[3]`, `sigma`. Its program's log joint is lower by log 2.
    ///
    /// # Errors
    /// [`ModelError`] for columns that are empty, of different lengths, not finite or collinear.
    pub fn kidscore_momhsiq(
        kid_score: &ArrayRef1<f64>,
        mom_hs: &ArrayRef1<f64>,
        mom_iq: &ArrayRef1<f64>,
    ) -> Result<Self, ModelError> {
        let ones = Array1::ones(kid_score.len());
        let x = columns(kid_score.len(), &[("ones", &ones), ("mom_hs", mom_hs), ("mom_iq", mom_iq)])?;
        Self::betas(x, kid_score, RealPrior::Flat, PositivePrior::HalfCauchy { scale: 2.5 })
    }

    /// posteriordb's `logearn_interaction`: log earnings on height, sex and their product.
    ///
    /// ```text
    /// log earn ~ N(β₁ + β₂ height + β₃ male + β₄ height·male, σ²),   β and σ flat
    /// ```
    /// Parameters `beta[4]`, `sigma`.
    ///
    /// # Errors
    /// As for [`GaussianRegression::kidscore_momhsiq`]; and when earnings are not positive.
    pub fn logearn_interaction(
        earn: &ArrayRef1<f64>,
        height: &ArrayRef1<f64>,
        male: &ArrayRef1<f64>,
    ) -> Result<Self, ModelError> {
        if let Some((row, &value)) = earn.iter().enumerate().find(|(_, e)| e.is_nan() || **e <= 0.0) {
            let requirement = "finite and > 0";
            return Err(ModelError::Datum { model: MODEL, data: "earn", row, column: 0, value, requirement });
        }
        let n = earn.len();
        let ones = Array1::ones(n);
        let mut x = columns(n, &[("ones", &ones), ("height", height), ("male", male), ("male", male)])?;
        x.column_mut(3).zip_mut_with(height, |m, h| *m *= h);
        Self::betas(x, &earn.mapv(f64::ln), RealPrior::Flat, PositivePrior::Flat)
    }

    /// posteriordb's `kilpisjarvi`: summer temperature on the year.
    ///
    /// ```text
    /// y ~ N(α + βx, σ²),   α and β normal,   σ flat
    /// ```
    /// Parameters `alpha`, `beta`, `sigma`; priors as (mean, standard deviation).
    ///
    /// # Errors
    /// As for [`GaussianRegression::kidscore_momhsiq`]; and for priors outside their domain.
    pub fn kilpisjarvi(
        x: &ArrayRef1<f64>,
        y: &ArrayRef1<f64>,
        alpha: (f64, f64),
        beta: (f64, f64),
    ) -> Result<Self, ModelError> {
        let ones = Array1::ones(y.len());
        let design = columns(y.len(), &[("ones", &ones), ("x", x)])?;
        let normal = |(mean, sd)| RealPrior::Normal { mean, sd };
        let parameters = ["alpha", "beta"].map(|name| Parameter::scalar(name, Support::Real)).to_vec();
        let priors = vec![normal(alpha), normal(beta)];
        Self::with_parameters(
            RegressionData::new(design, y.to_owned())?,
            parameters,
            priors,
            PositivePrior::Flat,
        )
    }

    /// posteriordb's `blr`: normal priors throughout.
    ///
    /// ```text
    /// y ~ N(Xβ, σ²),   β_d ~ N(0, 10²),   σ ~ half-normal(10)
    /// ```
    /// Parameters `beta[D]`, `sigma`. Its program's log joint is lower by log 2.
    ///
    /// # Errors
    /// [`ModelError`] for data that are empty, of different lengths or not finite.
    pub fn blr(x: Array2<f64>, y: &ArrayRef1<f64>) -> Result<Self, ModelError> {
        let prior = RealPrior::Normal { mean: 0.0, sd: 10.0 };
        Self::betas(x, y, prior, PositivePrior::HalfNormal { scale: 10.0 })
    }

    /// posteriordb's `nes`: party identification on ideology, race, age group, education, sex and income.
    ///
    /// ```text
    /// partyid7 ~ N(β₁ + β₂ real_ideo + β₃ race_adj + β₄ [age = 2] + β₅ [age = 3] + β₆ [age = 4]
    ///              + β₇ educ1 + β₈ gender + β₉ income, σ²),        β and σ flat
    /// ```
    /// Parameters `beta[9]`, `sigma`.
    ///
    /// # Errors
    /// As for [`GaussianRegression::kidscore_momhsiq`].
    pub fn nes(data: &NationalElectionStudy) -> Result<Self, ModelError> {
        let n = data.partyid7.len();
        let ones = Array1::ones(n);
        let group = |g: f64| data.age_discrete.mapv(|a| f64::from(u8::from(a == g)));
        let x = columns(
            n,
            &[
                ("ones", &ones),
                ("real_ideo", &data.real_ideo),
                ("race_adj", &data.race_adj),
                ("age_discrete", &group(2.0)),
                ("age_discrete", &group(3.0)),
                ("age_discrete", &group(4.0)),
                ("educ1", &data.educ1),
                ("gender", &data.gender),
                ("income", &data.income),
            ],
        )?;
        Self::betas(x, &data.partyid7, RealPrior::Flat, PositivePrior::Flat)
    }

    /// posteriordb's `diamonds`: columns 2 … K of `x`, centred, beside an intercept.
    ///
    /// ```text
    /// y ~ N(Intercept + X_c b, σ²)
    /// b ~ N(0, 1),   Intercept ~ 8 + 10 t(3),   σ ~ 10 |t(3)|
    /// ```
    /// Parameters `b[K − 1]`, `Intercept`, `sigma`. Its program normalises the prior of σ as well.
    ///
    /// # Errors
    /// As for [`GaussianRegression::blr`]; and when `x` has fewer than two columns.
    pub fn diamonds(x: &ArrayRef2<f64>, y: &ArrayRef1<f64>) -> Result<Self, ModelError> {
        finite_matrix(MODEL, "x", x)?;
        let k = x.ncols();
        if k < 2 {
            return Err(ModelError::Length { model: MODEL, data: "columns of x", expected: 2, actual: k });
        }
        let mut design = Array2::ones(x.raw_dim());
        for (mut to, from) in design.columns_mut().into_iter().zip(x.columns().into_iter().skip(1)) {
            let mean = from.sum() / from.len() as f64;
            to.assign(&from.mapv(|v| v - mean));
        }
        let parameters =
            vec![Parameter::vector("b", k - 1, Support::Real), Parameter::scalar("Intercept", Support::Real)];
        let mut priors = vec![RealPrior::Normal { mean: 0.0, sd: 1.0 }; k - 1];
        priors.push(RealPrior::StudentT { dof: 3.0, location: 8.0, scale: 10.0 });
        let noise = PositivePrior::HalfStudentT { dof: 3.0, scale: 10.0 };
        Self::with_parameters(RegressionData::new(design, y.to_owned())?, parameters, priors, noise)
    }

    /// posteriordb's `arK`: an autoregression of order `order` with normal priors, given its first values.
    ///
    /// ```text
    /// y_t ~ N(α + Σ_k β_k y_{t−k}, σ²),   t > K
    /// α, β_k ~ N(0, 10²),   σ ~ half-Cauchy(2.5)
    /// ```
    /// Parameters `alpha`, `beta[K]`, `sigma`. Its program's log joint is lower by log 2. As a regression its
    /// predictions are one step ahead, at the lagged values in its data.
    ///
    /// # Errors
    /// [`ModelError`] when `order` is 0, the series is not longer than it, or a value is not finite.
    pub fn autoregression(y: &ArrayRef1<f64>, order: usize) -> Result<Self, ModelError> {
        positive(MODEL, "order", order as f64)?;
        if y.len() <= order {
            let (expected, actual) = (order + 1, y.len());
            return Err(ModelError::Length { model: MODEL, data: "y", expected, actual });
        }
        let n = y.len() - order;
        let mut x = Array2::ones((n, order + 1));
        for lag in 1..=order {
            x.column_mut(lag).assign(&y.slice(s![order - lag..y.len() - lag]));
        }
        let prior = RealPrior::Normal { mean: 0.0, sd: 10.0 };
        let parameters =
            vec![Parameter::scalar("alpha", Support::Real), Parameter::vector("beta", order, Support::Real)];
        let noise = PositivePrior::HalfCauchy { scale: 2.5 };
        let data = RegressionData::new(x, y.slice(s![order..]).to_owned())?;
        Self::with_parameters(data, parameters, vec![prior; order + 1], noise)
    }

    /// The coefficients `beta` under one prior.
    fn betas(
        x: Array2<f64>,
        y: &ArrayRef1<f64>,
        prior: RealPrior,
        noise: PositivePrior,
    ) -> Result<Self, ModelError> {
        let d = x.ncols();
        let data = RegressionData::new(x, y.to_owned())?;
        let parameters = vec![Parameter::vector("beta", d, Support::Real)];
        Self::with_parameters(data, parameters, vec![prior; d], noise)
    }
}

/// The columns of the American National Election Study that [`GaussianRegression::nes`] takes (N each).
#[derive(Clone, Debug, PartialEq)]
pub struct NationalElectionStudy {
    /// Party identification, 1 (strong Democrat) to 7 (strong Republican): the response.
    pub partyid7: Array1<f64>,
    /// Ideology, 1 (very liberal) to 7 (very conservative).
    pub real_ideo: Array1<f64>,
    /// Race.
    pub race_adj: Array1<f64>,
    /// Age group, 1 to 4.
    pub age_discrete: Array1<f64>,
    /// Education, 1 to 4.
    pub educ1: Array1<f64>,
    /// Sex.
    pub gender: Array1<f64>,
    /// Income, 1 to 5.
    pub income: Array1<f64>,
}

/// Columns side by side, all of length `n`.
fn columns(n: usize, columns: &[(&'static str, &ArrayRef1<f64>)]) -> Result<Array2<f64>, ModelError> {
    let mut x = Array2::zeros((n, columns.len()));
    for ((data, column), mut place) in columns.iter().zip(x.axis_iter_mut(Axis(1))) {
        if column.len() != n {
            return Err(ModelError::Length { model: MODEL, data, expected: n, actual: column.len() });
        }
        place.assign(column);
    }
    Ok(x)
}
