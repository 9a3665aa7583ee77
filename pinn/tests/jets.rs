//! Every stream of every kind of network against finite differences of lower ones, and every gradient against finite
//! differences of the loss.

use resolvent_pinn::{
    Activation, Architecture, Derivative, Differential, Feature, Linearised, Network, Propagator, Real,
    Residual, Sample, Streams, Term,
};

fn along(axes: &[usize]) -> Differential {
    Derivative::along(2, axes).unwrap().into()
}

fn sum(terms: &[(f64, &[usize])]) -> Differential {
    let term = |(c, axes): &(f64, &[usize])| (*c, Derivative::along(2, axes).unwrap());
    Differential::new(&terms.iter().map(term).collect::<Vec<_>>()).unwrap()
}

/// Sets of streams that take every path through the code: held in registers, and by tables.
fn sets() -> Vec<Streams> {
    let set = |wanted: &[Differential]| Streams::new(2, wanted).unwrap();
    vec![
        set(&[]),
        set(&[along(&[0])]),
        set(&[along(&[0]), along(&[1])]),
        set(&[along(&[1, 1])]),
        set(&[along(&[0]), along(&[1, 1])]),
        set(&[Differential::laplacian(2).unwrap()]),
        set(&[along(&[0, 1]), along(&[1, 1])]),
        set(&[along(&[0, 0]), along(&[0, 1]), along(&[1, 1])]),
        set(&[along(&[0]), along(&[1, 1, 1])]),
        set(&[sum(&[(1.0, &[0, 0, 1]), (1.0, &[1, 1, 1])]), sum(&[(1.0, &[0, 0, 0]), (-2.0, &[0, 1, 1])])]),
        set(&[sum(&[(1.0, &[0; 4]), (2.0, &[0, 0, 1, 1]), (1.0, &[1; 4])])]),
        set(&[along(&[0, 0, 1, 1])]),
    ]
}

/// Dense, gated, factorised, sine, Fourier and periodic inputs.
fn architectures(activation: Activation) -> Vec<Architecture> {
    let dense = Architecture { activation, ..Architecture::dense(2, &[7, 5, 6], 2) };
    let standardised = Feature::standardised(&[0.1, -0.2], &[0.6, 0.5]);
    let mut periodic = Feature::periodic(2, 0, 2.0, 2);
    periodic.extend(Feature::standardised(&[0.0, 0.3], &[1.0, 0.8]).into_iter().skip(1));
    vec![
        Architecture { features: standardised.clone(), ..dense.clone() },
        Architecture {
            features: standardised.clone(),
            hidden: vec![6, 6, 6],
            gated: true,
            factorised: true,
            ..dense.clone()
        },
        Architecture {
            features: Feature::fourier(2, 3, 1.0, 4),
            gated: true,
            hidden: vec![5, 5],
            ..dense.clone()
        },
        Architecture { features: periodic, factorised: true, ..dense.clone() },
        Architecture { features: standardised, frequency: 1.7, outputs: 1, hidden: vec![9], ..dense },
    ]
}

/// Coordinates `[2, n]` within the square.
fn points<T: Real>(n: usize) -> Vec<T> {
    let coordinate = |i: usize, a: f64| T::of(2.0 * (0.37 + a * (i + 1) as f64).fract() - 1.0);
    (0..n).map(|i| coordinate(i, 0.618)).chain((0..n).map(|i| coordinate(i, 0.414))).collect()
}

fn values(network: &Network, parameters: &[f64], streams: &Streams, points: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; network.architecture().outputs * streams.count() * points.len() / 2];
    Propagator::new(network.clone()).unwrap().values(parameters, streams, points, &mut out).unwrap();
    out
}

