//! An axis of a chart: linear or logarithmic, decided when it is drawn, with ticks that people expect.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// From values to places on a picture.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    range: Range<f64>,
    logarithmic: bool,
}

impl Scale {
    /// Around all values with a margin; something sensible for none, or for one.
    pub fn around(values: impl Iterator<Item = f64>, logarithmic: bool) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let range = match (low <= high, logarithmic) {
            (false, true) => 0.1..10.0,
            (false, false) => 0.0..1.0,
            (true, true) => (low / 1.5).max(f64::MIN_POSITIVE)..(high * 1.5).min(f64::MAX),
            (true, false) if low == high => low - 0.5..high + 0.5,
            (true, false) => low..(high + 0.02 * (high - low)).min(f64::MAX),
        };
        Self { range, logarithmic }
    }

    /// From one value to another, without a margin.
    pub fn exactly(low: f64, high: f64) -> Self {
        let range = if low < high { low..high } else { low - 0.5..low + 0.5 };
        Self { range, logarithmic: false }
    }

    /// About `most` ticks with their labels.
    pub fn labelled(&self, most: usize) -> Vec<(f64, String)> {
        self.ticks(most).into_iter().map(|v| (v, self.format_ext(&v))).collect()
    }

    /// Where a value lies between two pixels.
    pub fn pixel(&self, v: f64, limit: (i32, i32)) -> i32 {
        self.map(&v, limit)
    }

    fn place(&self, v: f64) -> f64 {
        if self.logarithmic { v.max(f64::MIN_POSITIVE).log10() } else { v }
    }

    fn ticks(&self, most: usize) -> Vec<f64> {
        let (low, high) = (self.place(self.range.start), self.place(self.range.end));
        let inside = |v: &f64| self.range.contains(v);
        if !self.logarithmic {
            let rough = (high - low) / most.max(2) as f64;
            let power = 10f64.powf(rough.log10().floor());
            let step =
                [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
            let first = (low / step).ceil();
            let ticks = (0..=2 * most).map(|i| (first + i as f64) * step);
            return ticks.take_while(|v| *v <= high + 1e-9 * step).collect();
        }
        let (first, last) = (low.floor() as i32, high.ceil() as i32);
        let decades = (last - first).max(1) as usize;
        let multiples: &[f64] = if decades <= 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let stride = decades.div_ceil(most.max(2));
        let powers = (first..=last).filter(|p| p.rem_euclid(stride as i32) == 0);
        powers.flat_map(|p| multiples.iter().map(move |m| m * 10f64.powi(p))).filter(inside).collect()
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, v: &f64, limit: (i32, i32)) -> i32 {
        let (low, high) = (self.place(self.range.start), self.place(self.range.end));
        let share = (self.place(*v) - low) / (high - low);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.max_num_points())
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, v: &f64) -> String {
        label(*v, self.range.end - self.range.start, self.logarithmic)
    }
}

/// 0.001 as 10⁻³ on a logarithmic axis; on a linear one as many digits as tell neighbours in `span` apart.
fn label(v: f64, span: f64, logarithmic: bool) -> String {
    let power = v.abs().log10().floor();
    let lead = v / 10f64.powf(power);
    if logarithmic && !(-2.0..4.0).contains(&power) {
        let raised: String = format!("{power:.0}").chars().map(raised).collect();
        let lead = lead.round();
        return if lead == 1.0 { format!("10{raised}") } else { format!("{lead:.0}·10{raised}") };
    }
    let fine = if logarithmic { power - 1.0 } else { span.log10().floor() - 1.0 };
    // What is left of zero after a sum of steps.
    if v == 0.0 || (!logarithmic && v.abs() < 1e-6 * span) {
        return "0".into();
    }
    let plain = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    if !(-5.0..=4.0).contains(&fine) || v.abs() >= 1e5 {
        let digits = (power - fine).clamp(0.0, 6.0) as usize;
        let text = format!("{v:.digits$e}");
        let (lead, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", plain(lead.into()));
    }
    plain(format!("{v:.digits$}", digits = (-fine).clamp(0.0, 6.0) as usize))
}

fn raised(digit: char) -> char {
    match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        d => d.to_digit(10).and_then(|d| char::from_u32('⁰' as u32 + d)).unwrap_or(d),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short() {
        assert_eq!(label(1e-8, 1.0, true), "10⁻⁸");
        assert_eq!(label(2e6, 1.0, true), "2·10⁶");
        assert_eq!(label(100.0, 1.0, true), "100");
        assert_eq!(label(0.05, 1.0, true), "0.05");
        assert_eq!(label(0.25, 0.5, false), "0.25");
        assert_eq!(label(0.0, 1.0, false), "0");
        assert_eq!(label(-1e-17, 1.0, false), "0");
        assert_eq!(label(40.0, 100.0, false), "40");
        assert_eq!(label(1200.0, 5000.0, false), "1200");
        assert_eq!(label(40000.0, 40000.0, false), "40000");
        assert_eq!(label(1.5e-6, 4e-6, false), "1.5e-6");
        assert_eq!(label(0.9998, 0.0007, false), "0.9998");
        assert_eq!(label(2e7, 8e7, false), "2e7");
    }

    #[test]
    fn ranges_too_narrow_or_wide_for_numbers_have_few_ticks() {
        for (low, high) in
            [(0.0, 5e-324), (1e300, 1e300 * (1.0 + 1e-15)), (-1e308, 1e308), (1e16, 1e16 + 2.0)]
        {
            assert!(Scale::exactly(low, high).labelled(8).len() <= 17);
        }
    }

    #[test]
    fn ticks_are_where_people_expect_them() {
        let scale = |low: f64, high: f64, logarithmic| Scale { range: low..high, logarithmic };
        assert_eq!(scale(0.0, 100.0, false).ticks(6), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(scale(3e-9, 2.0, true).ticks(5), [1e-8, 1e-6, 1e-4, 1e-2, 1.0]);
        assert_eq!(scale(30.0, 300.0, true).ticks(8), [50.0, 100.0, 200.0]);
        let one = Scale::around([3.0].into_iter(), true);
        assert!(!one.ticks(5).is_empty() && one.range.start < 3.0 && one.range.end > 3.0);
    }
}
