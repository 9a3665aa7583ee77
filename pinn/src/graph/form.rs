//! How features of graphs are given to a network.

use super::config::GraphNetworkConfig;
use crate::error::choices;
use crate::{Error, Result};
use resolvent_datasets::graph::{Column, Graph, Schema};

/// The least size of a feature whose logarithm is taken.
const LEAST: f64 = 1e-6;

/// Which features are given, and as what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    /// How many there are of a node and of an edge.
    columns: [usize; 2],
    /// Those of nodes and of edges that are given.
    nodes: Vec<usize>,
    edges: Vec<usize>,
    /// Whether those of edges come with their logarithms.
    logarithms: bool,
    /// Whether instead of themselves they are the logarithms of their ratios to the means at their source, at their target and of the graph.
    relative: bool,
}

impl Form {
    /// What a configuration makes of graphs of this schema.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a feature there is not.
    pub fn new(config: &GraphNetworkConfig, schema: &Schema) -> Result<Self> {
        let [nodes, edges] = [&schema.node[0], &schema.edge[0]];
        Ok(Self {
            columns: [nodes.len(), edges.len()],
            nodes: chosen(config.nodes.as_deref(), nodes, "feature of nodes")?,
            edges: chosen(config.edges.as_deref(), edges, "feature of edges")?,
            logarithms: config.logarithms,
            relative: config.relative,
        })
    }

    /// How many numbers a node and an edge get; where there is no feature, there is one that is 1.
    pub fn widths(&self) -> [usize; 2] {
        let each = usize::from(self.logarithms) + if self.relative { 3 } else { 1 };
        [self.nodes.len().max(1), (each * self.edges.len()).max(1)]
    }

    /// `Ok` for a graph with as many features.
    ///
    /// # Errors
    /// [`Error::Training`].
    pub fn check(&self, graph: &Graph<f64>) -> Result<()> {
        let [nodes, edges] = [graph.node.features.ncols(), graph.edge.features.ncols()];
        if [nodes, edges] == self.columns {
            return Ok(());
        }
        let what = format!("the graphs have {nodes} features on nodes and {edges} on edges");
        let mend = format!("use {} and {}, as it was trained on", self.columns[0], self.columns[1]);
        Err(Error::Training { what, mend })
    }

    /// Adds the rows of nodes.
    pub fn nodes(&self, graph: &Graph<f64>, out: &mut Vec<f32>) {
        if self.nodes.is_empty() {
            out.extend(std::iter::repeat_n(1.0f32, graph.nodes));
            return;
        }
        for row in graph.node.features.rows() {
            out.extend(self.nodes.iter().map(|c| row[*c] as f32));
        }
    }

    /// Adds the rows of edges, feature by feature.
    pub fn edges(&self, graph: &Graph<f64>, out: &mut Vec<f32>) {
        let features = &graph.edge.features;
        if self.edges.is_empty() {
            out.extend(std::iter::repeat_n(1.0f32, graph.edges.len()));
            return;
        }
        let cols = self.edges.len();
        let means = self.relative.then(|| self.means(graph));
        for (row, ends) in features.rows().into_iter().zip(&graph.edges) {
            for (place, c) in self.edges.iter().enumerate() {
                let size = row[*c].abs().max(LEAST);
                if !self.relative {
                    out.push(row[*c] as f32);
                }
                if self.logarithms {
                    out.push(libm::log(size) as f32);
                }
                if let Some([source, target, whole]) = &means {
                    let of = [
                        source[ends[0] as usize * cols + place],
                        target[ends[1] as usize * cols + place],
                        whole[place],
                    ];
                    out.extend(of.map(|mean| libm::log(size / mean) as f32));
                }
            }
        }
    }

