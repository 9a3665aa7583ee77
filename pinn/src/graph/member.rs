//! One network that is being trained.

use super::batch::{Batch, Wanted};
use super::config::GraphTrain;
use super::gradient::BatchGradient;
use super::memory::Memory;
use super::samples::Samples;
use crate::{Error, Result};
use resolvent::graph::{GraphNetwork, Recorded};
use resolvent::learn::{Adam, AdamOptions, Checkpoint, Parameters, State, Tape, clip_by_norm};

/// A network with its weights, its optimiser, and the number of its fold.
pub(super) struct Member {
    pub number: u32,
    pub network: GraphNetwork,
    pub parameters: Parameters<f32>,
    pub adam: Adam<f32>,
    pub loss: f64,
    tape: Tape<f32>,
    gradient: BatchGradient,
    /// What was trained on last, piece by piece, and which draw it was.
    batch: Option<(u64, Vec<Batch>)>,
    /// Where graphs came to rest, when they start from there.
    memory: Option<Memory>,
    /// What is never trained on.
    held_out: Vec<Batch>,
}

impl Member {
    /// # Errors
    /// [`Error::Solver`] for a network or a decay that cannot be; those of the samples.
    pub fn new(
        number: u32,
        (network, parameters): (GraphNetwork, Parameters<f32>),
        train: &GraphTrain,
        samples: &Samples,
    ) -> Result<Self> {
        let options = AdamOptions { weight_decay: train.decay, ..AdamOptions::default() };
        Ok(Self {
            number,
            network,
            adam: Adam::new(parameters.len(), options)?,
            gradient: BatchGradient::new(&parameters),
            parameters,
            loss: f64::NAN,
            tape: Tape::new(),
            batch: None,
            memory: train.warm.then(Memory::default),
            held_out: samples.held_out(number)?,
        })
    }

    /// One step.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; those of the samples.
    pub fn advance(&mut self, samples: &Samples, rate: f64, clip: Option<f64>) -> Result<()> {
        let step = self.adam.steps();
        let draw = samples.draw(step);
        let batch = match self.batch.take() {
            Some((last, batch)) if last == draw => batch,
            _ => samples.batch(self.number, step)?,
        };
        let batch = &mut self.batch.insert((draw, batch)).1[..];
        if let Some(memory) = &mut self.memory {
            memory.turn(draw, samples.returns());
            batch.iter_mut().for_each(|piece| memory.start(piece));
        }
        let parameters = &self.parameters;
        let term = batch.first().map_or("", |piece| piece.wanted.term());
        let wrong = |what, layer| Error::NotFinite { step, what, term: term.into(), layer };
        let (loss, gradient) =
            self.gradient.of(&self.network, parameters, batch, (step, self.memory.is_some()))?;
        self.loss = loss;
        if let Some(memory) = &mut self.memory {
            batch.iter().for_each(|piece| memory.keep(piece));
        }
        if let Some(parameter) = parameters.not_finite(gradient) {
            return Err(wrong("gradient", Some(parameter.name().into())));
        }
        if let Some(most) = clip {
            clip_by_norm(gradient, most)?;
        }
        self.adam.step(rate, gradient, self.parameters.values_mut())?;
        match self.parameters.not_finite(self.parameters.values()) {
            Some(parameter) => Err(wrong("parameter", Some(parameter.name().into()))),
            None => Ok(()),
        }
    }

    /// Calls `f` with each batch that is held out, and the answers to it by rows.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where nothing comes to rest.
    pub fn held_out(&mut self, mut f: impl FnMut(&Batch, &[f32])) -> Result<()> {
        let (step, tape) = (self.adam.steps(), &mut self.tape);
        for batch in &self.held_out {
            tape.evaluate_with(&self.parameters)?;
            let recorded = record(tape, &self.network, &self.parameters, batch)
                .map_err(|e| diverged(e, step, batch.wanted.term()))?;
            f(batch, tape.value(recorded.answer)?);
        }
        Ok(())
    }

    /// Answers, weights and constants of a batch, by rows: what `f` makes of them.
    ///
    /// # Errors
    /// As [`held_out`](Self::held_out).
    pub fn look_at<R>(
        &mut self,
        batch: &Batch,
        f: impl FnOnce(&Tape<f32>, Recorded) -> Result<R>,
    ) -> Result<R> {
        let (step, tape) = (self.adam.steps(), &mut self.tape);
        tape.evaluate_with(&self.parameters)?;
        let recorded = record(tape, &self.network, &self.parameters, batch)
            .map_err(|e| diverged(e, step, batch.wanted.term()))?;
        f(tape, recorded)
    }

    pub fn store(&self, checkpoint: &mut Checkpoint) {
        self.parameters.store(&self.prefix(""), checkpoint);
        self.adam.store(&self.prefix("adam"), checkpoint);
        if let Some(memory) = &self.memory {
            memory.store(&self.prefix("rest"), checkpoint);
        }
    }

    pub fn restore(&mut self, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        self.parameters.restore(&self.prefix(""), checkpoint)?;
        self.adam.restore(&self.prefix("adam"), checkpoint)?;
        let name = self.prefix("rest");
        self.memory.as_mut().map_or(Ok(()), |memory| memory.restore(&name, checkpoint))
    }

    /// The name of something of the first member is its own, those of the others have a number.
    fn prefix(&self, name: &str) -> String {
        match (self.number, name) {
            (0, _) => name.into(),
            (n, "") => format!("fold_{n}"),
            (n, _) => format!("fold_{n}.{name}"),
        }
    }
}

impl Wanted {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Nodes(values) => values.len(),
            Self::Classes(labels) => labels.items(),
        }
    }

    /// The name of its loss.
    pub fn term(&self) -> &'static str {
        match self {
            Self::Nodes(_) => "mean square error",
            Self::Classes(_) => "cross-entropy",
        }
    }
}

pub(super) fn record(
    tape: &mut Tape<f32>,
    network: &GraphNetwork,
    parameters: &Parameters<f32>,
    batch: &Batch,
) -> Result<Recorded> {
    let a = network.architecture();
    let node = tape.input(&batch.node, batch.graphs.nodes(), a.node_features)?;
    let edge = tape.input(&batch.edge, batch.graphs.edges(), a.edge_features)?;
    let start = match &batch.start[..] {
        [] => None,
        start => Some(tape.input(start, batch.graphs.nodes(), a.heads)?),
    };
    Ok(network.record_from(tape, parameters, &batch.graphs, [node, edge], start)?)
}

/// What does not come to rest because its numbers are not finite.
pub(super) fn diverged(e: Error, step: u64, term: &str) -> Error {
    match e {
        Error::Solver(resolvent::Error::Diverged { .. }) => {
            Error::NotFinite { step, what: "equilibrium", term: term.into(), layer: None }
        }
        e => e,
    }
}
