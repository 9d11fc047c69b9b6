//! The models of the table.

use std::ops::Range;

use ndarray::ArrayRef1;
use vi_core::{LocalLogJoint, LogJoint, Parameter, ParameterSpace, Support};

type Function = Box<dyn Fn(&ArrayRef1<f64>) -> f64 + Send + Sync>;

/// A sum of terms, each of which depends on some coordinates; the terms of a block follow from that.
pub(crate) struct Terms {
    space: ParameterSpace,
    /// The coordinates of every element of every variable.
    blocks: Vec<Range<usize>>,
    terms: Vec<(Vec<usize>, Function)>,
}

impl Terms {
    pub(crate) fn over<const N: usize>(parameters: [Parameter; N]) -> Self {
        let space = ParameterSpace::new(parameters).unwrap();
        let of_parameter = |p: &Parameter| {
            let (start, size) = (p.range().start, p.event_size());
            (0..p.n_events()).map(move |e| start + e * size..start + (e + 1) * size).collect::<Vec<_>>()
        };
        let blocks = space.parameters().iter().flat_map(of_parameter).collect();
        Self { space, blocks, terms: Vec::new() }
    }

    pub(crate) fn and(
        mut self,
        coordinates: &[usize],
        term: impl Fn(&ArrayRef1<f64>) -> f64 + Send + Sync + 'static,
    ) -> Self {
        self.terms.push((coordinates.to_vec(), Box::new(term)));
        self
    }
}

impl LogJoint for Terms {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.terms.iter().map(|(_, term)| term(z)).sum()
    }
}

impl LocalLogJoint for Terms {
    fn n_blocks(&self) -> usize {
        self.blocks.len()
    }
    fn block(&self, b: usize) -> Range<usize> {
        self.blocks[b].clone()
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let block = self.block(b);
        let touching = self.terms.iter().filter(|(on, _)| on.iter().any(|c| block.contains(c)));
        touching.map(|(_, term)| term(z)).sum()
    }
}

/// Two coordinates that depend on each other, with tails that are not Gaussian.
pub(crate) fn pair() -> Terms {
    Terms::over([Parameter::vector("z", 2, Support::Real)])
        .and(&[], |_| -2.0)
        .and(&[0], |z| -0.8 * (z[0] - 0.4).powi(2))
        .and(&[1], |z| -0.5 * (z[1] + 0.3).powi(2))
        .and(&[0, 1], |z| {
            let (a, b) = (z[0] - 0.4, z[1] + 0.3);
            0.6 * a * b - 0.5 * (1.0 + a * a + b * b).ln()
        })
}

/// A single bit with a steep slope.
pub(crate) fn one_bit() -> Terms {
    Terms::over([Parameter::scalar("bit", Support::Binary)]).and(&[0], |z| 10.0 * z[0])
}

/// Counts of two sources with Gamma rates: x_n ~ Poisson(a_n θ₁ + b_n θ₂), θ ~ Gamma(2, 1), without constants.
pub(crate) fn poisson_gamma() -> Terms {
    let prior = |d: usize| move |z: &ArrayRef1<f64>| z[d].ln() - z[d];
    let count = |x: f64, a: f64, b: f64| {
        move |z: &ArrayRef1<f64>| {
            let mean = a * z[0] + b * z[1];
            x * mean.ln() - mean
        }
    };
    Terms::over([Parameter::vector("theta", 2, Support::Positive)])
        .and(&[0], prior(0))
        .and(&[1], prior(1))
        .and(&[0], count(3.0, 1.0, 0.0))
        .and(&[1], count(1.0, 0.0, 0.7))
        .and(&[0, 1], count(4.0, 1.2, 0.5))
        .and(&[0, 1], count(2.0, 0.3, 1.0))
}

/// A rate that a bit and a category multiply, observed through a count of 3.
pub(crate) fn modulated_rate() -> Terms {
    let size = |bit: f64, category: f64| (0.5 + bit) * (1.0 + 0.3 * category);
    Terms::over([
        Parameter::scalar("rate", Support::Positive),
        Parameter::scalar("bit", Support::Binary),
        Parameter::scalar("category", Support::Categorical { n: 3 }),
    ])
    .and(&[0], |z| 2.0 * z[0].ln() - 1.5 * z[0] + 3.0 * z[0].ln())
    .and(&[1], |z| 0.4 * z[1])
    .and(&[2], |z| -0.2 * z[2])
    .and(&[0, 1, 2], move |z| 3.0 * size(z[1], z[2]).ln() - z[0] * size(z[1], z[2]))
}

/// A Beta variable on an interval beside a Gaussian one.
pub(crate) fn interval_and_real() -> Terms {
    let unit = |z: &ArrayRef1<f64>| (z[0] + 1.0) / 3.0;
    Terms::over([
        Parameter::scalar("w", Support::Interval { lower: -1.0, upper: 2.0 }),
        Parameter::scalar("x", Support::Real),
    ])
    .and(&[0], move |z| 3.0 * unit(z).ln() + 1.5 * (1.0 - unit(z)).ln())
    .and(&[0, 1], move |z| -0.7 * (z[1] - unit(z)).powi(2))
}

/// A simplex beside a Gaussian variable.
pub(crate) fn simplex_and_real() -> Terms {
    Terms::over([Parameter::vector("p", 2, Support::Simplex), Parameter::scalar("x", Support::Real)])
        .and(&[0, 1], |z| 1.2 * z[0].ln() + 2.0 * z[1].ln())
        .and(&[0, 1, 2], |z| -0.5 * (z[2] - z[0]).powi(2))
}
