//! YAML as a tree with lines, for the checks. Aliases stay what they are: nothing grows.

use std::borrow::Cow;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::Fault;
use crate::text;

/// How deep lists and mappings may be in each other.
const MAX_DEPTH: usize = 64;
/// Most values.
const MAX_NODES: usize = 100_000;

/// One value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Its first line.
    pub(super) line: usize,
    /// Where it stands, in bytes.
    pub(super) range: Range<usize>,
    /// Whether it is a text because it says so: `"1"` is no number.
    pub(super) quoted: bool,
    pub(super) value: Value,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Alias,
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a mapping; nothing where it is none.
    pub(super) fn pairs(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Map(pairs) => pairs,
            _ => &[],
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.pairs().iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }
}

/// The document of a text; none where it is empty.
pub(super) fn parse(source: &str) -> Result<Option<Node>, Fault> {
    let mut parser = Parser::new_from_str(source);
    let mut tree = Tree { bytes: Bytes::of(source), open: Vec::new(), root: None, nodes: 0 };
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let what = format!("It is no YAML: {}.", text::plain(error.info(), 200));
            Fault::error(
                error.marker().line(),
                what,
                "Check the indentation and the quotes of this line and the one before; tabs are not allowed.",
            )
        })?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                let what = "A second document begins here.";
                return Err(Fault::error(span.start.line(), what, "Take the line with three dashes out."));
            }
        }
        tree.take(event, span)?;
    }
    Ok(tree.root)
}

/// Characters to bytes: the parser counts characters.
enum Bytes {
    Same,
    Table(Vec<usize>),
}

impl Bytes {
    fn of(source: &str) -> Bytes {
        if source.is_ascii() {
            return Bytes::Same;
        }
        Bytes::Table(source.char_indices().map(|(at, _)| at).chain([source.len()]).collect())
    }

    fn range(&self, span: Span) -> Range<usize> {
        let at = |index: usize| match self {
            Bytes::Same => index,
            Bytes::Table(table) => table.get(index).or(table.last()).copied().unwrap_or_default(),
        };
        at(span.start.index())..at(span.end.index())
    }
}

/// A tree on its way; what is not closed yet is a stack, not a recursion.
struct Tree {
    bytes: Bytes,
    open: Vec<(Node, Option<Node>)>,
    root: Option<Node>,
    nodes: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let node = |value| Node { line: span.start.line(), range: self.bytes.range(span), quoted: false, value };
        match event {
            Event::Scalar(text, style, ..) => {
                let node = node(Value::Scalar(Cow::into_owned(text)));
                self.place(Node { quoted: style != ScalarStyle::Plain, ..node })
            }
            Event::Alias(_) => {
                let node = node(Value::Alias);
                self.place(node)
            }
            Event::SequenceStart(..) => {
                let node = node(Value::List(Vec::new()));
                self.begin(node)
            }
            Event::MappingStart(..) => {
                let node = node(Value::Map(Vec::new()));
                self.begin(node)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some((node, _)) => self.place(node),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault::error(
                node.line,
                "Lists and mappings are in each other 64 deep.",
                "Check the brackets.",
            ));
        }
        self.open.push((node, None));
        Ok(())
    }

    fn place(&mut self, node: Node) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Fault::error(
                node.line,
                "The file has more than 100,000 values.",
                "Check that it is the right file.",
            ));
        }
        let Some((parent, key)) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut parent.value, key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(pairs), Some(name)) => pairs.push((name, node)),
            (_, None) => *key = Some(node),
            (_, Some(_)) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(text: &str) -> Option<usize> {
        parse(text).err().and_then(|fault| fault.line)
    }

    #[test]
    fn values_have_lines_and_places() {
        let text = "# ä\na:\n  b: [x, 'ü y']\n  c: |\n    one\n    two\nd: *later\n";
        let text = text.replace("*later", "{e: 1}");
        let root = parse(&text).unwrap().unwrap();
        let b = root.get("a").and_then(|a| a.get("b")).unwrap();
        let Value::List(items) = &b.value else { panic!("{b:?}") };
        assert_eq!((items[1].line, items[1].text(), &text[items[1].range.clone()]), (3, Some("ü y"), "'ü y'"));
        let c = root.get("a").and_then(|a| a.get("c")).unwrap();
        assert_eq!(c.text(), Some("one\ntwo\n"));
        assert!(text[c.range.clone()].contains("two"));
        assert_eq!(root.get("d").and_then(|d| d.get("e")).and_then(Node::text), Some("1"));
        assert_eq!(root.get("none"), None);
        assert_eq!(parse("# nothing\n"), Ok(None));
    }

    #[test]
    fn mistakes_have_their_line() {
        assert!(line_of("a: 1\nb: [1, 2\nc: 3\n").is_some());
        assert_eq!(line_of("a:\n\tb: x\n"), Some(2));
        assert_eq!(line_of("a: 1\n---\nb: 2\n"), Some(2));
        assert_eq!(line_of(&format!("a: {}", "[".repeat(65))), Some(1));
        assert_eq!(line_of(&"- x\n".repeat(MAX_NODES + 1)), Some(MAX_NODES + 1));
    }

    #[test]
    fn aliases_do_not_grow() {
        let mut bomb = String::from("a0: &a0 [x, x]\n");
        for at in 1..60 {
            bomb.push_str(&format!("a{at}: &a{at} [*a{0}, *a{0}]\n", at - 1));
        }
        let root = parse(&bomb).unwrap().unwrap();
        assert_eq!(root.pairs().len(), 60);
    }
}
