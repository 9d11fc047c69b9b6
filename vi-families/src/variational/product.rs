//! A product of exponential-family factors, one for every element of every variable, chosen by its support.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, s};
use vi_core::{ParameterSpace, StreamRng};

use super::gaussian::{with_slice, with_slice_mut};
use super::natural_gradient::{check_step, shifted};
use super::product_factor::{FactorShape, ProductFactor, natural_step};
use super::{
    Damping, FactorizedDistribution, MeasureValuedDistribution, VariationalDistribution, VariationalFamily,
};
use crate::error::FamilyError;
use crate::factor_kind::FactorKind;
use crate::validate::length;

const FAMILY: &str = "ProductFamily";

/// q_λ(z) = Π_b q_b(z_b) on the natural support of every variable, continuous and discrete ones side by side.
///
/// ```text
/// support of z_b     factor            parameters in λ
/// real               Gaussian          location, log_scale
/// positive           Gamma             log_shape, log_rate
/// interval           Beta, rescaled    log_alpha, log_beta
/// simplex            Dirichlet         log_concentration (K)
/// angle              VonMises          location, log_concentration
/// binary             Bernoulli         logit
/// categorical        Categorical       log_odds against the last category (K − 1)
/// ```
#[derive(Clone, Debug)]
pub struct ProductFamily {
    names: Vec<String>,
    shapes: Vec<FactorShape>,
    n_params: usize,
}

impl ProductFamily {
    /// The product of the factors that fit the variables of `space`.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable whose support has no factor: ordered vectors, Cholesky
    /// factors, positive-definite matrices, counts, simplices of one element.
    pub fn for_space(space: &ParameterSpace) -> Result<Self, FamilyError> {
        let (mut shapes, mut n_params) = (Vec::new(), 0);
        for p in space.parameters() {
            let kind = FactorKind::for_parameter(p, "the product family")?;
            for e in 0..p.n_events() {
                let start = p.range().start + e * p.event_size();
                let params = n_params..n_params + kind.n_params();
                n_params = params.end;
                shapes.push(FactorShape { kind, z: start..start + p.event_size(), params });
            }
        }
        Ok(Self { names: space.names().to_vec(), shapes, n_params })
    }
}

impl VariationalFamily for ProductFamily {
    type Member<'a> = ProductMember<'a>;

    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        self.n_params
    }
    fn param_names(&self) -> Vec<String> {
        let of_factor = |f: &FactorShape| {
            let (kind, z) = (f.kind, f.z.clone());
            (0..kind.n_params()).map(move |i| kind.param_name(i, &self.names[z.clone()])).collect::<Vec<_>>()
        };
        self.shapes.iter().flat_map(of_factor).collect()
    }
    /// Standard Gaussians, unit exponentials, angles around 0 with concentration 1, uniform laws on intervals, simplices and categories.
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.n_params)
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        length(FAMILY, "λ", params.len(), self.n_params)?;
        let factors = with_slice(params, |params| {
            let bind = |f: &FactorShape| {
                let name = |i: usize| f.kind.param_name(i, &self.names[f.z.clone()]);
                ProductFactor::bind(f.kind, &params[f.params.clone()], name)
            };
            self.shapes.iter().map(bind).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(ProductMember { family: self, factors })
    }
    /// Factor by factor.
    fn natural_step(
        &self,
        params: &ArrayRef1<f64>,
        natural_gradient: &ArrayRef1<f64>,
        step: f64,
        out: &mut ArrayRef1<f64>,
    ) -> Result<u32, FamilyError> {
        check_step(FAMILY, self.n_params, params, natural_gradient, out)?;
        let mut n_halvings = 0;
        with_slice(params, |params| {
            with_slice(natural_gradient, |natural| {
                with_slice_mut(out, |out| {
                    for f in &self.shapes {
                        let range = f.params.clone();
                        let (at, along) = (&params[range.clone()], &natural[range.clone()]);
                        n_halvings += natural_step(f.kind, at, along, step, &mut out[range])?;
                    }
                    Ok(n_halvings)
                })
            })
        })
    }
}

/// One member of [`ProductFamily`].
#[derive(Clone, Debug)]
pub struct ProductMember<'a> {
    family: &'a ProductFamily,
    factors: Vec<ProductFactor>,
}

impl ProductMember<'_> {
    /// The product of the factors' densities to the powers 1/`dispersion(i)`, normalised.
    pub(super) fn tempered(&self, dispersion: impl Fn(usize) -> f64) -> Result<Self, FamilyError> {
        let tempered = |(i, f): (usize, &ProductFactor)| f.tempered(dispersion(i));
        let factors = self.factors.iter().enumerate().map(tempered).collect::<Result<_, _>>()?;
        Ok(Self { family: self.family, factors })
    }

    /// Overwrites every element of `z` with the quantiles of its factor at `u`, both (D).
    pub(super) fn transport_factors(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        with_slice(u, |u| {
            with_slice_mut(z, |z| {
                for (shape, factor) in self.pairs() {
                    factor.quantile(&u[shape.z.clone()], &mut z[shape.z.clone()]);
                }
            });
        });
    }

    /// The factor that holds coordinate `d`.
    pub(super) fn factor_at(&self, d: usize) -> &ProductFactor {
        &self.factors[self.family.shapes.partition_point(|shape| shape.z.end <= d)]
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&FactorShape, &ProductFactor)> {
        self.family.shapes.iter().zip(&self.factors)
    }
}

