//! Valid files, changed: at random, and where sizes, addresses and signatures are.

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, 2014, doi:10.1145/2660193.2660195).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

const SIGNATURES: [&[u8; 4]; 14] = [
    b"TREE", b"HEAP", b"SNOD", b"GCOL", b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"BTHD", b"BTLF", b"FAHD",
    b"EAHD", b"EADB", b"\x89HDF",
];

/// One to three changes of a file.
pub fn mutate(content: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        if content.len() < 16 {
            return;
        }
        match random.below(10) {
            0 | 1 => {
                for _ in 0..1 + random.below(8) {
                    let at = random.below(content.len());
                    content[at] ^= 1 << random.below(8);
                }
            }
            2 => {
                let (length, n) = (1 + random.below(64), content.len());
                let (from, to) = (random.below(n), random.below(n));
                let length = length.min(n - from.max(to));
                content.copy_within(from..from + length, to);
            }
            3 => {
                let at = random.below(content.len());
                let end = content.len().min(at + 1 + random.below(32));
                content[at..end].fill(if random.below(2) == 0 { 0 } else { 0xff });
            }
            4 if random.below(4) == 0 => content.truncate(random.below(content.len())),
            5 | 6 => near_signature(content, random),
            _ => field(content, random),
        }
    }
}

/// A number of 2, 4 or 8 bytes that looks like a size or an address in the file becomes another one.
fn field(content: &mut [u8], random: &mut Random) {
    let bytes = [2, 4, 8, 8][random.below(4)];
    let length = content.len() as u64;
    for _ in 0..200 {
        let at = random.below(content.len() - bytes);
        let mut old = [0; 8];
        old[..bytes].copy_from_slice(&content[at..at + bytes]);
        let old = u64::from_le_bytes(old);
        if old == 0 || old > length {
            continue;
        }
        put(content, at, bytes, old, random);
        return;
    }
}

/// Something in the fields behind a signature.
fn near_signature(content: &mut [u8], random: &mut Random) {
    let found: Vec<usize> =
        (0..content.len() - 4).filter(|i| SIGNATURES.iter().any(|s| content[*i..].starts_with(*s))).collect();
    if found.is_empty() {
        return;
    }
    let at = found[random.below(found.len())] + 4 + random.below(60);
    let bytes = [1, 2, 4, 8][random.below(4)];
    if at + bytes <= content.len() {
        let old = u64::from(content[at]);
        put(content, at, bytes, old, random);
    }
}

fn put(content: &mut [u8], at: usize, bytes: usize, old: u64, random: &mut Random) {
    let length = content.len() as u64;
    let new = match random.below(10) {
        0 => 0,
        1 => u64::MAX,
        2 => length - random.next() % 16,
        3 => at as u64,
        4 => old.wrapping_add(1),
        5 => old.wrapping_sub(1),
        6 => old << random.below(32),
        7 => 1 << random.below(64),
        8 => random.next() % length,
        _ => u64::MAX >> (1 + random.below(40)),
    };
    content[at..at + bytes].copy_from_slice(&new.to_le_bytes()[..bytes]);
}
