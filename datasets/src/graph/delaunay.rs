//! The Delaunay tetrahedralisation of points in space.
//!
//! Points are inserted one by one: the tetrahedra whose circumscribed ball holds the new point are replaced by those that join
//! it with their common surface. Beyond the hull stand tetrahedra with a vertex at infinity, so there is no bounding box and
//! the hull is exact. Orientation and ball are decided by exact predicates, so points on a common plane or ball do no harm.
//!
//! # Reference
//! A. Bowyer, *Computing Dirichlet tessellations*, Comput. J. 24 (1981), 10.1093/comjnl/24.2.162; D. F. Watson, *Computing
//! the n-dimensional Delaunay tessellation with application to Voronoi polytopes*, Comput. J. 24 (1981),
//! 10.1093/comjnl/24.2.167; J. R. Shewchuk, *Adaptive precision floating-point arithmetic and fast robust geometric
//! predicates*, Discrete Comput. Geom. 18 (1997), 10.1007/PL00009321 (crate `robust`).

use crate::{Error, Result};
use robust::Coord3D;
use std::collections::HashMap;

/// The vertex at infinity.
const INFINITY: u32 = u32::MAX;
const NONE: u32 = u32::MAX;

/// A tetrahedralisation of the convex hull of points.
#[derive(Clone, Debug)]
pub struct Delaunay {
    points: Vec<Coord3D<f64>>,
    /// Vertices, positively oriented (as [`robust::orient3d`] has it) once the one at infinity is moved far out.
    vertices: Vec<[u32; 4]>,
    /// The neighbour across the face opposite to each vertex.
    neighbours: Vec<[u32; 4]>,
    alive: Vec<bool>,
    free: Vec<u32>,
    last: u32,
}

impl Delaunay {
    /// Of points in general or special position: `[points][3]`.
    ///
    /// ```
    /// use resolvent_datasets::graph::delaunay::Delaunay;
    /// let corners = [[0., 0., 0.], [1., 0., 0.], [0., 1., 0.], [0., 0., 1.], [0.1, 0.1, 0.1]];
    /// let mesh = Delaunay::new(&corners)?;
    /// assert_eq!((mesh.tetrahedra().count(), mesh.edges().len()), (4, 10));
    /// # Ok::<(), resolvent_datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Points`] for fewer than four points, points that are not finite, that coincide, or that lie on one plane.
    pub fn new(points: &[[f64; 3]]) -> Result<Self> {
        let bad = |why, point| Err(Error::Points { why, point });
        if points.len() < 4 {
            return bad("at least four points are needed", points.len());
        }
        if points.len() >= INFINITY as usize {
            return bad("a 32-bit index does not count so many points", points.len());
        }
        if let Some(at) = points.iter().position(|p| p.iter().any(|v| !v.is_finite())) {
            return bad("a coordinate is not finite", at);
        }
        let points: Vec<_> = points.iter().map(|p| Coord3D { x: p[0], y: p[1], z: p[2] }).collect();
        let Some(first) = simplex(&points) else {
            return bad("all points lie on one plane; move one off it", 0);
        };
        let mut mesh = Self {
            points,
            vertices: Vec::new(),
            neighbours: Vec::new(),
            alive: Vec::new(),
            free: Vec::new(),
            last: 0,
        };
        mesh.start(first);
        for p in 0..mesh.points.len() as u32 {
            if !first.contains(&p) {
                mesh.insert(p)?;
            }
        }
        Ok(mesh)
    }

    /// Its tetrahedra, positively oriented.
    pub fn tetrahedra(&self) -> impl Iterator<Item = [u32; 4]> {
        let all = self.vertices.iter().zip(&self.alive);
        all.filter(|(v, alive)| **alive && !v.contains(&INFINITY)).map(|(v, _)| *v)
    }

    /// The triangles of its hull.
    pub fn hull(&self) -> impl Iterator<Item = [u32; 3]> {
        let all = self.vertices.iter().zip(&self.alive).filter(|(_, alive)| **alive);
        all.filter_map(|(v, _)| {
            let at = v.iter().position(|v| *v == INFINITY)?;
            let [a, b, c] = [1, 2, 3].map(|i| v[(at + i) % 4]);
            // Cyclic shifts of four are odd permutations.
            Some(if at % 2 == 0 { [a, b, c] } else { [a, c, b] })
        })
    }

