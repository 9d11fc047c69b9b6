//! Trapezoidal rules on the whole line and their products.
//!
//! For a function analytic in a strip around ℝ the error of the trapezoidal rule falls like exp(−2πa/h), a the half-width
//! of the strip, h the step: 10⁻¹² and better with a few dozen points (Trefethen & Weideman 2014, theorem 5.1).

/// Points whose weight is less than exp(−44) ≈ 8·10⁻²⁰ of the largest are left out.
const CUT: f64 = 44.0;

/// Equidistant points.
#[derive(Clone, Debug)]
pub(super) struct Line {
    points: Vec<f64>,
    step: f64,
}

impl Line {
    /// The points around `peak` where the concave `log_weight` is not negligible.
    fn new(peak: f64, step: f64, log_weight: impl Fn(f64) -> f64) -> Self {
        let least = log_weight(peak) - CUT;
        let walk = |step: f64| {
            (1..).map(move |i| peak + f64::from(i) * step).take_while(|x| log_weight(*x) >= least).collect()
        };
        let (mut points, right): (Vec<f64>, Vec<f64>) = (walk(-step), walk(step));
        points.reverse();
        points.push(peak);
        points.extend(right);
        Self { points, step }
    }

    /// For the standard normal density.
    pub(super) fn normal() -> Self {
        Self::new(0.0, 0.65, |x| -0.5 * x * x)
    }

    /// For the density exp(`shape` t − exp t) of the logarithm of a Gamma variable.
    pub(super) fn log_gamma(shape: f64) -> Self {
        Self::new(shape.ln(), (0.6 / shape.sqrt()).min(0.3), |t| shape * t - t.exp())
    }

    /// For the density σ(u)ᵃ σ(−u)ᵇ of the logit of a Beta variable.
    pub(super) fn logit_beta(a: f64, b: f64) -> Self {
        let softplus = |u: f64| u.max(0.0) + (-u.abs()).exp().ln_1p();
        let step = (0.6 * (a.recip() + b.recip()).sqrt()).min(0.3);
        Self::new((a / b).ln(), step, |u| -a * softplus(-u) - b * softplus(u))
    }
}

/// Calls `visit` with every point of the product of `lines` and the volume that belongs to each.
pub(super) fn for_each_product(lines: &[Line], mut visit: impl FnMut(&[f64], f64)) {
    let volume = lines.iter().map(|l| l.step).product();
    let mut index = vec![0; lines.len()];
    let mut point: Vec<f64> = lines.iter().map(|l| l.points[0]).collect();
    loop {
        visit(&point, volume);
        let Some(d) = (0..lines.len()).find(|d| index[*d] + 1 < lines[*d].points.len()) else { return };
        index[..d].fill(0);
        index[d] += 1;
        for (e, line) in lines[..=d].iter().enumerate() {
            point[e] = line.points[index[e]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integral(lines: &[Line], density: impl Fn(&[f64]) -> f64) -> f64 {
        let mut sum = 0.0;
        for_each_product(lines, |x, volume| sum += volume * density(x));
        sum
    }

    #[test]
    fn densities_of_known_mass() {
        let normal = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        let plane = integral(&[Line::normal(), Line::normal()], |x| normal(x[0]) * normal(x[1]));
        assert!((plane - 1.0).abs() < 1e-14, "{plane}");
        // Γ(½) = √π, Γ(1) = 1, Γ(31) = 30!.
        for (shape, mass) in [(0.5, std::f64::consts::PI.sqrt()), (1.0, 1.0), (31.0, 2.6525285981219103e32)] {
            let sum = integral(&[Line::log_gamma(shape)], |t| (shape * t[0] - t[0].exp()).exp());
            assert!((sum / mass - 1.0).abs() < 1e-12, "{shape}: {sum}");
        }
        // B(1, 1) = 1, B(½, ½) = π, B(3, 40) = 2! 39! / 42!.
        for (a, b, mass) in [(1.0, 1.0, 1.0), (0.5, 0.5, std::f64::consts::PI), (3.0, 40.0, 2.0 / 68880.0)] {
            let sigmoid = |u: f64| 1.0 / (1.0 + (-u).exp());
            let line = [Line::logit_beta(a, b)];
            let sum = integral(&line, |u| sigmoid(u[0]).powf(a) * sigmoid(-u[0]).powf(b));
            assert!((sum / mass - 1.0).abs() < 1e-12, "{a}, {b}: {sum}");
        }
    }
}
