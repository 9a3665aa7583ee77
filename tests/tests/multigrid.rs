//! The cycle as an operator: linear, symmetric and positive on every family, grid and boundary, in each precision.

use resolvent::{
    Boundary, Error, Grid, Host, LinearOperator, Multigrid, MultigridOptions, Operator, Poisson, Scalar,
    Space, Stencil,
};
use resolvent_datasets::{FAMILIES, Family, Parameters, Problem};
use resolvent_tests::cases::cases;
use resolvent_tests::{noise, plain, spectrum};

/// Each family in each of its dimensions, at a size for each.
fn problems(flat: usize, deep: usize) -> impl Iterator<Item = (String, Problem)> {
    FAMILIES.iter().flat_map(move |family| {
        family.dims.iter().map(move |&dim| {
            let n = if dim == 2 { flat } else { deep };
            let problem = family.problem(Parameters::new(n).dim(dim).seed(1)).unwrap();
            (format!("{} in {dim}-D, n = {n}", family.name), problem)
        })
    })
}

/// Levels down to a few cells, so that small grids have several.
fn deep() -> MultigridOptions {
    let mut options = MultigridOptions::default();
    options.direct_cells = 12;
    options
}

/// Linear, symmetric, positive on vectors of noise; the product of `apply_dot`; NaN in y not read; 0 where no unknown is.
/// `precision` is that of the cycle.
fn probe<T: Scalar>(name: &str, a: &Stencil, m: &dyn LinearOperator<Host<T>>, precision: f64) {
    let (space, n) = (Host::<T>::new(), a.grid().cells());
    let active: Vec<bool> = (0..n).map(|c| a.is_active(c)).collect();
    let count = active.iter().filter(|on| **on).count();
    let input = |seed| {
        let mut v: Vec<f64> = noise(n, seed);
        a.project(&Host::<f64>::new(), &mut v).unwrap();
        v.into_iter().map(T::of).collect::<Vec<T>>()
    };
    let cycle = |x: &[T]| {
        let mut y = vec![T::nan(); n];
        m.apply(&space, x, &mut y).unwrap();
        assert!((0..n).all(|c| y[c].is_finite() && (active[c] || y[c] == T::of(0.0))), "{name}");
        y
    };
    if count == 0 {
        return;
    }
    let (x, y) = (input(1), input(2));
    let (mx, my) = (cycle(&x), cycle(&y));
    let size = plain::norm(&mx) * plain::norm(&y) + plain::norm(&x) * plain::norm(&my);
    let (left, right) = (plain::dot(&mx, &y), plain::dot(&x, &my));
    assert!(
        (left - right).abs() <= 100.0 * precision * size,
        "{name}: ⟨Mx, y⟩ = {left:e}, ⟨x, My⟩ = {right:e}"
    );
    assert!(plain::dot(&mx, &x) > 0.0 || plain::norm(&x) == 0.0, "{name}: xᵀMx = {:e}", plain::dot(&mx, &x));
    let both: Vec<T> = x.iter().zip(&y).map(|(x, y)| T::of(2.0) * *x - T::of(0.5) * *y).collect();
    let difference: Vec<f64> = cycle(&both)
        .iter()
        .zip(mx.iter().zip(&my))
        .map(|(b, (x, y))| b.f64() - 2.0 * x.f64() + 0.5 * y.f64())
        .collect();
    let size = plain::norm(&mx) + plain::norm(&my);
    assert!(plain::norm(&difference) <= 100.0 * precision * size, "{name}: not linear");
    let mut z = vec![T::nan(); n];
    let dot = m.apply_dot(&space, &x, &mut z).unwrap();
    assert_eq!(z, mx, "{name}: apply_dot differs from apply");
    let size = plain::norm(&x) * plain::norm(&mx);
    assert!((dot - plain::dot(&x, &mx)).abs() <= 100.0 * precision * size, "{name}: x·y of apply_dot");
    let mut t = vec![T::nan(); n];
    m.apply_transpose(&space, &x, &mut t).unwrap();
    assert_eq!(t, mx, "{name}: apply_transpose differs from apply");
}

fn probe_all(name: &str, a: &Stencil, options: MultigridOptions) {
    let (single, double) =
        (Multigrid::<f32>::new(a, options).unwrap(), Multigrid::<f64>::new(a, options).unwrap());
    probe::<f64>(&format!("{name}, f64"), a, &double, f64::EPSILON);
    probe::<f64>(&format!("{name}, f32 in f64"), a, &single, f64::from(f32::EPSILON));
    probe::<f32>(&format!("{name}, f32"), a, &single, f64::from(f32::EPSILON));
}

#[test]
fn the_cycle_is_linear_symmetric_and_positive_on_every_family() {
    for (flat, deep) in [(64, 20), (45, 15)] {
        for (name, problem) in problems(flat, deep) {
            probe_all(&name, problem.stencil(), MultigridOptions::default());
        }
    }
}

/// All eigenvalues of the cycle, not only the directions that noise happens to have.
#[test]
fn the_cycle_is_positive_definite_where_the_operator_is() {
    for (name, problem) in problems(17, 7).chain(problems(16, 8)) {
        let a = problem.stencil();
        let m = Multigrid::<f64>::new(a, deep()).unwrap();
        let nullity = a.grid().cells() - a.active() + usize::from(a.is_singular());
        definite(&name, a, &m, nullity);
    }
}

