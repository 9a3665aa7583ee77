//! The examples run, and check their own results.

#[path = "../../solvers/examples/conductivity.rs"]
mod conductivity;
#[path = "../../solvers/examples/hyperparameter.rs"]
mod hyperparameter;
#[path = "../../solvers/examples/many_right_hand_sides.rs"]
mod many_right_hand_sides;
#[path = "../../solvers/examples/material_point.rs"]
mod material_point;
#[path = "../../solvers/examples/ndarray_and_sprs.rs"]
mod ndarray_and_sprs;
#[path = "../../solvers/examples/null_space.rs"]
mod null_space;
#[path = "../../pinn/examples/own_equation.rs"]
mod own_equation;
#[path = "../../solvers/examples/own_operator.rs"]
mod own_operator;
#[path = "../../solvers/examples/own_preconditioner.rs"]
mod own_preconditioner;
#[path = "../../solvers/examples/time_loop.rs"]
mod time_loop;

macro_rules! runs {
    ($($name:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            $name::main().unwrap();
        }
    )+};
}
runs!(
    own_equation,
    own_operator,
    own_preconditioner,
    time_loop,
    null_space,
    many_right_hand_sides,
    ndarray_and_sprs,
    conductivity,
    hyperparameter,
    material_point
);