/// A network by plain loops, at one point.
fn plain(network: &Network, p: &[f64], x: &[f64]) -> Vec<f64> {
    let a = network.architecture();
    let block = |name: &str| network.blocks().iter().find(|b| b.name == name).map(|b| &p[b.range.clone()]);
    let phi = |z: f64| match a.activation {
        Activation::Tanh => z.tanh(),
        Activation::Sin => z.sin(),
        Activation::Swish => z / (1.0 + (-z).exp()),
        Activation::Gelu => 0.5 * z * libm::erfc(-z / 2f64.sqrt()),
        Activation::Softplus => z.exp().ln_1p(),
        other => unreachable!("{other:?} has no reference"),
    };
    let dense = |layer: &str, h: &[f64], gain: f64| -> Vec<f64> {
        let bias = block(&format!("{layer}.bias")).unwrap();
        let w = block(&format!("{layer}.weight")).unwrap();
        let scale = |o: usize| block(&format!("{layer}.scale")).map_or(1.0, |s| s[o].exp());
        let n = bias.len();
        let sum = |o: usize| h.iter().enumerate().map(|(i, h)| h * w[i * n + o]).sum::<f64>();
        (0..n).map(|o| gain * (sum(o) * scale(o) + bias[o])).collect()
    };
    let layer =
        |name: &str, h: &[f64]| -> Vec<f64> { dense(name, h, a.frequency).into_iter().map(phi).collect() };
    let feature = |f: &Feature| {
        let form = f.weights.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + f.shift;
        if f.cosine { form.cos() } else { form }
    };
    let input: Vec<f64> = a.features.iter().map(feature).collect();
    let mut h = input.clone();
    for l in 0..a.hidden.len() {
        h = layer(&format!("hidden_{l}"), &h);
        if a.gated {
            let (u, v) = (layer("gate_u", &input), layer("gate_v", &input));
            h = (0..h.len()).map(|i| (1.0 - h[i]) * u[i] + h[i] * v[i]).collect();
        }
    }
    dense("output", &h, 1.0)
}

#[test]
fn values_match_plain_loops() {
    let points = points(37);
    for activation in Activation::ALL {
        for architecture in architectures(activation) {
            let network = Network::new(architecture).unwrap();
            let p = network.initial(3);
            let got = values(&network, &p, &Streams::value(2), &points);
            for i in 0..37 {
                for (o, y) in plain(&network, &p, &[points[i], points[37 + i]]).into_iter().enumerate() {
                    assert!((got[o * 37 + i] - y).abs() < 1e-13 * (1.0 + y.abs()), "{activation:?}");
                }
            }
        }
    }
}

#[test]
fn streams_are_the_derivatives_of_lower_ones() {
    let (n, step) = (5, 3e-4);
    let here = points::<f64>(n);
    for activation in Activation::ALL {
        for architecture in architectures(activation) {
            let network = Network::new(architecture).unwrap();
            let p = network.initial(5);
            let outputs = network.architecture().outputs;
            for streams in sets() {
                let k = streams.count();
                let at = |axis: usize, h: f64| {
                    let mut moved = here.clone();
                    moved[axis * n..(axis + 1) * n].iter_mut().for_each(|x| *x += h);
                    values(&network, &p, &streams, &moved)
                };
                let centre = values(&network, &p, &streams, &here);
                let sides = [0, 1].map(|axis| [-2.0, -1.0, 1.0, 2.0].map(|i| at(axis, i * step)));
                for (s, carried) in streams.carried().iter().enumerate().skip(1) {
                    for place in (0..outputs).flat_map(|o| (0..n).map(move |i| o * k * n + i)) {
                        let mut expected = 0.0;
                        let mut size = 1.0;
                        for (c, d) in carried.terms() {
                            let axis = d.orders().iter().position(|o| *o > 0).unwrap();
                            let mut axes: Vec<usize> = vec![];
                            for (a, &o) in d.orders().iter().enumerate() {
                                axes.extend(vec![a; usize::from(o) - usize::from(a == axis)]);
                            }
                            let lower = streams.position(&along(&axes)).unwrap();
                            let of = |v: &Vec<f64>| v[place + lower * n];
                            let [a, b, d, e] = sides[axis].each_ref().map(of);
                            expected += c * (8.0 * (d - b) - (e - a)) / (12.0 * step);
                            size += d.abs();
                        }
                        let got = centre[place + s * n];
                        size += got.abs();
                        assert!(
                            (got - expected).abs() < 1e-8 * size,
                            "{activation:?}, {carried}: {got} is not {expected}"
                        );
                    }
                }
            }
        }
    }
}

