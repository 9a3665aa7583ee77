//! Stratified folds for cross-validation.

use crate::random::Stream;

/// The fold of each graph, 0 to `folds` − 1: the graphs of each class are shuffled by the seed and dealt in turn, going on from
/// one class to the next, so that folds differ by at most one graph in all and in each class.
///
/// ```
/// use resolvent_datasets::graph::folds::stratified;
/// let labels: Vec<u32> = (0..188).map(|i| u32::from(i >= 63)).collect();
/// let folds = stratified(&labels, 10, 1);
/// let of = |fold: u32, class| (0..188).filter(|i| folds[*i] == fold && labels[*i] == class).count();
/// assert!((0..10).all(|f| (6..=7).contains(&of(f, 0)) && (12..=13).contains(&of(f, 1))));
/// ```
///
/// # Panics
/// For 0 folds.
pub fn stratified(labels: &[u32], folds: u32, seed: u64) -> Vec<u32> {
    assert!(folds > 0, "at least one fold is needed");
    let numbers = Stream::new(seed, "stratified folds");
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|i| (labels[*i], numbers.integer(*i as u64), *i));
    let mut fold = vec![0; labels.len()];
    for (at, i) in order.into_iter().enumerate() {
        fold[i] = (at % folds as usize) as u32;
    }
    fold
}