/// PMP is symmetric, has `nullity` eigenvalues 0 and no negative one.
fn definite(name: &str, a: &Stencil, m: &Multigrid<f64>, nullity: usize) {
    let space = Host::<f64>::new();
    let n = a.grid().cells();
    // The cycle between projections, as conjugate gradients use it.
    let mut matrix = spectrum::matrix::<f64>(m);
    let mut project = |get: &dyn Fn(usize, usize) -> (usize, usize)| {
        for line in 0..n {
            let mut v: Vec<f64> = (0..n).map(|i| matrix[get(line, i)]).collect();
            a.project(&space, &mut v).unwrap();
            (0..n).for_each(|i| matrix[get(line, i)] = v[i]);
        }
    };
    project(&|c, i| (i, c));
    project(&|r, i| (r, i));
    let asymmetry = spectrum::asymmetry(&matrix);
    assert!(asymmetry < 1e-12, "{name}: asymmetry {asymmetry:e}\n{m}");
    let eigenvalues = spectrum::eigenvalues(&matrix);
    let largest = eigenvalues.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    assert!(eigenvalues.iter().all(|e| *e >= -1e-12 * largest), "{name}: {eigenvalues:?}\n{m}");
    let zero = eigenvalues.iter().filter(|e| **e <= 1e-12 * largest).count();
    assert!(zero <= nullity, "{name}: {zero} eigenvalues are 0, {nullity} at most may be\n{m}");
}

#[test]
fn the_cycle_conforms_on_ragged_grids_with_every_boundary() {
    let mut tried = 0;
    for case in cases() {
        // Smaller grids are a direct solve, and so are rings of an odd number of cells, which then takes its time.
        let (grid, cells) = (case.plain.grid, case.plain.grid.cells());
        let odd_ring =
            (0..grid.dim()).any(|d| case.plain.sides[d][0] == Boundary::Periodic && grid.n()[d] % 2 == 1);
        if cells < 20 || (odd_ring && cells > 100) {
            continue;
        }
        let m = Multigrid::<f64>::new(&case.stencil, deep()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        tried += 1;
        if cells <= 60 {
            definite(&case.name, &case.stencil, &m, case.plain.nullity());
        }
        probe_all(&case.name, &case.stencil, deep());
    }
    assert!(tried > 600, "{tried}");
}

fn product<T: Scalar>(m: &Multigrid<T>, n: usize) -> Vec<f64>
where
    Multigrid<T>: Operator<Host<f64>>,
{
    let mut y = vec![f64::NAN; n];
    m.apply(&Host::new(), &noise::<f64>(n, 5), &mut y).unwrap();
    y
}

#[test]
fn updated_values_equal_a_fresh_set_up() {
    let of = |name: &str, dim, seed| {
        let problem = Family::named(name).unwrap().problem(Parameters::new(32).dim(dim).seed(seed)).unwrap();
        problem.stencil().clone()
    };
    for dim in [2, 3] {
        let names: Vec<_> = FAMILIES.iter().filter(|f| f.dims.contains(&dim)).map(|f| f.name).collect();
        for from in &names {
            for to in &names {
                let (a, b) = (of(from, dim, 1), of(to, dim, 2));
                let mut single = Multigrid::<f32>::new(&a, deep()).unwrap();
                single.update_values(&b).unwrap();
                let fresh = Multigrid::<f32>::new(&b, deep()).unwrap();
                let n = b.grid().cells();
                assert_eq!(product(&single, n), product(&fresh, n), "{from} to {to} in {dim}-D");
                assert_eq!(single.to_string(), fresh.to_string());
            }
        }
    }
}

#[test]
fn another_grid_is_refused() {
    let at = |n| Family::named("spheres").unwrap().problem(Parameters::new(n)).unwrap().stencil().clone();
    let mut m = Multigrid::<f32>::new(&at(16), MultigridOptions::default()).unwrap();
    assert!(matches!(m.update_values(&at(17)), Err(Error::Grid { n: [17, 17, 17], .. })));
    // As many cells, in another shape.
    let grid = Grid::new_3d(8, 16, 32).unwrap();
    let other = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
    assert!(matches!(m.update_values(&other), Err(Error::Grid { n: [8, 16, 32], .. })));
    let space = Host::<f64>::new();
    let n = 16 * 16 * 16;
    let (short, mut fits) = (vec![1.0; n - 1], vec![0.0; n]);
    assert!(matches!(m.apply(&space, &short, &mut fits), Err(Error::Length { .. })));
    assert!(matches!(m.apply_dot(&space, &short, &mut fits), Err(Error::Length { .. })));
    assert!(matches!(m.apply_dot(&space, &fits.clone(), &mut vec![0.0; n + 1]), Err(Error::Length { .. })));
}

#[test]
fn the_cycle_is_indifferent_to_the_scale_of_its_argument() {
    let problem = Family::named("spheres").unwrap().problem(Parameters::new(20)).unwrap();
    let (space, n) = (Host::<f64>::new(), problem.grid().cells());
    let m = Multigrid::<f32>::new(problem.stencil(), MultigridOptions::default()).unwrap();
    let mut x = noise::<f64>(n, 1);
    problem.stencil().project(&space, &mut x).unwrap();
    let reference = product_of(&m, &x);
    for power in [-900i32, -300, -120, 90, 127, 300, 900] {
        let scale = 2f64.powi(power);
        let scaled: Vec<f64> = x.iter().map(|v| v * scale).collect();
        let y = product_of(&m, &scaled);
        let difference: Vec<f64> = y.iter().zip(&reference).map(|(y, r)| y / scale - r).collect();
        let relative = plain::norm(&difference) / space.norm(&reference).unwrap();
        assert!(relative < 1e-5, "2^{power}: off by {relative:e}");
    }
}

fn product_of(m: &Multigrid<f32>, x: &[f64]) -> Vec<f64> {
    let mut y = vec![f64::NAN; x.len()];
    m.apply(&Host::<f64>::new(), x, &mut y).unwrap();
    y
}
