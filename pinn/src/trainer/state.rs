//! What a training is, in a checkpoint.

use super::Trainer;
use crate::objective::Cloud;
use crate::simd::Real;
use resolvent::learn::{Checkpoint, Lbfgs, State};

/// Parameters by their own names, as Python wants them; everything else under `training/`.
impl<T: Real> State for Trainer<T> {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        let network = self.propagator.network();
        for block in network.blocks() {
            checkpoint.put(
                &format!("{name}{}", block.name),
                &block.shape,
                &self.parameters[block.range.clone()],
            );
        }
        let own = &self.parameters[network.parameters()..];
        for (parameter, value) in self.trained.iter().zip(own) {
            checkpoint.put(&format!("{name}equation.{parameter}"), &[1], &[*value]);
        }
        self.adam.store(&format!("{name}training/adam"), checkpoint);
        checkpoint.put(&format!("{name}training/weights"), &[self.lambda.len()], &self.lambda);
        checkpoint.put_integers(&format!("{name}training/step"), &[self.step]);
        self.random.store(&format!("{name}training/random"), checkpoint);
        if let Some(lbfgs) = &self.lbfgs {
            lbfgs.store(&format!("{name}training/lbfgs"), checkpoint);
            if self.options.causal.is_some() {
                let weights = &self.causal.points;
                checkpoint.put(&format!("{name}training/causal"), &[weights.len()], weights);
            }
        }
        checkpoint.put_integers(&format!("{name}training/quasi_newton"), &[u64::from(self.lbfgs.is_some())]);
        for (i, (objective, cloud)) in self.objectives.iter().zip(&self.clouds).enumerate() {
            let place = |what: &str| format!("{name}training/objective_{i}/{what}");
            objective.source.store(&place("source"), checkpoint);
            let sizes = [cloud.points.len(), cloud.data.len()];
            checkpoint.put_integers(&place("sizes"), &sizes.map(|s| s as u64));
            checkpoint.put(&place("points"), &[cloud.points.len()], &cloud.points);
            checkpoint.put(&place("data"), &[cloud.data.len()], &cloud.data);
        }
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        let network = self.propagator.network();
        let mut parameters = Vec::with_capacity(self.parameters.len());
        for block in network.blocks() {
            parameters.extend(checkpoint.take::<T>(&format!("{name}{}", block.name), &block.shape)?);
        }
        for parameter in &self.trained {
            parameters.extend(checkpoint.take::<T>(&format!("{name}equation.{parameter}"), &[1])?);
        }
        let lambda = checkpoint.take::<f64>(&format!("{name}training/weights"), &[self.lambda.len()])?;
        let step = checkpoint.take_integers(&format!("{name}training/step"), 1)?[0];
        let quasi_newton = checkpoint.take_integers(&format!("{name}training/quasi_newton"), 1)?[0] == 1;
        let mut clouds = vec![];
        for (i, objective) in self.objectives.iter_mut().enumerate() {
            let place = |what: &str| format!("{name}training/objective_{i}/{what}");
            objective.source.restore(&place("source"), checkpoint)?;
            let sizes = checkpoint.take_integers(&place("sizes"), 2)?;
            let points = checkpoint.take::<T>(&place("points"), &[sizes[0] as usize])?;
            let data = checkpoint.take::<T>(&place("data"), &[sizes[1] as usize])?;
            clouds.push(Cloud { points, data });
        }
        let lbfgs = if quasi_newton {
            let mut lbfgs = Lbfgs::new(parameters.len(), self.options.lbfgs)?;
            lbfgs.restore(&format!("{name}training/lbfgs"), checkpoint)?;
            if self.options.causal.is_some() {
                let n = clouds[0].points.len() / network.architecture().dim;
                self.causal.points = checkpoint.take::<T>(&format!("{name}training/causal"), &[n])?;
            }
            Some(lbfgs)
        } else {
            None
        };
        self.adam.restore(&format!("{name}training/adam"), checkpoint)?;
        self.random.restore(&format!("{name}training/random"), checkpoint)?;
        (self.parameters, self.lambda, self.clouds, self.lbfgs, self.step) =
            (parameters, lambda, clouds, lbfgs, step);
        Ok(())
    }
}
