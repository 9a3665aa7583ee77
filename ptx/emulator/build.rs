//! Compiles the kernels for the processor: every family as it is, behind a header that stands in for CUDA, with a caller for
//! every kernel that its PTX names.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where output goes"));
    let kernels = here.join("../kernels");
    let mut families: Vec<PathBuf> = fs::read_dir(&kernels)
        .expect("the folder of kernels")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "cu"))
        .collect();
    families.sort();
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").opt_level(2).flag("-ffp-contract=off").flag("-fno-strict-aliasing");
    build.warnings(false).include(&kernels).include(here.join("src")).file(here.join("src/state.cpp"));
    let mut table = String::from("#include \"cuda.hpp\"\n");
    let mut rows = String::new();
    for family in &families {
        let name = stem(family);
        let names = entries(&family.with_extension("ptx"));
        let mut text = format!("#include \"cuda.hpp\"\n#include \"{name}.cu\"\n");
        for kernel in &names {
            let _ = writeln!(text, "void call_{kernel}(void** p) {{ call({kernel}, p); }}");
            let _ = writeln!(table, "void call_{kernel}(void**);");
            let _ = writeln!(rows, "    {{\"{kernel}\", call_{kernel}}},");
        }
        let file = out.join(format!("{name}.cpp"));
        fs::write(&file, text).expect("a file in the output folder");
        build.file(file);
    }
    let _ = write!(
        table,
        "extern \"C\" const Kernel emulated_kernels[] = {{\n{rows}    {{nullptr, nullptr}}}};\n"
    );
    let file = out.join("table.cpp");
    fs::write(&file, table).expect("a file in the output folder");
    build.file(file).compile("emulated_kernels");
    println!("cargo:rerun-if-changed={}", kernels.display());
    println!("cargo:rerun-if-changed=src");
}

fn stem(path: &Path) -> String {
    path.file_stem().and_then(|s| s.to_str()).expect("a name in ASCII").into()
}

/// The kernels that a PTX has.
fn entries(ptx: &Path) -> Vec<String> {
    let text = fs::read_to_string(ptx).unwrap_or_else(|e| {
        panic!("{}: {e}; make it with `python3 ptx/check/check.py --update`", ptx.display())
    });
    let named = text.split(".entry ").skip(1);
    named.filter_map(|rest| rest.split('(').next()).map(|name| name.trim().into()).collect()
}