/// Two residuals, nonlinear in all streams of all outputs, in the coordinates, the data and an unknown of the equation.
struct Everything {
    streams: Streams,
    outputs: usize,
}

impl<T: Real> Residual<T> for Everything {
    fn streams(&self) -> &Streams {
        &self.streams
    }
    fn equations(&self) -> usize {
        2
    }
    fn columns(&self) -> usize {
        1
    }
    fn linearise(&self, at: &Sample<'_, T>, out: &mut Linearised<'_, T>) {
        let k = self.streams.count();
        let theta = at.unknowns()[0];
        for p in 0..at.count() {
            let (u, x, f) = (at.stream(0, 0)[p], at.coordinate(1)[p], at.data(0)[p]);
            let mut linear = T::of(0.0);
            for o in 0..self.outputs {
                for s in 0..k {
                    let c = T::of(0.3 / (1 + s + 2 * o) as f64);
                    linear += c * at.stream(o, s)[p];
                    out.partial(0, o, s)[p] = c * (theta + u);
                }
            }
            out.residual(0)[p] = (theta + u) * linear - f;
            out.partial(0, 0, 0)[p] += linear;
            out.by_unknown(0, 0)[p] = linear;
            out.residual(1)[p] = x * u * at.stream(self.outputs - 1, k - 1)[p];
            out.partial(1, 0, 0)[p] += x * at.stream(self.outputs - 1, k - 1)[p];
            out.partial(1, self.outputs - 1, k - 1)[p] += x * u;
        }
    }
}

