//! Bad input, by the exit code it must end with. Nothing is left behind.

use super::Bench;

/// Each line ends with the code, says these words, and leaves no new file.
#[track_caller]
fn refused(bench: &Bench, line: &str, code: i32, says: &[&str]) {
    let before = bench.names();
    let run = bench.run(line).expect(code).says(says);
    assert!(run.out.is_empty(), "{}", run.out);
    assert_eq!(bench.names(), before, "{line}");
}

#[test]
fn usage_is_2() {
    let bench = Bench::new();
    let cases: [(&str, &[&str]); 20] = [
        ("", &["Usage"]),
        ("solve", &["--problem"]),
        ("solve --problem bx", &["unknown problem family `bx`", "did you mean `box`"]),
        ("solve --problem box --n 0 --output x.h5", &["n = 0", "at least two cells"]),
        ("solve --problem box --n 2000", &["32-bit", "1625"]),
        ("solve --problem box --n 18446744073709551615", &["32-bit"]),
        ("solve --problem box --n 99999999999999999999", &["invalid value"]),
        ("solve --problem box --n -3", &["-3"]),
        ("solve --problem gyroid --dim 2 --n 8", &["gyroid does not exist in 2-D"]),
        ("solve --problem box --frame 3 --n 8", &["no frame 3"]),
        ("solve --problem gyroid --rhs-kind manufactured --n 8", &["no manufactured right-hand side"]),
        ("solve --problem box --precond amgx", &["unknown preconditioner `amgx`", "multigrid"]),
        ("solve --problem box --rtol nan", &["not negative"]),
        ("solve --problem box --output x.xyz", &["extension"]),
        ("solve --problem box --plot p.gif", &[".svg or .png"]),
        ("solve --problem box --threads 0", &["0"]),
        ("bench poisson --methods cg,magic --sizes 8", &["unknown method `magic`", "multigrid"]),
        ("data make box --n 1 --out x.h5", &["n = 1"]),
        ("data make burgerz --out x.h5", &["did you mean `burgers`", "spheres", "pore-network"]),
        ("data make pore-net --out x.h5", &["did you mean `pore-network`"]),
    ];
    for (line, says) in cases {
        refused(&bench, line, 2, says);
    }
}

#[test]
fn breakdown_is_4() {
    let bench = Bench::new();
    // Indefinite, with a positive diagonal.
    bench.file(
        "indefinite.mtx",
        "%%MatrixMarket matrix coordinate real symmetric\n2 2 3\n1 1 1\n2 1 2\n2 2 1\n",
    );
    bench.file("b.mtx", "%%MatrixMarket matrix array real general\n2 1\n1\n-1\n");
    let run =
        bench.run("solve --matrix indefinite.mtx --rhs b.mtx --method cg --precond none --json").expect(4);
    assert_eq!(run.json()["status"], "not_positive_definite");
    run.says(&["not positive definite"]);
    // A factorisation takes either sign.
    assert!(bench.run("solve --matrix indefinite.mtx --rhs b.mtx").expect(0).out.contains("Cholesky"));
    // Singular: constants are in the null space, and b is not orthogonal to them.
    bench.file(
        "singular.mtx",
        "%%MatrixMarket matrix coordinate real symmetric\n2 2 3\n1 1 1\n2 1 -1\n2 2 1\n",
    );
    bench.file("ones.mtx", "%%MatrixMarket matrix array real general\n2 1\n1\n1\n");
    for precond in ["auto", "none", "jacobi", "mic", "chebyshev"] {
        let line = format!("solve --matrix singular.mtx --rhs ones.mtx --precond {precond}");
        bench.run(&line).expect(4).says(&["singular", "outside its range"]);
        bench.run(&format!("solve --matrix singular.mtx --rhs b.mtx --precond {precond}")).expect(0);
    }
}

