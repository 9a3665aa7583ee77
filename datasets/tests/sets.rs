//! Sets are made to the same bytes whatever the threads and interruptions, and are read, inspected and checked.

use proptest::prelude::*;
use resolvent::{Host, Operator, Space};
use resolvent_datasets::graph::{GraphSet, pore_network, tu, value_iteration};
use resolvent_datasets::operators::{directions::Directions, projection::Projections};
use resolvent_datasets::{
    Error, Family, MAKERS, Maker, Outcome, Parameters, Recipe, RhsKind, check, contents,
};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

/// Every set, small.
fn recipes() -> Vec<Recipe> {
    let recipe = |name, samples, settings: &[(&str, &str)]| {
        Recipe::new(Maker::named(name).unwrap(), 3, samples, settings).unwrap()
    };
    vec![
        recipe("value-iteration", Some(150), &[("precision", "f32")]),
        recipe("pore-network", Some(150), &[("pores", "10..30")]),
        recipe("projection", None, &[("family", "smoke"), ("n", "10"), ("frames", "2..7")]),
        recipe("projection", None, &[("family", "dam"), ("n", "14"), ("dim", "2"), ("frames", "0..5")]),
        recipe("directions", Some(300), &[("n", "9"), ("m", "40"), ("theta", "2")]),
        recipe("directions", Some(40), &[("family", "neumann"), ("n", "6"), ("m", "200"), ("theta", "0")]),
    ]
}