fn gradient<T: Real>(network: &Network, parameters: &[T], terms: &[Term<'_, T>]) -> (Vec<f64>, Vec<T>) {
    let (mut losses, mut gradients) =
        (vec![f64::NAN; terms.len()], vec![T::of(f64::NAN); terms.len() * parameters.len()]);
    Propagator::new(network.clone())
        .unwrap()
        .gradients(parameters, terms, &mut losses, &mut gradients)
        .unwrap();
    (losses, gradients)
}

#[test]
fn gradients_are_the_derivatives_of_losses() {
    let n = 3;
    let (points, data, weights) = (points::<f64>(n), [0.3, -0.2, 0.7], [1.0, 0.5, 2.0]);
    for activation in Activation::ALL {
        for architecture in architectures(activation) {
            let network = Network::new(architecture).unwrap();
            let mut p: Vec<f64> = network.initial(11);
            // Biases that are not 0, and the unknown of the equation.
            p.iter_mut().enumerate().for_each(|(i, p)| *p += 0.1 * (i as f64).sin());
            p.push(0.8);
            let mut propagator = Propagator::new(network.clone()).unwrap();
            for streams in sets() {
                let everything = Everything { streams, outputs: network.architecture().outputs };
                let term =
                    Term { residual: &everything, points: &points, data: &data, weights: Some(&weights) };
                let (losses, gradient) = gradient(&network, &p, &[term]);
                let mut loss = |i: usize, h: f64| {
                    let (mut moved, mut out) = (p.clone(), [0.0]);
                    moved[i] += h;
                    propagator.losses(&moved, &[term], &mut out).unwrap();
                    out[0]
                };
                assert_eq!(loss(0, 0.0), losses[0]);
                // Every parameter is met by some set of streams.
                for i in (everything.streams.count() % 3..p.len()).step_by(3).chain([p.len() - 1]) {
                    let h = 1e-5;
                    let expected = (loss(i, h) - loss(i, -h)) / (2.0 * h);
                    let size = 1e-2 * losses[0].max(1.0) + expected.abs();
                    assert!(
                        (gradient[i] - expected).abs() < 1e-5 * size,
                        "{activation:?}, {} streams, parameter {i}: {} is not {expected}",
                        everything.streams.count(),
                        gradient[i]
                    );
                }
            }
        }
    }
}

#[test]
fn any_number_of_points_gives_the_mean_over_them() {
    let network = Network::new(architectures(Activation::Tanh).swap_remove(1)).unwrap();
    let mut p: Vec<f64> = network.initial(1);
    p.push(0.4);
    let everything = Everything { streams: sets().swap_remove(5), outputs: 2 };
    for n in [0, 1, 15, 16, 17, 127, 128, 129, 400] {
        let points = points::<f64>(n);
        let data: Vec<f64> = (0..n).map(|i| (i as f64).cos()).collect();
        let term = Term { residual: &everything, points: &points, data: &data, weights: None };
        let (losses, got) = gradient(&network, &p, &[term]);
        let (mut loss, mut expected) = (0.0, vec![0.0; p.len()]);
        for i in 0..n {
            let one = Term { points: &[points[i], points[n + i]], data: &[data[i]], ..term };
            let (l, g) = gradient(&network, &p, &[one]);
            loss += l[0] / n as f64;
            expected.iter_mut().zip(g).for_each(|(e, g)| *e += g / n as f64);
        }
        assert!((losses[0] - loss).abs() <= 1e-12 * loss, "{n} points");
        for (g, e) in got.iter().zip(&expected) {
            assert!((g - e).abs() <= 1e-11 * (1.0 + loss), "{n} points: {g} is not {e}");
        }
    }
}

#[test]
fn single_precision_agrees_with_double() {
    for architecture in architectures(Activation::Tanh) {
        let network = Network::new(architecture).unwrap();
        let mut wide: Vec<f64> = network.initial(2);
        wide.push(0.4);
        let narrow: Vec<f32> = wide.iter().map(|v| *v as f32).collect();
        for streams in sets() {
            let everything = Everything { streams, outputs: network.architecture().outputs };
            let (wx, nx, wd, nd) = (points::<f64>(200), points::<f32>(200), [0.5f64; 200], [0.5f32; 200]);
            let w = Term { residual: &everything, points: &wx, data: &wd, weights: None };
            let n = Term { residual: &everything, points: &nx, data: &nd, weights: None };
            let ((wl, wg), (nl, ng)) = (gradient(&network, &wide, &[w]), gradient(&network, &narrow, &[n]));
            assert!((wl[0] - nl[0]).abs() < 1e-4 * wl[0]);
            let largest = wg.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            for (w, n) in wg.iter().zip(ng) {
                assert!((w - f64::from(n)).abs() < 1e-4 * largest, "{w} and {n}");
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    fn check<T: Real>() {
        let network = Network::new(architectures(Activation::Tanh).swap_remove(1)).unwrap();
        let mut p: Vec<T> = network.initial(1);
        p.push(T::of(0.4));
        let interior = Everything { streams: sets().swap_remove(5), outputs: 2 };
        let edge = Everything { streams: Streams::value(2), outputs: 2 };
        let (x, y) = (points::<T>(3000), points::<T>(700));
        let data = vec![T::of(0.1); 3000];
        let terms = [
            Term { residual: &interior, points: &x, data: &data, weights: None },
            Term { residual: &edge, points: &y, data: &data[..700], weights: None },
        ];
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| gradient(&network, &p, &terms))
        };
        let one = run(1);
        assert!(one.1.iter().all(|g| g.is_finite()));
        assert!([2, 4].iter().all(|n| run(*n) == one));
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn products_with_the_jacobian_transposed_and_residuals_make_the_gradient() {
    let network = Network::new(architectures(Activation::Swish).swap_remove(0)).unwrap();
    let mut p: Vec<f64> = network.initial(1);
    p.push(0.4);
    let everything = Everything { streams: sets().swap_remove(5), outputs: 2 };
    let n = 300;
    let (points, data) = (points::<f64>(n), vec![0.2; n]);
    let term = Term { residual: &everything, points: &points, data: &data, weights: None };
    let (losses, gradient) = gradient(&network, &p, &[term]);
    let mut propagator = Propagator::new(network).unwrap();
    let (mut r, mut product) = (vec![0.0; 2 * n], vec![0.0; p.len()]);
    propagator.residuals(&p, term, &mut r).unwrap();
    let square: f64 = r.iter().map(|r| r * r).sum();
    assert!((square / n as f64 - losses[0]).abs() < 1e-13 * losses[0]);
    r.iter_mut().for_each(|r| *r *= 2.0 / n as f64);
    propagator.pull_back(&p, term, &r, &mut product).unwrap();
    assert!(product.iter().zip(&gradient).all(|(a, b)| (a - b).abs() < 1e-12 * (1.0 + b.abs())));
}
