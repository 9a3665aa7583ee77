//! Colours of lines and of values.

use plotters::style::RGBColor;

/// Okabe and Ito's colours, which people with any colour vision tell apart.
pub(super) const LINES: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
/// What is no number.
const NONE: [u8; 3] = [128; 3];
/// Of equal steps in lightness, from dark violet over green to yellow (the map `viridis`).
const RISING: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];

/// From a part of a range to a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// From blue through white to red, for values around a middle.
    Diverging,
    /// From dark to light, for values above a floor.
    Rising,
}

impl Colours {
    /// Of a part of the range, 0 to 1; grey for what is no number.
    pub(super) fn at(self, part: f64) -> [u8; 3] {
        if !part.is_finite() {
            return NONE;
        }
        let part = part.clamp(0.0, 1.0);
        match self {
            Self::Diverging => {
                let s = 2.0 * part - 1.0;
                let end = if s < 0.0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
                end.map(|e: f64| (255.0 + (e - 255.0) * s.abs()) as u8)
            }
            Self::Rising => {
                let place = part * (RISING.len() - 1) as f64;
                let i = (place as usize).min(RISING.len() - 2);
                let share = place - i as f64;
                let mix = |c: usize| {
                    let (a, b) = (f64::from(RISING[i][c]), f64::from(RISING[i + 1][c]));
                    (a + (b - a) * share).round() as u8
                };
                [mix(0), mix(1), mix(2)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_in_their_colours_and_rising_ones_get_lighter() {
        assert_eq!(Colours::Diverging.at(0.0), [33, 102, 172]);
        assert_eq!(Colours::Diverging.at(0.5), [255; 3]);
        assert_eq!(Colours::Diverging.at(7.0), [178, 24, 43]);
        assert_eq!(Colours::Rising.at(1.0), [253, 231, 37]);
        assert_eq!(Colours::Rising.at(f64::NAN), NONE);
        let light =
            |c: [u8; 3]| 0.2126 * f64::from(c[0]) + 0.7152 * f64::from(c[1]) + 0.0722 * f64::from(c[2]);
        let steps: Vec<f64> = (0..=64).map(|i| light(Colours::Rising.at(f64::from(i) / 64.0))).collect();
        assert!(steps.windows(2).all(|w| w[1] > w[0] - 0.6), "{steps:?}");
    }
}