#[test]
fn malformed_matrix_market_is_5() {
    let bench = Bench::new();
    let head = "%%MatrixMarket matrix coordinate real general\n";
    let cases: [(&str, String, &[&str]); 10] = [
        ("empty.mtx", String::new(), &["line 1", "not a Matrix Market file"]),
        ("text.mtx", "hello\n".into(), &["line 1", "not a Matrix Market file"]),
        (
            "complex.mtx",
            "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n".into(),
            &["complex"],
        ),
        ("size.mtx", format!("{head}2 x 1\n"), &["line 2", "`x` is no count"]),
        (
            "huge.mtx",
            format!("{head}4000000000 4000000000 9000000000000000000\n1 1 1\n"),
            &["line 2", "promises"],
        ),
        ("zero.mtx", format!("{head}0 0 0\n"), &["line 2", "0 × 0"]),
        (
            "cut.mtx",
            format!("{head}2 2 3\n1 1 1.0000000\n2 2 1.0000000\n"),
            &["the file ends after 2 of 3 entries"],
        ),
        ("index.mtx", format!("{head}2 2 2\n1 1 1.0\n3 2 1.0\n"), &["line 4", "rows run from 1 to 2"]),
        ("nan.mtx", format!("{head}2 2 2\n1 1 nan\n2 2 1.0\n"), &["line 3", "finite"]),
        ("wide.mtx", format!("{head}1 2 1\n1 1 1.0\n"), &["square"]),
    ];
    for (name, content, says) in cases {
        bench.file(name, content);
        refused(&bench, &format!("solve --matrix {name} --output x.h5"), 5, says);
    }
    bench.file("a.mtx", format!("{head}2 2 2\n1 1 1.0\n2 2 1.0\n"));
    bench.file("nan_b.mtx", "%%MatrixMarket matrix array real general\n2 1\n1.0\nnan\n");
    bench.file("long_b.mtx", "%%MatrixMarket matrix array real general\n3 1\n1.0\n1.0\n1.0\n");
    refused(&bench, "solve --matrix a.mtx --rhs nan_b.mtx", 5, &["nan_b.mtx", "line 4"]);
    refused(&bench, "solve --matrix a.mtx --rhs long_b.mtx", 5, &["3 entries", "2 rows"]);
    bench.file("skew.mtx", format!("{head}2 2 3\n1 1 1.0\n1 2 1.0\n2 2 1.0\n"));
    refused(&bench, "solve --matrix skew.mtx --method cg", 5, &["symmetric", "gmres"]);
    bench.run("solve --matrix skew.mtx").expect(0);
    bench.file("empty_row.mtx", format!("{head}2 2 1\n1 1 1.0\n"));
    refused(&bench, "solve --matrix empty_row.mtx --method direct", 5, &["structurally singular", "row 1"]);
    let tried = bench.run("solve --matrix empty_row.mtx").expect(4);
    assert!(tried.out.contains("its pattern makes it singular"), "{}", tried.out);
    refused(&bench, "solve --matrix a.mtx --precond multigrid", 2, &["needs a grid"]);
}

#[test]
fn malformed_hdf5_is_5() {
    let bench = Bench::new();
    bench.run("data make spheres --n 6 --out s.h5").expect(0);
    let bytes = std::fs::read(bench.path("s.h5")).unwrap();
    bench.file("text.h5", "this is no HDF5 file");
    bench.file("empty.h5", "");
    refused(&bench, "solve --system text.h5 --output x.h5", 5, &["text.h5", "not an HDF5 file"]);
    refused(&bench, "solve --system empty.h5 --output x.h5", 5, &["empty.h5", "not an HDF5 file"]);
    for share in [3, 2] {
        bench.file("cut.h5", &bytes[..bytes.len() / share]);
        refused(&bench, "solve --system cut.h5 --output x.h5", 5, &["cut.h5"]);
    }
    bench.run("solve --problem box --n 6 --output x.h5").expect(0);
    refused(&bench, "solve --system x.h5", 5, &["solution"]);
    refused(&bench, "report .", 6, &["bench.json"]);
    bench.file("bench.json", "{");
    refused(&bench, "report .", 5, &["bench.json"]);
}

#[test]
fn files_and_memory_are_6() {
    let bench = Bench::new();
    refused(&bench, "solve --system missing.h5", 6, &["missing.h5", "cannot be read"]);
    refused(&bench, "solve --matrix missing.mtx", 6, &["missing.mtx", "cannot be read"]);
    refused(&bench, "solve --problem box --n 8 --output no/such/x.h5", 6, &["cannot be written"]);
    refused(&bench, "data make box --n 8 --out no/such/x.h5", 6, &["cannot be written"]);
    refused(&bench, "solve --problem box --n 8 --history no/h.csv", 6, &["cannot be written"]);
    bench.file("taken", "a file, not a folder");
    refused(&bench, "bench poisson --sizes 8 --out taken", 6, &["taken"]);
    // Four billion unknowns are more than a machine of this decade has free.
    refused(&bench, "solve --problem box --n 1600 --output x.h5", 6, &["GiB", "smaller n"]);
    let run = bench.run("solve --system missing.h5 --json").expect(6);
    assert_eq!(run.json()["error"], "resource");
}
