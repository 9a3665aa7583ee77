//! Reading numbers that JSON writes as `null`: it has no word for what is not finite.

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// What is read from text in which numbers may be `null`; they become NaN.
///
/// For `#[serde(deserialize_with = "nullable::read")]`.
pub(crate) fn read<'de, D: Deserializer<'de>, T: Nullable>(from: D) -> Result<T, D::Error> {
    T::Read::deserialize(from).map(T::of)
}

/// A number, or many.
pub(crate) trait Nullable: Sized {
    /// The same, with nothing where there is no number.
    type Read: for<'de> Deserialize<'de>;
    /// With NaN where there is nothing.
    fn of(read: Self::Read) -> Self;
}

impl Nullable for f64 {
    type Read = Option<f64>;
    fn of(read: Option<f64>) -> Self {
        read.unwrap_or(Self::NAN)
    }
}

impl<T: Nullable> Nullable for Vec<T> {
    type Read = Vec<T::Read>;
    fn of(read: Self::Read) -> Self {
        read.into_iter().map(T::of).collect()
    }
}

impl<T: Nullable> Nullable for Option<Vec<T>> {
    type Read = Option<Vec<T::Read>>;
    fn of(read: Self::Read) -> Self {
        read.map(Vec::<T>::of)
    }
}

impl<T: Nullable> Nullable for BTreeMap<String, T> {
    type Read = BTreeMap<String, T::Read>;
    fn of(read: Self::Read) -> Self {
        read.into_iter().map(|(k, v)| (k, T::of(v))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::evaluation::Panel;
    use crate::run::Metrics;

    #[test]
    fn what_is_not_finite_comes_back_as_nan() {
        let text = r#"{"step":3,"seconds":1.5,"rate":0.001,"loss":null,"terms":[{"name":"equation","loss":null,"weight":1.0}],
            "errors":[{"name":"u","relative_l2":null,"max":2.0}],"parameters":{"k":null}}"#;
        let metrics: Metrics = serde_json::from_str(text).unwrap();
        assert!(metrics.loss.is_nan() && metrics.terms[0].loss.is_nan() && metrics.parameters["k"].is_nan());
        assert!(metrics.errors[0].relative_l2.is_nan() && metrics.errors[0].max == 2.0);
        let again: Metrics = serde_json::from_str(&serde_json::to_string(&metrics).unwrap()).unwrap();
        assert_eq!((again.step, again.terms[0].weight), (3, 1.0));
        let text = r#"{"axes":["x"],"coordinates":[[0,1]],"at":"","names":["u","v"],"predicted":[[null,1],[0,0]],"exact":[null,[1,null]]}"#;
        let panel: Panel = serde_json::from_str(text).unwrap();
        assert!(panel.predicted[0][0].is_nan() && panel.exact[0].is_none());
        assert!(panel.exact[1].as_ref().unwrap()[1].is_nan());
    }
}
