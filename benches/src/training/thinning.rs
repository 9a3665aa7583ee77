//! Long courses as few points.

/// About `most` points, the smallest and the largest of every stretch among them; what is not finite is left out.
pub(super) fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let finite: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.1.is_finite()).collect();
    if finite.len() <= most {
        return finite;
    }
    let mut kept = vec![finite[0]];
    for stretch in stretches(&finite[1..finite.len() - 1], most / 2) {
        let by = |a: &usize, b: &usize| stretch[*a].1.total_cmp(&stretch[*b].1);
        let (Some(low), Some(high)) = ((0..stretch.len()).min_by(by), (0..stretch.len()).max_by(by)) else {
            continue;
        };
        kept.push(stretch[low.min(high)]);
        if low != high {
            kept.push(stretch[low.max(high)]);
        }
    }
    kept.push(finite[finite.len() - 1]);
    kept
}

/// The median of every one of `count` stretches, in the middle of it; `None` for so few points that they need none.
pub(super) fn medians(points: &[(f64, f64)], count: usize) -> Option<Vec<(f64, f64)>> {
    let finite: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.1.is_finite()).collect();
    if finite.len() < 3 * count {
        return None;
    }
    let median = |stretch: &[(f64, f64)]| {
        let mut values: Vec<f64> = stretch.iter().map(|p| p.1).collect();
        values.sort_by(f64::total_cmp);
        (0.5 * (stretch[0].0 + stretch[stretch.len() - 1].0), values[values.len() / 2])
    };
    Some(stretches(&finite, count).map(median).collect())
}

/// `count` parts of about the same length, none of them empty.
fn stretches(points: &[(f64, f64)], count: usize) -> impl Iterator<Item = &[(f64, f64)]> {
    let (n, count) = (points.len(), count.max(1));
    (0..count).map(move |i| &points[i * n / count..(i + 1) * n / count]).filter(|s| !s.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_and_ends_are_kept() {
        let mut points: Vec<(f64, f64)> =
            (0..40_000).map(|i| (f64::from(i), 1.0 + (f64::from(i) * 0.1).sin())).collect();
        points[12_345].1 = 1e6;
        points[23_456].1 = -7.0;
        points[30_000].1 = f64::NAN;
        let few = thinned(&points, 400);
        assert!(few.len() <= 402 && few.len() > 300);
        assert!(few.contains(&(12_345.0, 1e6)) && few.contains(&(23_456.0, -7.0)));
        assert_eq!((few[0], few[few.len() - 1]), (points[0], points[39_999]));
        assert!(few.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(thinned(&points[..10], 400), &points[..10]);
        assert_eq!(thinned(&[(0.0, f64::NAN)], 4), []);
    }

    #[test]
    fn medians_do_not_see_spikes() {
        let points: Vec<(f64, f64)> =
            (0..1000).map(|i| (f64::from(i), if i % 10 == 0 { 1e9 } else { 2.0 })).collect();
        let course = medians(&points, 50).unwrap();
        assert_eq!(course.len(), 50);
        assert!(course.iter().all(|p| p.1 == 2.0));
        assert_eq!(medians(&points[..100], 50), None);
    }
}
