//! A domain given by points.

use super::shape::refuse;
use crate::Result;
use crate::error::check_len;

/// Points of the interior of a domain, and perhaps of its boundary with normals. Its measure counts them.
///
/// ```
/// use resolvent_pinn::{Domain, PointCloud, Sampler, Sampling};
/// let cloud = PointCloud::new(2, vec![0.2, 0.2, 0.5, 0.4, 0.8, 0.9])?;
/// let domain = Domain::new(&[("x", 0.0, 1.0), ("y", 0.0, 1.0), ("t", 0.0, 2.0)])?.with_cloud(&["x", "y"], cloud)?;
/// let (mut sampler, mut points) = (Sampler::new(Sampling::Uniform, 1, "interior"), Vec::new());
/// domain.part("interior")?.sample(3, &mut sampler, &mut points, None)?;
/// // Each of the three once, at a random time.
/// assert_eq!(points.iter().step_by(3).sum::<f64>(), 0.2 + 0.5 + 0.8);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PointCloud {
    pub(super) dimension: usize,
    pub(super) points: Vec<f64>,
    pub(super) boundary: Vec<f64>,
    pub(super) normals: Vec<f64>,
    pub(super) replacement: bool,
}

impl PointCloud {
    /// From interior points: `[n, dimension]`.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) for no points or coordinates, or one that is not finite;
    /// [`Error::Length`](crate::Error::Length) for a part of a point.
    pub fn new(dimension: usize, points: Vec<f64>) -> Result<Self> {
        let (boundary, normals) = (vec![], vec![]);
        checked("points of a cloud", dimension, &points)?;
        Ok(Self { dimension, points, boundary, normals, replacement: false })
    }

    /// With points of the boundary, `[m, dimension]`, and their outward normals, of any length, `[m, dimension]` or none.
    ///
    /// # Errors
    /// As [`new`](Self::new), and for a normal that is zero.
    pub fn with_boundary(self, points: Vec<f64>, mut normals: Vec<f64>) -> Result<Self> {
        checked("boundary points of a cloud", self.dimension, &points)?;
        if !normals.is_empty() {
            check_len("normals of a cloud", points.len(), normals.len())?;
        }
        for (i, normal) in normals.chunks_exact_mut(self.dimension).enumerate() {
            let length = normal.iter().map(|n| n * n).sum::<f64>().sqrt();
            if !(length > 0.0 && length.is_finite()) {
                return refuse(
                    format!("normal {i} of a cloud is {normal:?}"),
                    "it must be finite and not zero",
                );
            }
            normal.iter_mut().for_each(|n| *n /= length);
        }
        Ok(Self { boundary: points, normals, ..self })
    }

    /// Drawn with replacement, instead of each once before any is drawn again.
    pub fn with_replacement(self) -> Self {
        Self { replacement: true, ..self }
    }

    /// How many coordinates its points have.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many interior points there are.
    pub fn count(&self) -> usize {
        self.points.len() / self.dimension
    }
}

fn checked(what: &'static str, dimension: usize, points: &[f64]) -> Result<()> {
    if dimension == 0 || points.is_empty() {
        let message = format!("there are {} numbers for {what} of {dimension} coordinates", points.len());
        return refuse(message, "give at least one point of at least one coordinate");
    }
    check_len(what, points.len().next_multiple_of(dimension), points.len())?;
    match points.iter().position(|p| !p.is_finite()) {
        Some(i) => refuse(format!("point {} among the {what} is not finite", i / dimension), "leave it out"),
        None => Ok(()),
    }
}
