//! Conditions built into the network.

use crate::config::{ConditionConfig, Config};
use crate::expression::Scope;
use crate::{Domain, Error, Result};

/// Gives every unknown with hard conditions `u = g` the ansatz g + D u, where D vanishes on their faces.
pub(super) fn build(config: &Config, domain: &Domain, scope: &mut Scope) -> Result<()> {
    let mut found: Vec<(&str, &str, Vec<[bool; 2]>)> = vec![];
    for condition in config.conditions.iter().filter(|c| c.hard) {
        let refuse = |what: &str, mend: &str| {
            let what = format!("hard condition on `{}`: {what}", condition.on);
            Err(Error::Training { what, mend: mend.into() })
        };
        let texts = condition.is.as_ref().map(|t| t.all()).unwrap_or_default();
        if config.domain.shape.is_some() || config.domain.cloud.is_some() {
            let mend = "write the ansatz yourself: [equation] ansatz = { u = \"g + D*u\" }";
            return refuse("the domain is no box", mend);
        }
        let faces = faces(condition, domain)?;
        for text in texts {
            let Some((unknown, value)) = split(text, &config.equation.unknowns) else {
                return refuse(
                    &format!("`{text}` is not an unknown less its value"),
                    "write it as `u - (…)`, or the ansatz yourself",
                );
            };
            match found.iter_mut().find(|f| f.0 == unknown) {
                None => found.push((unknown, value, faces.clone())),
                Some((_, other, all)) if *other == value => {
                    all.iter_mut().zip(&faces).for_each(|(a, f)| *a = [a[0] || f[0], a[1] || f[1]]);
                }
                Some(_) => {
                    let what = format!("`{unknown}` has hard conditions with different values");
                    return refuse(&what, "write one ansatz that meets all: [equation] ansatz = { … }");
                }
            }
        }
    }
    for (unknown, value, faces) in found {
        scope.ansatz(unknown, &format!("({value}) + {}*{unknown}", distance(domain, &faces)))?;
    }
    Ok(())
}

/// The unknown u and the text g of `u - g`.
fn split<'a>(text: &'a str, unknowns: &'a [String]) -> Option<(&'a str, &'a str)> {
    unknowns.iter().find_map(|u| {
        let rest = text.trim().strip_prefix(u.as_str())?.trim_start();
        match rest.strip_prefix('-') {
            Some(value) if !value.trim().is_empty() && single(value) => Some((u.as_str(), value.trim())),
            None if rest.is_empty() => Some((u.as_str(), "0")),
            _ => None,
        }
    })
}

/// Whether a text is one term: what follows `u -` is then subtracted as a whole.
fn single(text: &str) -> bool {
    let mut depth = 0;
    let mut before = ' ';
    for c in text.chars().filter(|c| *c != ' ') {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '+' | '-' if depth == 0 && !matches!(before, ' ' | '*' | '/' | '^' | 'e' | 'E') => return false,
            _ => {}
        }
        before = c;
    }
    true
}

/// A text that is zero on the faces, positive inside, and at most 1.
fn distance(domain: &Domain, faces: &[[bool; 2]]) -> String {
    let factor = |(axis, face): (usize, &[bool; 2])| {
        let (c, [low, high]) = (&domain.names()[axis], domain.bounds()[axis]);
        let width = high - low;
        let (from_low, to_high) = (format!("({c} - ({low:e}))"), format!("(({high:e}) - {c})"));
        match face {
            [true, true] => Some(format!("({from_low}*{to_high}/({:e}))", width * width / 4.0)),
            [true, false] => Some(format!("({from_low}/({width:e}))")),
            [false, true] => Some(format!("({to_high}/({width:e}))")),
            [false, false] => None,
        }
    };
    faces.iter().enumerate().filter_map(factor).collect::<Vec<_>>().join("*")
}

/// The faces of the box that a condition is on.
fn faces(condition: &ConditionConfig, domain: &Domain) -> Result<Vec<[bool; 2]>> {
    let mut faces = vec![[false; 2]; domain.dimension()];
    // What is no part at all is told as it is elsewhere.
    domain.part(&condition.on)?;
    for word in condition.on.split(',').flat_map(|w| w.split(" and ")).map(str::trim) {
        let face = word.split_once('=').and_then(|(name, value)| {
            let axis = domain.names().iter().position(|n| n == name.trim())?;
            let value: f64 = value.trim().parse().ok()?;
            Some((axis, domain.bounds()[axis].iter().position(|b| *b == value)?))
        });
        match (word, face, domain.time()) {
            ("boundary", ..) => {
                for axis in 0..domain.dimension() {
                    if domain.time() != Some(axis) && !domain.periodic()[axis] {
                        faces[axis] = [true; 2];
                    }
                }
            }
            ("initial", _, Some(axis)) => faces[axis][0] = true,
            (_, Some((axis, side)), _) => faces[axis][side] = true,
            _ => {
                let what = format!("hard condition on `{word}`, which is no face of the box");
                return Err(Error::Training { what, mend: "use `boundary`, `initial` or `x = 0`".into() });
            }
        }
    }
    Ok(faces)
}

#[cfg(test)]
mod tests {
    use super::{single, split};

    #[test]
    fn terms_are_told_from_sums() {
        for one in [" exact_u", "(x + 1)", "2*x^-1", "1e-3*x", "-x", "sin(x - y)"] {
            assert!(single(one), "{one}");
        }
        for sum in ["x + 1", "x - y", "(x) - (y)", "f(x)+1"] {
            assert!(!single(sum), "{sum}");
        }
        let unknowns = ["u".to_string(), "u_hat".into()];
        assert_eq!(split("u - exact_u", &unknowns), Some(("u", "exact_u")));
        assert_eq!(split("u_hat", &unknowns), Some(("u_hat", "0")));
        assert_eq!(split("u_x - 1", &unknowns), None);
        assert_eq!(split("u - 1 + x", &unknowns), None);
    }
}
