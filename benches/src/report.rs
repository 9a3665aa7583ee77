//! One self-contained page: no script, no file beside it, no address to fetch.

use crate::machine::Machine;
use crate::plot::{self, Figure};
use crate::table::{grouped, seconds};
use crate::{Measurement, Spread};
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: .25rem; } h2 { font-size: 1.15rem; margin-top: 2.25rem; }
.lead { color: #555; margin-top: 0; } code { background: #f3f3f3; padding: .1rem .3rem; border-radius: 3px; font-size: .9em; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .86rem; white-space: nowrap; }
th, td { padding: .3rem .65rem; text-align: right; border-bottom: 1px solid #e4e4e4; } th { border-bottom: 2px solid #999; font-weight: 600; }
.names td:first-child, .names th:first-child, td:nth-child(3), th:nth-child(3), td:last-child, th:last-child { text-align: left; }
tr.size td { border-top: 2px solid #ccc; } tr.failed td { color: #a33; } tr.best td { font-weight: 600; }
figure { margin: 1.5rem 0; } figure svg { max-width: 100%; height: auto; } figcaption { color: #555; font-size: .9rem; }
.names td:nth-child(n+2), .names th:nth-child(n+2) { text-align: right; } pre { background: #f6f6f6; padding: .75rem 1rem; overflow-x: auto; font-size: .82rem; line-height: 1.4; }
.remark { color: #a33; } dl { display: grid; grid-template-columns: max-content auto; gap: .15rem 1rem; font-size: .9rem; } dt { color: #555; } dd { margin: 0; }
";

/// A page of a scaling benchmark.
///
/// # Errors
/// What the drawing library says.
pub fn scaling(rows: &[Measurement], machine: &Machine, command: &str) -> Result<String, String> {
    let mut body = String::new();
    let first = rows.first();
    let name = first.map_or("nothing", |m| &m.problem);
    let target = first.map_or(0.0, |m| m.rtol);
    let rhs = first.map_or(1, |m| m.right_hand_sides);
    let _ = write!(
        body,
        "<h1>Scaling on <code>{}</code></h1>\n<p class=lead>{}{} right-hand side{}, until the true residual is below {target:e} of b.</p>\n",
        escaped(name),
        first.filter(|m| m.dim > 0).map_or(String::new(), |m| format!("{}-D, ", m.dim)),
        if rhs == 1 {
            first.map_or("a", |m| &m.rhs_kind).to_owned()
        } else {
            format!("{rhs} {}", first.map_or("", |m| &m.rhs_kind))
        },
        if rhs == 1 { "" } else { "s" },
    );
    let _ = writeln!(body, "{}", summary(rows));
    let largest = rows.iter().map(|m| m.n).max().unwrap_or(0);
    figure(
        &mut body,
        &plot::scaling(rows),
        "Seconds of set-up and solves over unknowns, medians. Below is better; the grey line grows like the unknowns.",
    )?;
    figure(
        &mut body,
        &plot::residual_over_time(rows, largest),
        "The residual of the iteration over time, without set-up, at the largest size.",
    )?;
    figure(&mut body, &plot::residual_over_steps(rows, largest), "The same over steps.")?;
    figure(
        &mut body,
        &plot::steps(rows),
        "Steps over unknowns: a flat line is a method whose work grows only with the problem.",
    )?;
    let _ = writeln!(body, "<h2>Every measurement</h2>\n<div class=scroll>{}</div>", table(rows));
    let _ = writeln!(body, "<h2>How it was measured</h2>\n{}", details(machine, command));
    Ok(page(&format!("Scaling on {name}"), &body))
}

fn summary(rows: &[Measurement]) -> String {
    let Some(largest) = rows.iter().map(|m| m.n).max() else { return "<p>Nothing was measured.</p>".into() };
    let mut at: Vec<_> = rows.iter().filter(|m| m.n == largest && m.converged()).collect();
    at.sort_by(|a, b| a.total.median.total_cmp(&b.total.median));
    let failed = rows.iter().filter(|m| !m.converged()).count();
    let failures = match failed {
        0 => String::new(),
        1 => " One measurement failed; the table says how.".into(),
        n => format!(" {n} measurements failed; the table says how."),
    };
    match at[..] {
        [best, .., worst] => format!(
            "<p>At n = {largest} ({} unknowns) <b>{}</b> was the fastest with {} s and {} steps; <b>{}</b> took {:.0} times as long.{failures}</p>",
            grouped(best.unknowns),
            escaped(&best.method),
            seconds(best.total.median),
            best.steps,
            escaped(&worst.method),
            worst.total.median / best.total.median,
        ),
        [only] => format!(
            "<p>At n = {largest} ({} unknowns) <b>{}</b> took {} s and {} steps.{failures}</p>",
            grouped(only.unknowns),
            escaped(&only.method),
            seconds(only.total.median),
            only.steps
        ),
        [] => format!("<p>No method converged at n = {largest}.{failures}</p>"),
    }
}

fn table(rows: &[Measurement]) -> String {
    let mut out = String::from(
        "<table><tr><th>n<th>unknowns<th>method<th>steps<th>set-up s<th>solve s<th>to 1e-4<th>to 1e-6<th>to 1e-8<th>total s<th>spread<th>Munknowns/s<th>bytes/unknown<th>true residual<th>outcome</tr>\n",
    );
    let mut before = None;
    for m in rows {
        let best =
            rows.iter().filter(|o| o.n == m.n && o.converged()).all(|o| o.total.median >= m.total.median);
        let class = match (before.replace(m.n) != Some(m.n), m.converged(), best) {
            (true, true, false) => "size",
            (true, true, true) => "size best",
            (false, true, true) => "best",
            (true, false, _) => "size failed",
            (false, false, _) => "failed",
            (false, true, false) => "",
        };
        let timed = m.repeats > 0;
        let dash = || String::from("–");
        let time = |s: Spread| if timed { seconds(s.median) } else { dash() };
        let reached =
            |rtol: f64| m.reached.iter().find(|r| r.rtol == rtol).map_or_else(dash, |r| seconds(r.seconds));
        let outcome = if m.converged() {
            "converged".into()
        } else {
            m.advice.clone().unwrap_or_else(|| m.status.clone())
        };
        let cells = [
            m.n.to_string(),
            grouped(m.unknowns),
            m.method.clone(),
            m.steps.to_string(),
            time(m.setup),
            time(m.solve),
            reached(1e-4),
            reached(1e-6),
            reached(1e-8),
            time(m.total),
            if timed { format!("{:.0}%", 100.0 * m.total.relative()) } else { dash() },
            if timed { format!("{:.2}", m.rate() / 1e6) } else { dash() },
            m.bytes_per_unknown.map_or_else(dash, |b| format!("{b:.0}")),
            m.true_residual.map_or_else(dash, |r| format!("{r:.1e}")),
            outcome,
        ];
        let _ = write!(out, "<tr class=\"{class}\">");
        cells.iter().for_each(|c| {
            let _ = write!(out, "<td>{}", escaped(c));
        });
        out.push_str("</tr>\n");
    }
    out + "</table>"
}

fn details(machine: &Machine, command: &str) -> String {
    let memory = if machine.memory > 0 {
        format!("{:.1} GiB", machine.memory as f64 / f64::from(1 << 30))
    } else {
        "unknown".into()
    };
    let lines = [
        ("command", format!("<code>{}</code>", escaped(command))),
        ("date", format!("{} UTC", machine.date)),
        (
            "processor",
            format!("{}, {} of {} threads", escaped(&machine.processor), machine.threads, machine.cores),
        ),
        ("memory", memory),
        ("system", escaped(&machine.system)),
        ("version", format!("resolvent {}", machine.version)),
    ];
    let mut out = String::from("<dl>");
    for (name, value) in lines {
        let _ = writeln!(out, "<dt>{name}<dd>{value}");
    }
    out + "</dl>\n<p class=lead>Medians of the repeated runs; the spread is (largest − smallest) / median of the total. Memory is the most that was allocated at once, during set-up or solve, beyond the operator, b and x. The true residual is b − Ax, recomputed in f64 at the end.</p>"
}

fn figure(body: &mut String, figure: &Figure, caption: &str) -> Result<(), String> {
    let _ = writeln!(body, "<figure>{}<figcaption>{caption}</figcaption></figure>", figure.svg()?);
    Ok(())
}

pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style>\n<body>\n{body}</body></html>\n",
        escaped(title)
    )
}

/// Text that is safe inside HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
