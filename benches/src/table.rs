//! Measurements as Markdown and CSV.

use crate::Measurement;
use std::fmt::Write;

/// A Markdown table, one line a measurement.
pub fn markdown(rows: &[Measurement]) -> String {
    let mut out = String::from(
        "| n | unknowns | method | steps | set-up s | solve s | total s | spread | Munknowns/s | bytes/unknown | true residual | outcome |\n\
         |--:|--:|:--|--:|--:|--:|--:|--:|--:|--:|--:|:--|\n",
    );
    for m in rows {
        let memory = m.bytes_per_unknown.map_or("–".into(), |b| format!("{b:.0}"));
        let timed = m.repeats > 0;
        let time = |t: f64| if timed { seconds(t) } else { "–".into() };
        let residual = m.true_residual.map_or("–".into(), |r| format!("{r:.1e}"));
        let (rate, spread) = if timed {
            (format!("{:.2}", m.rate() / 1e6), format!("{:.0}%", 100.0 * m.total.relative()))
        } else {
            ("–".into(), "–".into())
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            m.n,
            grouped(m.unknowns),
            m.method,
            m.steps,
            time(m.setup.median),
            time(m.solve.median),
            time(m.total.median),
            spread,
            rate,
            memory,
            residual,
            outcome(m),
        );
    }
    out
}

/// The table again for a terminal: columns aligned, nothing but text.
pub fn text(rows: &[Measurement]) -> String {
    let table = markdown(rows);
    let cells: Vec<Vec<&str>> = table
        .lines()
        .enumerate()
        .filter(|(line, _)| *line != 1)
        .map(|(_, l)| l.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let columns = cells.first().map_or(0, Vec::len);
    let width = |c: usize| cells.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for (number, row) in cells.iter().enumerate() {
        let line: Vec<String> = (0..columns)
            .map(|c| {
                let left = c == 2 || c + 1 == columns;
                if left {
                    format!("{:<w$}", row[c], w = widths[c])
                } else {
                    format!("{:>w$}", row[c], w = widths[c])
                }
            })
            .collect();
        let _ = writeln!(out, "{}", line.join("  ").trim_end());
        if number == 0 {
            let _ = writeln!(out, "{}", "─".repeat(widths.iter().sum::<usize>() + 2 * (columns.max(1) - 1)));
        }
    }
    out
}

/// Comma-separated values, one line a measurement, with a header.
pub fn csv(rows: &[Measurement]) -> String {
    let mut out = String::from(
        "problem,dim,n,seed,rhs_kind,unknowns,nonzeros,method,threads,device,rtol,status,steps,true_residual,setup_median,setup_min,\
         setup_max,solve_median,solve_min,solve_max,right_hand_sides,total_median,total_min,total_max,repeats,\
         bytes_per_unknown,seconds_to_1e-4,seconds_to_1e-6,seconds_to_1e-8\n",
    );
    for m in rows {
        let optional = |v: Option<f64>| v.map_or(String::new(), |v| v.to_string());
        let at = |rtol: f64| optional(m.reached.iter().find(|r| r.rtol == rtol).map(|r| r.seconds));
        let spread = |s: crate::Spread| format!("{},{},{}", s.median, s.min, s.max);
        let fields = [
            m.problem.clone(),
            m.dim.to_string(),
            m.n.to_string(),
            m.seed.to_string(),
            m.rhs_kind.clone(),
            m.unknowns.to_string(),
            m.nonzeros.to_string(),
            m.method.clone(),
            m.threads.to_string(),
            m.device.clone(),
            m.rtol.to_string(),
            m.status.clone(),
            m.steps.to_string(),
            optional(m.true_residual),
            spread(m.setup),
            spread(m.solve),
            m.right_hand_sides.to_string(),
            spread(m.total),
            m.repeats.to_string(),
            optional(m.bytes_per_unknown),
            at(1e-4),
            at(1e-6),
            at(1e-8),
        ];
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

fn outcome(m: &Measurement) -> String {
    match (m.converged(), &m.advice) {
        (true, _) => "converged".into(),
        (false, Some(advice)) => advice.split(';').next().unwrap_or(advice).to_owned(),
        (false, None) => m.status.clone(),
    }
}

/// Seconds with three digits.
pub fn seconds(t: f64) -> String {
    let digits = (2 - t.abs().max(1e-9).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{t:.digits$}")
}

/// 1234567 as 1 234 567.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(d);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(seconds(0.012345), "0.0123");
        assert_eq!(seconds(12.345), "12.3");
        assert_eq!(seconds(1234.5), "1234");
        assert_eq!(grouped(1_234_567).replace('\u{202f}', " "), "1 234 567");
        assert_eq!(grouped(12), "12");
    }
}
