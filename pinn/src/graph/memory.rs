//! Where graphs came to rest when they were last trained on: where they start from the next time.

use super::batch::Batch;
use resolvent::learn::{Checkpoint, State};

/// x of every graph, `[nodes, heads]` each, by the graph's number; empty where nothing is known. Part of what a training goes on from,
/// since the last bits of an answer depend on the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Memory {
    draw: u64,
    rests: Vec<Vec<f32>>,
}

impl Memory {
    /// Turns to a draw of graphs. Those of a file return, `returns`; others are new, and what was known is forgotten.
    pub fn turn(&mut self, draw: u64, returns: bool) {
        if self.draw != draw && !returns {
            self.rests.clear();
        }
        self.draw = draw;
    }

    /// Gives a piece its start, with zeros for graphs of which nothing is known; none where that is all of them.
    pub fn start(&self, piece: &mut Batch) {
        let known = |graph: usize| self.rests.get(piece.numbers[graph]).filter(|r| !r.is_empty());
        let columns = |graph: usize| known(graph).map(|r| r.len() / piece.graphs.range(graph).len().max(1));
        let Some(heads) = (0..piece.graphs.count()).find_map(columns) else { return piece.start.clear() };
        let mut start = std::mem::take(&mut piece.start);
        start.clear();
        for graph in 0..piece.graphs.count() {
            let length = piece.graphs.range(graph).len() * heads;
            match self.rests.get(piece.numbers[graph]) {
                Some(rest) if rest.len() == length => start.extend_from_slice(rest),
                _ => start.extend(std::iter::repeat_n(0.0, length)),
            }
        }
        piece.start = start;
    }

    /// Keeps where a piece came to rest, which its start now is.
    pub fn keep(&mut self, piece: &Batch) {
        let heads = piece.start.len() / piece.graphs.nodes().max(1);
        for graph in 0..piece.graphs.count() {
            let (number, rows) = (piece.numbers[graph], piece.graphs.range(graph));
            self.rests.resize(self.rests.len().max(number + 1), vec![]);
            let rest = &mut self.rests[number];
            rest.clear();
            rest.extend_from_slice(&piece.start[rows.start * heads..rows.end * heads]);
        }
    }
}

impl State for Memory {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        let lengths: Vec<u64> = self.rests.iter().map(|r| r.len() as u64).collect();
        checkpoint.put_integers(&format!("{name}.draw"), &[self.draw, lengths.len() as u64]);
        checkpoint.put_integers(&format!("{name}.lengths"), &lengths);
        let all = self.rests.concat();
        checkpoint.put(&format!("{name}.x"), &[all.len()], &all);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        let head = checkpoint.take_integers(&format!("{name}.draw"), 2)?;
        let lengths = checkpoint.take_integers(&format!("{name}.lengths"), head[1] as usize)?;
        let all = lengths.iter().fold(0u64, |sum, l| sum.saturating_add(*l)) as usize;
        let all: Vec<f32> = checkpoint.take(&format!("{name}.x"), &[all])?;
        let mut rest = &all[..];
        self.rests = lengths.iter().map(|l| rest.split_off(..*l as usize).unwrap_or(&[]).to_vec()).collect();
        self.draw = head[0];
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::Form;
    use super::*;
    use crate::graph::{GraphConfig, GraphTask};
    use resolvent_datasets::graph::value_iteration::{self, Processes};

    #[test]
    fn what_is_kept_is_where_the_same_graphs_start_in_any_order_and_after_a_checkpoint() {
        let graphs: Vec<_> = (0..3).map(|i| Processes::default().graph(7, i).unwrap()).collect();
        let config = GraphConfig::published(GraphTask::ValueIteration).network;
        let form = Form::new(&config, &value_iteration::schema()).unwrap();
        let piece = |numbers: [usize; 2]| {
            let graphs = numbers.map(|n| &graphs[n]);
            Batch { numbers: numbers.to_vec(), ..Batch::new(&graphs, &[], 0, &form).unwrap() }
        };
        let mut memory = Memory::default();
        let (mut first, mut other) = (piece([0, 1]), piece([2, 0]));
        memory.start(&mut first);
        assert!(first.start.is_empty());
        first.start = (0..first.graphs.nodes() * 2).map(|i| i as f32).collect();
        memory.keep(&first);
        memory.start(&mut other);
        let n = graphs[2].nodes * 2;
        assert!(other.start[..n].iter().all(|v| *v == 0.0));
        assert_eq!(other.start[n..], first.start[..graphs[0].nodes * 2]);
        let mut checkpoint = Checkpoint::new("test", "", 1);
        memory.store("rest", &mut checkpoint);
        let mut again = Memory::default();
        again.restore("rest", &mut checkpoint).unwrap();
        assert!(again == memory && checkpoint.finish().is_ok());
        memory.turn(1, true);
        memory.start(&mut first);
        assert!(!first.start.is_empty());
        memory.turn(2, false);
        memory.start(&mut first);
        assert!(first.start.is_empty());
    }
}
