//! The incomplete elimination that keeps fill above a threshold.
//!
//! Row k of the factor is row k of A less what the rows before it with an entry in column k contribute; those rows are
//! found by lists, each row waiting in that of its next column (the Crout form: N. Li, Y. Saad, E. Chow, *Crout versions of
//! ILU for general sparse matrices*, SIAM J. Sci. Comput. 25 (2003), 716–728, 10.1137/S1064827502405094).

use super::incomplete::{Factor, IncompleteOptions};
use crate::{Error, Result};

/// The first shift tried, what it grows by, and the largest.
const SHIFT: (f64, f64, f64) = (1e-3, 2.0, 10.0);
/// No row.
const NONE: u32 = u32::MAX;

impl Factor {
    /// The factor with fill, and the shift it took.
    ///
    /// # Errors
    /// [`Error::Pivot`] when the largest shift does not help; [`Error::Structure`] for too many entries.
    pub fn with_fill(&self, options: IncompleteOptions) -> Result<(Self, f64)> {
        let mut shift = 0.0;
        loop {
            match self.attempt(options, shift) {
                Ok(factor) => return Ok((factor, shift)),
                Err(Error::Pivot { .. }) if shift < SHIFT.2 => shift = (SHIFT.1 * shift).max(SHIFT.0),
                Err(other) => return Err(other),
            }
        }
    }

    fn attempt(&self, options: IncompleteOptions, shift: f64) -> Result<Self> {
        let n = self.pivots.len();
        let scale: Vec<f64> = self.pivots.iter().map(|d| d.sqrt()).collect();
        let mut factor =
            Self { offsets: vec![0], columns: Vec::new(), values: Vec::new(), pivots: vec![0.0; n] };
        // Lists of rows: the first that waits for each column, and the next after each row; where each row stands.
        let (mut first, mut after, mut at) = (vec![NONE; n], vec![NONE; n], vec![0usize; n]);
        let (mut row, mut place) = (vec![0.0; n], vec![false; n]);
        let mut used: Vec<u32> = Vec::new();
        // What was dropped goes to the diagonals it would have connected.
        let mut dropped = vec![0.0; n];
        for k in 0..n {
            let diagonal = self.pivots[k];
            let mut pivot = (1.0 + shift) * diagonal;
            for e in self.entries(k) {
                let c = self.columns[e] as usize;
                (row[c], place[c]) = (self.values[e], true);
                used.push(c as u32);
            }
            let mut i = std::mem::replace(&mut first[k], NONE);
            while i != NONE {
                let (next, r) = (after[i as usize], i as usize);
                let end = factor.offsets[r + 1] as usize;
                let part = factor.values[at[r]] / factor.pivots[r];
                pivot -= part * factor.values[at[r]];
                for e in at[r] + 1..end {
                    let c = factor.columns[e] as usize;
                    if !place[c] {
                        place[c] = true;
                        used.push(c as u32);
                    }
                    row[c] -= part * factor.values[e];
                }
                at[r] += 1;
                wait(&mut first, &mut after, &factor.columns, at[r], end, i);
                i = next;
            }
            pivot += options.relaxation * dropped[k];
            let own = self.entries(k).len();
            used.retain(|&c| {
                let c = c as usize;
                let keep = row[c].abs() > options.threshold * scale[k] * scale[c];
                if !keep {
                    pivot += options.relaxation * row[c];
                    dropped[c] += row[c];
                    (row[c], place[c]) = (0.0, false);
                }
                keep
            });
            if used.len() > own + options.fill {
                used.select_nth_unstable_by(own + options.fill, |a, b| {
                    let size = |c: &u32| row[*c as usize].abs() / scale[*c as usize];
                    size(b).total_cmp(&size(a)).then(a.cmp(b))
                });
                for c in used.drain(own + options.fill..) {
                    let c = c as usize;
                    pivot += options.relaxation * row[c];
                    dropped[c] += row[c];
                    (row[c], place[c]) = (0.0, false);
                }
            }
            if !(pivot > options.safety * diagonal && pivot.is_finite()) {
                return Err(Error::Pivot { what: "incomplete Cholesky", row: k, pivot });
            }
            factor.pivots[k] = pivot;
            used.sort_unstable();
            let start = factor.columns.len();
            for c in used.drain(..) {
                factor.columns.push(c);
                factor.values.push(row[c as usize]);
                (row[c as usize], place[c as usize]) = (0.0, false);
            }
            let end = factor.columns.len();
            if end > u32::MAX as usize {
                return Err(Error::Structure { row: k, why: "more fill than a 32-bit index counts" });
            }
            factor.offsets.push(end as u32);
            at[k] = start;
            wait(&mut first, &mut after, &factor.columns, start, end, k as u32);
        }
        Ok(factor)
    }
}

/// Puts a row in the list of the column it stands at, if it is not at its end.
fn wait(first: &mut [u32], after: &mut [u32], columns: &[u32], at: usize, end: usize, row: u32) {
    if at < end {
        let column = columns[at] as usize;
        after[row as usize] = first[column];
        first[column] = row;
    }
}
