//! One use of every part of the library that the worker calls, on a file in memory.

use super::library::Library;
use super::message::{Kind, Request};
use hdf5::types::{FixedAscii, VarLenUnicode};

pub(super) fn warm_up() -> hdf5::Result<()> {
    let file = hdf5::File::with_options().with_fapl(|p| p.core_filebacked(false)).create("warm")?;
    let values: Vec<f64> = (0..64).map(f64::from).collect();
    file.create_group("group")?;
    let packed = |name: &str| {
        file.new_dataset_builder().chunk(16).shuffle().deflate(1).with_data(&values).create(name)
    };
    packed("deflate")?;
    file.new_dataset_builder().chunk(16).lzf().fletcher32().with_data(&values).create("lzf")?;
    let text: VarLenUnicode = "text".parse().unwrap_or_default();
    file.new_dataset_builder().with_data(std::slice::from_ref(&text)).create("texts")?;
    file.new_attr::<VarLenUnicode>().create("variable")?.write_scalar(&text)?;
    file.new_attr::<FixedAscii<8>>().create("fixed")?.write_scalar(&FixedAscii::<8>::default())?;
    file.new_attr::<f32>().create("float")?.write_scalar(&1.0)?;
    file.new_attr::<i16>().create("integer")?.write_scalar(&1)?;
    file.new_attr::<bool>().create("truth")?.write_scalar(&true)?;
    file.flush()?;
    let mut library = Library::of(file);
    let mut window = vec![0; 1024];
    let mut ask = |request: Request| drop(library.answer(&request, &mut window));
    let path = |name: &str| name.to_owned();
    ask(Request::Members { group: path("") });
    ask(Request::AttributeNames { object: path("") });
    for name in ["variable", "fixed", "float", "integer", "truth", "none"] {
        ask(Request::Attribute { object: path(""), name: path(name) });
    }
    for name in ["group", "deflate", "lzf", "texts", "none"] {
        ask(Request::Find { path: path(name) });
        ask(Request::Dataset { path: path(name) });
        ask(Request::Chunks { path: path(name) });
        ask(Request::Attribute { object: path(name), name: path("none") });
        ask(Request::Texts { path: path(name), start: vec![0], count: vec![1] });
        for number in [Kind::F32, Kind::F64, Kind::U8, Kind::U16, Kind::U64, Kind::I32, Kind::I64] {
            ask(Request::Numbers { path: path(name), start: vec![0], count: vec![64], number, half: 0 });
        }
    }
    // An error of the library, for its messages; nothing has this name.
    let _ = Library::open(std::path::Path::new("/dev/null/none"));
    Ok(())
}
