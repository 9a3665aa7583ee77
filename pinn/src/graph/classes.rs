//! How many graphs of each class were said to be of which, over the training.

use resolvent::learn::{Checkpoint, State};
use std::iter::zip;

/// Confusions of every fold at every look: the rows are true classes, the columns those that were said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Confusions {
    folds: usize,
    classes: usize,
    /// The steps done at each look.
    steps: Vec<u64>,
    /// `[looks, folds, classes, classes]`.
    counts: Vec<u64>,
}

/// The mean over folds, and their standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Accuracy {
    pub mean: f64,
    pub deviation: f64,
    pub least: f64,
}

impl Confusions {
    pub fn new(folds: usize, classes: usize) -> Self {
        Self { folds, classes, ..Self::default() }
    }

    pub fn looks(&self) -> usize {
        self.steps.len()
    }

    /// Steps done at a look.
    pub fn step(&self, look: usize) -> u64 {
        self.steps[look]
    }

    /// Adds a look, `[folds, classes, classes]`; one at the same step is replaced.
    pub fn push(&mut self, step: u64, counts: &[u64]) {
        if self.steps.last() == Some(&step) {
            self.steps.pop();
            self.counts.truncate(self.steps.len() * self.size());
        }
        self.steps.push(step);
        self.counts.extend_from_slice(counts);
    }

    /// Over the folds.
    pub fn accuracy(&self, look: usize) -> Accuracy {
        let c = self.classes;
        let parts = self.look(look).chunks(c * c).map(|m| {
            let right: u64 = (0..c).map(|i| m[i * c + i]).sum();
            right as f64 / m.iter().sum::<u64>().max(1) as f64
        });
        let parts: Vec<f64> = parts.collect();
        let n = parts.len().max(1) as f64;
        let mean = parts.iter().sum::<f64>() / n;
        let deviation = (parts.iter().map(|p| (p - mean) * (p - mean)).sum::<f64>() / n).sqrt();
        Accuracy { mean, deviation, least: parts.iter().copied().fold(1.0, f64::min) }
    }

    /// The first look with the best mean.
    pub fn best(&self) -> Option<usize> {
        let means: Vec<f64> = (0..self.looks()).map(|l| self.accuracy(l).mean).collect();
        let most = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        means.iter().position(|m| *m == most)
    }

    /// The sum over folds, `[classes, classes]`.
    pub fn total(&self, look: usize) -> Vec<u64> {
        let mut sum = vec![0; self.classes * self.classes];
        for fold in self.look(look).chunks(sum.len()) {
            zip(&mut sum, fold).for_each(|(s, f)| *s += f);
        }
        sum
    }

    fn size(&self) -> usize {
        self.folds * self.classes * self.classes
    }

    fn look(&self, look: usize) -> &[u64] {
        &self.counts[look * self.size()..][..self.size()]
    }
}

impl State for Confusions {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        checkpoint.put_integers(&format!("{name}.looks"), &[self.looks() as u64]);
        checkpoint.put_integers(&format!("{name}.steps"), &self.steps);
        checkpoint.put_integers(&format!("{name}.counts"), &self.counts);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        let looks = checkpoint.take_integers(&format!("{name}.looks"), 1)?[0] as usize;
        let counts = looks.saturating_mul(self.size());
        self.steps = checkpoint.take_integers(&format!("{name}.steps"), looks)?;
        self.counts = checkpoint.take_integers(&format!("{name}.counts"), counts)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_common_look_is_that_of_the_mean_over_folds() {
        let mut confusions = Confusions::new(2, 2);
        // The first fold is best at once, the second later; together the second look is best.
        confusions.push(2, &[5, 0, 0, 5, 0, 5, 5, 0]);
        confusions.push(4, &[4, 1, 0, 5, 5, 0, 2, 3]);
        confusions.push(6, &[4, 1, 1, 4, 5, 0, 1, 4]);
        assert_eq!(confusions.best(), Some(1));
        let at = confusions.accuracy(1);
        assert!((at.mean - 0.85).abs() < 1e-15 && (at.deviation - 0.05).abs() < 1e-15 && at.least == 0.8);
        assert_eq!(confusions.total(1), [9, 1, 2, 8]);
        confusions.push(6, &[0; 8]);
        assert_eq!((confusions.looks(), confusions.accuracy(2).mean), (3, 0.0));
        let mut checkpoint = Checkpoint::new("test", "", 6);
        confusions.store("confusions", &mut checkpoint);
        let mut again = Confusions::new(2, 2);
        again.restore("confusions", &mut checkpoint).unwrap();
        assert!(again == confusions && checkpoint.finish().is_ok());
    }
}
