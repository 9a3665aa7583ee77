//! An equation of your own: one method, from which its derivatives follow.
//!
//! Bratu's equation of combustion, Δu + λ eᵘ = 0 on a disk with u = 0 on its circle.

use resolvent_pinn::{
    Algebra, Architecture, Differential, Differentiated, Domain, Equation, Network, Objective, Point, Result,
    Sampled, Sampler, Sampling, Shape, Term, Trainer, TrainerOptions,
};

/// The solution is u = 2 ln((1 + B) / (1 + B r²)), where λ = 8B / (1 + B)².
const B: f64 = 0.5;

struct Bratu;

impl Equation for Bratu {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![Differential::laplacian(2)?])
    }
    #[inline(always)]
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let lambda = 8.0 * B / (1.0 + B).powi(2);
        r[0] = at.derivative(0, 0) + at.value(0).exp() * lambda;
    }
}

/// u = 0 on the circle.
struct Cold;

impl Equation for Cold {
    fn dimension(&self) -> usize {
        2
    }
    #[inline(always)]
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        r[0] = at.value(0);
    }
}

/// How far u is from the solution.
struct Distance;

impl Equation for Distance {
    fn dimension(&self) -> usize {
        2
    }
    #[inline(always)]
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let square = at.coordinate(0).powi(2) + at.coordinate(1).powi(2);
        r[0] = at.value(0) - (N::of(1.0 + B) / (square * B + 1.0)).ln() * 2.0;
    }
}

pub(crate) fn main() -> Result<()> {
    let disk = Shape::ball(&[0.0, 0.0], 1.0)?;
    let domain = Domain::new(&[("x", -1.0, 1.0), ("y", -1.0, 1.0)])?.with_shape(&[], disk)?;
    let points = |part: &str, n| -> Result<Sampled> {
        Ok(Sampled::new(domain.part(part)?, 2, n, Sampler::new(Sampling::Sobol, 1, part)))
    };
    let mut trainer = Trainer::<f64>::new(
        Network::new(Architecture::dense(2, &[16, 16], 1))?,
        vec![
            Objective::new("equation", Differentiated::new(Bratu)?, points("interior", 128)?),
            Objective::new("circle", Differentiated::new(Cold)?, points("boundary", 64)?).factor(10.0),
        ],
        &[],
        TrainerOptions::default(),
    )?;
    // Fresh points in every step of Adam; L-BFGS goes on with the last ones.
    for _ in 0..200 {
        trainer.step()?;
    }
    for _ in 0..400 {
        trainer.quasi_newton()?;
    }

    let along: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();
    let diagonal: Vec<f64> = [0.6, -0.8].iter().flat_map(|c| along.iter().map(move |r| c * r)).collect();
    let mut error = vec![0.0; along.len()];
    let distance = Differentiated::new(Distance)?;
    let term = Term { residual: &distance, points: &diagonal, data: &[], weights: None };
    trainer.residuals(term, &mut error)?;
    let worst = error.iter().fold(0.0f64, |w, e| w.max(e.abs()));
    println!("after {} steps u is known to {worst:.1e}", trainer.steps());
    assert!(worst < 2e-3, "{worst}");
    Ok(())
}
