//! Numbers that stay on a device until they are read.

use crate::Result;
use resolvent_ptx::{Address, Gpu, Memory};
use std::sync::{Arc, Mutex, PoisonError};

/// How many numbers there are at a time, of all solvers on a device space together.
const COUNT: usize = 1024;

/// A number on a device. It is that of one space, and given back with the value.
#[derive(Debug)]
pub struct Number {
    slots: Arc<Slots>,
    slot: usize,
}

/// Places for numbers, side by side.
#[derive(Debug)]
pub(super) struct Slots {
    memory: Memory<f64>,
    /// Places that nobody has; the first ones are given first, so that reading copies little.
    free: Mutex<Vec<usize>>,
}

impl Slots {
    pub fn new(gpu: &Arc<Gpu>) -> Result<Self> {
        Ok(Self { memory: Memory::zeros(gpu, COUNT)?, free: Mutex::new((0..COUNT).rev().collect()) })
    }

    pub fn take(self: &Arc<Self>) -> Result<Number> {
        let slot = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let full = crate::Error::Memory { bytes: size_of::<f64>() };
        Ok(Number { slots: self.clone(), slot: slot.ok_or(full)? })
    }

    /// What the numbers are, once everything that was given to the device is done.
    pub fn read<const N: usize>(&self, numbers: [&Number; N]) -> resolvent_ptx::Result<[f64; N]> {
        let slots = numbers.map(|n| n.slot);
        let mut values = [0.0; N];
        self.copy(&slots, &mut values)?;
        Ok(values)
    }

    /// As [`read`](Self::read), for any number of them.
    pub fn read_all(&self, numbers: &[Number], values: &mut [f64]) -> resolvent_ptx::Result<()> {
        let slots: Vec<usize> = numbers.iter().map(|n| n.slot).collect();
        self.copy(&slots, values)
    }

    fn copy(&self, slots: &[usize], values: &mut [f64]) -> resolvent_ptx::Result<()> {
        let (Some(first), Some(last)) = (slots.iter().min(), slots.iter().max()) else { return Ok(()) };
        let mut all = [0.0; COUNT];
        let part = &mut all[..last + 1 - first];
        self.memory.download_from(*first, part)?;
        for (value, slot) in values.iter_mut().zip(slots) {
            *value = part[slot - first];
        }
        Ok(())
    }
}

impl Number {
    /// Where it is.
    pub(crate) fn address(&self) -> Address<f64> {
        self.slots.memory.address().offset(self.slot)
    }

    pub(super) fn set(&mut self, v: f64) -> resolvent_ptx::Result<()> {
        self.slots.memory.set_at(self.slot, v)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        self.slots.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.slot);
    }
}
