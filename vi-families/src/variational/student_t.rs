//! The Student-t mean field: independent coordinates with heavy tails.

use ndarray::{Array1, ArrayRef1};
use vi_core::ParameterSpace;

use super::VariationalFamily;
use super::gaussian::{real_names, scale};
use super::student_t_learned::LearnedStudentTMeanFieldMember;
use super::student_t_member::StudentTMeanFieldMember;
use crate::error::FamilyError;
use crate::validate::{FINITE, domain, length};

/// Degrees of freedom for which draws and densities stay in the range of f64.
const DOF: std::ops::RangeInclusive<f64> = 0.1..=1e8;

/// q_λ(z) = Π_d t_ν(z_d; m_d, s_d) on ℝᴰ with ν degrees of freedom, the same for all coordinates and fixed.
///
/// ```text
/// t_ν(z; m, s) = (1 + y²/ν)^{−(ν + 1)/2} / (s √ν B(ν/2, ½)),   y = (z − m)/s
/// λ = (location m (D), log_scale log s (D))      z = m + s ⊙ t,  t_d ~ t_ν independent
/// ```
/// The degrees of freedom lie between 0.1 and 10⁸: with fewer, draws leave the range of f64; with more, the
/// Gaussian is the same to the last digits.
#[derive(Clone, Debug)]
pub struct StudentTMeanField {
    names: Vec<String>,
    dof: f64,
}

impl StudentTMeanField {
    /// The family with `dof` degrees of freedom over a space whose variables are all real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete; [`FamilyError::Domain`] when
    /// `dof` is not between 0.1 and 10⁸.
    pub fn new(space: &ParameterSpace, dof: f64) -> Result<Self, FamilyError> {
        let names = real_names(space, "the Student-t mean field")?;
        Ok(Self { names, dof: valid_dof("StudentTMeanField", dof)? })
    }

    /// ν.
    pub fn dof(&self) -> f64 {
        self.dof
    }

    /// λ of the member with these locations and scales, each (D).
    ///
    /// # Panics
    /// If a length is not D.
    pub fn params_from_location_scale(
        &self,
        location: &ArrayRef1<f64>,
        scale: &ArrayRef1<f64>,
    ) -> Array1<f64> {
        assert_eq!(
            (location.len(), scale.len()),
            (self.dim(), self.dim()),
            "StudentTMeanField: wrong length"
        );
        location.iter().copied().chain(scale.iter().map(|s| s.ln())).collect()
    }
}

impl VariationalFamily for StudentTMeanField {
    type Member<'a> = StudentTMeanFieldMember;

    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        2 * self.names.len()
    }
    fn param_names(&self) -> Vec<String> {
        (0..self.n_params()).map(|p| param_name(&self.names, p)).collect()
    }
    /// Location 0, scale 1.
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.n_params())
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        length("StudentTMeanField", "λ", params.len(), self.n_params())?;
        let mut member = StudentTMeanFieldMember::with_capacity(self.dim());
        push_coordinates("StudentTMeanField", &self.names, params, |_| Ok(self.dof), &mut member)?;
        Ok(member)
    }
}

/// As [`StudentTMeanField`], with the degrees of freedom of every coordinate learned.
///
/// ```text
/// λ = (location m (D), log_scale log s (D), log_dof log ν (D))
/// ```
/// There is no transport: noise whose law is free of λ would need the derivative of a Gamma quantile in its shape.
#[derive(Clone, Debug)]
pub struct LearnedStudentTMeanField {
    names: Vec<String>,
    start: f64,
}

impl LearnedStudentTMeanField {
    /// The family over a space whose variables are all real, started at `dof` degrees of freedom.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete; [`FamilyError::Domain`] when
    /// `dof` is not between 0.1 and 10⁸.
    pub fn new(space: &ParameterSpace, dof: f64) -> Result<Self, FamilyError> {
        let names = real_names(space, "the Student-t mean field")?;
        Ok(Self { names, start: valid_dof("LearnedStudentTMeanField", dof)? })
    }

    /// λ of the member with these locations, scales and degrees of freedom, each (D).
    ///
    /// # Panics
    /// If a length is not D.
    pub fn params_from_location_scale_dof(
        &self,
        location: &ArrayRef1<f64>,
        scale: &ArrayRef1<f64>,
        dof: &ArrayRef1<f64>,
    ) -> Array1<f64> {
        let d = self.dim();
        assert_eq!(
            (location.len(), scale.len(), dof.len()),
            (d, d, d),
            "LearnedStudentTMeanField: wrong length"
        );
        let logs = scale.iter().chain(dof.iter()).map(|v| v.ln());
        location.iter().copied().chain(logs).collect()
    }
}

impl VariationalFamily for LearnedStudentTMeanField {
    type Member<'a> = LearnedStudentTMeanFieldMember;

    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        3 * self.names.len()
    }
    fn param_names(&self) -> Vec<String> {
        (0..self.n_params()).map(|p| param_name(&self.names, p)).collect()
    }
    /// Location 0, scale 1, and the degrees of freedom given to the constructor.
    fn init(&self) -> Array1<f64> {
        let d = self.dim();
        Array1::from_shape_fn(3 * d, |p| if p < 2 * d { 0.0 } else { self.start.ln() })
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        const FAMILY: &str = "LearnedStudentTMeanField";
        length(FAMILY, "λ", params.len(), self.n_params())?;
        let d = self.dim();
        let dof = |i: usize| {
            let log_dof = params[2 * d + i];
            // Rounding of a logarithm may carry an end of the range across it.
            let dof = log_dof.exp();
            if DOF.start() * (1.0 - 1e-12) <= dof && dof <= DOF.end() * (1.0 + 1e-12) {
                return Ok(dof);
            }
            let requirement = "such that the degrees of freedom are between 0.1 and 1e8";
            Err(domain(FAMILY, param_name(&self.names, 2 * d + i), log_dof, requirement))
        };
        let mut shape = StudentTMeanFieldMember::with_capacity(d);
        push_coordinates(FAMILY, &self.names, params, dof, &mut shape)?;
        Ok(LearnedStudentTMeanFieldMember::new(shape))
    }
}

fn valid_dof(family: &'static str, dof: f64) -> Result<f64, FamilyError> {
    if DOF.contains(&dof) { Ok(dof) } else { Err(domain(family, "dof", dof, "between 0.1 and 1e8")) }
}

/// The name of parameter `p` of (locations, log scales, log degrees of freedom).
fn param_name(names: &[String], p: usize) -> String {
    let d = names.len();
    format!("{}({})", ["location", "log_scale", "log_dof"][p / d], names[p % d])
}

fn push_coordinates(
    family: &'static str,
    names: &[String],
    params: &ArrayRef1<f64>,
    dof: impl Fn(usize) -> Result<f64, FamilyError>,
    member: &mut StudentTMeanFieldMember,
) -> Result<(), FamilyError> {
    let d = names.len();
    for i in 0..d {
        if !params[i].is_finite() {
            return Err(domain(family, param_name(names, i), params[i], FINITE));
        }
        let scales = scale(family, || param_name(names, d + i), params[d + i])?;
        member.push(params[i], params[d + i], scales, dof(i)?);
    }
    Ok(())
}
