//! Graphs behind one another, as a network takes them.

use crate::Result;
use resolvent::graph::Graphs;
use resolvent::learn::Index;
use resolvent_datasets::graph::Graph;

/// The least size of a feature whose logarithm is taken.
const LEAST: f64 = 1e-6;
/// A piece has about so many edges: with 64 columns of f32 they are 192 KiB, and some of them stay in the second-level cache.
const PIECE: usize = 768;

/// How features are given to a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Whether those of edges come with their logarithms.
    pub logarithms: bool,
    /// Whether those of edges come with the logarithms of their shares of the sums at their source and at their target.
    pub shares: bool,
}

impl Form {
    /// How many there are of a graph's node and of its edge.
    pub fn widths(self, graph: &Graph<f64>) -> [usize; 2] {
        self.widths_of([graph.node.features.ncols(), graph.edge.features.ncols()])
    }

    /// How many there are of so many columns.
    pub fn widths_of(self, [node, edge]: [usize; 2]) -> [usize; 2] {
        let each = 1 + usize::from(self.logarithms) + 2 * usize::from(self.shares);
        [node.max(1), (each * edge).max(1)]
    }
}

/// Some graphs with what is known of them and what is to be found, in f32 and by rows.
pub(super) struct Batch {
    pub graphs: Graphs,
    /// `[nodes, node features]`.
    pub node: Vec<f32>,
    /// `[edges, edge features]`.
    pub edge: Vec<f32>,
    pub wanted: Wanted,
}

/// What is to be found.
pub(super) enum Wanted {
    /// A number on every node.
    Nodes(Vec<f32>),
    /// A class of every graph.
    Classes(Index),
}

impl Batch {
    /// Of graphs and their classes, in pieces of whole graphs that follow one another.
    pub fn pieces(graphs: &[&Graph<f64>], labels: &[u32], classes: usize, form: Form) -> Result<Vec<Self>> {
        let (mut pieces, mut first, mut edges) = (vec![], 0, 0);
        for (i, graph) in graphs.iter().enumerate() {
            edges += graph.edges.len().max(graph.nodes);
            if edges >= PIECE || i + 1 == graphs.len() {
                let labels = labels.get(first..=i).unwrap_or(&[]);
                pieces.push(Self::new(&graphs[first..=i], labels, classes, form)?);
                (first, edges) = (i + 1, 0);
            }
        }
        Ok(pieces)
    }

    /// Of graphs and their classes; `classes` is how many there are, 0 when numbers on nodes are to be found.
    pub fn new(graphs: &[&Graph<f64>], labels: &[u32], classes: usize, form: Form) -> Result<Self> {
        let counts: Vec<usize> = graphs.iter().map(|g| g.nodes).collect();
        let (mut edges, mut first) = (vec![], 0u32);
        let (mut node, mut edge, mut targets) = (vec![], vec![], vec![]);
        for graph in graphs {
            edges.extend(graph.edges.iter().map(|[i, j]| [first + i, first + j]));
            first += graph.nodes as u32;
            node_features(graph, &mut node);
            edge_features(graph, form, &mut edge);
            if classes == 0 {
                targets.extend(graph.node.targets.column(0).iter().map(|v| *v as f32));
            }
        }
        let wanted = match classes {
            0 => Wanted::Nodes(targets),
            _ => Wanted::Classes(Index::new(labels.to_vec(), classes)?),
        };
        Ok(Self { graphs: Graphs::new(&counts, &edges)?, node, edge, wanted })
    }
}

/// Adds the rows of nodes; where there is no feature, there is one that is 1.
fn node_features(graph: &Graph<f64>, out: &mut Vec<f32>) {
    let features = &graph.node.features;
    if features.ncols() == 0 {
        out.extend(std::iter::repeat_n(1.0f32, graph.nodes));
    }
    features.rows().into_iter().for_each(|row| out.extend(row.iter().map(|v| *v as f32)));
}

/// Adds the rows of edges: features, their logarithms, and those of their shares at both ends, feature by feature; where there is no
/// feature, there is one that is 1.
fn edge_features(graph: &Graph<f64>, form: Form, out: &mut Vec<f32>) {
    let features = &graph.edge.features;
    let cols = features.ncols();
    if cols == 0 {
        out.extend(std::iter::repeat_n(1.0f32, graph.edges.len()));
        return;
    }
    let mut sums = [(); 2].map(|()| vec![0.0; if form.shares { graph.nodes * cols } else { 0 }]);
    if form.shares {
        for (row, ends) in features.rows().into_iter().zip(&graph.edges) {
            for (sums, end) in sums.iter_mut().zip(ends) {
                let sums = &mut sums[*end as usize * cols..][..cols];
                sums.iter_mut().zip(row).for_each(|(s, v)| *s += v.abs().max(LEAST));
            }
        }
    }
    for (row, ends) in features.rows().into_iter().zip(&graph.edges) {
        for (c, v) in row.iter().enumerate() {
            let size = v.abs().max(LEAST);
            out.push(*v as f32);
            if form.logarithms {
                out.push(libm::log(size) as f32);
            }
            if form.shares {
                let share = |(sums, end): (&Vec<f64>, &u32)| size / sums[*end as usize * cols + c];
                out.extend(sums.iter().zip(ends).map(|s| libm::log(share(s)) as f32));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent_datasets::graph::pore_network;

    #[test]
    fn shares_at_a_node_add_to_one_and_do_not_change_with_the_unit() {
        let plain = Form { logarithms: false, shares: false };
        let form = Form { logarithms: true, shares: true };
        let mut rock = pore_network::network(3, 0, 30..=30).unwrap();
        let of = |rock: &Graph<f64>, form: Form| Batch::new(&[rock], &[], 0, form).unwrap();
        let (all, few) = (of(&rock, form), of(&rock, plain));
        let cols = rock.edge.features.ncols();
        assert_eq!((form.widths(&rock)[1], plain.widths(&rock)[1]), (4 * cols, cols));
        let columns =
            |part: usize| move |v: &[f32]| (0..v.len() / 4).map(|c| v[4 * c + part]).collect::<Vec<f32>>();
        let part = |batch: &Batch, part: usize| {
            batch.edge.chunks(4 * cols).flat_map(columns(part)).collect::<Vec<f32>>()
        };
        assert_eq!(part(&all, 0), few.edge);
        for (value, log) in part(&all, 0).iter().zip(part(&all, 1)) {
            assert!((value.max(LEAST as f32).ln() - log).abs() < 1e-5);
        }
        for end in 0..2 {
            let mut sums = vec![0.0f32; rock.nodes * cols];
            for (row, ends) in part(&all, 2 + end).chunks(cols).zip(&rock.edges) {
                (0..cols).for_each(|c| sums[ends[end] as usize * cols + c] += row[c].exp());
            }
            assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-5));
        }
        rock.edge.features *= 8.0;
        let other = of(&rock, form);
        for end in 2..4 {
            let pairs = part(&other, end).into_iter().zip(part(&all, end)).collect::<Vec<_>>();
            assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}
