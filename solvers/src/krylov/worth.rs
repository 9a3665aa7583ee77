//! Whether a proposal pays: what it brings against what it costs.

use super::hybrid::Price;

/// A proposal that costs at most this many steps is asked from the first one on.
const CHEAP: f64 = 0.2;
/// One that costs more is tried once, when this part of the steps that are to be expected pays for it.
const ALLOWANCE: f64 = 0.05;
/// Steps that say how many are to be expected.
const LOOK: usize = 2;
/// What the last verdict leaves of the ones before.
const MEMORY: f64 = 0.5;

/// What is known of a proposal in the course of a solve.
pub(super) struct Worth {
    price: Price,
    /// Of the first residual and of the target.
    ends: [f64; 2],
    asked: usize,
    dropped: Option<usize>,
    /// What the proposal brought, weighed: below 0 it does not pay.
    verdict: Option<f64>,
    /// The energies of a step that asked, until the next one says how much was left: all, and that of the cycle alone.
    open: Option<[f64; 2]>,
    /// Seconds of steps but for their proposals, and of proposals; how many of each.
    spent: [f64; 2],
    steps: usize,
}

impl Worth {
    /// For a solve from a residual to a target.
    pub fn new(price: Price, first: f64, target: f64) -> Self {
        let ends = [first, target];
        Self { price, ends, asked: 0, dropped: None, verdict: None, open: None, spent: [0.0; 2], steps: 0 }
    }

    /// Whether seconds count.
    pub fn has_clock(&self) -> bool {
        matches!(self.price, Price::Measured(_))
    }

    /// Steps that asked.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// The step after which the proposal was given up.
    pub fn dropped(&self) -> Option<usize> {
        self.dropped
    }

    /// What a proposal costs, in steps without one.
    fn price(&self) -> f64 {
        match self.price {
            Price::Measured(_) if self.asked > 0 && self.spent[0] > 0.0 => {
                let each = |seconds: f64, count: usize| seconds / count as f64;
                each(self.spent[1], self.asked) / each(self.spent[0], self.steps)
            }
            Price::Measured(price) | Price::Given(price) => price,
        }
    }

    /// Whether step number `step`, counted from 0, is to ask, at a residual of this norm.
    pub fn asks(&self, step: usize, residual: f64) -> bool {
        if self.dropped.is_some() {
            return false;
        }
        let price = self.price();
        if self.verdict.is_some() || price <= CHEAP {
            return true;
        }
        // One that is dear is tried once and waited for.
        if self.open.is_some() || step < LOOK {
            return false;
        }
        let [first, target] = self.ends;
        let halved = (residual / first).ln() / step as f64;
        let expected = (target / first).ln() / halved;
        // A residual that does not fall is a solve that takes any number of steps.
        halved >= 0.0 || price <= ALLOWANCE * expected
    }

    /// Takes note of a step, the `step`-th: whether it asked, the energy that is gone and that the cycle alone would have taken, and the seconds of the
    /// step but for its proposal and of the proposal.
    pub fn see(&mut self, step: usize, asked: bool, energies: [f64; 2], seconds: [f64; 2]) {
        self.steps += 1;
        self.asked += usize::from(asked);
        self.spent.iter_mut().zip(seconds).for_each(|(all, s)| *all += s);
        if let Some([gone, alone]) = self.open.take()
            && let Some(gain) = gain([gone, alone], energies[0], self.price())
        {
            let verdict = gain + self.verdict.map_or(0.0, |v| MEMORY * v);
            self.verdict = Some(verdict);
            if verdict < 0.0 {
                self.dropped.get_or_insert(step);
            }
        }
        self.open = asked.then_some(energies);
    }
}

/// By how much the logarithm of the error's energy falls faster for each step's time with a proposal that costs `price` steps, when a
/// step took the energy `gone`, of which `alone` without it, and the next one `next`; nothing where that cannot be told.
fn gain([gone, alone]: [f64; 2], next: f64, price: f64) -> Option<f64> {
    // What is left is at least what the next step took; a method that does not converge tells nothing.
    let left = (next / gone).clamp(1e-12, 0.999);
    let with = -left.ln() / (1.0 + price);
    let without = -(1.0 - (1.0 - left) * (alone / gone).clamp(0.0, 1.0)).ln();
    let gain = with - without;
    gain.is_finite().then_some(gain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error has the energy 1; a step alone takes half of what there is, one with a proposal three quarters.
    fn run(price: f64, steps: usize) -> Worth {
        let mut worth = Worth::new(Price::Given(price), 1.0, 1e-6);
        let mut left: f64 = 1.0;
        for step in 0..steps {
            let asks = worth.asks(step, left.sqrt());
            let energies = if asks { [0.75 * left, 0.5 * left] } else { [0.5 * left; 2] };
            left -= energies[0];
            worth.see(step + 1, asks, energies, [1.0, price]);
        }
        worth
    }

    #[test]
    fn what_pays_is_asked_and_what_does_not_is_dropped() {
        // Twice the logarithm in the time of one and a tenth.
        let cheap = run(0.1, 10);
        assert_eq!((cheap.asked(), cheap.dropped()), (10, None));
        // Dear, and tried once: a step of its own would bring as much.
        let dear = run(1.5, 40);
        assert_eq!((dear.asked(), dear.dropped()), (1, Some(4)));
        // Too dear to be tried.
        let dearest = run(50.0, 40);
        assert_eq!((dearest.asked(), dearest.dropped()), (0, None));
        // Tried, waited for, and asked from then on.
        let paying = run(0.7, 20);
        assert_eq!((paying.asked(), paying.dropped()), (17, None));
    }

    #[test]
    fn energies_say_what_is_brought() {
        // All of the error but a quarter with it, all but a half without.
        let about = |price| gain([0.75, 0.5], 0.1875, price).unwrap();
        assert!((about(0.0) - 2f64.ln()).abs() < 1e-12 && about(1.0).abs() < 1e-12 && about(2.0) < 0.0);
        assert_eq!(gain([f64::NAN, 1.0], 1.0, 0.1), None);
        // The proposal brought nothing.
        assert!(gain([0.5, 0.5], 0.25, 0.1).unwrap() < 0.0);
    }

    #[test]
    fn the_clock_corrects_a_guess() {
        let mut worth = Worth::new(Price::Measured(0.0), 1.0, 1e-6);
        assert!(worth.has_clock() && worth.asks(0, 1.0));
        worth.see(1, true, [0.75, 0.5], [1.0, 9.0]);
        // It took nine steps' time.
        assert_eq!(worth.price(), 9.0);
        assert!(!worth.asks(1, 0.5));
        worth.see(2, false, [0.125, 0.125], [1.0, 0.0]);
        assert_eq!(worth.dropped(), Some(2));
    }
}
