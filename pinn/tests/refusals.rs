//! What cannot be is refused, with the mend.

use resolvent_pinn::{
    Architecture, Derivative, Error, Feature, Linearised, Network, Propagator, Residual, Sample, Streams,
    Term,
};

#[test]
fn networks_that_cannot_exist() {
    let dense = || Architecture::dense(2, &[5, 6], 1);
    let feature = |weights: Vec<f64>| vec![Feature { weights, shift: 0.0, cosine: false }];
    for (architecture, named) in [
        (Architecture { dim: 0, ..dense() }, "coordinates"),
        (Architecture { features: vec![], ..dense() }, "features"),
        (Architecture { hidden: vec![], ..dense() }, "hidden layers"),
        (Architecture { outputs: 0, ..dense() }, "outputs"),
        (Architecture { hidden: vec![4, 0], ..dense() }, "width"),
        (Architecture { hidden: vec![1 << 17], ..dense() }, "width"),
        (Architecture { gated: true, ..dense() }, "one width"),
        (Architecture { features: feature(vec![1.0]), ..dense() }, "one for each coordinate"),
        (Architecture { features: Feature::standardised(&[0.0; 2], &[1.0, 0.0]), ..dense() }, "deviation"),
        (Architecture { frequency: -1.0, ..dense() }, "frequency"),
    ] {
        let error = Network::new(architecture).err().expect(named);
        assert!(matches!(error, Error::Network { .. }) && error.to_string().contains(named), "{error}");
    }
}

#[test]
fn networks_larger_than_any_memory() {
    let network = Network::new(Architecture::dense(1, &[1 << 16; 3000], 1)).unwrap();
    assert!(matches!(Propagator::<f64>::new(network), Err(Error::Solver(resolvent::Error::Memory { .. }))));
}

struct Value(Streams);

impl Residual<f64> for Value {
    fn streams(&self) -> &Streams {
        &self.0
    }
    fn columns(&self) -> usize {
        1
    }
    fn linearise(&self, at: &Sample<'_, f64>, out: &mut Linearised<'_, f64>) {
        out.residual(0).copy_from_slice(at.stream(0, 0));
        out.partial(0, 0, 0).fill(1.0);
    }
}

#[test]
fn arrays_that_do_not_fit() {
    let network = Network::new(Architecture::dense(2, &[4], 1)).unwrap();
    let p: Vec<f64> = network.initial(0);
    let mut propagator = Propagator::new(network).unwrap();
    let value = Value(Streams::value(2));
    let term = Term { residual: &value, points: &[0.0; 6], data: &[0.0; 3], weights: None };
    let mut gradient = vec![0.0; p.len()];
    let mut refused = |p: &[f64], term, losses: &mut [f64], gradient: &mut [f64]| {
        matches!(propagator.gradients(p, &[term], losses, gradient), Err(Error::Length { .. }))
    };
    assert!(!refused(&p, term, &mut [0.0], &mut gradient));
    assert!(refused(&p, term, &mut [0.0; 2], &mut gradient));
    assert!(refused(&p, term, &mut [0.0], &mut gradient[1..]));
    assert!(refused(&p[1..], term, &mut [0.0], &mut gradient[1..]));
    assert!(refused(&p, Term { points: &[0.0; 5], ..term }, &mut [0.0], &mut gradient));
    assert!(refused(&p, Term { data: &[], ..term }, &mut [0.0], &mut gradient));
    assert!(refused(&p, Term { weights: Some(&[1.0]), ..term }, &mut [0.0], &mut gradient));
    assert!(matches!(propagator.residuals(&p, term, &mut [0.0]), Err(Error::Length { .. })));
    assert!(matches!(propagator.pull_back(&p, term, &[0.0], &mut gradient), Err(Error::Length { .. })));
    let streams = Streams::value(2);
    assert!(matches!(propagator.values(&p, &streams, &[0.0; 4], &mut [0.0]), Err(Error::Length { .. })));
    let line = Streams::new(1, &[Derivative::along(1, &[0]).unwrap().into()]).unwrap();
    assert!(matches!(propagator.values(&p, &line, &[0.0; 4], &mut [0.0; 4]), Err(Error::Derivative { .. })));
    let other = Value(line);
    let term = Term { residual: &other, ..term };
    assert!(matches!(propagator.losses(&p, &[term], &mut [0.0]), Err(Error::Derivative { .. })));
}
