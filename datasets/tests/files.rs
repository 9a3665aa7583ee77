//! Exchange files, VTK image data, and what `inspect` and `check` say.

use resolvent::{Csr, Grid};
use resolvent_datasets::exchange::{self, Exchange};
use resolvent_datasets::{
    Error, Family, LinearSystem, Parameters, RhsKind, Severity, check, inspect, vtk, write_solution,
};

#[test]
fn an_exchange_file_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.psys");
    let problem = Family::named("spheres").unwrap().problem(Parameters::new(5)).unwrap();
    let (noise, smooth) = (problem.system(RhsKind::Noise).unwrap(), problem.system(RhsKind::Smooth).unwrap());
    let written = Exchange {
        matrix: noise.matrix,
        noise: noise.rhs.unwrap(),
        smooth: smooth.rhs.unwrap(),
        grid: noise.grid,
    };
    exchange::write(&path, &written).unwrap();
    let read = exchange::read(&path).unwrap();
    assert_eq!((&read.matrix, &read.noise, &read.smooth), (&written.matrix, &written.noise, &written.smooth));
    assert_eq!(read.grid, written.grid);
    assert!(LinearSystem::read(&path).unwrap().place().unwrap().is_structured());
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(7) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(exchange::read(&path), Err(Error::Malformed { .. })), "{length}");
    }
    for (at, byte) in [(0, b'X'), (8, 0xff), (15, 0x7f), (24, 9), (76, 0xff)] {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(exchange::read(&path), Err(Error::Malformed { .. })), "byte {at}");
    }
    let short = Exchange { noise: vec![0.0], ..written };
    assert!(matches!(exchange::write(&path, &short), Err(Error::Length { .. })));
}

#[test]
fn image_data_hold_every_value_where_the_header_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.vti");
    let grid = Grid::new_3d(2, 3, 4).unwrap();
    let (u, v): (Vec<f64>, Vec<f64>) = (0..24).map(|i| (f64::from(i), -0.5 * f64::from(i))).unzip();
    vtk::write(&path, grid, 0.25, &[("a<b&\"c\"", &u), ("v", &v)]).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let start = bytes.windows(2).position(|w| w == b"\n_").unwrap() + 2;
    let header = std::str::from_utf8(&bytes[..start - 1]).unwrap();
    assert!(
        header.contains(r#"WholeExtent="0 2 0 3 0 4""#)
            && header.contains(r#"Name="a&lt;b&amp;&quot;c&quot;""#)
    );
    assert!(header.contains(r#"Spacing="2.5e-1 2.5e-1 2.5e-1""#), "{header}");
    let offsets: Vec<usize> = header
        .split("offset=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    for (offset, field) in offsets.iter().zip([&u, &v]) {
        let data = &bytes[start + offset..];
        let number = |at: usize| <[u8; 8]>::try_from(&data[at..at + 8]).unwrap();
        assert_eq!(u64::from_le_bytes(number(0)), 8 * 24);
        assert!((0..24).all(|i| f64::from_le_bytes(number(8 + 8 * i)) == field[i]));
    }
    assert!(bytes.ends_with(b"</VTKFile>\n"));
    assert!(matches!(vtk::write(&path, grid, 0.25, &[("u", &[0.0])]), Err(Error::Length { .. })));
    // A flat grid, and a solution on some of the cells.
    let cells = [1u32, 3];
    write_solution(&path, &[5.0, 7.0], Some((Grid::new_2d(2, 2).unwrap(), &cells))).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let start = bytes.windows(2).position(|w| w == b"\n_").unwrap() + 10;
    let values: Vec<f64> =
        bytes[start..start + 32].as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    assert_eq!(values, [0.0, 5.0, 0.0, 7.0]);
    assert!(matches!(write_solution(&path, &[1.0], None), Err(Error::Format { .. })));
}

#[test]
fn a_file_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let problem = Family::named("box").unwrap().problem(Parameters::new(4).dim(2)).unwrap();
    let system = problem.system(RhsKind::Manufactured).unwrap();
    for (name, format) in [("s.h5", "hdf5"), ("s.mtx", "matrix_market")] {
        let path = folder.path().join(name);
        system.write(&path).unwrap();
        let summary = inspect(&path).unwrap();
        assert_eq!((summary.format, summary.rows, summary.symmetric), (format, 16, true));
        assert_eq!(summary.nonzeros, system.matrix.nonzeros());
        assert_eq!(summary.file_size, std::fs::metadata(&path).unwrap().len());
        if name == "s.h5" {
            assert_eq!(summary.grid, Some(vec![4, 4]));
            assert!(summary.rhs && summary.solution && summary.to_string().contains("family"));
            assert!(summary.datasets.iter().any(|d| d.name == "grid/cells" && d.len == 16));
        }
        let problems = check(&path).unwrap().into_iter().filter(|f| f.severity == Severity::Problem);
        assert_eq!(problems.collect::<Vec<_>>(), []);
    }
}

#[test]
fn what_stands_in_the_way_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let found = |entries: &[(u32, u32, f64)], rows: usize, cols: usize, b: Option<Vec<f64>>| {
        let path = folder.path().join("s.h5");
        let mut system = LinearSystem::from(Csr::from_triplets(rows, cols, entries).unwrap());
        system.rhs = b;
        system.write(&path).unwrap();
        let findings = check(&path).unwrap();
        let problems = findings.iter().filter(|f| f.severity == Severity::Problem).count();
        (problems, findings.iter().map(|f| f.text.clone()).collect::<Vec<_>>().join("\n"))
    };
    let (problems, text) = found(&[(0, 0, 1.0)], 1, 2, Some(vec![1.0]));
    assert!(problems > 0, "{text}");
    let (problems, text) = found(&[(0, 0, 1.0)], 2, 2, Some(vec![1.0; 2]));
    assert!(problems > 0 && text.contains('1'), "an empty row: {text}");
    let (problems, text) = found(&[(0, 0, 1.0), (0, 1, 0.5), (1, 1, 1.0)], 2, 2, Some(vec![1.0; 2]));
    assert!(!text.is_empty(), "not symmetric: {problems} {text}");
    let (_, text) = found(&[(0, 0, 1.0), (1, 1, -1.0)], 2, 2, Some(vec![1.0; 2]));
    assert!(text.contains("not positive definite"), "{text}");
    let (problems, text) = found(&[(0, 0, 1.0), (1, 1, 1.0)], 2, 2, None);
    assert!(problems == 0 && text.contains("no right-hand side"), "{text}");
    let singular = [(0, 0, 1.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 1.0)];
    let (problems, text) = found(&singular, 2, 2, Some(vec![1.0, 1.0]));
    assert!(problems == 1 && text.contains("subtract it"), "{text}");
    let (problems, text) = found(&singular, 2, 2, Some(vec![1.0, -1.0]));
    assert!(problems == 0 && text.contains("null space"), "{text}");
    let path = folder.path().join("text.h5");
    std::fs::write(&path, "text").unwrap();
    assert_eq!(check(&path).unwrap()[0].severity, Severity::Problem);
    assert!(matches!(check(&folder.path().join("none.h5")), Err(Error::Open { .. })));
    assert!(matches!(check(&folder.path().join("a.txt")), Err(Error::Format { .. })));
}
