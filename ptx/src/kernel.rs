//! Kernels as rows of a table: what one is called, what it takes, and how it is launched.

use crate::memory::{Address, Number};
use std::fmt;

/// How many blocks of how many threads run a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Blocks along x, y, z; none at all when one is 0.
    pub grid: [u32; 3],
    /// Threads of a block along x, y, z.
    pub block: [u32; 3],
    /// Bytes of shared memory that each block gets beside what the kernel declares.
    pub shared: u32,
}

impl Launch {
    /// One thread each for `n` pieces of work, in blocks of `threads`.
    pub fn covering(n: usize, threads: u32) -> Self {
        Self { grid: [n.div_ceil(threads as usize) as u32, 1, 1], block: [threads, 1, 1], shared: 0 }
    }

    /// One block of `threads`.
    pub fn single(threads: u32) -> Self {
        Self { grid: [1; 3], block: [threads, 1, 1], shared: 0 }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The numbers that kernels work in: `f32` and `f64`.
pub trait Real: sealed::Sealed + Number + Argument + Default {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// −1.
    const MINUS_ONE: Self;
    /// `single` or `double`, whichever is for this type.
    fn pick<V>(single: V, double: V) -> V;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const MINUS_ONE: Self = -1.0;
    fn pick<V>(single: V, _double: V) -> V {
        single
    }
}
impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const MINUS_ONE: Self = -1.0;
    fn pick<V>(_single: V, double: V) -> V {
        double
    }
}

/// The type of a parameter, as PTX spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Parameter {
    F32,
    F64,
    U32,
    U64,
    /// A structure, passed as it is.
    Bytes {
        size: usize,
        align: usize,
    },
}

impl fmt::Display for Parameter {
    /// As PTX declares it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F32 => f.write_str(".f32"),
            Self::F64 => f.write_str(".f64"),
            Self::U32 => f.write_str(".u32"),
            Self::U64 => f.write_str(".u64"),
            Self::Bytes { size, align } => write!(f, ".align {align} .b8 [{size}]"),
        }
    }
}

impl Parameter {
    /// That of a structure.
    pub const fn of<T>() -> Self {
        Self::Bytes { size: size_of::<T>(), align: align_of::<T>() }
    }
}

/// What a kernel may be given.
pub trait Argument: Copy {
    /// As which parameter.
    const PARAMETER: Parameter;
}
impl Argument for f32 {
    const PARAMETER: Parameter = Parameter::F32;
}
impl Argument for f64 {
    const PARAMETER: Parameter = Parameter::F64;
}
impl Argument for u32 {
    const PARAMETER: Parameter = Parameter::U32;
}
impl Argument for u64 {
    const PARAMETER: Parameter = Parameter::U64;
}
impl<T> Argument for Address<T> {
    const PARAMETER: Parameter = Parameter::U64;
}

/// A kernel of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is called in the PTX.
    pub name: &'static str,
    /// What it takes.
    pub parameters: &'static [Parameter],
}

/// A family: the PTX of one file of kernels, and its rows.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The name of its file.
    pub name: &'static str,
    /// The PTX.
    pub ptx: &'static str,
    /// Its kernels; those of both precisions are together.
    pub rows: &'static [&'static [Row]],
}

/// Declares the kernels of a family: a module `launch` with a typed launcher for each, and the constant `FAMILY`.
///
/// A kernel `name<T>` is two in the PTX, `family_name_f32` and `family_name_f64`; a kernel `name` is `family_name`.
macro_rules! kernels {
    ($family:literal: $($(#[$doc:meta])* fn $name:ident $(<$real:ident>)? ($($argument:ident: $type:ty),* $(,)?);)*) => {
        /// The kernels of this family.
        pub const FAMILY: $crate::kernel::Family = $crate::kernel::Family {
            name: $family,
            ptx: include_str!(concat!("../../kernels/", $family, ".ptx")),
            rows: &[$($crate::kernel::kernels!(@rows $family $name [$($real)?] [$($type),*])),*],
        };

        /// The launchers as they are: what lies behind an address is not checked.
        pub mod launch {
            #[allow(unused_imports)]
            use super::*;
            $(
                $crate::kernel::kernels! { @launcher $family $name [$($real)?] [$($argument: $type),*] $(#[$doc])* }
            )*
        }
    };
    (@rows $family:literal $name:ident [] [$($type:ty),*]) => {
        &[$crate::kernel::Row {
            name: concat!($family, "_", stringify!($name)),
            parameters: &[$(<$type as $crate::kernel::Argument>::PARAMETER),*],
        }]
    };
    (@rows $family:literal $name:ident [$real:ident] [$($type:ty),*]) => {
        &[
            $crate::kernel::Row {
                name: concat!($family, "_", stringify!($name), "_f32"),
                parameters: {
                    #[allow(dead_code)]
                    type $real = f32;
                    &[$(<$type as $crate::kernel::Argument>::PARAMETER),*]
                },
            },
            $crate::kernel::Row {
                name: concat!($family, "_", stringify!($name), "_f64"),
                parameters: {
                    #[allow(dead_code)]
                    type $real = f64;
                    &[$(<$type as $crate::kernel::Argument>::PARAMETER),*]
                },
            },
        ]
    };
    (@launcher $family:literal $name:ident [$($real:ident)?] [$($argument:ident: $type:ty),*] $(#[$doc:meta])*) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The kernel stays within memory of `gpu` for these arguments.
        ///
        /// # Errors
        /// [`Error::Driver`](crate::Error::Driver).
        #[allow(clippy::too_many_arguments)]
        pub unsafe fn $name $(<$real: $crate::Real>)? (
            gpu: &$crate::Gpu,
            launch: $crate::Launch,
            $($argument: $type),*
        ) -> $crate::Result<()> {
            let name = $crate::kernel::kernels!(@name $family $name [$($real)?]);
            let arguments = [$((&raw const $argument).cast_mut().cast()),*];
            // SAFETY: the types are those of the table, which a test compares with the PTX; the rest is the caller's.
            unsafe { gpu.launch((FAMILY.name, FAMILY.ptx), name, launch, &arguments) }
        }
    };
    (@name $family:literal $name:ident []) => {
        concat!($family, "_", stringify!($name))
    };
    (@name $family:literal $name:ident [$real:ident]) => {
        $real::pick(
            concat!($family, "_", stringify!($name), "_f32"),
            concat!($family, "_", stringify!($name), "_f64"),
        )
    };
}
pub(crate) use kernels;
