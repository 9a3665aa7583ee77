//! The problem families: the same numbers on every machine, and what the scenes are made of.

use resolvent::{Boundary, Cell, Map, Stencil};
use resolvent_datasets::{Checksum, Error, FAMILIES, Family, Parameters, Problem, RhsKind};

/// Family, dimensions, frame; the checksums of the matrix and of every right-hand side the family has, at n = 8 and seed 7.
type Row = (&'static str, usize, u32, u64, &'static [u64]);

#[rustfmt::skip]
const CHECKSUMS: [Row; 17] = include!("checksums.in");

fn problem(name: &str, dim: usize, n: usize, frame: u32) -> Problem {
    Family::named(name).unwrap().problem(Parameters::new(n).dim(dim).seed(7).frame(frame)).unwrap()
}

#[test]
fn checksums_are_those_that_were_published() {
    let mut found = String::from("[\n");
    for family in &FAMILIES {
        for &dim in family.dims {
            for frame in if family.moves { vec![0, 5] } else { vec![0] } {
                let problem = problem(family.name, dim, 8, frame);
                let matrix = Checksum::of_matrix(&problem.stencil().to_csr().unwrap().0);
                let sides: Vec<String> = family
                    .rhs
                    .iter()
                    .map(|k| format!("{:#x}", Checksum::of_vector(&problem.rhs(*k).unwrap())))
                    .collect();
                found += &format!(
                    "    ({:?}, {dim}, {frame}, {matrix:#x}, &[{}]),\n",
                    family.name,
                    sides.join(", ")
                );
            }
        }
    }
    found += "]\n";
    let published: Vec<String> = CHECKSUMS
        .iter()
        .map(|(name, dim, frame, matrix, sides)| {
            let sides: Vec<String> = sides.iter().map(|s| format!("{s:#x}")).collect();
            format!("    ({name:?}, {dim}, {frame}, {matrix:#x}, &[{}]),\n", sides.join(", "))
        })
        .collect();
    assert_eq!(format!("[\n{}]\n", published.concat()), found, "\n{found}");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for family in &FAMILIES {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let problem = problem(family.name, family.dims[0], 20, 0);
                let matrix = Checksum::of_matrix(&problem.stencil().to_csr().unwrap().0);
                let sides: Vec<u64> =
                    family.rhs.iter().map(|k| Checksum::of_vector(&problem.rhs(*k).unwrap())).collect();
                (matrix, sides)
            })
        };
        let one = run(1);
        assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one), "{}", family.name);
    }
}

#[test]
fn seeds_and_numbers_give_other_noise() {
    for family in &FAMILIES {
        let with =
            |seed: u64| Family::named(family.name).unwrap().problem(Parameters::new(8).seed(seed)).unwrap();
        let (a, b) = (with(1), with(2));
        let noise =
            |p: &Problem, number: u64| Checksum::of_vector(&p.rhs_number(RhsKind::Noise, number).unwrap());
        assert_ne!(noise(&a, 0), noise(&b, 0));
        assert_ne!(noise(&a, 0), noise(&a, 1));
        assert_eq!(noise(&a, 0), Checksum::of_vector(&a.rhs(RhsKind::Noise).unwrap()));
    }
}

#[test]
fn only_neumann_is_singular_and_its_sides_have_no_mean() {
    for family in &FAMILIES {
        for &dim in family.dims {
            let problem = problem(family.name, dim, 10, 0);
            assert_eq!(problem.stencil().is_singular(), family.name == "neumann", "{}", family.name);
            let (matrix, cells) = problem.stencil().to_csr().unwrap();
            assert!(
                matrix.is_symmetric(0.0) && matrix.diagonal().iter().all(|d| *d > 0.0),
                "{}",
                family.name
            );
            for &kind in family.rhs {
                let b = problem.rhs(kind).unwrap();
                let mut outside = b.clone();
                cells.iter().for_each(|c| outside[*c as usize] = 0.0);
                assert!(outside.iter().all(|v| *v == 0.0), "{} {kind}: not zero outside", family.name);
                if problem.stencil().is_singular() {
                    let (sum, size) = b.iter().fold((0.0, 0.0), |(s, m), v| (s + v, m + f64::abs(*v)));
                    assert!(f64::abs(sum) < 1e-13 * size, "{kind}: {sum}");
                }
            }
        }
    }
}

