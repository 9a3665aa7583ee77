//! After the first training step, training allocates nothing.
//!
//! One test, since the counter sees the whole process.

use resolvent::learn::{
    Activation, Adam, AdamOptions, Index, Initializer, Lbfgs, LbfgsOptions, Parameters, Tape, clip_by_norm,
};
use resolvent_tests::counting::{Counting, allocations};
use resolvent_tests::noise;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_training_step_allocates_nothing() {
    let (n, width) = (1500, 48);
    let mut parameters = Parameters::<f32>::new(1);
    let first = parameters.linear("first", 3, width, Initializer::GlorotNormal).unwrap();
    let second = parameters.linear("second", width, width, Initializer::GlorotNormal).unwrap();
    let last = parameters.linear("last", 2 * width, 4, Initializer::GlorotNormal).unwrap();
    let graph = Index::new((0..n as u32).map(|i| i * 7919 % 300).collect(), 400).unwrap();
    let labels = Index::new((0..n as u32).map(|i| i % 4).collect(), 4).unwrap();
    let x = noise::<f32>(3 * n, 1);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // A thread's first product allocates its packing memory, whenever that comes.
        pool.broadcast(|_| {
            let mut tape = Tape::<f32>::new();
            tape.start();
            let x = tape.input(&[1.0; 400], 20, 20).unwrap();
            tape.product(x, x).unwrap();
        });
        pool.install(|| {
            let mut parameters = parameters.clone();
            let (mut tape, mut gradient) = (Tape::new(), parameters.zeros());
            let mut adam = Adam::new(parameters.len(), AdamOptions::default()).unwrap();
            let mut lbfgs = Lbfgs::new(parameters.len(), LbfgsOptions::default()).unwrap();
            let mut values = parameters.values().to_vec();
            let mut loss = |parameters: &Parameters<f32>, gradient: &mut [f32]| {
                tape.start_with(parameters)?;
                let x = tape.input(&x, n, 3)?;
                let h = tape.layer(parameters, first, x, Activation::Tanh)?;
                let g = tape.layer(parameters, second, h, Activation::Swish)?;
                let a = tape.segment_softmax(g, &graph)?;
                let h = tape.multiply(h, a)?;
                let s = tape.segment_sum(h, &graph)?;
                let m = tape.segment_max(h, &graph)?;
                let s = tape.add(s, m)?;
                let s = tape.gather(s, &graph)?;
                let s = tape.concatenate(&[s, g])?;
                let s = tape.scale(0.5, s, 0.1)?;
                let logits = tape.layer(parameters, last, s, Activation::Identity)?;
                let loss = tape.cross_entropy(logits, &labels)?;
                tape.backward(loss)?;
                gradient.copy_from_slice(tape.parameter_gradient());
                tape.number(loss)
            };
            for step in 0..6 {
                let counts = allocations(|| {
                    loss(&parameters, &mut gradient).unwrap();
                    clip_by_norm(&mut gradient, 1.0).unwrap();
                    adam.step(1e-3, &gradient, parameters.values_mut()).unwrap();
                    let mut evaluate = |x: &[f32], g: &mut [f32]| {
                        parameters.copy(x)?;
                        loss(&parameters, g)
                    };
                    lbfgs.step(&mut values, &mut evaluate).unwrap();
                });
                assert_eq!(counts != [0, 0], step == 0, "{threads} threads, step {step}: {counts:?}");
            }
        });
    }
}