fn make(recipe: &Recipe, path: &Path) {
    assert!(matches!(recipe.make(path, &mut |_| ControlFlow::Continue(())).unwrap(), Outcome::Made(_)));
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn threads_interruptions_and_the_clock_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let before: Vec<Vec<u8>> = recipes()
        .iter()
        .map(|recipe| {
            on(1).install(|| make(recipe, &path("one.h5")));
            fs::read(path("one.h5")).unwrap()
        })
        .collect();
    // HDF5 keeps times in seconds where it is let.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for (recipe, expected) in recipes().into_iter().zip(before) {
        on(3).install(|| make(&recipe, &path("three.h5")));
        assert!(expected == fs::read(path("three.h5")).unwrap(), "{}: threads", recipe.command());
        // Stopped again and again, each time a little later.
        let (mut stops, mut patience) = (0, 1);
        loop {
            let mut left = patience;
            let outcome = recipe.make(&path("again.h5"), &mut |_| {
                left -= 1;
                if left < 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match outcome.unwrap() {
                Outcome::Interrupted { partial } => assert!(partial.exists()),
                Outcome::Made(_) => break,
            }
            assert!(!path("again.h5").exists());
            (stops, patience) = (stops + 1, patience + 1);
        }
        assert!(stops > 0, "{}", recipe.command());
        assert!(expected == fs::read(path("again.h5")).unwrap(), "{}: resumed", recipe.command());
        assert_eq!(check(&path("again.h5")).unwrap(), [], "{}", recipe.command());
        let shown = contents(&path("again.h5")).unwrap().to_string();
        assert!(shown.contains(&recipe.command()), "{shown}");
        fs::remove_file(path("again.h5")).unwrap();
        assert_eq!(names(folder.path()), ["one.h5", "three.h5"], "nothing is left behind");
    }
}

#[test]
fn the_unfinished_work_of_another_request_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    for recipe in recipes() {
        let mut calls = 0;
        let stopped = recipe.make(&path, &mut |_| {
            calls += 1;
            if calls > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let Outcome::Interrupted { partial } = stopped.unwrap() else { panic!("{}", recipe.command()) };
        let before = fs::read(&partial).unwrap();
        let settings: Vec<(&str, &str)> = recipe.settings().collect();
        let samples = recipe.maker().samples.map(|_| recipe.samples());
        let other = Recipe::new(recipe.maker(), 4, samples, &settings).unwrap();
        let e = other.make(&path, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(matches!(e, Error::Unfinished { .. }), "{e}");
        assert!(before == fs::read(&partial).unwrap());
        for name in names(folder.path()) {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
}

#[test]
fn stored_graphs_are_those_that_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    make(&recipes()[1], &path);
    let set = GraphSet::<f64>::read(&path).unwrap();
    assert_eq!((set.len(), &set.schema), (150, &pore_network::schema()));
    for i in [0, 70, 149] {
        assert_eq!(set.get(i), pore_network::network(3, i, 10..=30).unwrap());
    }
    make(&recipes()[0], &path);
    let set = GraphSet::<f64>::read(&path).unwrap();
    for i in 0..150 {
        // f32 was stored.
        assert!(value_iteration::bellman_residual(&set.get(i), 0.9) < 0.9e-3 + 1e-5);
    }
    let again = folder.path().join("y.h5");
    GraphSet::<f32>::read(&path).unwrap().write(&again).unwrap();
    assert_eq!(GraphSet::<f64>::read(&again).unwrap(), set);
}

#[test]
fn frames_are_the_problems_of_the_family() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    let space = Host::<f64>::new();
    for (recipe, name, n, dim, first) in [(2, "smoke", 10, 3, 2), (3, "dam", 14, 2, 0)] {
        make(&recipes()[recipe], &path);
        let frames = Projections::open(&path).unwrap();
        assert_eq!(frames.len(), 6);
        let mut before = Vec::new();
        for i in 0..6 {
            let parameters = Parameters::new(n).dim(dim).seed(3).frame(first + i as u32);
            let problem = Family::named(name).unwrap().problem(parameters).unwrap();
            let (a, b) = frames.frame(i).unwrap();
            assert_eq!(b, problem.rhs(RhsKind::Flow).unwrap());
            let (mut y, mut z) = (space.zeros(b.len()).unwrap(), space.zeros(b.len()).unwrap());
            a.apply(&space, &b, &mut y).unwrap();
            problem.stencil().apply(&space, &b, &mut z).unwrap();
            assert_eq!(y[..], z[..]);
            if i == 0 {
                before = y.to_vec();
            } else if i == 5 {
                assert!(y[..] != before[..], "{name} moves");
            }
        }
        assert!(matches!(frames.frame(6), Err(Error::Length { .. })));
        assert!(Directions::open(&path).is_err());
    }
}

#[test]
fn samples_lie_at_the_low_end_of_the_spectrum() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    make(&recipes()[4], &path);
    let set = Directions::open(&path).unwrap();
    assert_eq!((set.len(), set.shape(), set.ritz_values.len()), (300, &[9, 9, 9][..], 40));
    let problem = Family::named("box").unwrap().problem(Parameters::new(9).seed(3)).unwrap();
    let space = Host::<f64>::new();
    let (mut quotients, mut dots) = (Vec::new(), 0.0f64);
    let all = set.read(0..300).unwrap();
    for row in all.chunks(729) {
        let x: Vec<f64> = row.iter().map(|v| f64::from(*v)).collect();
        let mut y = space.zeros(729).unwrap();
        problem.stencil().apply(&space, &x, &mut y).unwrap();
        assert!((space.norm(&x).unwrap() - 1.0).abs() < 1e-6);
        quotients.push(space.dot(&x, &y).unwrap());
        let first: Vec<f64> = all[..729].iter().map(|v| f64::from(*v)).collect();
        dots = dots.max(space.dot(&x, &first).unwrap().abs() * f64::from(u8::from(quotients.len() > 1)));
    }
    // Ritz values with the weights 81 on the lowest 22 and 1 on the others, by hand.
    let (mut sum, mut weight) = (0.0, 0.0);
    for (k, theta) in set.ritz_values.iter().enumerate() {
        let w = if k < 22 { 81.0 } else { 1.0 };
        (sum, weight) = (sum + w * theta, weight + w);
    }
    let mean = quotients.iter().sum::<f64>() / 300.0;
    // Quotients spread by about a tenth of their mean.
    assert!((mean - sum / weight).abs() < 0.02 * mean, "{mean} {}", sum / weight);
    assert!(dots < 0.9, "samples differ: {dots}");
    // The exact ends of the spectrum of the empty box.
    let s = |k: f64| 4.0 * (std::f64::consts::PI * k / 18.0).sin().powi(2);
    assert!((set.ritz_values[0] - 3.0 * s(1.0)).abs() <= set.ritz_bounds[0].max(1e-10));
    make(&recipes()[5], &path);
    let set = Directions::open(&path).unwrap();
    // The exact low end of the range: the null space is left out.
    let lowest = 4.0 * (std::f64::consts::PI / 12.0).sin().powi(2);
    assert!((set.ritz_values[0] - lowest).abs() < 1e-10, "{} {lowest}", set.ritz_values[0]);
}

#[test]
fn damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    for recipe in recipes() {
        make(&recipe, &path);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let name = match recipe.maker().name {
            "projection" => "rhs",
            "directions" => "samples",
            _ => "edges",
        };
        let file = hdf5::File::open(&path).unwrap();
        let at = file.dataset(name).unwrap().offset().unwrap() as usize;
        file.close().unwrap();
        bytes[at + 40] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        assert!(!check(&path).unwrap().is_empty(), "{}", recipe.command());
        fs::write(&path, &whole[..whole.len() / 3]).unwrap();
        assert!(!check(&path).unwrap().is_empty(), "{}", recipe.command());
    }
}

/// Changes one number of a dataset.
fn one<T: hdf5::H5Type + Clone>(
    file: &hdf5::File,
    name: &str,
    [i, j]: [usize; 2],
    value: T,
) -> hdf5::Result<()> {
    let dataset = file.dataset(name)?;
    dataset.write_slice(&ndarray::arr2(&[[value]]), ndarray::s![i..i + 1, j..j + 1])
}

#[test]
fn a_file_of_graphs_from_anywhere_is_refused_with_the_mend() {
    let folder = tempfile::tempdir().unwrap();
    let (sound, path) = (folder.path().join("sound.h5"), folder.path().join("x.h5"));
    let set = tu::read::<f64>(folder_of(&SOUND).path(), None, tu::Limits::default()).unwrap();
    set.write(&sound).unwrap();
    assert_eq!(GraphSet::<f64>::read(&sound).unwrap().edges, set.edges);
    let whole = fs::read(&sound).unwrap();
    for cut in (0..whole.len()).step_by(whole.len() / 40) {
        fs::write(&path, &whole[..cut]).unwrap();
        let e = GraphSet::<f64>::read(&path).err().unwrap_or_else(|| panic!("cut at {cut}"));
        assert!(matches!(e, Error::Malformed { .. }), "{e}");
    }
    type Change = fn(&hdf5::File) -> hdf5::Result<()>;
    let changes: [(Change, &str); 11] = [
        (|f| one(f, "edges", [1, 1], 7i32), "number 3 is 7"),
        (|f| one(f, "edges", [0, 0], -1i32), "number 0 is -1"),
        (|f| one(f, "node_features", [2, 1], f64::NAN), "is NaN"),
        (|f| one(f, "node_features", [0, 0], 9.0), "the checksum fnv1a64:"),
        (|f| f.dataset("node_offsets")?.write(&[0i64, 4, 3, 5]), "never decrease"),
        (|f| f.dataset("node_offsets")?.write(&[1i64, 3, 3, 5]), "it does not start at 0"),
        (|f| f.dataset("edge_offsets")?.write(&[0i64, 2, 2, i64::MAX]), "never decrease"),
        (|f| f.dataset("edge_offsets")?.write(&[0i64, 2, 2, 5]), "it has 8 numbers instead of 10"),
        (|f| f.attr("schema_version")?.write_scalar(&2i64), "this build reads version 1"),
        (|f| f.unlink("edges"), "dataset `edges`: it is absent"),
        (
            |f| {
                f.unlink("graph_labels")?;
                f.new_dataset::<i64>().shape(2).create("graph_labels")?.write(&[0i64, 1])
            },
            "one number for each graph",
        ),
    ];
    for (change, says) in changes {
        fs::copy(&sound, &path).unwrap();
        let file = hdf5::File::open_rw(&path).unwrap();
        change(&file).unwrap();
        file.close().unwrap();
        let e = GraphSet::<f64>::read(&path).err().unwrap_or_else(|| panic!("read, not refused: {says}"));
        assert!(matches!(e, Error::Malformed { .. }) && e.to_string().contains(says), "{says}: {e}");
        let found = check(&path).unwrap();
        assert_eq!((found.len(), &found[0].text), (1, &e.to_string()));
    }
}

fn folder_of(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(format!("S_{name}.txt")), text).unwrap();
    }
    folder
}

