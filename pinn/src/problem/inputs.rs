//! What the network sees of a point.

use crate::config::{Config, NetworkKind};
use crate::{Architecture, Domain, Error, Feature, Result};

/// The network of a configuration: standardised coordinates, harmonics of periodic ones, random Fourier features.
pub(super) fn architecture(config: &Config, domain: &Domain) -> Result<Architecture> {
    let n = &config.network;
    let Some(activation) = n.activation() else {
        let what = format!("network.activation is `{}`", n.activation);
        return Err(Error::Training { what, mend: "use tanh, sin, swish, gelu or softplus".into() });
    };
    if let Some(name) = n.periodic.keys().find(|name| !config.domain.periodic.contains(name)) {
        let what = format!("network.periodic has harmonics of `{name}`, which is not periodic");
        return Err(Error::Training { what, mend: format!("say so: [domain] periodic = [\"{name}\"]") });
    }
    let dim = domain.dimension();
    let bare = |axis: usize| !domain.periodic()[axis];
    let mut features = vec![];
    for axis in (0..dim).filter(|a| !bare(*a)) {
        let [low, high] = domain.bounds()[axis];
        let harmonics = n.periodic.get(&domain.names()[axis]).copied().unwrap_or(1);
        if !(1..=1000).contains(&harmonics) {
            let what = format!("network.periodic: {harmonics} harmonics");
            return Err(Error::Training { what, mend: "use 1 to 1000".into() });
        }
        features.extend(Feature::periodic(dim, axis, high - low, harmonics));
    }
    match n.fourier {
        Some(f) => {
            if !((1..=10_000).contains(&f.count) && f.sigma.is_finite() && f.sigma > 0.0) {
                let what = format!("network.fourier has count {} and sigma {}", f.count, f.sigma);
                return Err(Error::Training { what, mend: "use 1 to 10,000 and a positive number".into() });
            }
            let mut random = Feature::fourier(dim, f.count, f.sigma, config.seed);
            // A frequency along a periodic coordinate would break its period.
            for feature in &mut random {
                (0..dim).filter(|a| !bare(*a)).for_each(|a| feature.weights[a] = 0.0);
            }
            features.extend(random);
        }
        None => {
            let spread = |[low, high]: &[f64; 2]| (0.5 * (low + high), (high - low) / 12f64.sqrt());
            let (mean, deviation): (Vec<f64>, Vec<f64>) = domain.bounds().iter().map(spread).unzip();
            let all = Feature::standardised(&mean, &deviation);
            features.extend(all.into_iter().enumerate().filter(|(a, _)| bare(*a)).map(|(_, f)| f));
        }
    }
    Ok(Architecture {
        features,
        activation,
        gated: n.kind == NetworkKind::Gated,
        factorised: n.factorised,
        frequency: n.frequency,
        ..Architecture::dense(dim, &n.layers, config.equation.unknowns.len())
    })
}
