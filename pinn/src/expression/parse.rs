//! Words joined by precedence climbing. Each operation is handed over at once, so that no tree is ever kept.

use super::Fault;
use super::token::{Token, tokens};

/// How deep brackets and operators may nest.
const DEEPEST: usize = 100;

/// What words stand for.
pub(super) trait Meaning {
    type Value;
    fn number(&mut self, value: f64) -> Result<Self::Value, Fault>;
    fn name(&mut self, at: usize, name: &str) -> Result<Self::Value, Fault>;
    /// Arguments come with the character they begin at.
    fn call(
        &mut self,
        at: usize,
        name: &str,
        arguments: Vec<(usize, Self::Value)>,
    ) -> Result<Self::Value, Fault>;
    /// `-` or `not`.
    fn prefix(&mut self, at: usize, symbol: &str, of: Self::Value) -> Result<Self::Value, Fault>;
    fn infix(
        &mut self,
        at: usize,
        symbol: &str,
        left: Self::Value,
        right: Self::Value,
    ) -> Result<Self::Value, Fault>;
}

/// Reads a whole text.
pub(super) fn parse<M: Meaning>(text: &str, meaning: &mut M) -> Result<M::Value, Fault> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0, meaning };
    let value = parser.expression(0)?;
    match parser.take() {
        (_, Token::End) => Ok(value),
        (at, Token::Symbol(")")) => Err(Fault::new(at, "this bracket was not opened", "take it away")),
        (at, other) => {
            let mend = "put an operator before it; a product is written with `*`";
            Err(Fault::new(at, format!("an operator is missing before {}", shown(&other)), mend))
        }
    }
}

/// The strengths with which operators bind; `^` binds to the right.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const SIGN: u8 = 7;
const POWER: u8 = 8;

/// An operator between two operands and its strength.
fn joins(token: &Token) -> Option<(&'static str, u8)> {
    Some(match token {
        Token::Name(n) if n == "or" => ("or", OR),
        Token::Name(n) if n == "and" => ("and", AND),
        Token::Symbol(s @ ("<" | "<=" | ">" | ">=" | "==")) => (s, COMPARISON),
        Token::Symbol(s @ ("+" | "-")) => (s, SUM),
        Token::Symbol(s @ ("*" | "/")) => (s, PRODUCT),
        Token::Symbol("^" | "**") => ("^", POWER),
        _ => return None,
    })
}

fn shown(token: &Token) -> String {
    match token {
        Token::Number(v) => format!("`{v}`"),
        Token::Name(n) => format!("`{n}`"),
        Token::Symbol(s) => format!("`{s}`"),
        Token::End => "the end".into(),
    }
}

struct Parser<'a, M> {
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
    meaning: &'a mut M,
}

impl<M: Meaning> Parser<'_, M> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].1
    }

    fn take(&mut self) -> (usize, Token) {
        let token = self.tokens[self.next].clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn expression(&mut self, least: u8) -> Result<M::Value, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let what = format!("the expression nests deeper than {DEEPEST}");
            return Err(Fault::new(self.tokens[self.next].0, what, "move parts of it into definitions"));
        }
        let mut left = self.operand()?;
        while let Some((symbol, strength)) = joins(self.peek()) {
            if strength < least {
                break;
            }
            let (at, _) = self.take();
            let right = self.expression(if strength == POWER { strength } else { strength + 1 })?;
            if let (COMPARISON, Some((next, COMPARISON))) = (strength, joins(self.peek())) {
                let mend = format!("join two comparisons by `and`: `a {symbol} b and b {next} c`");
                return Err(Fault::new(self.tokens[self.next].0, "comparisons do not chain", mend));
            }
            left = self.meaning.infix(at, symbol, left, right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<M::Value, Fault> {
        let (at, token) = self.take();
        match token {
            Token::Number(v) => self.meaning.number(v),
            Token::Symbol("+") => self.expression(SIGN),
            Token::Symbol("-") => {
                let of = self.expression(SIGN)?;
                self.meaning.prefix(at, "-", of)
            }
            Token::Name(n) if n == "not" => {
                let of = self.expression(NOT)?;
                self.meaning.prefix(at, "not", of)
            }
            Token::Symbol("(") => {
                let inner = self.expression(0)?;
                self.close(at)?;
                Ok(inner)
            }
            Token::Name(n) if *self.peek() == Token::Symbol("(") => {
                let (open, _) = self.take();
                let mut arguments = Vec::new();
                let empty = *self.peek() == Token::Symbol(")");
                while !empty {
                    arguments.push((self.tokens[self.next].0, self.expression(0)?));
                    if *self.peek() != Token::Symbol(",") {
                        break;
                    }
                    self.take();
                }
                self.close(open)?;
                self.meaning.call(at, &n, arguments)
            }
            Token::Name(n) => self.meaning.name(at, &n),
            other => {
                let what = format!("{} stands where a number, a name or a bracket is needed", shown(&other));
                Err(Fault::new(at, what, "complete the expression"))
            }
        }
    }

    fn close(&mut self, open: usize) -> Result<(), Fault> {
        match self.take() {
            (_, Token::Symbol(")")) => Ok(()),
            (at, Token::End) => {
                let mend = format!("close the bracket opened at character {open}");
                Err(Fault::new(at, "a `)` is missing", mend))
            }
            (at, other) => {
                let mend = "put an operator or a `,` before it, or close the bracket";
                Err(Fault::new(at, format!("{} does not belong here", shown(&other)), mend))
            }
        }
    }
}
