//! Whether something that is learned pays.

/// Verdicts against it in a row that send it to rest.
const PATIENCE: u32 = 2;
/// Systems that it rests the first time, twice as many each time after, and at most.
const REST: u32 = 8;
const LONGEST: u32 = 64;

/// A part that is used as long as it pays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    wanted: bool,
    against: u32,
    /// Systems left to rest, and how many the next rest has.
    resting: u32,
    next: u32,
}

impl Trial {
    pub fn new(wanted: bool) -> Self {
        Self { wanted, against: 0, resting: 0, next: REST }
    }

    /// The same before anything was seen.
    pub fn anew(self) -> Self {
        Self::new(self.wanted)
    }

    /// Whether it is to be used for the system that comes; asked once for each.
    pub fn is_on(&mut self) -> bool {
        if self.resting > 0 {
            self.resting -= 1;
        }
        self.wanted && self.resting == 0
    }

    /// Takes note of whether it paid.
    pub fn judge(&mut self, paid: bool) {
        if paid {
            (self.against, self.next) = (0, REST);
            return;
        }
        self.against += 1;
        if self.against >= PATIENCE {
            (self.against, self.resting) = (0, self.next);
            self.next = (2 * self.next).min(LONGEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_pay_rests_longer_each_time_and_what_pays_stays() {
        let mut trial = Trial::new(true);
        let mut used = vec![];
        for system in 0..60 {
            if trial.is_on() {
                used.push(system);
                trial.judge(false);
            }
        }
        assert_eq!(used, [0, 1, 9, 10, 26, 27, 59]);
        let mut paying = Trial::new(true);
        for system in 0..20 {
            assert!(paying.is_on());
            // One exception sends nothing to rest.
            paying.judge(system % 2 == 0);
        }
        assert!(!Trial::new(false).is_on() && paying.anew().is_on());
    }
}