    /// The means of the sizes of features over the edges that start at every node, that end there, and over all.
    fn means(&self, graph: &Graph<f64>) -> [Vec<f64>; 3] {
        let (cols, rows) = (self.edges.len(), [graph.nodes, graph.nodes, 1]);
        let mut sums = rows.map(|rows| vec![0.0; rows * cols]);
        let mut counts = rows.map(|rows| vec![0.0f64; rows]);
        for (row, [i, j]) in graph.edge.features.rows().into_iter().zip(&graph.edges) {
            for ((sums, counts), at) in sums.iter_mut().zip(&mut counts).zip([*i as usize, *j as usize, 0]) {
                counts[at] += 1.0;
                let sums = &mut sums[at * cols..][..cols];
                sums.iter_mut().zip(&self.edges).for_each(|(s, c)| *s += row[*c].abs().max(LEAST));
            }
        }
        for (sums, counts) in sums.iter_mut().zip(&counts) {
            let rows = sums.chunks_mut(cols).zip(counts);
            rows.for_each(|(sums, count)| sums.iter_mut().for_each(|s| *s /= count.max(1.0)));
        }
        sums
    }
}

/// The columns of these names; all without a choice.
fn chosen(names: Option<&[String]>, columns: &[Column], what: &'static str) -> Result<Vec<usize>> {
    let Some(names) = names else { return Ok((0..columns.len()).collect()) };
    let find = |name: &String| {
        let known = columns.iter().map(|c| c.name.as_str());
        let found = columns.iter().position(|c| c.name == *name);
        found.ok_or_else(|| Error::Unknown { what, name: name.clone(), mend: choices(name, known) })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphConfig, GraphTask};
    use resolvent_datasets::graph::pore_network;

    fn form(change: impl FnOnce(&mut GraphNetworkConfig)) -> Result<Form> {
        let mut config = GraphConfig::published(GraphTask::PoreNetwork).network;
        change(&mut config);
        Form::new(&config, &pore_network::schema())
    }

    #[test]
    fn ratios_have_the_mean_one_and_do_not_change_with_the_unit() {
        let form = form(|c| (c.relative, c.logarithms) = (true, true)).unwrap();
        let mut rock = pore_network::network(3, 0, 30..=30).unwrap();
        let given = |rock: &Graph<f64>| {
            let mut out = vec![];
            form.edges(rock, &mut out);
            out
        };
        let all = given(&rock);
        let cols = rock.edge.features.ncols();
        assert_eq!((form.widths(), all.len()), ([5, 4 * cols], rock.edges.len() * 4 * cols));
        let features = rock.edge.features.iter().enumerate();
        assert!(features.clone().all(|(k, v)| (v.max(LEAST).ln() as f32 - all[4 * k]).abs() < 1e-5));
        for part in 0..3 {
            let mut sums = vec![[0.0f32; 2]; rock.nodes * cols];
            for (k, _) in features.clone() {
                let at = if part < 2 { rock.edges[k / cols][part] as usize } else { 0 };
                let sum = &mut sums[at * cols + k % cols];
                *sum = [sum[0] + all[4 * k + 1 + part].exp(), sum[1] + 1.0];
            }
            assert!(sums.iter().all(|[s, count]| (s - count).abs() <= 1e-4 * count));
        }
        rock.edge.features *= 8.0;
        let other = given(&rock);
        let same = |k: usize| (all[k] - other[k]).abs() < 1e-5;
        assert!((0..all.len()).all(|k| same(k) == (k % 4 > 0)));
    }

    #[test]
    fn features_are_chosen_by_name() {
        let names = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect());
        let form =
            |nodes: &[&str], edges: &[&str]| form(|c| (c.nodes, c.edges) = (names(nodes), names(edges)));
        let rock = pore_network::network(3, 0, 30..=30).unwrap();
        let some = form(&["given_pressure", "y"], &["length"]).unwrap();
        assert!(some.widths() == [2, 1] && some.check(&rock).is_ok());
        let (mut nodes, mut edges) = (vec![], vec![]);
        some.nodes(&rock, &mut nodes);
        some.edges(&rock, &mut edges);
        assert_eq!(nodes[..2], [rock.node.features[(0, 4)] as f32, rock.node.features[(0, 1)] as f32]);
        assert_eq!(edges[3], rock.edge.features[(3, 1)] as f32);
        let none = form(&[], &[]).unwrap();
        nodes.clear();
        edges.clear();
        none.nodes(&rock, &mut nodes);
        none.edges(&rock, &mut edges);
        assert!(
            none.widths() == [1, 1] && nodes == vec![1.0; rock.nodes] && edges == vec![1.0; rock.edges.len()]
        );
        let e = form(&["presure"], &[]).unwrap_err().to_string();
        assert!(e.contains("presure") && e.contains("given_pressure"), "{e}");
    }
}
