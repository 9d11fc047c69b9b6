//! A race judged by the clock: ELBOs after equal seconds.

use super::race::Course;
use super::report::{EqualSeconds, Interval};
use super::statistics::{moments, student_t_limit};

/// The longest time that every candidate has raced with every seed.
pub(super) fn common(courses: &[&Course]) -> Option<f64> {
    let last = courses.iter().filter_map(|c| c.milestones.last());
    last.flat_map(|m| m.seconds.iter().copied()).min_by(f64::total_cmp).filter(|s| *s > 0.0)
}

/// The ELBO of every seed of a candidate after `seconds`: between milestones (and the start, at second 0) on the straight
/// line in time.
pub(super) fn elbos(course: &Course, seconds: f64) -> Vec<f64> {
    let of_seed = |(seed, start): (usize, &f64)| {
        let mut before = (0.0, *start);
        for milestone in &course.milestones {
            let after = (milestone.seconds[seed], milestone.elbos[seed]);
            if after.0 >= seconds {
                let share =
                    if after.0 > before.0 { (seconds - before.0) / (after.0 - before.0) } else { 1.0 };
                return before.1 + share * (after.1 - before.1);
            }
            before = after;
        }
        before.1
    };
    course.start.iter().enumerate().map(of_seed).collect()
}

/// The standing of one candidate.
pub(super) fn standing(name: &str, elbos: Vec<f64>, level: f64) -> EqualSeconds {
    let n = elbos.len() as f64;
    let (mean, variance) = moments(&elbos);
    let reach = student_t_limit(level, n - 1.0) * (variance / n).sqrt();
    let elbo = Interval { value: mean, lower: mean - reach, upper: mean + reach };
    EqualSeconds { name: name.to_owned(), elbo, elbos }
}

#[cfg(test)]
mod tests {
    use super::super::race::Passed;
    use super::*;

    fn course(seconds: [f64; 2], elbos: [f64; 2]) -> Course {
        let passed = |m: usize| Passed {
            target: 1.0,
            n_iterations: 1,
            seconds: vec![seconds[m], 2.0 * seconds[m]],
            elbos: vec![elbos[m], elbos[m] + 1.0],
        };
        Course { start: vec![-10.0, -10.0], milestones: vec![passed(0), passed(1)] }
    }

    #[test]
    fn elbos_lie_on_the_line_between_milestones() {
        let quick = course([1.0, 3.0], [-8.0, -4.0]);
        let slow = course([2.0, 8.0], [-6.0, -2.0]);
        // The quick candidate's first seed ends first.
        assert_eq!(common(&[&quick, &slow]), Some(3.0));
        // The second is a quarter of the way from (2, −7) to (6, −3).
        assert_eq!(elbos(&quick, 3.0), [-4.0, -6.0]);
        // (2, −6) … (8, −2) at 3; (0, −10) … (4, −5) at 3.
        approx::assert_relative_eq!(elbos(&slow, 3.0)[0], -6.0 + 4.0 / 6.0, max_relative = 1e-14);
        approx::assert_relative_eq!(elbos(&slow, 3.0)[1], -10.0 + 5.0 * 0.75, max_relative = 1e-14);
        assert_eq!(common(&[]), None);
    }
}