#[test]
fn solids_are_where_the_formula_says() {
    // The turning box of `smoke` and its sphere, by their volumes; a quarter of the gyroid is fluid.
    let fluid = |name: &str, dim: usize, n: usize, frame: u32| {
        let problem = problem(name, dim, n, frame);
        problem.stencil().active() as f64 / (n as f64).powi(dim as i32)
    };
    let sphere = 4.0 / 3.0 * std::f64::consts::PI * 0.15f64.powi(3);
    let paddle = 0.36 * 0.10 * 0.36;
    for frame in [0, 5, 16] {
        let share = fluid("smoke", 3, 64, frame);
        assert!((share - (1.0 - sphere - paddle)).abs() < 3e-3, "frame {frame}: {share}");
    }
    assert!((0.2..0.32).contains(&fluid("gyroid", 3, 48, 0)));
    let dam = problem("dam", 2, 32, 0);
    let cells = dam.cells().unwrap();
    // Above fluid lies fluid or air, above air only air.
    for i in 0..32 {
        let column: Vec<Cell> = (0..32).map(|j| cells[i + 32 * j]).collect();
        assert!(column.windows(2).all(|w| w[0] == Cell::Fluid || w[1] == Cell::Air), "column {i}");
        assert!(column[0] == Cell::Fluid && column[31] == Cell::Air);
    }
    let spheres = problem("spheres", 3, 16, 0);
    assert!(spheres.cells().unwrap().contains(&Cell::Solid));
    assert_eq!(spheres.sides()[2][1], Boundary::DIRICHLET_NODE);
}

#[test]
fn coefficients_jump_and_directions_differ() {
    let channels = problem("channels", 2, 64, 0);
    let Stencil::Faces(_) = channels.stencil() else { panic!("channels has face coefficients") };
    let (matrix, _) = channels.stencil().to_csr().unwrap();
    let values = || matrix.values().iter().filter(|v| **v < 0.0).map(|v| -v);
    let (low, high) = values().fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
    assert!(high / low > 1e6, "{low} {high}");
    let aniso = problem("aniso", 3, 8, 0);
    let (matrix, _) = aniso.stencil().to_csr().unwrap();
    assert_eq!((matrix.get(100, 101), matrix.get(100, 108), matrix.get(100, 164)), (-1.0, -1.0, -1e-3));
    assert_eq!(aniso.stencil().shape().rows, 512);
}

#[test]
fn impossible_requests_are_refused_before_any_memory_is_asked_for() {
    let family = |name: &str| Family::named(name).unwrap();
    let refused = |name: &str, p: Parameters| family(name).problem(p).map(|_| ()).unwrap_err();
    for n in [0, 1] {
        assert!(matches!(refused("box", Parameters::new(n)), Error::Size { .. }));
    }
    for (n, dim) in [(1626, 3), (65_536, 2), (usize::MAX, 2), (usize::MAX, 3)] {
        assert!(matches!(refused("box", Parameters::new(n).dim(dim)), Error::Size { .. }), "{n} {dim}");
    }
    assert!(matches!(refused("gyroid", Parameters::new(8).dim(2)), Error::Dimension { .. }));
    assert!(matches!(refused("box", Parameters::new(8).dim(4)), Error::Dimension { .. }));
    assert!(matches!(refused("box", Parameters::new(8).frame(1)), Error::Frame { .. }));
    let kind = problem("gyroid", 3, 8, 0).rhs(RhsKind::Manufactured).unwrap_err();
    assert!(matches!(&kind, Error::RightHandSide { family: "gyroid", .. }), "{kind}");
    let unknown = Family::named("sphere").unwrap_err();
    assert!(matches!(unknown, Error::Unknown { nearest: "spheres", .. }), "{unknown}");
}
