//! The gradient of a batch, piece by piece.
//!
//! A piece is some graphs whose values stay in the cache from the first layer to the last and back; a batch in one piece goes to
//! memory and back with each. Gradients of pieces are added in a few streams, whose number and order do not depend on that
//! of threads.

use super::batch::{Batch, Wanted};
use super::member::{diverged, record};
use crate::{Error, Result};
use rayon::prelude::*;
use resolvent::graph::GraphNetwork;
use resolvent::learn::{Parameters, Tape};
use std::sync::{Mutex, PoisonError};

/// Sums that are made side by side.
const STREAMS: usize = 4;

/// A sum of gradients, and memory to make them in.
pub(super) struct BatchGradient {
    streams: Vec<Vec<f32>>,
    tapes: Mutex<Vec<Tape<f32>>>,
}

impl BatchGradient {
    pub fn new(parameters: &Parameters<f32>) -> Self {
        let streams = (0..STREAMS).map(|_| parameters.zeros()).collect();
        Self { streams, tapes: Mutex::default() }
    }

    /// The loss of a batch at a step, and its gradient, which may be changed; where pieces came to rest is their next start when that is
    /// `kept`.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn of(
        &mut self,
        network: &GraphNetwork,
        parameters: &Parameters<f32>,
        batch: &mut [Batch],
        (step, kept): (u64, bool),
    ) -> Result<(f64, &mut [f32])> {
        let all: usize = batch.iter().map(|piece| piece.wanted.len()).sum();
        let length = batch.len().div_ceil(STREAMS).max(1);
        let tapes = &self.tapes;
        let used = batch.len().div_ceil(length);
        let losses = self.streams.par_iter_mut().zip(batch.par_chunks_mut(length)).map(|(sum, pieces)| {
            let mut tape = tapes.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            let mut loss = 0.0;
            for (p, piece) in pieces.iter_mut().enumerate() {
                if p == 0 {
                    tape.start_with(parameters)?
                } else {
                    tape.go_on()?
                }
                let share = piece.wanted.len() as f64 / all.max(1) as f64;
                loss += share * add(&mut tape, network, parameters, piece, (step, share), kept)?;
            }
            sum.copy_from_slice(tape.parameter_gradient());
            tapes.lock().unwrap_or_else(PoisonError::into_inner).push(tape);
            Ok(loss)
        });
        let losses: Vec<Result<f64>> = losses.collect();
        let loss = losses.into_iter().sum::<Result<f64>>()?;
        let (sum, others) = self.streams.split_at_mut(1);
        for other in others.iter().take(used.saturating_sub(1)) {
            sum[0].iter_mut().zip(other).for_each(|(s, o)| *s += o);
        }
        Ok((loss, &mut sum[0]))
    }
}

/// Adds `share` of the gradient of a piece to that of the tape; its loss.
fn add(
    tape: &mut Tape<f32>,
    network: &GraphNetwork,
    parameters: &Parameters<f32>,
    piece: &mut Batch,
    (step, share): (u64, f64),
    kept: bool,
) -> Result<f64> {
    let term = piece.wanted.term();
    let recorded = record(tape, network, parameters, piece).map_err(|e| diverged(e, step, term))?;
    let loss = match &piece.wanted {
        Wanted::Nodes(values) => {
            let wanted = tape.input(values, values.len(), 1)?;
            tape.mean_square_error(recorded.answer, wanted)?
        }
        Wanted::Classes(labels) => tape.cross_entropy(recorded.answer, labels)?,
    };
    let value = tape.number(loss)?;
    if !value.is_finite() {
        return Err(Error::NotFinite { step, what: "loss", term: term.into(), layer: None });
    }
    tape.backward_from(loss, &[share as f32]).map_err(|e| diverged(e.into(), step, term))?;
    if kept {
        piece.start.clear();
        piece.start.extend_from_slice(tape.value(recorded.rest)?);
    }
    Ok(value)
}