impl VariationalDistribution for ProductMember<'_> {
    fn dim(&self) -> usize {
        self.family.names.len()
    }
    fn n_params(&self) -> usize {
        self.family.n_params
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "ProductFamily: z has the wrong length");
        with_slice_mut(z, |z| {
            for (shape, factor) in self.pairs() {
                factor.sample(rng, &mut z[shape.z.clone()]);
            }
        });
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "ProductFamily: z has the wrong length");
        with_slice(z, |z| self.pairs().map(|(shape, factor)| factor.log_prob(&z[shape.z.clone()])).sum())
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "ProductFamily: z has the wrong length");
        assert_eq!(out.len(), self.n_params(), "ProductFamily: out has the wrong length");
        with_slice(z, |z| {
            with_slice_mut(out, |out| {
                for (shape, factor) in self.pairs() {
                    factor.add_score(&z[shape.z.clone()], weight, &mut out[shape.params.clone()]);
                }
            });
        });
    }
    /// The sum of the factors' entropies.
    fn entropy(&self) -> Option<f64> {
        Some(self.factors.iter().map(ProductFactor::entropy).sum())
    }
    /// The Fisher informations of the factors along the diagonal.
    fn fisher(&self) -> Option<Array2<f64>> {
        let mut fisher = Array2::zeros((self.n_params(), self.n_params()));
        for (shape, factor) in self.pairs() {
            let range = s![shape.params.clone(), shape.params.clone()];
            fisher.slice_mut(range).assign(&factor.fisher());
        }
        Some(fisher)
    }
    /// Factor by factor: O(P).
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        assert_eq!(
            (grad.len(), out.len()),
            (self.n_params(), self.n_params()),
            "ProductFamily: wrong length"
        );
        with_slice(grad, |grad| {
            with_slice_mut(out, |out| {
                for (shape, factor) in self.pairs() {
                    let range = shape.params.clone();
                    let solved =
                        factor.natural_gradient(damping, &grad[range.clone()], &mut out[range.clone()]);
                    solved.map_err(|e| shifted(e, range.start))?;
                }
                Ok(())
            })
        })
    }
}

impl FactorizedDistribution for ProductMember<'_> {
    fn n_factors(&self) -> usize {
        self.factors.len()
    }
    fn factor(&self, i: usize) -> Range<usize> {
        self.family.shapes[i].z.clone()
    }
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize> {
        self.family.shapes[i].params.clone()
    }
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        with_slice_mut(z, |z| self.factors[i].sample(rng, &mut z[self.factor(i)]));
    }
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64 {
        with_slice(z, |z| self.factors[i].log_prob(&z[self.factor(i)]))
    }
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let shape = &self.family.shapes[i];
        with_slice(z, |z| {
            with_slice_mut(out, |out| {
                self.factors[i].add_score(&z[shape.z.clone()], weight, &mut out[shape.params.clone()]);
            });
        });
    }
    /// Bernoulli and categorical factors have finitely many values.
    fn n_values(&self, i: usize) -> Option<usize> {
        match self.family.shapes[i].kind {
            FactorKind::Bernoulli => Some(2),
            FactorKind::Categorical { n } => Some(n),
            _ => None,
        }
    }
    fn set_value(&self, i: usize, value: usize, z: &mut ArrayRef1<f64>) {
        assert!(self.n_values(i).is_some_and(|n| value < n), "factor {i} has no value number {value}");
        z[self.family.shapes[i].z.start] = value as f64;
    }
    fn gaussian_factor(&self, i: usize) -> Option<(f64, f64)> {
        match self.factors[i] {
            ProductFactor::Gaussian { mean, sd, .. } => Some((mean, sd)),
            ProductFactor::Angle(_) | ProductFactor::Other { .. } => None,
        }
    }
}

impl MeasureValuedDistribution for ProductMember<'_> {
    fn pair_weight(&self, i: usize, param: usize) -> Option<f64> {
        self.factors[i].pair_weight(param - self.family.shapes[i].params.start)
    }
    fn sample_pair(
        &self,
        i: usize,
        param: usize,
        rng: &mut StreamRng,
        plus: &mut ArrayRef1<f64>,
        minus: &mut ArrayRef1<f64>,
    ) {
        let shape = &self.family.shapes[i];
        let (start, first) = (shape.z.start, shape.params.start);
        let pair = self.factors[i].sample_pair(param - first, rng);
        [plus[start], minus[start]] =
            pair.unwrap_or_else(|| panic!("parameter {param} has no decomposition"));
    }
}
