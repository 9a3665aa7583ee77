//! Files made of others: cut, mixed, and given words that readers get wrong.

use resolvent_datasets::random::Stream;

/// Random numbers, one after the other.
pub struct Numbers {
    stream: Stream,
    at: u64,
}

impl Numbers {
    pub fn new(seed: u64, run: u64) -> Self {
        Self { stream: Stream::new(seed.wrapping_add(run.rotate_left(32)), "matrix market fuzz"), at: 0 }
    }

    /// Below `n`, which is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        self.at += 1;
        (self.stream.integer(self.at) % n.max(1) as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

const BANNER: [&str; 15] = [
    "matrix",
    "vector",
    "coordinate",
    "array",
    "real",
    "double",
    "integer",
    "pattern",
    "complex",
    "general",
    "symmetric",
    "skew-symmetric",
    "hermitian",
    "%%MatrixMarket",
    "",
];

const WORDS: [&str; 36] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "+1",
    "-0",
    "00000000000000000000000001",
    "65536",
    "1048576",
    "1048577",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "1e308",
    "-1.7976931348623157e308",
    "1e999",
    "5e-324",
    "1e-999",
    "1D5",
    "1d",
    "e",
    ".",
    "-.5e-3",
    "1_000",
    "0x1p3",
    "nan",
    "-Infinity",
    "\u{ff11}",
    "\u{202e}",
    "\u{1b}[2J",
    "%",
    "",
];

const BYTES: &[u8] = b"\n\r\t %-+.eEdD0123456789\x00\x0b\x0c\x1b\x7f\x80\xc3\xff";

/// A file that is like one of the corpus, or two, or made from nothing.
pub fn file(corpus: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes =
        if numbers.below(8) == 0 { generated(numbers) } else { corpus[numbers.below(corpus.len())].clone() };
    if numbers.below(10) == 0 {
        let other = &corpus[numbers.below(corpus.len())];
        bytes.truncate(numbers.below(bytes.len() + 1));
        bytes.extend_from_slice(&other[numbers.below(other.len() + 1)..]);
    }
    for _ in 0..numbers.below(7) {
        mutate(&mut bytes, numbers);
    }
    bytes
}

/// The right words in the right places, with numbers that may be right.
fn generated(numbers: &mut Numbers) -> Vec<u8> {
    let (layout, field) = (numbers.of(&BANNER[2..4]), numbers.of(&BANNER[4..8]));
    let symmetry = numbers.of(&BANNER[9..12]);
    let (rows, cols) = (1 + numbers.below(5), 1 + numbers.below(5));
    let cols = if symmetry == "general" { cols } else { rows };
    let coordinate = layout == "coordinate";
    let mut text = format!("%%MatrixMarket matrix {layout} {field} {symmetry}\n{rows} {cols}");
    let entries = if coordinate {
        let entries = numbers.below(9);
        text += &format!(" {entries}");
        entries
    } else {
        match symmetry {
            "general" => rows * cols,
            "symmetric" => rows * (rows + 1) / 2,
            _ => rows * (rows - 1) / 2,
        }
    };
    text.push('\n');
    for _ in 0..entries {
        if coordinate {
            let (row, col) = (1 + numbers.below(rows), 1 + numbers.below(cols));
            let (row, col) = if symmetry == "general" { (row, col) } else { (row.max(col), row.min(col)) };
            text += &format!("{row} {col} ");
        }
        if field != "pattern" {
            text += &format!("{:e}", f64::from_bits(numbers.stream.integer(numbers.below(1 << 30) as u64)));
        }
        text.push('\n');
    }
    text.into_bytes()
}

fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let end = (at + 1 + numbers.below(12)).min(bytes.len());
    match numbers.below(9) {
        0 => {
            bytes.truncate(at);
        }
        1 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
        2 => bytes.insert(at, numbers.of(BYTES)),
        3 if at < bytes.len() => bytes[at] = numbers.of(BYTES),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let piece = bytes[at..end].to_vec();
            let to = numbers.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        6 => {
            let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            let (one, two) = (numbers.below(lines.len()), numbers.below(lines.len()));
            if numbers.below(2) == 0 {
                lines.swap(one, two);
            } else {
                lines.insert(two, lines[one].clone());
            }
            *bytes = lines.join(&b'\n');
        }
        _ => replace_word(bytes, numbers),
    }
}

/// Another word where one is, in the banner most often one of a banner.
fn replace_word(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|i| !bytes[*i].is_ascii_whitespace() && (*i == 0 || bytes[i - 1].is_ascii_whitespace()))
        .collect();
    if starts.is_empty() {
        return;
    }
    let which = numbers.below(starts.len());
    let start = starts[which];
    let end = (start..bytes.len()).find(|i| bytes[*i].is_ascii_whitespace()).unwrap_or(bytes.len());
    let banner = which < 5 && numbers.below(4) > 0;
    let word = if banner { numbers.of(&BANNER) } else { numbers.of(&WORDS) };
    bytes.splice(start..end, word.bytes());
}
