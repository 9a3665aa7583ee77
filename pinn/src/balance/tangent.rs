//! Traces of tangent kernels.

use super::KERNEL_POINTS;
use crate::coupling::Coupling;
use crate::residual::Term;
use crate::simd::Real;
use crate::{Propagator, Result};

/// tr(Jᵢ Jᵢᵀ) / Nᵢ of each term: the mean over some of its points of Σ ‖∇r‖², all equations summed, with r what is made of several
/// points where they are coupled.
pub(crate) fn traces<T: Real>(
    propagator: &mut Propagator<T>,
    parameters: &[T],
    terms: &[(Term<'_, T>, Option<&Coupling<T>>)],
) -> Result<Vec<f64>> {
    let dim = propagator.network().architecture().dim;
    let mut gradient = vec![T::of(0.0); parameters.len()];
    let mut traces = vec![];
    for (term, coupling) in terms {
        let n = term.points.len() / dim;
        let all = coupling.map_or(n, |c| c.count(n));
        let count = all.min(KERNEL_POINTS);
        let equations = term.residual.equations();
        let mut sum = 0.0;
        for i in 0..count {
            let p = i * all / count;
            let parts = coupling.map_or_else(|| vec![(p, T::of(1.0))], |c| c.parts(p, n));
            let rows = |from: &[T]| -> Vec<T> {
                from.chunks_exact(n).flat_map(|row| parts.iter().map(|(p, _)| row[*p])).collect()
            };
            let (points, data) = (rows(term.points), rows(term.data));
            let one = Term { residual: term.residual, points: &points, data: &data, weights: None };
            for e in 0..equations {
                let mut v = vec![T::of(0.0); equations * parts.len()];
                v[e * parts.len()..].iter_mut().zip(&parts).for_each(|(v, (_, c))| *v = *c);
                propagator.pull_back(parameters, one, &v, &mut gradient)?;
                let square = gradient.iter().map(|g| g.f64() * g.f64()).sum::<f64>();
                sum += square * term.weights.map_or(1.0, |w| w[p].f64());
            }
        }
        traces.push(if count == 0 { 0.0 } else { sum / count as f64 });
    }
    Ok(traces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Scope;
    use crate::{Architecture, Network};

    #[test]
    fn traces_are_those_of_jacobians_by_differences() {
        let formula = Scope::new(&["x"], &["u"]).unwrap().formula(&["u_xx + u^2", "u"]).unwrap();
        let mut propagator = Propagator::new(Network::new(Architecture::dense(1, &[5], 1)).unwrap()).unwrap();
        let parameters: Vec<f64> = propagator.network().initial(2);
        let points = [0.1, -0.4, 0.9];
        let term = Term { residual: &formula, points: &points, data: &[], weights: None };
        let got = traces(&mut propagator, &parameters, &[(term, None)]).unwrap()[0];
        let mut expected = 0.0;
        for i in 0..parameters.len() {
            let mut at = |h: f64| {
                let (mut moved, mut r) = (parameters.clone(), [0.0; 6]);
                moved[i] += h;
                propagator.residuals(&moved, term, &mut r).unwrap();
                r
            };
            let (up, down) = (at(1e-6), at(-1e-6));
            expected += up.iter().zip(down).map(|(u, d)| ((u - d) / 2e-6).powi(2)).sum::<f64>() / 3.0;
        }
        assert!((got - expected).abs() < 1e-6 * expected, "{got} {expected}");
        // An integral of one point is that point.
        let alone = Term { points: &points[..1], ..term };
        let integral = Coupling::Integral { weights: vec![2.0], value: 1.0 };
        let mut of = |coupling: Option<&Coupling<f64>>| {
            traces(&mut propagator, &parameters, &[(alone, coupling)]).unwrap()[0]
        };
        let (plain, coupled) = (of(None), of(Some(&integral)));
        assert!((coupled - 4.0 * plain).abs() < 1e-12 * plain, "{coupled} {plain}");
        // Values at one point twice differ by nothing.
        let twice = [0.3, 0.3];
        let pair = (Term { points: &twice, ..term }, Some(&Coupling::Pairs));
        assert!(traces(&mut propagator, &parameters, &[pair]).unwrap()[0] < 1e-20);
    }
}
