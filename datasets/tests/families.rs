//! Every family is the same on every machine and for any number of threads, and refuses what it cannot make.

use resolvent_datasets::{Checksum, Error, ErrorKind, FAMILIES, Family, Parameters, RhsKind};

#[path = "families/sums.rs"]
mod sums;

#[path = "families/members.rs"]
mod members;

use members::{members, problem};

/// The checksums of a member, as a row of the table in `sums.rs`.
fn row(family: &'static Family, n: usize, dim: usize, frame: u32) -> String {
    let p = family.problem(Parameters::new(n).dim(dim).frame(frame)).unwrap();
    let matrix = p.system(RhsKind::Noise).unwrap().matrix;
    let mut row =
        format!("{} {dim}-D frame {frame}: matrix {:016x}", family.name, Checksum::of_matrix(&matrix));
    for kind in family.rhs {
        row += &format!(" {kind} {:016x}", Checksum::of_vector(&p.rhs(*kind).unwrap()));
    }
    row
}

#[test]
fn the_checksums_are_those_stated() {
    let rows: Vec<String> = members().into_iter().map(|(f, d, t)| row(f, 8, d, t)).collect();
    let stated: Vec<&str> = sums::AT_EIGHT.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(rows, stated, "the rows are now\n{}", rows.join("\n"));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // 20³ cells are more than one piece of work for each of four threads.
    let all = || members().into_iter().map(|(f, d, t)| row(f, 20, d, t)).collect::<Vec<_>>();
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(all);
    assert_eq!(on(1), on(4));
}

#[test]
fn the_seed_changes_what_is_seeded_and_nothing_else() {
    for (family, dim, frame) in members() {
        let at = |seed| {
            let p = family.problem(Parameters::new(8).dim(dim).seed(seed).frame(frame)).unwrap();
            let matrix = Checksum::of_matrix(&p.system(RhsKind::Noise).unwrap().matrix);
            (matrix, p.rhs(RhsKind::Noise).unwrap())
        };
        let (one, two) = (at(1), at(2));
        let fixed = ["box", "neumann", "aniso"].contains(&family.name);
        assert_eq!(one.0 == two.0, fixed, "{} in {dim}-D", family.name);
        assert_ne!(one.1, two.1, "{} in {dim}-D", family.name);
        assert_eq!(one, at(1));
    }
}

fn refused(name: &str, parameters: Parameters) -> Error {
    Family::named(name).unwrap().problem(parameters).err().expect("this must be refused")
}

#[test]
fn names_that_are_not_known_come_with_the_nearest() {
    let e = Family::named("gyriod").unwrap_err();
    assert_eq!(
        e.to_string(),
        "unknown problem family `gyriod`: did you mean `gyroid`? Known are box, neumann, smoke, gyroid, dam, spheres, \
         channels, aniso"
    );
    assert!(matches!(e, Error::Unknown { nearest: "gyroid", .. }));
    assert_eq!(e.kind(), ErrorKind::Usage);
    assert!(Family::named("").is_err());
    for family in &FAMILIES {
        assert_eq!(Family::named(family.name).unwrap().name, family.name);
    }
}

#[test]
fn sizes_that_make_no_problem_are_refused_before_memory_is_asked_for() {
    for n in [0, 1] {
        for (family, dim, frame) in members() {
            let e = family.problem(Parameters::new(n).dim(dim).frame(frame)).err().unwrap();
            assert_eq!(e.to_string(), format!("n = {n}: a side needs at least two cells"));
            assert!(matches!(e, Error::Size { .. }) && e.kind() == ErrorKind::Usage);
        }
    }
    for n in [1626, 1 << 22, usize::MAX] {
        let e = refused("box", Parameters::new(n));
        assert_eq!(
            e.to_string(),
            format!("n = {n}: n³ cells are more than a 32-bit index counts; use n ≤ 1625")
        );
    }
    for n in [65_536, usize::MAX] {
        let e = refused("channels", Parameters::new(n));
        assert!(matches!(e, Error::Size { .. }) && e.to_string().ends_with("use n ≤ 65535"), "{e}");
    }
}

#[test]
fn dimensions_and_frames_a_family_has_not_are_refused() {
    for dim in [0, 1, 4, usize::MAX] {
        let e = refused("box", Parameters::new(8).dim(dim));
        assert_eq!(e.to_string(), format!("box does not exist in {dim}-D; it does in 2-D and 3-D"));
        assert!(matches!(e, Error::Dimension { family: "box", .. }) && e.kind() == ErrorKind::Usage);
    }
    let e = refused("gyroid", Parameters::new(8).dim(2));
    assert_eq!(e.to_string(), "gyroid does not exist in 2-D; it does in 3-D");
    for family in FAMILIES.iter().filter(|f| !f.moves) {
        let e = refused(family.name, Parameters::new(8).frame(3));
        assert!(matches!(e, Error::Frame { frame: 3, .. }) && e.kind() == ErrorKind::Usage, "{e}");
    }
    assert_eq!(
        refused("gyroid", Parameters::new(8).frame(3)).to_string(),
        "gyroid does not move, so it has no frame 3; only a family that moves has frames other than 0"
    );
}

#[test]
fn right_hand_sides_a_family_has_not_are_refused() {
    for family in &FAMILIES {
        let p = family.problem(Parameters::new(8)).unwrap();
        for kind in RhsKind::ALL.into_iter().filter(|k| !family.rhs.contains(k)) {
            let e = p.rhs(kind).unwrap_err();
            assert!(matches!(e, Error::RightHandSide { .. }) && e.kind() == ErrorKind::Usage, "{e}");
            assert!(p.system(kind).is_err());
        }
    }
    let e = problem("channels", 8, 2).rhs(RhsKind::Flow).unwrap_err();
    assert_eq!(e.to_string(), "channels has no flow right-hand side; it has noise, smooth");
}

#[test]
fn a_scene_without_fluid_is_refused() {
    // Two cells along a side: some seed covers all centres of the gyroid.
    let family = Family::named("gyroid").unwrap();
    let empty = (0..100).filter_map(|seed| family.problem(Parameters::new(2).seed(seed)).err()).next();
    let e = empty.expect("one of a hundred is empty");
    assert!(matches!(e, Error::Empty { family: "gyroid", n: 2, .. }) && e.kind() == ErrorKind::Usage, "{e}");
    assert!(e.to_string().ends_with("use a larger n or another seed"), "{e}");
}

#[test]
fn the_default_dimension_is_the_first() {
    for family in &FAMILIES {
        let p = family.problem(Parameters::new(6)).unwrap();
        assert_eq!((p.dim(), p.grid().dim()), (family.dims[0], family.dims[0]), "{}", family.name);
        assert_eq!((p.n(), p.seed(), p.frame(), p.h()), (6, 0, 0, 1.0 / 6.0));
        assert!(!family.summary.is_empty() && !family.rhs.is_empty());
    }
}
