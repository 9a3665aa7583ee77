//! The table of kernels against the PTX that is committed.

use resolvent_ptx::families::ALL;

/// The types of the parameters of a kernel, as the PTX declares them: `.param .u64 name`, or `.param .align 8 .b8 name[96]`.
fn parameters(ptx: &str, name: &str) -> Option<Vec<String>> {
    let (_, rest) = ptx.split_once(&format!(".entry {name}("))?;
    let (list, _) = rest.split_once(')')?;
    let parameter = |text: &str| {
        let mut words: Vec<&str> = text.split_whitespace().skip(1).collect();
        let size = words.pop()?.split_once('[').map(|(_, size)| format!("[{size}"));
        Some(words.into_iter().map(String::from).chain(size).collect::<Vec<_>>().join(" "))
    };
    Some(list.split(',').filter_map(parameter).collect())
}

#[test]
fn every_launcher_has_the_parameters_of_its_kernel() {
    for family in ALL {
        for row in family.rows.iter().copied().flatten() {
            let expected: Vec<String> = row.parameters.iter().map(|p| p.to_string()).collect();
            let found = parameters(family.ptx, row.name);
            assert_eq!(found, Some(expected), "{}", row.name);
        }
    }
}

#[test]
fn every_kernel_has_a_launcher() {
    for family in ALL {
        let entries = family.ptx.split(".entry ").skip(1).filter_map(|rest| rest.split('(').next());
        for name in entries {
            assert!(
                family.rows.iter().copied().flatten().any(|row| row.name == name),
                "{name} is in no row of the table"
            );
        }
    }
}

#[test]
fn every_file_of_kernels_is_a_family() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "cu") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(ALL.iter().any(|family| family.name == name), "{name} is no family");
        }
    }
}