const SOUND: [(&str, &[u8]); 6] = [
    ("A", b"1, 2\n4,5\n2, 1\n5, 4\n"),
    ("graph_indicator", b"1\n1\n1\n3\n3\n"),
    ("graph_labels", b"-1\n2\n-1\n"),
    ("node_labels", b"7\n0\n7\n0\n0\n"),
    ("edge_labels", b"1\n2\n1\n2\n"),
    ("node_attributes", b"0.5, 1e3\n1,2\n3,4\n5,6\n7,8\n"),
];

#[test]
fn a_folder_in_tu_format_is_read() {
    let folder = folder_of(&SOUND);
    let set = tu::read::<f64>(folder.path(), None, tu::Limits::default()).unwrap();
    set.check_shape().unwrap();
    assert_eq!((set.node_offsets.clone(), set.edge_offsets.clone()), (vec![0, 3, 3, 5], vec![0, 2, 2, 4]));
    assert_eq!(set.edges, [[0, 1], [1, 0], [0, 1], [1, 0]]);
    assert_eq!(set.labels, Some(vec![0, 1, 0]));
    assert_eq!(set.node.features.row(0).to_vec(), [0.0, 1.0, 0.5, 1e3]);
    assert_eq!(set.edge.features.row(2).to_vec(), [0.0, 1.0]);
    let maker = Maker::named("tu").unwrap();
    let from = folder.path().to_str().unwrap();
    let out = folder.path().join("x.h5");
    make(&Recipe::new(maker, 1, None, &[("from", from), ("folds", "2")]).unwrap(), &out);
    let read = GraphSet::<f64>::read(&out).unwrap();
    assert_eq!((&read.edges, &read.node, &read.labels), (&set.edges, &set.node, &set.labels));
    assert_eq!(read.folds.unwrap().len(), 3);
}

