//! A device, its memory and its errors, on the emulator.

use resolvent_ptx::families::vector;
use resolvent_ptx::{Error, Gpu, Memory};
use std::sync::Arc;

fn gpu() -> Arc<Gpu> {
    resolvent_emulator::install();
    Gpu::open(0).unwrap()
}

#[test]
fn a_device_says_what_it_is_and_is_opened_once() {
    let gpu = gpu();
    assert_eq!((gpu.name(), gpu.ordinal(), gpu.capability()), ("emulator", 0, (7, 0)));
    assert_eq!(gpu.driver_version(), Ok((12, 0)));
    assert!(Arc::ptr_eq(&gpu, &Gpu::open(0).unwrap()));
    let refused = Gpu::open(3).unwrap_err();
    assert!(
        matches!(&refused, Error::NoDevice { why } if why.contains("device 3 was asked for, and there are 1"))
    );
}

#[test]
fn memory_goes_there_and_back_and_its_lengths_are_checked() {
    let gpu = gpu();
    for n in [0, 1, 31, 32, 33, 255, 257, 5000] {
        let values: Vec<f64> = (0..n).map(|i| i as f64 - 3.5).collect();
        let memory = Memory::from_slice(&gpu, &values).unwrap();
        let mut copy = Memory::new(&gpu, n).unwrap();
        copy.copy_from(&memory).unwrap();
        let mut back = vec![0.0; n];
        copy.download(&mut back).unwrap();
        assert_eq!(back, values);
        let mut zeros = vec![1.0f32; n];
        Memory::zeros(&gpu, n).unwrap().download(&mut zeros).unwrap();
        assert_eq!(zeros, vec![0.0; n]);
    }
    let mut few = Memory::<f64>::zeros(&gpu, 3).unwrap();
    assert_eq!(few.upload(&[1.0; 4]), Err(Error::Length { expected: 3, got: 4 }));
    assert_eq!(few.download(&mut [0.0; 2]), Err(Error::Length { expected: 2, got: 3 }));
    let more = Memory::zeros(&gpu, 4).unwrap();
    assert_eq!(few.copy_from(&more), Err(Error::Length { expected: 3, got: 4 }));
    assert_eq!(vector::axpby(1.0, &more, 1.0, &mut few), Err(Error::Length { expected: 3, got: 4 }));
}

#[test]
fn memory_is_checked_before_it_is_allocated() {
    let gpu = gpu();
    let refused = Memory::<f64>::new(&gpu, resolvent_emulator::MEMORY / 8 + 1).unwrap_err();
    assert!(
        matches!(refused, Error::Memory { bytes, free } if bytes == resolvent_emulator::MEMORY + 8 && free < bytes)
    );
    let refused = Memory::<f64>::new(&gpu, usize::MAX / 2).unwrap_err();
    assert!(matches!(refused, Error::Memory { .. }), "{refused}");
}

#[test]
fn any_thread_may_use_and_free_memory() {
    let gpu = gpu();
    let memory = Memory::from_slice(&gpu, &[1.0, 2.0]).unwrap();
    let back = std::thread::spawn(move || {
        let mut back = [0.0; 2];
        memory.download(&mut back).unwrap();
        back
    });
    assert_eq!(back.join().unwrap(), [1.0, 2.0]);
}
