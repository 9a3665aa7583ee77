//! Conditions built into the network.

use crate::config::Config;
use crate::expression::Scope;
use crate::{Domain, Error, Result};

/// Gives every unknown with hard conditions `u = g` the ansatz g + φ u, where φ vanishes on all their parts.
pub(super) fn build(config: &Config, domain: &Domain, scope: &mut Scope) -> Result<()> {
    let mut found: Vec<(&str, &str, Vec<&str>)> = vec![];
    for condition in config.conditions.iter().filter(|c| c.hard) {
        let refuse = |what: &str, mend: &str| {
            let what = format!("hard condition on `{}`: {what}", condition.on);
            Err(Error::Training { what, mend: mend.into() })
        };
        for text in condition.is.as_ref().map(|t| t.all()).unwrap_or_default() {
            let Some((unknown, value)) = split(text, &config.equation.unknowns) else {
                return refuse(
                    &format!("`{text}` is not an unknown less its value"),
                    "write it as `u - (…)`, or the ansatz yourself",
                );
            };
            match found.iter_mut().find(|f| f.0 == unknown) {
                None => found.push((unknown, value, vec![&condition.on])),
                Some((_, other, all)) if *other == value => all.push(&condition.on),
                Some(_) => {
                    let what = format!("`{unknown}` has hard conditions with different values");
                    return refuse(&what, "write one ansatz that meets all: [equation] ansatz = { … }");
                }
            }
        }
    }
    for (unknown, value, parts) in found {
        let name = format!("vanishing_{unknown}");
        scope.vanishing(&name, &domain.part(&parts.join(", "))?.vanishing()?)?;
        scope.ansatz(unknown, &format!("({value}) + {name}*{unknown}"))?;
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
