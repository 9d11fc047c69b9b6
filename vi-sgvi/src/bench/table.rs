//! The report on a terminal.

use std::fmt;

use super::report::{Interval, NoiseReport, PointReport, RaceReport, Report, Verdict};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        let confidence = 100.0 * (1.0 - settings.level);
        writeln!(
            f,
            "{} replicates, bias against: {}; {confidence} % intervals",
            settings.n_replicates, self.reference
        )?;
        writeln!(
            f,
            "cost in log joints: a gradient counts {}, all blocks once {}",
            settings.gradient_work, settings.blocks_work
        )?;
        for point in &self.points {
            write_grid(f, &self.point_title(point), &self.noise_rows(point))?;
        }
        let n_pairs: usize = self.points.iter().map(|p| p.pairs.len()).sum();
        if n_pairs > 0 {
            writeln!(
                f,
                "verdicts on variances: paired test on log ratios, level {} over {n_pairs} comparisons (Holm)",
                settings.level
            )?;
        }
        if let Some(race) = &self.race {
            write_grid(
                f,
                &format!("race: ELBO after {} log joints, {} seeds", short(race.budget), race.n_seeds),
                &self.race_rows(race),
            )?;
            writeln!(
                f,
                "verdicts on ELBOs: paired t tests over seeds, level {} over {} comparisons (Holm)",
                settings.level,
                race.pairs.len()
            )?;
        }
        for e in &self.estimators {
            if let Some(bias) = &e.bias {
                writeln!(f, "note: {} is biased: {bias}", e.name)?;
            }
        }
        for failure in &self.failures {
            writeln!(f, "failed: {}: {}", failure.name, failure.message)?;
        }
        if self.interrupted {
            writeln!(f, "interrupted: only estimators that were finished are shown")?;
        }
        Ok(())
    }
}

impl Report {
    fn point_title(&self, point: &PointReport) -> String {
        match &self.yardstick {
            Some(name) => format!("{}: variance and cost relative to {name}", point.name),
            None => point.name.clone(),
        }
    }

    fn noise_rows(&self, point: &PointReport) -> Vec<Vec<String>> {
        let head = [
            "estimator",
            "log joints",
            "gradients",
            "blocks",
            "time",
            "max |z|",
            "bias",
            "median SNR",
            "variance",
            "relative",
            "interval",
            "× cost",
            "× time",
            "verdict",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (noise, estimator) in point.estimators.iter().zip(&self.estimators) {
            let cost = estimator.evaluations;
            rows.push(vec![
                noise.name.clone(),
                cost.n_log_joint.to_string(),
                cost.n_gradient.to_string(),
                cost.n_log_joint_block.to_string(),
                time(noise.seconds),
                noise.worst.as_ref().map_or(dash(), |w| short(w.1)),
                noise.biased.map_or(dash(), |b| if b { "biased".into() } else { "none seen".into() }),
                short(median(noise)),
                short(noise.total_variance.value),
                noise.relative_variance.map_or(dash(), |r| short(r.value)),
                noise.relative_variance.map_or(dash(), range),
                noise.relative_variance_times_work.map_or(dash(), |r| short(r.value)),
                noise.relative_variance_times_seconds.map_or(dash(), short),
                self.verdict(&point.pairs, &noise.name, "less noise", "more noise"),
            ]);
        }
        rows
    }

    fn race_rows(&self, race: &RaceReport) -> Vec<Vec<String>> {
        let head = ["estimator", "iterations", "time", "ELBO", "interval", "verdict"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        if let Some(by_seconds) = &race.by_seconds {
            rows[0].extend([
                format!("after {}", time(by_seconds.seconds)),
                "interval".into(),
                "verdict".into(),
            ]);
        }
        for entry in &race.estimators {
            let Some(last) = entry.milestones.last() else { continue };
            let elbo = |elbo: &Interval| {
                [format!("{:.3}", elbo.value), format!("{:.3} … {:.3}", elbo.lower, elbo.upper)]
            };
            let mut row = vec![entry.name.clone(), last.n_iterations.to_string(), time(last.seconds)];
            row.extend(elbo(&last.elbo));
            row.push(self.verdict(&race.pairs, &entry.name, "higher", "lower"));
            let by_seconds = race.by_seconds.as_ref();
            let then =
                by_seconds.and_then(|b| Some((b, b.estimators.iter().find(|e| e.name == entry.name)?)));
            if let Some((by_seconds, then)) = then {
                row.extend(elbo(&then.elbo));
                row.push(self.verdict(&by_seconds.pairs, &entry.name, "higher", "lower"));
            }
            rows.push(row);
        }
        rows
    }

    /// How a candidate does against the yardstick.
    fn verdict(
        &self,
        pairs: &[super::PairReport],
        name: &str,
        better: &'static str,
        worse: &'static str,
    ) -> String {
        let Some(yardstick) = self.yardstick.as_deref().filter(|y| *y != name) else { return dash() };
        let Some(pair) = Self::pair(pairs, yardstick, name) else { return dash() };
        let first = pair.first == name;
        match pair.verdict {
            Verdict::NotDistinguishable => "not distinguishable",
            Verdict::FirstIsBetter if first => better,
            Verdict::SecondIsBetter if !first => better,
            _ => worse,
        }
        .to_owned()
    }
}

fn median(noise: &NoiseReport) -> f64 {
    let mut values: Vec<f64> = noise.snr.iter().map(|s| s.value).collect();
    values.sort_by(f64::total_cmp);
    vi_core::quantile_sorted(&values, 0.5)
}

fn dash() -> String {
    "–".to_owned()
}

/// Three significant digits.
fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    if x.abs() >= 1e300 {
        return "no noise".into();
    }
    let magnitude = x.abs().log10().floor() as i32;
    if (-3..7).contains(&magnitude) {
        format!("{x:.*}", (2 - magnitude).max(0) as usize)
    } else {
        format!("{x:.2e}")
    }
}

fn range(interval: Interval) -> String {
    format!("{} … {}", short(interval.lower), short(interval.upper))
}

fn time(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{} µs", short(seconds * 1e6))
    } else if seconds < 1.0 {
        format!("{} ms", short(seconds * 1e3))
    } else {
        format!("{} s", short(seconds))
    }
}

/// Names to the left, figures to the right.
fn write_grid(f: &mut fmt::Formatter<'_>, title: &str, rows: &[Vec<String>]) -> fmt::Result {
    writeln!(f, "\n{title}")?;
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    for row in rows {
        for (c, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width - cell.chars().count());
            if c == 0 { write!(f, "{cell}{pad}")? } else { write!(f, "  {pad}{cell}")? }
        }
        writeln!(f)?;
    }
    Ok(())
}
