//! Text cut into words.

use super::Fault;

/// Characters a text may have.
const LONGEST: usize = 10_000;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(String),
    /// An operator, a bracket or a comma.
    Symbol(&'static str),
    End,
}

/// The longer of two that begin alike comes first.
const SYMBOLS: [&str; 15] = ["**", "<=", ">=", "==", "<", ">", "+", "-", "*", "/", "^", "(", ")", ",", "="];

/// The tokens of a text, each with the character it begins at.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let characters: Vec<char> = text.chars().take(LONGEST + 1).collect();
    if characters.len() > LONGEST {
        let mend = "move parts of it into definitions";
        return Err(Fault::new(0, format!("the expression is longer than {LONGEST} characters"), mend));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let c = characters[at];
        let rest = &characters[at..];
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() || (c == '.' && rest.get(1).is_some_and(char::is_ascii_digit)) {
            let length = number(rest);
            let word: String = rest[..length].iter().collect();
            let value = word.parse::<f64>().ok().filter(|v| v.is_finite());
            let Some(value) = value else {
                return Err(Fault::new(at, format!("`{word}` is no number"), "write it like 2, 0.5 or 1e-3"));
            };
            tokens.push((at, Token::Number(value)));
            at += length;
        } else if c.is_alphabetic() || c == '_' {
            let length = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            tokens.push((at, Token::Name(rest[..length].iter().collect())));
            at += length;
        } else {
            let found = SYMBOLS.iter().find(|s| s.chars().eq(rest.iter().copied().take(s.len())));
            let Some(symbol) = found else {
                let mend = "use numbers, names, + - * / ^, comparisons and brackets";
                return Err(Fault::new(at, format!("`{c}` means nothing here"), mend));
            };
            if *symbol == "=" {
                let mend = "write a residual, what must be zero: `a - b` instead of `a = b`";
                return Err(Fault::new(at, "an expression has no `=`", mend));
            }
            tokens.push((at, Token::Symbol(symbol)));
            at += symbol.len();
        }
    }
    tokens.push((characters.len(), Token::End));
    Ok(tokens)
}

/// How many characters a number has: digits, a point, digits, an exponent.
fn number(text: &[char]) -> usize {
    let digits = |from: usize| text[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut length = digits(0);
    if text.get(length) == Some(&'.') {
        length += 1;
        length += digits(length);
    }
    if matches!(text.get(length), Some('e' | 'E')) {
        let sign = usize::from(matches!(text.get(length + 1), Some('+' | '-')));
        let exponent = digits((length + 1 + sign).min(text.len()));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}