    /// Every edge once, the lower point first, sorted.
    pub fn edges(&self) -> Vec<[u32; 2]> {
        let mut edges: Vec<[u32; 2]> = self
            .tetrahedra()
            .flat_map(|t| {
                [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
                    .map(|(i, j)| [t[i].min(t[j]), t[i].max(t[j])])
            })
            .collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// One tetrahedron and the four beyond its faces.
    fn start(&mut self, first: [u32; 4]) {
        self.vertices.push(first);
        self.neighbours.push([1, 2, 3, 4]);
        for i in 0..4 {
            // Infinity lies on the other side of face i than vertex i: exchanging two others turns it around.
            let mut v = first;
            v[i] = INFINITY;
            let (a, b) = ((i + 1) % 4, (i + 2) % 4);
            v.swap(a, b);
            // Across the face opposite to first[k] is the one that stands opposite to first[k].
            let mut across: [u32; 4] = std::array::from_fn(|k| k as u32 + 1);
            across.swap(a, b);
            across[i] = 0;
            self.vertices.push(v);
            self.neighbours.push(across);
        }
        self.alive = vec![true; 5];
    }

    fn at(&self, v: u32) -> Coord3D<f64> {
        self.points[v as usize]
    }

    /// Of tetrahedron `t` with vertex `i` moved to `p`.
    fn orientation(&self, t: u32, i: usize, p: u32) -> f64 {
        let mut v = self.vertices[t as usize];
        v[i] = p;
        robust::orient3d(self.at(v[0]), self.at(v[1]), self.at(v[2]), self.at(v[3]))
    }

    /// Whether the ball of `t` holds `p`; of one beyond the hull, whether `p` is beyond its face, or on its plane and in the
    /// ball of the tetrahedron behind.
    fn conflicts(&self, t: u32, p: u32) -> bool {
        let v = self.vertices[t as usize];
        match v.iter().position(|v| *v == INFINITY) {
            None => {
                let [a, b, c, d] = v.map(|v| self.at(v));
                robust::insphere(a, b, c, d, self.at(p)) > 0.0
            }
            Some(i) => match self.orientation(t, i, p) {
                o if o > 0.0 => true,
                0.0 => self.conflicts(self.neighbours[t as usize][i], p),
                _ => false,
            },
        }
    }

    /// A tetrahedron in conflict with `p`, by a walk that crosses faces towards it.
    fn locate(&self, p: u32) -> Result<u32> {
        let mut t = self.last;
        if let Some(i) = self.vertices[t as usize].iter().position(|v| *v == INFINITY) {
            t = self.neighbours[t as usize][i];
        }
        'walk: loop {
            for i in 0..4 {
                if self.orientation(t, i, p) < 0.0 {
                    t = self.neighbours[t as usize][i];
                    if self.vertices[t as usize].contains(&INFINITY) {
                        return Ok(t);
                    }
                    continue 'walk;
                }
            }
            let same = |v: &u32| self.points[*v as usize] == self.points[p as usize];
            if self.vertices[t as usize].iter().any(same) {
                return Err(Error::Points { why: "two points coincide; drop one", point: p as usize });
            }
            return Ok(t);
        }
    }

    fn insert(&mut self, p: u32) -> Result<()> {
        let mut stack = vec![self.locate(p)?];
        let mut cavity = stack.clone();
        self.alive[stack[0] as usize] = false;
        // Faces of the cavity: the tetrahedron inside, the vertex opposite, the tetrahedron outside.
        let mut surface: Vec<([u32; 4], usize, u32)> = Vec::new();
        while let Some(t) = stack.pop() {
            for i in 0..4 {
                let across = self.neighbours[t as usize][i];
                if !self.alive[across as usize] {
                    continue;
                }
                if self.conflicts(across, p) {
                    self.alive[across as usize] = false;
                    stack.push(across);
                    cavity.push(across);
                } else {
                    surface.push((self.vertices[t as usize], i, across));
                }
            }
        }
        // An edge of the surface with p is a face that two new tetrahedra share.
        let mut open: HashMap<(u32, u32), (u32, usize)> = HashMap::with_capacity(2 * surface.len());
        self.free.extend(cavity.iter().rev());
        let mut outside = Vec::with_capacity(surface.len());
        for (mut v, i, across) in surface {
            // The place where the neighbour looks back: its only vertex that is not on the face.
            let back = (0..4)
                .find(|k| {
                    let w = self.vertices[across as usize][*k];
                    (0..4).all(|l| l == i || v[l] != w)
                })
                .unwrap_or(0);
            v[i] = p;
            let t = self.free.pop().unwrap_or(self.vertices.len() as u32);
            if t as usize == self.vertices.len() {
                self.vertices.push(v);
                self.neighbours.push([NONE; 4]);
                self.alive.push(false);
            }
            // Others may still have to find what stood here; it is filled in below.
            outside.push((t, v, i, across, back));
        }
        for (t, v, i, across, back) in outside {
            self.vertices[t as usize] = v;
            self.neighbours[t as usize] = [NONE; 4];
            self.alive[t as usize] = true;
            self.neighbours[t as usize][i] = across;
            self.neighbours[across as usize][back] = t;
            for j in (0..4).filter(|j| *j != i) {
                let mut rest = (0..4).filter(|k| *k != i && *k != j).map(|k| v[k]);
                let (a, b) = (rest.next().unwrap_or(0), rest.next().unwrap_or(0));
                match open.remove(&(a.min(b), a.max(b))) {
                    None => {
                        open.insert((a.min(b), a.max(b)), (t, j));
                    }
                    Some((other, k)) => {
                        self.neighbours[t as usize][j] = other;
                        self.neighbours[other as usize][k] = t;
                    }
                }
            }
            self.last = t;
        }
        debug_assert!(open.is_empty(), "the surface of a cavity is closed");
        Ok(())
    }
}

/// Four points that span space, positively oriented; the first that do.
fn simplex(points: &[Coord3D<f64>]) -> Option<[u32; 4]> {
    let a = points[0];
    let b = (1..points.len()).find(|i| points[*i] != a)?;
    // Off the line: off it in one of the three projections.
    let off_line = |p: &Coord3D<f64>| {
        let plane = |f: fn(&Coord3D<f64>) -> [f64; 2]| {
            let [a, b, p] = [&a, &points[b], p].map(|p| {
                let [x, y] = f(p);
                robust::Coord { x, y }
            });
            robust::orient2d(a, b, p) != 0.0
        };
        plane(|p| [p.x, p.y]) || plane(|p| [p.y, p.z]) || plane(|p| [p.z, p.x])
    };
    let c = (1..points.len()).find(|i| off_line(&points[*i]))?;
    let orient = |d: &Coord3D<f64>| robust::orient3d(a, points[b], points[c], *d);
    let d = (1..points.len()).find(|i| orient(&points[*i]) != 0.0)?;
    let [b_, c_, d_] = [b as u32, c as u32, d as u32];
    Some(if orient(&points[d]) > 0.0 { [0, b_, c_, d_] } else { [0, c_, b_, d_] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// Six times the signed volume.
    fn volume(p: [[f64; 3]; 4]) -> f64 {
        let [u, v, w] = [1, 2, 3].map(|i| std::array::from_fn::<f64, 3, _>(|d| p[i][d] - p[0][d]));
        u[0] * (v[1] * w[2] - v[2] * w[1]) - u[1] * (v[0] * w[2] - v[2] * w[0])
            + u[2] * (v[0] * w[1] - v[1] * w[0])
    }

    /// No point in any ball, all points behind every face of the hull, Euler's relation, volumes that add up, and neighbours
    /// that look back at each other: all by brute force.
    fn check(points: &[[f64; 3]]) -> Result<(), TestCaseError> {
        let mesh = Delaunay::new(points).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let tetrahedra: Vec<_> = mesh.tetrahedra().collect();
        for t in &tetrahedra {
            let [a, b, c, d] = t.map(|v| mesh.at(v));
            prop_assert!(robust::orient3d(a, b, c, d) > 0.0);
            prop_assert!(mesh.points.iter().all(|p| robust::insphere(a, b, c, d, *p) <= 0.0));
        }
        let hull: Vec<_> = mesh.hull().collect();
        for f in &hull {
            let [a, b, c] = f.map(|v| mesh.at(v));
            // Positive is below a plane, seen from where its corners go round counterclockwise.
            let below = mesh.points.iter().all(|p| robust::orient3d(a, b, c, *p) >= 0.0);
            prop_assert!(below, "the hull is convex, and its triangles look outwards");
        }
        let faces: HashSet<[u32; 3]> = tetrahedra
            .iter()
            .flat_map(|t| {
                (0..4).map(|i| {
                    let mut f = [t[(i + 1) % 4], t[(i + 2) % 4], t[(i + 3) % 4]];
                    f.sort_unstable();
                    f
                })
            })
            .collect();
        let counts = [points.len(), mesh.edges().len(), faces.len(), tetrahedra.len()].map(|n| n as i64);
        prop_assert_eq!(counts[0] - counts[1] + counts[2] - counts[3], 1, "a ball has the characteristic 1");
        prop_assert_eq!(2 * counts[2], 4 * counts[3] + hull.len() as i64);
        let at = |v: u32| points[v as usize];
        let whole: f64 = tetrahedra.iter().map(|t| volume(t.map(at)).abs()).sum();
        let origin = points[0];
        let under: f64 = hull.iter().map(|f| volume([origin, at(f[0]), at(f[1]), at(f[2])]).abs()).sum();
        prop_assert!((whole - under).abs() <= 1e-10 * whole, "{whole} {under}");
        for (t, across) in mesh.neighbours.iter().enumerate().filter(|(t, _)| mesh.alive[*t]) {
            prop_assert!(across.iter().all(|u| mesh.neighbours[*u as usize].contains(&(t as u32))));
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn random_points(points in prop::collection::vec(prop::array::uniform3(-1.0..1.0f64), 4..60)) {
            check(&points)?;
        }

        /// On a coarse lattice most balls hold more than four points, and many planes more than three.
        #[test]
        fn lattice_points(cells in prop::collection::hash_set(prop::array::uniform3(0..4i32), 4..50)) {
            let points: Vec<[f64; 3]> = cells.into_iter().map(|c| c.map(f64::from)).collect();
            match Delaunay::new(&points) {
                Err(Error::Points { .. }) => {
                    let all = (0..points.len()).all(|i| (0..i).all(|j| (0..j).all(|k|
                        volume([points[0], points[i], points[j], points[k]]) == 0.0)));
                    prop_assert!(all, "only points of one plane are refused");
                }
                _ => check(&points)?,
            }
        }
    }

    #[test]
    fn a_whole_lattice() {
        let points: Vec<[f64; 3]> =
            (0..125).map(|i| [i % 5, i / 5 % 5, i / 25].map(|v| f64::from(v) * 0.1)).collect();
        check(&points).unwrap();
        let mesh = Delaunay::new(&points).unwrap();
        let six: f64 = mesh.tetrahedra().map(|t| volume(t.map(|v| points[v as usize])).abs()).sum();
        assert!((six / 6.0 - 0.064).abs() < 1e-14);
    }

    #[test]
    fn what_has_no_tetrahedralisation_is_refused() {
        let flat: Vec<[f64; 3]> = (0..20).map(|i| [f64::from(i), f64::from(i * i), 1.0]).collect();
        let line: Vec<[f64; 3]> = (0..20).map(|i| [f64::from(i); 3]).collect();
        let mut twice = vec![[0.0, 0., 0.], [1., 0., 0.], [0., 1., 0.], [0., 0., 1.], [0.5, 0.5, 0.5]];
        twice.push(twice[4]);
        let nan = [[0.0, 0., 0.], [1., 0., 0.], [0., 1., 0.], [0., 0., f64::NAN]];
        for points in [&flat, &line, &twice, &nan.to_vec(), &vec![[0.0; 3]; 9], &vec![[0.0; 3]; 3]] {
            assert!(matches!(Delaunay::new(points), Err(Error::Points { .. })));
        }
        let e = Delaunay::new(&twice).unwrap_err();
        assert_eq!(e.to_string(), "point 5: two points coincide; drop one");
    }
}
