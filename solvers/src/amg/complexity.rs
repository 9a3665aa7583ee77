//! What a hierarchy costs.

use std::fmt;

/// One level of a hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelSize {
    /// Unknowns.
    pub rows: usize,
    /// Entries of the matrix.
    pub nonzeros: usize,
}

/// The levels of a hierarchy from fine to coarse, and the memory they take. Displays as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complexity {
    /// From fine to coarse.
    pub levels: Vec<LevelSize>,
    /// Bytes held: matrices, interpolations and vectors of all levels.
    pub bytes: usize,
}

impl Complexity {
    /// Entries of all levels over those of the finest.
    pub fn operator(&self) -> f64 {
        self.ratio(|l| l.nonzeros)
    }

    /// Unknowns of all levels over those of the finest.
    pub fn grid(&self) -> f64 {
        self.ratio(|l| l.rows)
    }

    fn ratio(&self, of: impl Fn(&LevelSize) -> usize) -> f64 {
        let total: usize = self.levels.iter().map(&of).sum();
        total as f64 / self.levels.first().map_or(1, of).max(1) as f64
    }
}

impl fmt::Display for Complexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>5} {:>12} {:>14} {:>8}", "level", "unknowns", "entries", "a row")?;
        for (l, level) in self.levels.iter().enumerate() {
            let a_row = level.nonzeros as f64 / level.rows.max(1) as f64;
            writeln!(f, "{l:>5} {:>12} {:>14} {a_row:>8.1}", level.rows, level.nonzeros)?;
        }
        let mib = self.bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "operator complexity {:.2}, grid complexity {:.2}, {mib:.1} MiB",
            self.operator(),
            self.grid()
        )
    }
}
