//! The residuals that a network meets: what some steps of the loop with its own proposals leave.
//!
//! Right-hand sides made of Ritz vectors are what the loop begins with. After a few steps nothing is left but what the network is
//! worst at, which among walls they hardly contain. So a batch is taken along: for a number of steps that changes from batch to
//! batch, with the weights as they are, and what remains, scaled to norm 1, is trained on. As in A. Rudikov, V. Fanaskov, E.
//! Muravleva, Y. Laevsky, I. Oseledets, *Neural operators meet conjugate gradients*, ICML 2024, arXiv 2402.05598, which trains on the
//! residuals of the method itself.

use crate::Result;
use resolvent::direction::Model;
use resolvent::learn::Random;
use resolvent::{FlexibleCg, Host, LinearOperator, Operator, Space, Stencil, Stop};

/// Directions that the loop keeps.
const WINDOW: usize = 2;
/// What has fallen below this is trained on from its beginning again.
const LEAST: f64 = 1e-6;

/// How many steps the batch of a training step is taken along: uniform from 0 to `most`.
pub(super) fn steps(most: usize, seed: u64, step: u64) -> usize {
    let share = Random::new(seed, &format!("directions: ahead {step}")).uniform();
    ((most + 1) as f64 * share) as usize
}

/// Replaces right-hand sides `[samples × cells]` of norm 1 by what `steps` of the loop with the proposals of `model` leave of
/// them, scaled to norm 1.
///
/// # Errors
/// What keeps the model from being used on `a`; [`resolvent::Error::Memory`].
pub(super) fn advance(model: &Model, a: &Stencil, steps: usize, values: &mut [f32]) -> Result<()> {
    if steps == 0 {
        return Ok(());
    }
    let (space, cells) = (Host::<f64>::new(), a.grid().cells());
    let proposal = model.on(a)?;
    let stop = Stop { max_steps: steps, ..Stop::rtol(LEAST) };
    let mut solver = FlexibleCg::with_memory(&space, cells, stop, WINDOW)?;
    let (mut x, mut r) = (vec![0.0; cells], vec![0.0; cells]);
    for values in values.chunks_exact_mut(cells) {
        let b: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        x.fill(0.0);
        let report = solver.solve(&space, a as &dyn LinearOperator<_>, Some(&proposal), &b, &mut x)?;
        if report.status.is_solved() {
            continue;
        }
        a.apply(&space, &x, &mut r)?;
        space.axpby(1.0, &b, -1.0, &mut r)?;
        let norm = space.norm(&r)?;
        if norm > 0.0 {
            values.iter_mut().zip(&r).for_each(|(v, r)| *v = (r / norm) as f32);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::direction::{Architecture, Dcdm};
    use resolvent::{Boundary, Grid, Poisson};

    #[test]
    fn what_is_left_is_the_residual_of_the_loop() {
        let grid = Grid::new_2d(9, 7).unwrap();
        let a: Stencil = Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap().into();
        let small = Dcdm { before: 1, coarse: 1, after: 1, channels: 3, ..Dcdm::small(2) };
        let model = Model::new(Architecture::Dcdm(small), 5).unwrap();
        let mut random = Random::new(2, "samples");
        let mut noise: Vec<f32> = (0..126).map(|_| random.normal() as f32).collect();
        for sample in noise.chunks_mut(63) {
            let norm = sample.iter().map(|v| v * v).sum::<f32>().sqrt();
            sample.iter_mut().for_each(|v| *v /= norm);
        }
        let mut left = noise.clone();
        advance(&model, &a, 0, &mut left).unwrap();
        assert_eq!(left, noise);
        advance(&model, &a, 1, &mut left).unwrap();
        // One step along d leaves what is A-orthogonal to d, of norm 1.
        let (space, proposal) = (Host::<f64>::new(), model.on(&a).unwrap());
        for (b, r) in noise.chunks(63).zip(left.chunks(63)) {
            let [b, r] = [b, r].map(|v| v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
            let mut d = vec![0.0; 63];
            proposal.apply(&space, &b, &mut d).unwrap();
            assert!((space.norm(&r).unwrap() - 1.0).abs() < 1e-5);
            assert!(space.dot(&r, &d).unwrap().abs() < 1e-5 * space.norm(&d).unwrap());
        }
        // Of nothing nothing is left.
        let mut zeros = vec![0.0; 63];
        advance(&model, &a, 5, &mut zeros).unwrap();
        assert_eq!(zeros, [0.0; 63]);
    }

    #[test]
    fn every_number_of_steps_comes() {
        let mut seen = [false; 4];
        (0..100).for_each(|step| seen[steps(3, 1, step)] = true);
        assert_eq!(seen, [true; 4]);
        assert_eq!(steps(0, 1, 7), 0);
    }
}
