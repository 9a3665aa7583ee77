//! The methods that are compared. A method is one row in [`METHODS`].

use resolvent::plan::{self, Plan, Precision, Preconditioner};

/// A named plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name on the command line and in tables.
    pub name: &'static str,
    /// A few words.
    pub summary: &'static str,
    /// What it is.
    pub plan: Plan,
}

const fn cg(preconditioner: Preconditioner, precision: Precision) -> Plan {
    Plan { method: plan::Method::Cg, preconditioner, precision }
}

const DIRECTIONS: Plan = Plan {
    method: plan::Method::Directions,
    preconditioner: Preconditioner::None,
    precision: Precision::Mixed,
};

/// Every method, in the order of their listing.
pub const METHODS: [Method; 12] = [
    Method {
        name: "cg",
        summary: "conjugate gradients alone",
        plan: cg(Preconditioner::None, Precision::F64),
    },
    Method {
        name: "jacobi",
        summary: "preconditioned by the diagonal",
        plan: cg(Preconditioner::Jacobi, Precision::F64),
    },
    Method {
        name: "chebyshev",
        summary: "preconditioned by a Chebyshev polynomial",
        plan: cg(Preconditioner::Chebyshev, Precision::F64),
    },
    Method {
        name: "mic",
        summary: "preconditioned by modified incomplete Cholesky, no fill",
        plan: cg(Preconditioner::IncompleteCholesky, Precision::F64),
    },
    Method {
        name: "multigrid",
        summary: "preconditioned by a geometric V-cycle in f32",
        plan: cg(Preconditioner::Multigrid, Precision::Mixed),
    },
    Method {
        name: "multigrid-f64",
        summary: "preconditioned by a geometric V-cycle in f64",
        plan: cg(Preconditioner::Multigrid, Precision::F64),
    },
    Method {
        name: "learned",
        summary: "preconditioned by a learned geometric V-cycle in f32",
        plan: cg(Preconditioner::Learned, Precision::Mixed),
    },
    Method {
        name: "amg",
        summary: "preconditioned by an algebraic K-cycle in f32",
        plan: Plan {
            method: plan::Method::FlexibleCg,
            preconditioner: Preconditioner::Amg,
            precision: Precision::Mixed,
        },
    },
    Method {
        name: "dcdm",
        summary: "directions that rectified convolutions propose; needs --model",
        plan: DIRECTIONS,
    },
    Method {
        name: "linear",
        summary: "directions that a network proposes that is linear in the residual; needs --model in 2-D",
        plan: DIRECTIONS,
    },
    Method {
        name: "hybrid",
        summary: "the V-cycle, and directions of a network where they pay",
        plan: Plan {
            method: plan::Method::Hybrid,
            preconditioner: Preconditioner::Multigrid,
            precision: Precision::Mixed,
        },
    },
    Method {
        name: "direct",
        summary: "a sparse factorisation, refined",
        plan: Plan {
            method: plan::Method::Direct,
            preconditioner: Preconditioner::None,
            precision: Precision::F64,
        },
    },
];

impl Method {
    /// The method of a name.
    ///
    /// # Errors
    /// [`resolvent::Error::Unknown`], which lists them.
    pub fn named(name: &str) -> resolvent::Result<Self> {
        METHODS.into_iter().find(|m| m.name == name).ok_or_else(|| resolvent::Error::Unknown {
            what: "method",
            name: name.into(),
            known: METHODS.map(|m| m.name).join(", "),
        })
    }
}