#[test]
fn what_is_wrong_in_a_folder_is_named_with_its_line() {
    for (name, text, says) in [
        ("A", &b"1, 2\n1, 9\n"[..], "S_A.txt, line 2: there is no node 9"),
        ("A", b"1, 4\n", "line 1: it joins a node of graph 1 with one of graph 3"),
        ("A", b"1, 2\n3\n", "line 2: there are fewer than 2 numbers"),
        ("A", b"1, 2, 3\n", "line 1: there are more than 2 numbers"),
        ("A", b"1, 2\n\n2, 1\n", "line 2: it is blank"),
        ("graph_indicator", b"1\n2\n1\n3\n3\n", "line 3: node 3 belongs to graph 1"),
        ("graph_indicator", b"1\n1\n1\n3\n9999999999\n", "line 5: node 5 belongs to graph 9999999999"),
        ("graph_labels", b"1\n2\n", "line 3: there are 2 lines instead of 3"),
        ("node_labels", b"7\nx\n7\n0\n0\n", "line 2: `x` is no whole number"),
        ("node_attributes", b"1\nnan\n1\n1\n1\n", "line 2: `nan` is no finite number"),
    ] {
        let folder = folder_of(&SOUND);
        fs::write(folder.path().join(format!("S_{name}.txt")), text).unwrap();
        let e = tu::read::<f64>(folder.path(), None, tu::Limits::default()).unwrap_err().to_string();
        assert!(e.contains(says), "{e}");
    }
    let folder = folder_of(&SOUND);
    let few = |limits| tu::read::<f64>(folder.path(), None, limits).unwrap_err();
    let e = few(tu::Limits { file: 10, ..tu::Limits::default() });
    assert!(e.to_string().contains("more than 10 bytes"), "{e}");
    let e = few(tu::Limits { columns: 1, ..tu::Limits::default() });
    assert!(e.to_string().contains("labels take more than 1 values"), "{e}");
    assert!(matches!(few(tu::Limits { numbers: 3, ..tu::Limits::default() }), Error::Memory { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// A damaged file is refused or read; nothing panics, and what is read is sound.
    #[test]
    fn hostile_folders(
        file in 0..6usize,
        edits in prop::collection::vec((any::<u16>(), prop::sample::select(b"0159-,.\n e\xff\0".to_vec())), 1..5),
        cut in any::<u16>(),
    ) {
        let mut files: Vec<(&str, Vec<u8>)> = SOUND.iter().map(|(n, t)| (*n, t.to_vec())).collect();
        let text = &mut files[file].1;
        for (at, byte) in edits {
            let at = at as usize % text.len();
            text[at] = byte;
        }
        if cut % 4 == 0 {
            text.truncate(cut as usize % text.len());
        }
        let files: Vec<(&str, &[u8])> = files.iter().map(|(n, t)| (*n, &t[..])).collect();
        let folder = folder_of(&files);
        if let Ok(set) = tu::read::<f64>(folder.path(), None, tu::Limits::default()) {
            prop_assert!(set.check_shape().is_ok());
        }
    }
}

#[test]
fn the_registry_has_unique_names() {
    for (i, maker) in MAKERS.iter().enumerate() {
        assert!(MAKERS[..i].iter().all(|m| m.name != maker.name));
        assert!(std::ptr::eq(Maker::named(maker.name).unwrap(), maker));
    }
}
